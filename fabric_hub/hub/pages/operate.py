"""The operators' page (``/hub/operate``): everybody's sessions, the queue, and what is free.

What it shows is asked for again and again while somebody looks at it: from the hub's memory and the sessions' record,
for all operators together, and while nothing has changed from memory alone. Slurm is not asked.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.hub.spawner.runtime import HubRuntime, runtime
from fabric_hub.messages.reader import current
from fabric_hub.messages.text import text_of
from fabric_hub.messages.texts import home as home_texts
from fabric_hub.messages.texts import operate as texts
from fabric_hub.rpc.problem import Problem
from fabric_hub.sessions.status import standings
from fabric_hub.slurm.model import Snapshot

from . import dataset_requests
from .health import PartState, SiteHealth
from .home import reports_of
from .machines import age
from .operate_rows import Numbers, Row, in_queue, numbers, row
from .sessions import shown
from .trends import Lines, trends

PATH: Final = "/operate"
# What no snapshot has in it, as what sessions say of themselves, is looked at so often.
COUNTS_S: Final = 10.0
# How many of the queue stand beside the numbers; the table has them all.
QUEUE_SHOWN: Final = 10


@dataclass(frozen=True)
class Board:
    """What the page shows of all sessions, and of the site's parts.

    ``updated`` says how old it is, None where nothing is known of Slurm; ``lines`` are the numbers' last hours.
    """

    numbers: Numbers
    queue: tuple[Row, ...]
    rows: tuple[Row, ...]
    updated: Any
    health: tuple[PartState, ...]
    lines: Lines | None = None
    queue_shown: int = QUEUE_SHOWN


class Boards:
    """The board of this moment: made once for all operators, and again when there may be something new."""

    def __init__(self) -> None:
        self._of: tuple[Any, ...] = ()
        self._board: Board | None = None
        self._health: SiteHealth | None = None

    def health(self, shared: HubRuntime) -> SiteHealth:
        """How the site's parts fare, as this hub knows it."""
        if self._health is None or not self._health.of(shared):
            self._health = SiteHealth(shared)
        return self._health

    def version(self, shared: HubRuntime, now: float) -> tuple[Any, ...]:
        """Another one whenever the board may be another, from memory alone."""
        snapshot = _snapshot(shared)
        known = (snapshot.serial, snapshot.unavailable_since) if snapshot else None
        parts = [(part.key, part.state, part.why) for part in self.health(shared).states()]
        return shared.settings.hub.id, known, parts, shared.stops.changes, int(now // COUNTS_S)

    def board(self, shared: HubRuntime, now: float) -> Board:
        """The board.

        :raises FabricError: the record cannot be read.
        """
        version = self.version(shared, now)
        if self._board is None or self._of != version:
            self._of, self._board = version, board_of(shared, self.health(shared).states(), now)
        return self._board


boards = Boards()


def board_of(shared: HubRuntime, health: tuple[PartState, ...], now: float) -> Board:
    """What the page shows now, from the hub's memory and its record.

    :raises FabricError: the record cannot be read.
    """
    snapshot = _snapshot(shared)
    sessions = {session.id: session for session in shared.store.live_all()}
    known = standings(list(sessions.values()), snapshot)
    said = reports_of(shared, sessions)
    stops = shared.stops.of(sessions)
    profiles = shared.settings.profile
    rows = tuple(
        row(shown(session), profiles.get(session.profile), known[name], snapshot, said.get(name), now, stops.get(name))
        for name, session in sorted(sessions.items(), key=lambda item: (item[1].user, item[1].server_name))
    )
    return Board(numbers(rows, snapshot), in_queue(rows), rows, age(snapshot), health, trends.lines(now))


def _snapshot(shared: HubRuntime) -> Snapshot | None:
    return shared.follower.value if shared.settings.slurm is not None else None


def operator_of(viewer: Any) -> Any:
    """Who looks at the page, if they are an operator.

    :raises FabricError: (403) somebody else.
    """
    if not viewer.admin:
        raise FabricError(texts.OPERATORS_ONLY())
    return viewer


@contextmanager
def refused_in_words() -> Iterator[None]:
    """What is refused is a page that says why."""
    try:
        yield
    except FabricError as error:
        raise RefusedRequestError(text_of(error.said)) from error


class Operate(BaseHandler):  # type: ignore[misc]
    """``/hub/operate``: the page, for operators. A GET changes nothing.

    A POST answers a project's requests for a dataset (``do`` grant or refuse, ``project``, ``dataset``, ``why``); the
    catalogue service decides whether it is taken.
    """

    @web.authenticated
    async def get(self) -> None:
        """Show it."""
        with refused_in_words():
            operator_of(self.current_user)
            await self._show()

    @web.authenticated
    async def post(self) -> None:
        """Answer requests for a dataset."""
        with refused_in_words():
            operator = operator_of(self.current_user).name
            fields = {key: self.get_body_argument(key) for key in self.request.body_arguments}
            try:
                done = await dataset_requests.answer(runtime(), operator, fields)
            except FabricError as error:
                self.log.info("Refused an answer of operator %s: %s", operator, error)
                self.set_status(error.status)
                await self._show(problem=error)
            else:
                await self._show(done=done)

    async def _show(self, *, problem: FabricError | None = None, done: str = "") -> None:
        shared = runtime()
        if shared.settings.slurm is not None:
            await shared.current_snapshot()
        await boards.health(shared).first()
        now = time.time()
        self.set_header("Cache-Control", "no-store")
        self.finish(
            await self.render_template(
                "operate.html",
                board=boards.board(shared, now),
                version=version_of(shared, now),
                requests=await dataset_requests.known_requests(shared, fresh=bool(done or problem)),
                problem=problem,
                done=done,
                no_spawner_check=True,
            )
        )


class Live(BaseHandler):  # type: ignore[misc]
    """``GET /hub/operate/now``: the page's parts that change, as JSON ``{version, now, rows, health}``.

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
        shared, viewer = runtime(), self.current_user
        try:
            if viewer is None:
                raise FabricError(home_texts.LOGIN_AGAIN())
            operator_of(viewer)
            if shared.settings.slurm is not None:
                shared.interest()
            now = time.time()
            version = version_of(shared, now)
            if self.get_query_argument("version", "") == version:
                self.finish({"version": version})
                return
            board = boards.board(shared, now)
        except FabricError as error:
            self.set_status(error.status)
            self.finish(Problem.of(error).model_dump_json())
            return
        parts = {
            name: await self.render_template(f"operate_{name}.html", board=board, no_spawner_check=True)
            for name in ("now", "rows", "health")
        }
        self.finish({"version": version, **parts})


def version_of(shared: HubRuntime, now: float) -> str:
    """Of all that can change on the page by itself, for its reader."""
    told = repr((boards.version(shared, now), current().language, str(current().zone)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def pages() -> list[tuple[Any, ...]]:
    """What belongs to the page, for JupyterHub's list of pages."""
    return [(PATH, Operate), (rf"{PATH}/now", Live)]
