"""The cluster itself: dask-jobqueue's SLURMCluster with its gaps closed. It lives in the daemon.

What differs, and why (each is dask-jobqueue 0.9 or distributed 2026.8 as it is without us):

- all workers that start together are one job array, all that end together one scancel (:mod:`.worker_jobs`);
- every worker is an entry of its own also where several share a job, so that scaling down, loss and adapting are right;
- workers that leave are retired by name: their results move first (the original passes names where addresses are
  expected, and retires nothing);
- a failed submission is told and repeated; lost workers come back under plain ``scale``;
- a job that Slurm has put back in its queue is left alone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dask_jobqueue.slurm import SLURMCluster
from distributed import Scheduler
from distributed.core import Status
from distributed.deploy.spec import SpecCluster

from . import tls
from .pools import Meter, Place, Pool, Presubmitted, whole_jobs_first
from .queues import Queue
from .tls_nodes import ClosedScheduler
from .worker_jobs import Batcher, WorkerJob, last_lines, lost, script
from .worker_status import Problem

log = logging.getLogger("fabric_lab.dask")

# A failed submission or a lost worker is tried again after this many seconds, doubled each time up to the last.
FIRST_RETRY_S, LAST_RETRY_S = 2.0, 300.0
# A worker that ran this long was no failure of its start.
GOOD_RUN_S = 120.0
HEAL_S = 2.0

# How the tasks of the cluster's arrays fare (queued, running, ending, ended), or None while nothing is known.
JobStates = Callable[[], Awaitable[Mapping[Place, str] | None]]


class HostedCluster(SLURMCluster):
    """See the module. Asynchronous only.

    :param directory: private to the user; the key is there already (:func:`.tls.create`).
    :param pools: kinds of workers; the first is the one that ``scale`` means.
    :param queue: where its workers' jobs go.
    :param states: what Slurm says of the cluster's jobs; absent: their workers' connections are all that is known.
    """

    job_cls = WorkerJob  # type: ignore[assignment]  # made with more than SLURMCluster's
    scheduler: Scheduler  # None only before its start

    def __init__(
        self,
        *,
        directory: Path,
        name: str,
        pools: Sequence[Pool],
        queue: Queue,
        states: JobStates | None = None,
        scheduler_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.directory, self.pools = directory, {pool.name: pool for pool in pools}
        self.batcher = Batcher(directory, queue)
        self.meter = Meter()
        self.problems: dict[str, Problem] = {}
        self._states = states
        self._retries: dict[str, tuple[int, float]] = {}
        self._healing: asyncio.Task[None] | None = None
        self.staying: set[str] = set()  # given up, but for results that nobody else has room for
        self.leaving: set[str] = set()  # their jobs end soon; others shall be there in their place
        security = tls.load(directory)
        super().__init__(
            security=security,
            asynchronous=True,
            name=name,
            silence_logs=False,
            scheduler_cls=ClosedScheduler,
            scheduler_options={
                "dashboard_address": ":0",
                "port": 0,
                "key_directory": str(directory),
                "waits": self.missing,
                **(scheduler_options or {}),
            },
            batcher=self.batcher,
            pool=self.first_pool,
            **self.first_pool.job,
        )
        self.quiet = True

    @property
    def first_pool(self) -> Pool:
        return next(iter(self.pools.values()))

    def script_of(self, pool: Pool) -> str:
        """The batch script of a pool's workers."""
        return script(pool)

    def _options_of(self, pool: Pool) -> dict[str, Any]:
        common: dict[str, Any] = self.new_spec["options"]
        return {**common, **pool.job, "pool": pool}

    def _get_worker_security(self, security: Any) -> Any:
        return None  # workers read the key where it is; none of it is in a command

    def adopt(self, begun: Presubmitted) -> None:
        """Take the workers for this cluster's own that were submitted before it was (:func:`.remote.presubmit`)."""
        self.batcher.submitted(begun.submissions)
        self.batcher.said = begun.said
        while not begun.places.keys() <= self.worker_spec.keys():
            self.worker_spec.update(self.new_worker_spec())
        for name, place in begun.places.items():
            job = self.job_cls(self.scheduler.address, name=name, **self.worker_spec[name]["options"])
            job.place, job.job_id, job.status = place, str(place), Status.running
            job._cluster = weakref.ref(self)
            self.batcher.hold(name, place)
            self._created.add(job)
            self.workers[name] = job

    # -- which workers there shall be

    def new_worker_spec(self, pool: Pool | None = None) -> dict[str, Any]:
        spec: dict[str, Any] = super().new_worker_spec()  # type: ignore[no-untyped-call]
        options = self._options_of(pool or self.first_pool)
        return {name: {**entry, "options": options} for name, entry in spec.items()}

    def of_pool(self, pool: str | None) -> list[str]:
        """Names of the workers that shall be, of one pool or of all."""
        return [name for name, spec in self.worker_spec.items() if pool is None or spec["options"]["pool"].name == pool]

    def scale(  # type: ignore[override]  # dask's own classes differ, too
        self,
        n: int | None = None,
        jobs: int = 0,
        memory: str | None = None,
        cores: int | None = None,
        pool: str | None = None,
    ) -> Any:
        """Have this many workers of a pool (the first by default); those that are waiting or idle go first."""
        kind = self.pools[pool] if pool else self.first_pool
        target = wanted_workers(kind, n, jobs, memory, cores)
        have = self.of_pool(kind.name)
        self.staying.difference_update(have)  # what is wished now counts
        for name in self.first_to_go(have, len(have) - target):
            del self.worker_spec[name]
        if self.status not in (Status.closing, Status.closed):
            for _ in range(target - len(have)):
                self.worker_spec.update(self.new_worker_spec(kind))
        assert self.loop is not None
        self.loop.add_callback(self._correct_state)
        return _Nothing()

    def first_to_go(self, names: Iterable[str], count: int) -> list[str]:
        """Which workers to give up: those that are not there yet, idle ones with whole jobs first, then the busy."""
        if count <= 0:
            return []
        names = list(names)
        there = {str(state.name): state for state in self.scheduler.workers.values()}
        absent = [name for name in reversed(names) if name not in there]
        going = absent[:count]
        if len(going) < count:
            rest = set(names) & set(there)
            order = self.scheduler.workers_to_close(n=len(there), attribute="name")
            idle = [name for name in order if name in rest and not there[name].processing]
            places = {name: job.place for name, job in self.workers.items() if name in rest and job.place}
            busy = sorted(rest - set(idle), key=lambda name: (len(there[name].processing), there[name].nbytes))
            going += [*whole_jobs_first(idle, places), *busy][: count - len(going)]
        return going

    # -- have those that there shall be

    async def _correct_state_internal(self) -> None:
        async with self._lock:
            self._correct_state_waiting = None
            staying = set() if self.status in (Status.closing, Status.closed) else self.leaving
            await self._give_up(set(self.workers) - set(self.worker_spec) - staying)
            await self._start_missing()

    async def _give_up(self, names: set[str]) -> None:
        if not names:
            return
        closing = self.status in (Status.closing, Status.closed)
        stay: set[str] = set()
        if self.scheduler.status == Status.running and not closing:
            there = {str(state.name) for state in self.scheduler.workers.values()} & names
            if there:
                gone = await self.scheduler.retire_workers(names=sorted(there), close_workers=True)
                stay = there - {str(info["name"]) for info in gone.values()}
        for name in stay & {str(state.name) for state in self.scheduler.workers.values()}:
            # its results have no other place to go: it is needed
            job = self.workers[name]
            self.worker_spec[name] = {**self.new_spec, "options": self._options_of(job.pool)}
            names.discard(name)
            self.staying.add(name)
            self.problems[name] = Problem("stays")
        await asyncio.gather(*(self.workers[name].close() for name in names))
        for name in names:
            self.workers.pop(name, None)
            self.forget(name)

    async def _start_missing(self) -> None:
        missing = [name for name in self.worker_spec if name not in self.workers]
        jobs = []
        for name in missing:
            job = self.job_cls(self.scheduler.address, name=name, **self.worker_spec[name]["options"])
            self._created.add(job)
            jobs.append(job)
        await asyncio.gather(*jobs)
        for name, job in zip(missing, jobs, strict=True):
            self.workers[name] = job
            job._cluster = weakref.ref(self)
            if job.problem:
                self.problems[name] = Problem("refused", said=job.problem)
                log.warning(self.problems[name].sentence([name]))

    async def succeed(self, names: Iterable[str]) -> bool:
        """The jobs of these workers end soon: start others in their place; returns whether all are there."""
        ending = [name for name in names if name in self.worker_spec]
        for name in ending:
            self.worker_spec.update(self.new_worker_spec(self.worker_spec[name]["options"]["pool"]))
            del self.worker_spec[name]
            self.leaving.add(name)
        if ending:
            log.info("The jobs of workers %s end soon: others are started in their place", ", ".join(ending))
            await self._correct_state()  # type: ignore[no-untyped-call]
        return not self.missing()

    def _let_go(self, there: set[str]) -> None:
        """Forget workers that have left, and whose job ends by itself."""
        for name in self.leaving - there:
            self.leaving.discard(name)
            self.forget(name)
            job = self.workers.pop(name, None)
            if job is not None and (place := job.over()) is not None:
                self.batcher.forget(name, place)

    def _let_stayers_go(self) -> bool:
        """Give up those again that had to stay, once nobody wants their results, or others have them, too."""
        free = []
        for state in self.scheduler.workers.values():
            held = any(task.who_has is not None and len(task.who_has) == 1 for task in state.has_what)
            if str(state.name) in self.staying and not held and not state.processing:
                free.append(str(state.name))
        for name in free:
            self.staying.discard(name)
            self.problems.pop(name, None)
            self.worker_spec.pop(name, None)
        return bool(free)

    # -- heal

    def forget(self, name: str) -> None:
        self.staying.discard(name)
        self.problems.pop(name, None)
        self._retries.pop(name, None)

    def _update_worker_status(self, op: str, msg: Any) -> None:
        # the original cancels the job of a lost worker 15 s later, also when Slurm has put it back in its queue
        if op == "add":
            added = dict(msg["workers"])  # the original empties it
            super(SpecCluster, self)._update_worker_status(op, msg)  # type: ignore[no-untyped-call]
            for address, info in added.items():
                name = str(info["name"])
                self.problems.pop(name, None)
                if name in self.worker_spec:
                    self.meter.arrived(address, self.worker_spec[name]["options"]["pool"])
        elif op == "remove":
            self.scheduler_info["workers"].pop(msg, None)
            self.meter.left(msg)

    async def _start(self) -> None:
        await super()._start()  # type: ignore[no-untyped-call]
        self._healing = asyncio.create_task(self._heal())

    async def _heal(self) -> None:
        while True:
            await asyncio.sleep(HEAL_S)
            try:
                # the hub is asked only while somebody is missing
                asked = self._states if self.missing() else None
                await self.heal_once(await asked() if asked else None)
            except Exception:
                log.exception("A fault while looking after the workers")

    def missing(self) -> bool:
        """Whether a worker that shall be is not connected."""
        return bool(set(self.worker_spec) - {str(state.name) for state in self.scheduler.workers.values()})

    async def look_who_has_begun(self, states: Mapping[Place, str]) -> None:
        """Note whose scripts have begun: Slurm opens a task's log once the node is ready, and calls it running before.

        :param states: Slurm's word on the jobs.
        """
        unknown = [
            job
            for job in self.workers.values()
            if not job.begun and job.place is not None and states.get(job.place) not in (None, "queued")
        ]
        if unknown:
            logs = {*await asyncio.to_thread(os.listdir, self.directory / "logs")}
            for job in unknown:
                if f"{job.place}.log" in logs:
                    job.begun, job.away = True, None

    async def heal_once(self, states: Mapping[Place, str] | None) -> list[str]:
        """Let the workers go that are lost, and start them again when their time has come; returns their names.

        :param states: Slurm's word on the jobs, or None when there is none.
        """
        if states is not None:
            await self.look_who_has_begun(states)
        now = time.monotonic()
        there = {str(state.name) for state in self.scheduler.workers.values()}
        again = []
        self._let_go(there)
        if self._let_stayers_go():
            await self._correct_state()  # type: ignore[no-untyped-call]
        for name, job in list(self.workers.items()):
            if name not in self.worker_spec:
                continue
            if name in there:
                job.seen, job.begun, job.away = True, True, None
                continue
            if job.problem or lost(job, states, now):
                count, due = self._retries.get(name, (0, 0.0))
                if not due:
                    # one that was never there has not run, however long its job waited for a node or for Prolog
                    long = job.left or (job.seen and now - job.since > GOOD_RUN_S)
                    count = 0 if long else count + 1
                    due = now + (0.0 if long else min(FIRST_RETRY_S * 2 ** (count - 1), LAST_RETRY_S))
                    self._retries[name] = (count, due)
                    self._tell(name, job, due - now)
                if now >= due:
                    again.append(name)
                    self._retries[name] = (count, 0.0)
        if again:
            async with self._lock:
                for name in again:
                    job = self.workers.pop(name, None)
                    if job is not None:
                        await job.close()
            log.info("Workers %s are started again", ", ".join(again))
            await self._correct_state()  # type: ignore[no-untyped-call]
        return again

    def _tell(self, name: str, job: WorkerJob, wait_s: float) -> None:
        if not job.problem and not job.seen and job.place is not None:
            said = last_lines(self.directory / "logs" / f"{job.place}.log")
            self.problems[name] = Problem("ended", job.place, said) if job.begun else Problem("unbegun", job.place)
        if name in self.problems and wait_s > 0:
            log.warning("%s Again in %.0f s.", self.problems[name].sentence([name]), wait_s)

    async def _close(self) -> None:
        if self._healing:
            self._healing.cancel()
        # one that was idle for too long has closed itself, and is not there to be told so
        self.shutdown_scheduler = self.scheduler is not None and self.scheduler.status == Status.running
        await super()._close()  # type: ignore[no-untyped-call]


class _Nothing:
    """What ``await cluster.scale(...)`` waits for: nothing."""

    def __await__(self) -> Any:
        return
        yield


def wanted_workers(pool: Pool, n: int | None, jobs: int, memory: str | None, cores: int | None) -> int:
    """``scale``'s four ways of saying how many, as a number of workers."""
    from dask.utils import parse_bytes

    count = n if n is not None else jobs * pool.most
    if memory is not None:
        count = max(count, -(-parse_bytes(memory) // pool.memory))
    if cores is not None:
        count = max(count, -(-cores // pool.threads))
    return max(0, int(count))
