"""Tokens end with the session that they were made for.

JupyterHub 6.1 deletes the token of a server that it stops, if it remembers it: a hub that was started again does
not, and a session that ended without JupyterHub's doing leaves its own, which opens the next session of that name.
So what belongs to a server is found in JupyterHub's database: its own tokens by their scopes, its visitors' by its
OAuth client.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.app import JupyterHub

from fabric_hub.sessions.scopes import SESSION_SCOPE, server_of
from fabric_hub.sessions.store import Session

from .runtime import runtime

log = logging.getLogger(__name__)


def revoke(db: Any, user: str, server: str, *, keep: str = "", visitors: bool = True) -> int:
    """Delete all tokens of a user's server but one.

    :param db: JupyterHub's database.
    :param keep: the token of its session that lives.
    :param visitors: whether the tokens of its visitors' browsers are deleted, too.
    :returns: how many were deleted.
    """
    kept = orm.APIToken.find(db, keep) if keep else None
    found = [token for token in _own(db, user) if server_of(user, token.scopes) == server]
    if visitors:
        found += _visitors(db, user, server)
    return _delete(db, [token for token in found if token is not kept])


def revoke_all_but(db: Any, live: Callable[[str, str], bool]) -> int:
    """Delete the tokens of all servers without a live session.

    :param live: (user, server name) -> whether its session lives.
    """
    found = []
    for token in _own(db):
        server = server_of(token.user.name, token.scopes)
        if server is not None and not live(token.user.name, server):
            found.append(token)
    for spawner in db.query(orm.Spawner).filter(orm.Spawner.oauth_client_id.is_not(None)):
        if not live(spawner.user.name, spawner.name):
            found += _visitors(db, spawner.user.name, spawner.name)
    return _delete(db, found)


def end_with_sessions() -> None:
    """Let a hub that starts delete what earlier ones left, and hear at once of sessions that the service ends."""
    init_spawners = JupyterHub.init_spawners
    if init_spawners.__module__ != JupyterHub.__module__:
        return

    async def init_spawners_and_tokens(self: Any) -> None:
        await init_spawners(self)
        shared = runtime()
        live = {(session.user, session.server_name) for session in shared.store.live_all()}
        revoke_all_but(self.db, lambda user, server: (user, server) in live)

        def over(session: Session) -> None:
            if shared.store.live(session.user, session.server_name) is None:
                revoke(self.db, session.user, session.server_name)

        shared.on_over = over
        await shared.open()

    init_spawners_and_tokens.__module__ = __name__
    JupyterHub.init_spawners = init_spawners_and_tokens


def _own(db: Any, user: str | None = None) -> list[Any]:
    tokens = db.query(orm.APIToken).join(orm.User).filter(sa.cast(orm.APIToken.scopes, sa.Text).contains(SESSION_SCOPE))
    return list(tokens if user is None else tokens.filter(orm.User.name == user))


def _visitors(db: Any, user: str, server: str) -> list[Any]:
    spawners = db.query(orm.Spawner).join(orm.User).filter(orm.User.name == user, orm.Spawner.name == server)
    return [token for spawner in spawners if spawner.oauth_client for token in spawner.oauth_client.access_tokens]


def _delete(db: Any, tokens: list[Any]) -> int:
    for token in tokens:
        db.delete(token)
    if tokens:
        db.commit()
        log.info("Deleted %d tokens of sessions that are over", len(tokens))
    return len(tokens)
