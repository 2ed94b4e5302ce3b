"""What a cluster did in its last ten minutes: noted by its own process, so nobody asks the scheduler for it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ..answers import ClusterHistory

if TYPE_CHECKING:
    from distributed import Scheduler

EVERY_S = 5.0
POINTS = 120


class Point(NamedTuple):
    """One moment; see :class:`..answers.ClusterHistory`."""

    at: float
    tasks: int
    memory: int
    memory_limit: int


class History:
    """The last :data:`POINTS` moments.

    :param clock: the time in Unix seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._points: deque[Point] = deque(maxlen=POINTS)

    def record(self, scheduler: Scheduler) -> None:
        """Note what its workers do now, as far as they have told it."""
        workers = scheduler.workers.values()
        self._points.append(
            Point(
                self._clock(),
                sum(len(worker.processing) for worker in workers) + len(scheduler.queued) + len(scheduler.unrunnable),
                int(sum(worker.metrics.get("memory") or 0 for worker in workers)),
                int(sum(worker.memory_limit or 0 for worker in workers)),
            )
        )

    def dump(self) -> ClusterHistory:
        """All that is noted, for the panel."""
        points = [*self._points]
        return ClusterHistory(
            at=[point.at for point in points],
            tasks=[point.tasks for point in points],
            memory=[point.memory for point in points],
            memory_limit=[point.memory_limit for point in points],
        )
