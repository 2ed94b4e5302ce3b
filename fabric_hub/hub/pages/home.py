"""The page Sessions (``/hub/home``): a person's sessions, those that ended lately, and where a new one begins.

JupyterHub makes the page itself. What it shows is asked for here again and again while somebody looks at it: from the
hub's memory and the sessions' record, and while nothing has changed from memory alone. Slurm is not asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.spawner import SpawnException
from jupyterhub.utils import format_exception, url_path_join
from tornado import web

from fabric_hub.errors import FabricError
from fabric_hub.hub.patches.starts import forget, is_started
from fabric_hub.hub.spawner.ending import GONE_PATIENCE_S
from fabric_hub.hub.spawner.runtime import HubRuntime, runtime
from fabric_hub.launch.choice import as_built
from fabric_hub.messages.reader import current
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import gateway as of_gateway
from fabric_hub.messages.texts import home as texts
from fabric_hub.messages.texts import operate as of_operators
from fabric_hub.rpc.problem import Problem
from fabric_hub.service.hub_api import options
from fabric_hub.sessions.names import DEFAULT, free_name, next_name
from fabric_hub.sessions.reports import SessionReport
from fabric_hub.sessions.status import standings
from fabric_hub.sessions.store import Session
from fabric_hub.sessions.visits import VisitBook
from fabric_hub.slurm.model import Job, Snapshot
from fabric_hub.unix.accounts import runs_local_sessions

from . import cards
from .cards import Card, Ended, Server
from .first_session import FirstChoice, first_choices
from .sessions import Shown, shown

log = logging.getLogger(__name__)

# How long an ended session stays on its person's list, and how many of them do; the first few are seen at once.
RECENT_DAYS, MOST_RECENT, SEEN_AT_ONCE = 30.0, 30, 5
DAY_S = 86400.0
# So many starts of sessions that continue others are remembered until they are on record.
MOST_BEGUN = 1000
# What counts on by itself on a page is written anew so often.
COUNTS_S = 30.0
# A stop waits no longer for Slurm's word (spawner/ending.py), and who asks for the session's name for the stop.
STOPS_S = GONE_PATIENCE_S + 5.0


@dataclass(frozen=True)
class Home:
    """What the page shows of its person's sessions. ``version`` changes whenever the rest may have."""

    version: str
    live: tuple[tuple[Card, Shown | None], ...]
    recent: tuple[tuple[Ended, Shown], ...]
    choices: tuple[FirstChoice, ...]
    first: bool
    new_name: str
    seen_at_once: int = SEEN_AT_ONCE


def home(viewer: Any) -> Callable[[], Home]:
    """The template's function () -> what the page shows to who has logged in."""
    return lambda: home_of(viewer, time.time())


def home_of(viewer: Any, now: float) -> Home:
    """What the page shows to a person, from the hub's memory and its record.

    :raises FabricError: the record cannot be read.
    """
    shared = runtime()
    if shared.settings.slurm is not None:
        shared.interest()
    user, servers = viewer.name, servers_of(viewer)
    sessions = shared.store.live_of(user)
    mine = {name: session for name, session in sessions.items() if name in servers}
    recent = shared.store.recent(user, now - RECENT_DAYS * DAY_S, MOST_RECENT)
    visits = visits_to(shared, [session.id for session in (*mine.values(), *recent)])
    first = not servers and not recent and not shared.store.had_any(user)
    local = runs_local_sessions(shared.settings.users)
    today = datetime.fromtimestamp(now).astimezone().date()
    settings, known = as_built(shared.settings), shared.catalogue_known
    offered = first_choices(settings, user, known, today, local=local) if first else ()
    return Home(
        version=version_of(viewer, now),
        live=tuple(_live(shared, servers, mine, visits, now)),
        recent=tuple(
            (replace(cards.ended(session), visits=visits.get(session.id, ())), shown(session)) for session in recent
        ),
        choices=offered,
        first=first,
        new_name=free_name("", [name for name, server in servers.items() if server.pending != "stop"]) or DEFAULT,
    )


def servers_of(viewer: Any) -> dict[str, Server]:
    """A person's servers that run, start or stop, as JupyterHub knows them; by name."""
    return {
        name: Server(
            name=name,
            pending=spawner.pending,
            ready=bool(spawner.ready),
            notes=tuple(_notes(spawner)),
        )
        for name, spawner in viewer.spawners.items()
        if spawner.active
    }


def _notes(spawner: Any) -> list[Any]:
    said = spawner.said
    return [
        *([spawner.unreached] if spawner.unreached else []),
        *([of_gateway.CLUSTER_SAYS(words=said)] if said else []),
    ]


def _live(
    shared: HubRuntime,
    servers: Mapping[str, Server],
    sessions: Mapping[str, Session],
    visits: Mapping[str, tuple[Text, ...]],
    now: float,
) -> list[tuple[Card, Shown | None]]:
    """The cards, the oldest session first."""
    snapshot: Snapshot | None = shared.follower.value if shared.settings.slurm is not None else None
    known = standings(list(sessions.values()), snapshot)
    said = reports_of(shared, sessions)
    stops = shared.stops.of(session.id for session in sessions.values())
    others = shared.store.known({one.paired_with for one in sessions.values() if one.paired_with})
    found = []
    for name, server in servers.items():
        session = sessions.get(name)
        job: Job | None = known[session.id].alive if session else None
        profile = shared.settings.profile.get(session.profile) if session else None
        report = said.get(session.id) if session else None
        if session and session.paired_with:
            linked = cards.of_pair(session, others.get(session.paired_with))
            server = replace(server, notes=(*linked, *server.notes))
        if session and session.id in visits:
            server = replace(server, notes=(*server.notes, *visits[session.id]))
        stop = stops.get(session.id) if session else None
        one = cards.card(server, session, profile, job, snapshot, report, now, stop)
        found.append((session.created_at if session else now, one, shown(session) if session else None))
    return [(one, about) for _, one, about in sorted(found, key=lambda item: (item[0], item[1].server))]


def reports_of(shared: HubRuntime, sessions: Mapping[str, Session]) -> dict[str, SessionReport]:
    """What these sessions said last; where that cannot be read, nobody knows."""
    try:
        return shared.reports.of(session.id for session in sessions.values())
    except FabricError as error:
        log.warning("What sessions say of themselves is not on a page: %s", error)
        return {}


def visits_to(shared: HubRuntime, session_ids: Iterable[str]) -> dict[str, tuple[Text, ...]]:
    """What the person of these sessions reads of operators who opened them, by session.

    :raises FabricError: the record cannot be read.
    """
    found = VisitBook(shared.store.engine).of(session_ids)
    return {
        session: tuple(of_operators.OPENED_BY(operator=visit.operator, at=visit.at) for visit in visits)
        for session, visits in found.items()
    }


def version_of(viewer: Any, now: float) -> str:
    """Of all that can change on the page by itself, from memory alone: cheap enough to be asked every few seconds."""
    shared = runtime()
    snapshot = shared.follower.value if shared.settings.slurm is not None else None
    jobs = jobs_by_session(snapshot)
    facts = [
        (
            name,
            spawner.pending,
            bool(spawner.ready),
            spawner.session_id,
            jobs.get(spawner.session_id),
            spawner.unreached,
            getattr(getattr(spawner.child_spawner, "other", None), "id", ""),  # what may start in its place
        )
        for name, spawner in sorted(viewer.spawners.items())
        if spawner.active
    ]
    counted = count_of(viewer.name, now) if facts else 0
    told = repr((facts, counted, shared.stops.changes, current().language, str(current().zone)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def count_of(user: str, now: float) -> int:
    """Which of the equal times it is after which a person's page is written anew. Everybody's begin at other moments:
    fifty pages that are written at once hold up everybody who asks the hub for something. Pure."""
    return int((now + zlib.crc32(user.encode()) % (COUNTS_S * 1000) / 1000) // COUNTS_S)


_latest: tuple[Snapshot | None, dict[str, Job]] = (None, {})


def jobs_by_session(snapshot: Snapshot | None) -> dict[str, Job]:
    """The jobs of sessions, by session: made once for each snapshot, everybody's page asks for it."""
    global _latest
    if snapshot is None:
        return {}
    if _latest[0] is not snapshot:
        _latest = snapshot, {job.session[1]: job for job in snapshot.jobs if job.session}
    return _latest[1]


class Live(BaseHandler):  # type: ignore[misc]
    """``GET /hub/home/sessions``: the page's part that changes, as JSON ``{version, html}`` for who has logged in.

    With ``?version=`` of what a page shows already, and nothing new, ``{version}`` alone. Changes nothing.
    """

    def _log(self) -> None:
        # a page that somebody looks at asks every few seconds
        if self.get_status() >= 400:
            super()._log()

    async def get(self) -> None:
        """Answer who looks at the page."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        viewer = self.current_user
        try:
            if viewer is None:
                raise FabricError(texts.LOGIN_AGAIN())
            if runtime().settings.slurm is not None:
                runtime().interest()
            now = time.time()
            version = version_of(viewer, now)
            if self.get_query_argument("version", "") == version:
                self.finish({"version": version})
                return
            shows = home_of(viewer, now)
        except FabricError as error:
            self.set_status(error.status)
            self.finish(Problem.of(error).model_dump_json())
            return
        html = await self.render_template("home_live.html", home=shows, no_spawner_check=True)
        self.finish({"version": shows.version, "html": html})


class Remove(BaseHandler):  # type: ignore[misc]
    """``POST /hub/home/remove``: take an ended session (``session``, its id) off the viewer's own list.

    As with every form of the hub's, JupyterHub wants its own token against forgery. The record keeps the session, and
    a server of that name that does not run, and has no other line on the list, goes from JupyterHub's list, too.
    """

    @web.authenticated
    async def post(self) -> None:
        """Take it off."""
        user, wanted = self.current_user, self.get_body_argument("session", "")
        store = runtime().store
        try:
            removed = store.remove(user.name, wanted)
            if removed is None:
                raise FabricError(texts.NO_ENDED_SESSION(session=wanted[:40]))
            others = store.recent(user.name, time.time() - RECENT_DAYS * DAY_S, MOST_RECENT)
        except FabricError as error:
            self.set_status(error.status)
            self.set_header("Content-Type", "application/json")
            self.finish(Problem.of(error).model_dump_json())
            return
        name = removed.server_name
        if name and not is_started(user, name) and all(one.server_name != name for one in others):
            forget(user, name)
        self.set_status(204)


async def given_up(user: Any, name: str) -> None:
    """Wait until a person's server that is being stopped has given up its name, a moment; of another one do nothing."""
    spawner = user.spawners.get(name)
    stopping = spawner._stop_future if spawner is not None and spawner.pending == "stop" else None
    if stopping is not None:
        await asyncio.wait([stopping], timeout=STOPS_S)


class New(BaseHandler):  # type: ignore[misc]
    """``GET /hub/new-session``: lead to the start form of a session that is not there yet. Changes nothing.

    ``name`` is what somebody typed: it is made valid, and another one is taken where it is in use. One that a session
    gives up that is being stopped is waited for. Options of the form (``opt-…``) are handed on.
    """

    @web.authenticated
    async def get(self) -> None:
        """Lead there."""
        user, typed = self.current_user, self.get_query_argument("name", "")
        await given_up(user, free_name(typed, ()))
        name = free_name(typed, {*servers_of(user), *runtime().store.live_names(user.name)})
        chosen = [
            (key, value)
            for key in self.request.query_arguments
            if key.startswith("opt-")
            for value in self.get_query_arguments(key)
        ]
        address = url_path_join(self.hub.base_url, "spawn", user.escaped_name, name)
        self.redirect(f"{address}?{urlencode(chosen)}" if chosen else address)


class Continue(BaseHandler):  # type: ignore[misc]
    """``POST /hub/home/continue``: start a session with the choices of one that runs (``session``, its id).

    As *Continue* in JupyterLab does (:mod:`fabric_hub.service.tasks.continuation`), without files to open again: one
    that has been continued already leads to its successor. With ``end`` the first one ends two minutes after that is
    ready. The answer is JSON: ``{url}``, the page on which the new one waits. Both are the viewer's own.
    """

    _starting: ClassVar[set[str]] = set()
    _begun: ClassVar[dict[str, str]] = {}  # session -> the server that continues it

    @web.authenticated
    async def post(self) -> None:
        """Start it, or say why not."""
        self.set_header("Content-Type", "application/json")
        try:
            name = await self._continue(user_name=self.current_user.name)
        except FabricError as error:
            self.set_status(error.status)
            self.finish(Problem.of(error).model_dump_json())
            return
        except (SpawnException, web.HTTPError) as error:  # the start was refused, in words for its person
            self.set_status(getattr(error, "status_code", 500))
            self.finish({"message": format_exception(error)[0]})
            return
        self.finish({"url": url_path_join(self.hub.base_url, "spawn-pending", self.current_user.escaped_name, name)})

    @needs_scope("start:servers")  # type: ignore[untyped-decorator]
    async def _continue(self, user_name: str) -> str:
        """The name of the session that continues the one that is asked for."""
        store, wanted = runtime().store, self.get_body_argument("session", "")
        session = next((one for one in store.live_of(user_name).values() if one.id == wanted), None)
        if session is None or session.ready_at is None or wanted in self._starting:
            raise FabricError(texts.NOT_CONTINUED(session=wanted[:40]))
        found, begun = store.successor(session.id), self._begun.get(session.id)
        self._starting.add(wanted)
        try:
            if found is not None:
                name = found.server_name
            elif begun is not None and is_started(self.current_user, begun):
                name = begun  # its start waits for its turn
            else:
                name = self._begun[session.id] = await self._start(session)
                while len(self._begun) > MOST_BEGUN:
                    del self._begun[next(iter(self._begun))]
        finally:
            self._starting.discard(wanted)
        store.update(session.id, ends_when_followed=self.get_body_argument("end", "") == "yes")
        return name

    async def _start(self, session: Session) -> str:
        user, store = self.current_user, runtime().store
        name = next_name(session.server_name, {*servers_of(user), *store.live_names(user.name)})
        await self._check_named_server_request(user, name, name)
        store.prepare_successor(session, name, ())
        try:
            user.get_or_create_spawner(name, name, replace_failed=True)
            await self.spawn_single_user(user, name, name, options=options(session))
        except Exception:
            store.forget_successor(session.id)
            if not is_started(user, name) and store.last_ended(user.name, name) is None:
                forget(user, name)
            raise
        return name


def pages() -> list[tuple[Any, ...]]:
    """What belongs to the page, for JupyterHub's list of pages."""
    return [
        (r"/home/sessions", Live),
        (r"/home/remove", Remove),
        (r"/home/continue", Continue),
        (r"/new-session", New),
    ]
