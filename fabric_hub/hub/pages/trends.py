"""The last hours of the page Operate's four numbers: a ring of one point a minute in the hub's memory, and its lines.

A point is counted from the record of sessions and the snapshot that the gateway has at that moment: Slurm is not asked,
and no page that is open costs anything. The ring is empty when the hub starts. What happened before is not known, and
the page says since when it is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import HubRuntime
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import operate as texts
from fabric_hub.sessions.status import standings
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Snapshot

from .operate_rows import gpus_of, state_of, waits_since

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
SPAN_S: Final = 6 * 3600.0
# Two points that are further apart have something unknown between them.
_GAP_S: Final = 2.5 * EVERY_S
# The picture's own units, and the room above and below the line for its thickness.
WIDTH, HEIGHT, _EDGE = 120, 24, 1
_COUNT, _WAIT = (texts.COUNT, texts.COUNTS), (texts.WAIT, texts.WAITS)
# Each number's name, words for what it was, and the unit of these (1, or a minute), which is the least that the upper
# end of its line stands for.
_NUMBERS: Final = {
    "running": (texts.LINE_RUNNING, _COUNT, 1.0),
    "queued": (texts.LINE_QUEUED, _COUNT, 1.0),
    "gpus": (texts.LINE_GPUS, _COUNT, 1.0),
    "oldest": (texts.LINE_OLDEST, _WAIT, 60.0),
}


@dataclass(frozen=True)
class Point:
    """The numbers at one moment, in Unix seconds; None is what was not known then.

    ``gpus`` are the free ones of ``gpus_all``; ``oldest`` is the longest wait of those that waited, in seconds.
    """

    at: float
    running: int | None = None
    queued: int | None = None
    gpus: int | None = None
    gpus_all: int = 0
    oldest: float | None = None


@dataclass(frozen=True)
class Line:
    """One number's line: ``path`` as SVG writes it, and what it was, in words."""

    path: str
    said: Text


@dataclass(frozen=True)
class Lines:
    """What the page draws, by number. ``since`` is when the first point was counted; ``whole``: all hours are known."""

    since: float
    whole: bool
    of: Mapping[str, Line]
    hours: int = round(SPAN_S / 3600)


def point_of(sessions: Sequence[Session], snapshot: Snapshot | None, now: float, *, slurm: bool = True) -> Point:
    """The numbers of a moment. Pure.

    :param snapshot: what Slurm said last; while it says nothing the numbers of then are not known.
    :param slurm: whether the site has Slurm at all.
    """
    if slurm and (snapshot is None or (snapshot.unavailable_since is not None and not snapshot.narrowed)):
        return Point(now)
    known = standings(sessions, snapshot)
    states = {session.id: state_of(session, known[session.id]) for session in sessions}
    waits = [now - waits_since(one, known[one.id].alive) for one in sessions if states[one.id] == "queued"]
    gpus = gpus_of(snapshot.nodes if snapshot else ())
    return Point(
        at=now,
        running=sum(state == "running" for state in states.values()),
        queued=len(waits),
        gpus=sum(one.free for one in gpus) if gpus else None,
        gpus_all=sum(one.total for one in gpus),
        oldest=max(waits, default=0.0),
    )


def lines_of(points: Sequence[Point], now: float) -> Lines | None:
    """The lines of the last hours, by number; None while there is nothing to draw. Pure.

    :param points: the first one first; those that are too old, or of a clock that was set back, are left out.
    """
    begin = now - SPAN_S
    points = [point for point in points if begin <= point.at <= now]
    found: dict[str, Line] = {}
    known_at = [point.at for point in points if point.running is not None]
    if not known_at:
        return None
    since = known_at[0]
    for name, (what, (always, between), unit) in _NUMBERS.items():
        values = [(point.at, getattr(point, name)) for point in points]
        known = [float(value) for _, value in values if value is not None]
        if known:
            highest = max(unit, *known, *(point.gpus_all for point in points if name == "gpus"))
            low, high = min(known), max(known)
            span = always(most=high) if low // unit == high // unit else between(least=low, most=high)
            found[name] = Line(path(values, begin, now, highest), texts.LINE(what=what(), since=since, span=span))
    return Lines(since, since - begin <= _GAP_S, found)


def path(values: Sequence[tuple[float, float | None]], begin: float, end: float, highest: float) -> str:
    """A line through values at their moments, broken where none is known, as the ``d`` of an SVG path. Pure.

    A value that stands alone is a dot; of values that stay the same only the first and the last are written.

    :param begin: the moment at the left end, in Unix seconds; ``end``: at the right one.
    :param highest: the value at the upper end; 0 is the lower one.
    """
    told: list[str] = []
    for run in _runs(values):
        corners = [
            (
                round((at - begin) / (end - begin) * WIDTH, 1),
                round(_EDGE + (1 - value / highest) * (HEIGHT - 2 * _EDGE), 1),
            )
            for at, value in run
        ]
        kept = [
            corner
            for place, corner in enumerate(corners)
            if not 0 < place < len(corners) - 1 or {corners[place - 1][1], corners[place + 1][1]} != {corner[1]}
        ]
        told += [f"{'L' if place else 'M'}{x:g} {y:g}" for place, (x, y) in enumerate(kept)]
        if len(kept) == 1:
            told.append("h0")
    return "".join(told)


def _runs(values: Sequence[tuple[float, float | None]]) -> Iterator[list[tuple[float, float]]]:
    """The values that follow each other without a gap."""
    run: list[tuple[float, float]] = []
    for at, value in values:
        if run and (value is None or at - run[-1][0] > _GAP_S):
            yield run
            run = []
        if value is not None:
            run.append((at, value))
    if run:
        yield run


class Trends:
    """The ring of one hub process."""

    def __init__(self) -> None:
        self.points: deque[Point] = deque(maxlen=round(SPAN_S / EVERY_S) + 1)

    async def count(self, shared: HubRuntime) -> None:
        """Add a point of now."""
        slurm = shared.settings.slurm is not None
        try:
            snapshot = await shared.follower.glance() if slurm else None
            self.points.append(point_of(shared.store.live_all(), snapshot, time.time(), slurm=slurm))
        except FabricError as error:
            log.warning("The numbers of the page Operate are not known now: %s", error)
            self.points.append(Point(time.time()))

    async def keep(self, shared: HubRuntime) -> None:
        """Add a point every minute, for as long as the hub runs."""
        self.points.clear()
        while True:
            await self.count(shared)
            await asyncio.sleep(EVERY_S)

    def lines(self, now: float) -> Lines | None:
        """What is to be drawn now."""
        return lines_of(self.points, now)


trends = Trends()
