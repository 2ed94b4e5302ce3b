"""Workers that start together are submitted together, and cancelled together.

distributed starts every worker of a cluster by itself; here each start joins a batch, which goes to Slurm as one
job array, and each end joins a list, which goes there as one scancel.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from . import slurm
from .pools import Batch, Place, Pool, arrange
from .queues import Queue
from .worker_task import Order

# Starts and ends of one event loop pass belong together; distributed spreads them over a few passes.
GATHER_S = 0.05


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
        except (slurm.SlurmError, OSError) as error:
            for _, place in members:
                if not place.done():
                    place.set_exception(slurm.SlurmError(str(error)))
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
        except slurm.SlurmError as error:
            outcome: slurm.SlurmError | None = error
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
