"""An operator opens somebody else's session, where the site allows it: on record first, and its person reads it."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner import operator_access
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.texts import operate as texts
from fabric_hub.sessions.names import DEFAULT
from fabric_hub.sessions.visits import Visit, VisitBook

from .operate import operator_of, refused_in_words

log = logging.getLogger(__name__)

PATH: Final = "/operate/open"


class Open(BaseHandler):  # type: ignore[misc]
    """``POST /hub/operate/open``: let an operator into a session (``user``, ``server``), and lead there.

    With the hub's own token against forgery. Refused where ``hub.operators_open_sessions`` is off.
    """

    @web.authenticated
    async def post(self) -> None:
        """Open it."""
        with refused_in_words():
            operator, shared = operator_of(self.current_user), runtime()
            if not shared.settings.hub.operators_open_sessions:
                raise FabricError(texts.OPENING_IS_OFF())
            name, server = self.get_body_argument("user", ""), self.get_body_argument("server", "")
            user, session = self.find_user(name), shared.store.live(name, server)
            spawner = user.spawners.get(server) if user is not None else None
            if session is None or spawner is None or not spawner.ready or name == operator.name:
                raise FabricError(texts.NOT_TO_BE_OPENED(session=(server or DEFAULT)[:40], user=name[:64]))
            # first on record: what its person could not read later does not happen
            VisitBook(shared.store.engine).add(session.id, Visit(operator=operator.name, at=time.time()))
            log.warning("Operator %s opens session %s (%s) of %s", operator.name, session.id, server or DEFAULT, name)
            operator_access.open_for(self.db, spawner.orm_spawner, operator.orm_user)
            self.redirect(user.server_url(server), status=303)


def pages() -> list[tuple[Any, ...]]:
    """What belongs to it, for JupyterHub's list of pages."""
    return [(PATH, Open)]
