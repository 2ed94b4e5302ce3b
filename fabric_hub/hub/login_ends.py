"""What somebody logged in with ends: their browsers' cookies, the tokens that they made or were given, and shares.

The catalogue service says whose logins end, and when they ended: of people who are blocked, and whose identity was
unlinked. The tokens of their sessions stay as long as those: a session that ends saves what is open first.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jupyterhub import orm
from jupyterhub.utils import new_token

from fabric_hub.config.settings import Settings
from fabric_hub.projects.document import LoginEnd
from fabric_hub.projects.live import login_ends
from fabric_hub.sessions.scopes import server_of

log = logging.getLogger(__name__)

FILE: Final = "logins-ended.json"
# So late the hub may hear that logins have ended.
HEARD_S: Final = 60.0


class LoginsEnd:
    """Ends logins, each once: what was ended last is kept beside the hub's database.

    :param app: JupyterHub's.
    """

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._path = settings.hub.state_dir / FILE

    def look(self) -> None:
        """End those that are to end and have not."""
        told, done = login_ends(self._settings), _read(self._path)
        fresh = {name: end for name, end in told.items() if done.get(name, 0.0) < end.at}
        if fresh:
            end_logins(self._app.db, fresh)
            _write(self._path, {name: end.at for name, end in told.items()})


def end_logins(db: Any, ends: Mapping[str, LoginEnd]) -> int:
    """End what people logged in with before a moment, or until the hub heard of it.

    :param db: JupyterHub's database.
    :param ends: by name at the hub.
    :returns: how many people that were.
    """
    count = 0
    for name, end in ends.items():
        user = orm.User.find(db, name)
        if user is None:
            continue
        user.cookie_id = new_token()  # cookies name it: no cookie of before is anybody's
        # until now: who has the cookie can make tokens until we hear of the end; what is made much later is another's
        before = datetime.fromtimestamp(min(time.time(), end.at + HEARD_S), UTC).replace(tzinfo=None)
        # one with a session's scopes can be made by hand, too: it stays as long as that session, which saves with it
        running = {spawner.name for spawner in user.orm_spawners.values() if spawner.server is not None}
        for token in list(user.api_tokens):
            of_session = token.client_id == "jupyterhub" and server_of(name, token.scopes) in running
            if not of_session and (token.created is None or token.created <= before):
                db.delete(token)
        for code in db.query(orm.OAuthCode).filter(orm.OAuthCode.user_id == user.id):
            db.delete(code)
        for share in db.query(orm.Share).filter((orm.Share.user_id == user.id) | (orm.Share.owner_id == user.id)):
            db.delete(share)
        for offered in db.query(orm.ShareCode).filter(orm.ShareCode.owner_id == user.id):
            db.delete(offered)
        log.info("The logins of %s have ended%s", name, f": {end.blocked}" if end.blocked else "")
        count += 1
    db.commit()
    return count


def _read(path: Path) -> dict[str, float]:
    with suppress(FileNotFoundError, ValueError, TypeError):
        found = json.loads(path.read_text())
        return {str(name): float(at) for name, at in found.items()} if isinstance(found, dict) else {}
    return {}


def _write(path: Path, done: Mapping[str, float]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(done))
    draft.chmod(0o600)
    draft.replace(path)
