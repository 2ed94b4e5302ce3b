"""An operator ends a person's session: with a reason that the person reads, now or in some minutes.

The hub writes the order down; the service carries it out (:mod:`fabric_hub.service.tasks.operator_stops`). Each order,
and each that is taken back, is in the hub's log with who, when, whom and why.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import HubRuntime, runtime
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import stops as texts
from fabric_hub.rpc.problem import Problem
from fabric_hub.sessions.names import DEFAULT
from fabric_hub.sessions.stops import Stop, notice_of
from fabric_hub.sessions.store import Session

from .operate import operator_of

log = logging.getLogger(__name__)


class _Answers(BaseHandler):  # type: ignore[misc]
    """Answers with JSON: what was done, as ``{text}``, or why not."""

    def done(self, text: Text) -> None:
        """What was done, in the operator's language."""
        self.set_header("Content-Type", "application/json")
        self.finish({"text": text.say()})

    def refused(self, error: FabricError) -> None:
        """Why nothing was done."""
        self.set_status(error.status)
        self.set_header("Content-Type", "application/json")
        self.finish(Problem.of(error).model_dump_json())


class Order(_Answers):
    """``POST /hub/operate/stop``: end a session (``session``, its id) in ``minutes``, for a ``reason``.

    Of an operator who has logged in, with JupyterHub's own token against forgery. An order that stands gives way.
    """

    @web.authenticated
    async def post(self) -> None:
        """Write the order down."""
        told, now = {name: self.get_body_argument(name, "") for name in ("session", "minutes", "reason")}, time.time()
        try:
            operator = operator_of(self.current_user).name
            notice = notice_of(told["minutes"])
            stop = runtime().stops.order(told["session"], operator, told["reason"], notice, now)
        except FabricError as error:
            self.refused(error)
            return
        self.done(ordered(runtime(), stop))


class Withdraw(_Answers):
    """``POST /hub/operate/stop/withdraw``: let a session go on (``session``, its id) that an operator was to end."""

    @web.authenticated
    async def post(self) -> None:
        """Take the order back."""
        try:
            operator = operator_of(self.current_user).name
            stop = runtime().stops.withdraw(self.get_body_argument("session", ""), operator, time.time())
        except FabricError as error:
            self.refused(error)
            return
        session = runtime().store.get(stop.session)
        log.info("%s lets session %s of %s go on", operator, stop.session, session.user if session else "?")
        self.done(texts.WITHDRAWN(**named(session)))


def ordered(shared: HubRuntime, stop: Stop) -> Text:
    """Log an order that was written down; returns what its operator reads."""
    session = shared.store.get(stop.session)
    log.info(
        "%s ends session %s of %s in %.0f s: %s",
        stop.operator,
        stop.session,
        session.user if session else "?",
        stop.due_at - stop.ordered_at,
        stop.reason,
    )
    return texts.ORDERED(at=stop.due_at, **named(session))


def named(session: Session | None) -> dict[str, str]:
    """What people call a session, and whose it is. Pure."""
    return {"name": (session.server_name if session else "") or DEFAULT, "user": session.user if session else ""}


def pages() -> list[tuple[Any, ...]]:
    """The calls, for JupyterHub's list of pages."""
    return [(r"/operate/stop", Order), (r"/operate/stop/withdraw", Withdraw)]
