"""One worker of a cluster as its daemon knows it: where it was submitted, and whether it is lost."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed.core import Status

from . import slurm
from .batcher import Batcher
from .job import TaskJob
from .pools import Place, Pool

# A worker that runs and is not connected may be starting again under its nanny.
RESTART_S = 120.0
# Slurm calls a job running while it makes its node ready (Prolog); as long as the hub gives a session for that.
PREPARING_S = 3600.0
# A job that was submitted is in the hub's next snapshot or the one after.
KNOWN_S = 60.0
# Without Slurm's word on its job: a worker that was there and is away for so long is lost.
AWAY_S = 15.0


class WorkerJob(TaskJob):
    """One worker. Its start joins the batch of its neighbours'; a failure is kept, and tried again by the cluster."""

    _cluster: weakref.ref[Any]  # SpecCluster's

    def __init__(self, scheduler: Any = None, name: Any = None, *, batcher: Batcher, pool: Pool, **kwargs: Any) -> None:
        super().__init__(scheduler, name, **kwargs)
        self.batcher, self.pool = batcher, pool
        self.place: Place | None = None
        self.problem = ""
        self.since = time.monotonic()
        self.seen = False  # it has been connected
        self.begun = pool.own_log  # its script has; where no log of ours says so, it counts as begun with its job
        self.left = False  # it has told that its job ends
        self.away: float | None = None  # since when it is not, as far as is known

    async def start(self) -> None:
        try:
            self.place = await self.batcher.join(self)
            self.job_id = str(self.place)
        except slurm.SlurmError as error:
            self.problem = str(error)
        self.since = time.monotonic()
        self.status = Status.running

    async def close(self) -> None:
        if self.status == Status.closed:
            return
        place = self.over()
        if place is not None:
            with suppress(slurm.SlurmError):  # the job ends by itself: its workers have no scheduler any more
                await self.batcher.leave(self.name, place)

    def over(self) -> Place | None:
        """It is closed, its job's end is not ours to order; returns where it was."""
        self.status = Status.closed
        self._event_finished.set()
        return self.place


def last_lines(path: Path, lines: int = 3) -> str:
    """The end of a task's log, in one line; "" when there is none."""
    with suppress(OSError):
        return " ".join(path.read_text(errors="replace").splitlines()[-lines:])[-500:]
    return ""


def lost(job: WorkerJob, states: Mapping[Place, str] | None, now: float) -> bool:
    """Whether a worker that is not connected will not come by itself.

    Slurm's word counts; without one, only a worker that was there and has been away for a while is lost. Where its
    script has not begun, Slurm still makes the node ready, and the worker is not away.
    """
    if job.place is None:
        return bool(job.problem)
    if states is None:
        return job.seen and _away(job, now, AWAY_S)
    state = states.get(job.place)
    if state == "queued":  # also one that Slurm has put back: it comes by itself
        job.away = None
        return False
    if state == "running":
        return _away(job, now, RESTART_S if job.begun else PREPARING_S)
    if state is None:  # the hub's answer may be older than the job
        return _away(job, now, AWAY_S) if job.seen else now - job.since > KNOWN_S
    return state == "ended"


def _away(job: WorkerJob, now: float, limit_s: float) -> bool:
    if job.away is None:
        job.away = now
    return now - job.away >= limit_s
