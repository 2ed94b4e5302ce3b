"""What would start sooner than a session that waits: the button of its waiting page.

It starts a second session, as the first one's alternative: with the same project, software and datasets, and what was
offered in place of profile or hours. The first keeps its place in the queue. Whichever job's script speaks first ends
the other (:mod:`fabric_hub.sessions.pairs`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.errors import FabricError
from fabric_hub.hub.patches.starts import forget, is_started
from fabric_hub.hub.spawner.failures import SessionFailure
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.launch.options import UserOptions, from_url, parse_options
from fabric_hub.messages.text import text_of
from fabric_hub.messages.texts import sessions as texts
from fabric_hub.rpc.problem import Problem
from fabric_hub.sessions.names import FIRST_NAME, LONGEST_NAME, free_name, next_name
from fabric_hub.sessions.pairs import Row, no_alternative
from fabric_hub.sessions.store import Session
from fabric_hub.types import Frozen

PATH = "/sooner"


class Started(Frozen):
    """The session that was started: its name, and the address of its waiting page."""

    name: str
    url: str


def name_for(session: Session, profile: str, taken: Collection[str]) -> str:
    """The name of a session's alternative: its own and the profile's, or the next one. Valid, and not taken. Pure."""
    if profile == session.profile:
        return next_name(session.server_name, taken)
    first = (session.server_name or FIRST_NAME)[: max(1, LONGEST_NAME - len(profile) - 1)].rstrip("-")
    return free_name(f"{first}-{profile}", taken)


def options_of(session: Session, wish: UserOptions) -> dict[str, Any]:
    """A session's options with what an alternative may change of them: profile and hours. Pure."""
    return {
        "project": session.project,
        "profile": wish.profile or session.profile,
        "image": session.image,
        "hours": wish.hours or session.hours,
        "datasets": list(session.datasets),
    }


class StartSooner(BaseHandler):  # type: ignore[misc]
    """``POST /hub/sooner``: start the alternative of the viewer's own session (``session``, its id) that waits.

    ``opt-profile`` and ``opt-hours`` are what is offered. As with the start form, JupyterHub's own token against
    forgery is taken from the body alone. Answers 201 and :class:`Started`, or a Problem.
    """

    @web.authenticated
    async def post(self) -> None:
        """Start it, and answer once it is on record."""
        if self.get_body_argument("_xsrf", "") != self.xsrf_token.decode("ascii"):
            raise web.HTTPError(403, "'_xsrf' argument missing from POST")
        self.set_header("Content-Type", "application/json")
        try:
            started = await self._start(self.get_body_argument("session", ""))
        except FabricError as error:
            self.set_status(error.status)
            self.finish(Problem.of(error).model_dump_json())
            return
        self.set_status(201)
        self.finish(started.model_dump_json())

    async def _start(self, session_id: str) -> Started:
        user = self.current_user
        session = runtime().store.get(session_id)
        if session is None or session.user != user.name or not _is_starting(user, session):
            raise FabricError(texts.NOT_WAITING())
        if refused := no_alternative(_row(session)):
            raise refused
        told = {key: self.get_body_arguments(key) for key in self.request.body_arguments if key.startswith("opt-")}
        wish = parse_options(from_url({key.removeprefix("opt-"): value for key, value in told.items()}))
        options = options_of(session, wish)
        if (profile := runtime().settings.profile.get(options["profile"])) and profile.kind != session.kind:
            raise FabricError(texts.OTHER_KIND(profile=options["profile"]))
        taken = {*user.spawners, *user.orm_spawners, *runtime().store.live_names(user.name)}
        name = name_for(session, options["profile"], taken)
        spawner = user.get_or_create_spawner(name, name)
        spawner.alternative_to = session.id
        start = asyncio.ensure_future(self.spawn_single_user(user, name, name, options=options))
        start.add_done_callback(lambda done: done.cancelled() or done.exception())  # its own page tells of it
        opened = asyncio.ensure_future(spawner.opened.wait())
        try:
            await asyncio.wait({start, opened}, return_when=asyncio.FIRST_COMPLETED)
            if start.done() or not spawner.session_id:
                await start
        except SessionFailure as failure:
            raise failure.error from failure
        except web.HTTPError as error:
            raise FabricError(text_of(error.log_message or error.reason or ""), status=error.status_code) from error
        finally:
            opened.cancel()
            if not is_started(user, name):
                forget(user, name)
        page = url_path_join(self.hub.base_url, "spawn-pending", user.escaped_name, name)
        return Started(name=name, url=page)


def _is_starting(user: Any, session: Session) -> bool:
    spawner = user.spawners.get(session.server_name)
    return spawner is not None and spawner.pending == "spawn" and spawner.session_id == session.id


def _row(session: Session) -> Row:
    return Row(*(getattr(session, name) for name in Row._fields))


def pages() -> list[tuple[Any, ...]]:
    """What belongs to the page, for JupyterHub's list of pages."""
    return [(PATH, StartSooner)]
