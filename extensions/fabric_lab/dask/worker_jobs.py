"""A cluster's workers as jobs of Slurm's: submitted and cancelled together, each known by its place.

distributed starts every worker of a cluster by itself; here each start joins a batch, which goes to Slurm as one
job array, and each end joins a list, which goes there as one scancel. A job's script is dask-jobqueue's, with
:mod:`.worker_task` as its command.
"""

from __future__ import annotations

import asyncio
import itertools
import shlex
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import dask
from dask_jobqueue.slurm import SLURMJob
from distributed.core import Status

from ..common import overlay
from . import queues
from .pools import Batch, Place, Pool, arrange
from .queues import ORDER, Queue
from .worker_task import Order

# Starts and ends of one event loop pass belong together; distributed spreads them over a few passes.
GATHER_S = 0.05
# A worker that runs and is not connected may be starting again under its nanny.
RESTART_S = 120.0
# Slurm calls a job running while it makes its node ready (Prolog); as long as the hub gives a session for that.
PREPARING_S = 3600.0
# A job that was submitted is in the hub's next snapshot or the one after.
KNOWN_S = 60.0
# Without Slurm's word on its job: a worker that was there and is away for so long is lost.
AWAY_S = 15.0


class Entry(Protocol):
    """A worker of the cluster as it is known to a batch."""

    name: str
    pool: Pool

    def job_script(self) -> str: ...


class Batcher:
    """Joins submissions and cancellations of one cluster.

    :param directory: the cluster's; orders go below it.
    :param gather_s: how many seconds the first of a batch waits for others.
    """

    def __init__(self, directory: Path, queue: Queue, gather_s: float = GATHER_S) -> None:
        self._directory = directory
        self._queue = queue
        self._gather_s = gather_s
        self._numbers = itertools.count(1)
        self._waiting: list[tuple[Entry, asyncio.Future[Place]]] = []
        self._here: dict[Place, set[str]] = defaultdict(set)
        self._leaving: list[tuple[Place, asyncio.Future[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.calls = {"sbatch": 0, "scancel": 0}
        self.said = ""  # what the site says to its submissions, last of all

    def hold(self, name: str, place: Place) -> None:
        """A worker was submitted by somebody else: its part in that job counts as if it had been here."""
        self._here[place].add(name)

    def forget(self, name: str, place: Place) -> None:
        """A worker's job ends by itself."""
        self._here[place].discard(name)
        if not self._here[place]:
            del self._here[place]

    def submitted(self, orders: int) -> None:
        """So many orders were given by somebody else, under the first numbers."""
        self.calls["sbatch"] += orders
        self._numbers = itertools.count(orders + 1)

    async def join(self, entry: Entry) -> Place:
        """Be part of the next submission.

        :raises slurm.SlurmError: it failed.
        """
        place: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, place))
        if len(self._waiting) == 1:
            self._soon(self._submit)
        return await place

    async def leave(self, name: str, place: Place) -> None:
        """A worker's part in a job is over; the job ends with its last worker."""
        self._here[place].discard(name)
        if self._here[place]:
            return
        del self._here[place]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._leaving.append((place, done))
        if len(self._leaving) == 1:
            self._soon(self._cancel)
        await done

    def _soon(self, work: Callable[[], object]) -> None:
        async def later() -> None:
            await asyncio.sleep(self._gather_s)
            await work()  # type: ignore[misc]

        task = asyncio.create_task(later())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submit(self) -> None:
        waiting, self._waiting = self._waiting, []
        pools: dict[str, list[tuple[Entry, asyncio.Future[Place]]]] = defaultdict(list)
        for entry, place in waiting:
            pools[entry.pool.name].append((entry, place))
        for members in pools.values():
            members.sort(key=lambda member: _natural(member[0].name))
            rest = members
            for batch in arrange(len(members), members[0][0].pool.most):
                now, rest = rest[: batch.workers], rest[batch.workers :]
                await self._submit_one(now, batch)

    async def _submit_one(self, members: Sequence[tuple[Entry, asyncio.Future[Place]]], batch: Batch) -> None:
        first = members[0][0]
        pool = first.pool
        order = Order(
            names=[entry.name for entry, _ in members],
            per_task=batch.per_task,
            nthreads=pool.threads,
            memory_limit=pool.memory,
            gpus=pool.gpus,
            resources=pool.resources or None,
            local_directory=pool.local_directory,
            death_timeout=pool.death_timeout,
            worker=pool.worker,
        )
        path = self._directory / "orders" / f"{next(self._numbers)}.json"
        try:
            order.write(path)
            self.calls["sbatch"] += 1
            job = await self._queue.submit(first.job_script(), path, batch, pool)
            self.said = self._queue.said
        except (queues.SlurmError, OSError) as error:
            for _, place in members:
                if not place.done():
                    place.set_exception(queues.SlurmError(str(error)))
            return
        for number, (entry, future) in enumerate(members):
            where = Place(job, number // batch.per_task)
            self._here[where].add(entry.name)
            if not future.done():
                future.set_result(where)

    async def _cancel(self) -> None:
        leaving, self._leaving = self._leaving, []
        jobs: dict[int, list[int]] = defaultdict(list)
        for place, _ in leaving:
            jobs[place.job].append(place.task)
        self.calls["scancel"] += 1
        try:
            await self._queue.cancel(jobs)
        except queues.SlurmError as error:
            outcome: queues.SlurmError | None = error
        else:
            outcome = None
        for _, done in leaving:
            if done.done():
                continue
            if outcome:
                done.set_exception(outcome)
            else:
                done.set_result(None)


def _natural(name: str) -> tuple[str, int]:
    stem, _, number = name.rpartition("-")
    return (stem, int(number)) if number.isdigit() else (name, 0)


class TaskJob(SLURMJob):
    """What differs from dask-jobqueue's is the command: it runs all the workers of a task."""

    def __init__(self, scheduler: Any = None, name: Any = None, **kwargs: Any) -> None:
        super().__init__(scheduler, name, **kwargs)  # type: ignore[no-untyped-call]
        python = kwargs.get("python") or dask.config.get("jobqueue.slurm.python", None) or overlay.image_python()
        self._command_template = f"exec {shlex.quote(python)} -P -m fabric_lab.dask.worker_task {ORDER}"


def script(pool: Pool) -> str:
    """The batch script of a pool's workers; sbatch's own options stand above it (:func:`.queues.options`)."""
    return str(TaskJob("tls://scheduler", name="worker", **pool.job).job_script())  # type: ignore[no-untyped-call]


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
        except queues.SlurmError as error:
            self.problem = str(error)
        self.since = time.monotonic()
        self.status = Status.running

    async def close(self) -> None:
        if self.status == Status.closed:
            return
        place = self.over()
        if place is not None:
            with suppress(queues.SlurmError):  # the job ends by itself: its workers have no scheduler any more
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
