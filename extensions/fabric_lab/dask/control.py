"""What a notebook may ask of its cluster's daemon: more verbs on the scheduler's own connection.

That connection is TLS with the cluster's key, so whoever asks is the cluster's user.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..answers import Adaptive, ClusterPool, ClusterStatus, ClusterWorker
from ..client import HubError
from ..common.formats import number
from ..common.translation import _, sentences
from . import notebook_context, worker_status
from .adapting import PoolAdaptive
from .history import History
from .hosted_cluster import HostedCluster, wanted_workers
from .notebook_context import JOBS_S, SessionDatasets
from .plan import Plan
from .pools import Place, Pool
from .worker_status import Hub, phases, worker_state

LOG_LINES = 200
# The hub refuses more for one cluster (its service's MOST_WORKERS); where there is no hub it is as good a bound.
MOST_WORKERS = 1000


class Control:
    """:param datasets: the session's, which the workers have, too.
    :param ending: set to end the cluster.
    :param hub: says why workers wait; None outside a session.
    :param plan: says what scheduler and workers import from, and what is set in their configuration.
    :param let_go: stops watching the kernel that started the cluster.
    """

    def __init__(
        self,
        cluster: HostedCluster,
        datasets: SessionDatasets,
        ending: asyncio.Event,
        hub: Hub | None,
        plan: Plan | None = None,
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        self._hub = hub
        self._paths = [*plan.paths] if plan else []
        self._config = plan.config if plan else {}
        self._let_go = let_go
        self._cluster = cluster
        self._datasets = datasets
        self._telling = asyncio.Lock()
        self._ending = ending
        self._history = History()

    def handlers(self) -> dict[str, Callable[..., Any]]:
        """By name, for ``Scheduler.handlers``."""
        return {
            "fabric_wanted": self.wanted,
            "fabric_datasets": self.names_of_datasets,
            "fabric_leave": self.leave,
            "fabric_succeed": self.succeed,
            "fabric_scale": self.scale,
            "fabric_adapt": self.adapt,
            "fabric_add_pool": self.add_pool,
            "fabric_quote": self.quote,
            "fabric_status": self.status,
            "fabric_log": self.log,
            "fabric_job_script": self.job_script,
            "fabric_close": self.close,
            "fabric_keep": self.keep,
            "fabric_find": self.find,
            "fabric_config": self.config,
        }

    async def wanted(self, names: list[str]) -> list[str]:
        """Which of these workers the cluster still wants; of one that ends: none."""
        if self._ending.is_set():
            return []
        return [name for name in names if name in self._cluster.worker_spec or name in self._cluster.leaving]

    async def succeed(self, names: list[str]) -> bool:
        """These workers' job ends soon: others are started; true once all workers are there that shall be."""
        return self._ending.is_set() or await self._cluster.succeed(names)

    async def names_of_datasets(self) -> list[str]:
        """The session's datasets now, for a job that begins."""
        await self._datasets.refresh()
        return self._datasets.names

    async def datasets(self) -> dict[str, Any]:
        """Have the jobs of all workers open and close what the session has since; returns when they have.

        ``{"problems"}``: a sentence for each job that could not.
        """
        async with self._telling:  # who comes second returns when it is done, too
            silent = await self._datasets.refresh()
            if silent:
                return {"problems": [_("Its workers may not have it: {problem}").format(problem=silent)]}
            jobs = self._one_worker_of_each_job()
            broadcast = self._cluster.scheduler.broadcast(
                msg={"op": "fabric_datasets", "names": self._datasets.names},
                workers=list(jobs.values()),
                nanny=True,
                on_error="return",
            )
            try:
                answers = await asyncio.wait_for(broadcast, JOBS_S)
            except TimeoutError:
                late = _("Not all of its workers answered within {seconds} s.").format(seconds=number(JOBS_S))
                return {"problems": [late]}
        problems = []
        for place, address in jobs.items():
            said = answers.get(address)
            # distributed's own connections make a tuple of a list
            words = said if isinstance(said, list | tuple) else [_("it does not answer ({error})").format(error=said)]
            problems += [
                _("The workers of job {job} do not have all of it: {problem}").format(job=place, problem=word)
                for word in words
            ]
        return {"problems": problems}

    def record(self) -> None:
        """Note what the cluster does now, for :meth:`status`; to be called every :data:`.history.EVERY_S` seconds."""
        self._history.record(self._cluster.scheduler)

    def _one_worker_of_each_job(self) -> dict[Place, str]:
        """Addresses of workers whose nannies speak for all of their job."""
        jobs = {}
        for state in self._cluster.scheduler.workers.values():
            job = self._cluster.workers.get(str(state.name))
            if job is not None and job.place is not None:
                jobs[job.place] = state.address
        return jobs

    async def leave(self, names: list[str]) -> None:
        """These workers end with their job: what they were doing is done elsewhere, and not held against it.

        Without this a task that was preempted a few times would be given up (KilledWorker).
        """
        scheduler = self._cluster.scheduler
        there = {str(state.name): state.address for state in scheduler.workers.values()}
        for name in names:
            if name in self._cluster.workers:
                self._cluster.workers[name].left = True
            if name in there:
                await scheduler.remove_worker(there[name], stimulus_id=f"fabric-leave-{time.time()}", expected=True)

    def _pool(self, name: str | None) -> Pool | None:
        return self._cluster.pools.get(name) if name else self._cluster.first_pool

    def _no_pool(self, name: str | None) -> dict[str, Any]:
        said = _("There is no pool {name}; this cluster has {others}.")
        return {"error": said.format(name=name, others=", ".join(self._cluster.pools))}

    async def quote(self, n: int, pool: str | None = None) -> dict[str, Any]:
        """``{"words"}``: what so many workers of a pool cost and wait for, and what all cost; "" when nobody says."""
        kind = self._pool(pool)
        if kind is None:
            return self._no_pool(pool)
        if self._hub is None or not kind.profile or n < 1:
            return {"words": ""}
        try:
            have, submitted = await self._run_and_submitted(kind.name)
            note = await self._hub.quote(kind.profile, n, have, submitted, kind.most)
        except HubError as error:
            return {"error": str(error)}
        cluster = self._cluster
        shall = [(one, n if one is kind else len(cluster.of_pool(one.name))) for one in cluster.pools.values()]
        return {"words": sentences(note, worker_status.in_all(shall)) if note else ""}

    async def _run_and_submitted(self, pool: str) -> tuple[int, int]:
        """How many workers of a pool run, as far as is known, and how many run or wait for their job."""
        cluster = self._cluster
        there = {str(state.name) for state in cluster.scheduler.workers.values()}
        names = cluster.of_pool(pool)
        places = {name: job.place for name in names if (job := cluster.workers.get(name)) is not None and job.place}
        phases = (await self._hub.states() if self._hub and not there.issuperset(places) else None) or {}
        run = [name for name in names if name in there or (name in places and phases.get(places[name]) == "running")]
        return len(run), len(places)

    async def scale(
        self,
        n: int | None = None,
        jobs: int = 0,
        memory: str | None = None,
        cores: int | None = None,
        pool: str | None = None,
    ) -> dict[str, Any]:
        """Have that many workers of a pool; returns :meth:`status` with what the hub says of them. Adapting ends.

        More workers than there shall be now are asked for only when the hub does not refuse them.
        """
        kind = self._pool(pool)
        if kind is None:
            return self._no_pool(pool)
        if memory is not None and not kind.memory:
            return {"error": _("These workers have no limit of memory, so no number of them makes so much: say n=.")}
        target = wanted_workers(kind, n, jobs, memory, cores)
        quoted: dict[str, Any] = {"words": ""}
        if target > len(self._cluster.of_pool(kind.name)):
            quoted = await self.quote(target, kind.name)
            if quoted.get("error"):
                return quoted
        self._stop_adapting()
        self._cluster.scale(target, pool=kind.name)
        return {**await self.status(), **quoted}

    async def adapt(
        self,
        *,
        minimum: float | None = None,
        maximum: float | None = None,
        minimum_jobs: int | None = None,
        maximum_jobs: int | None = None,
        pool: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Follow the work with one pool, between a minimum and a maximum; without either, stop.

        Returns :meth:`status` with what the hub says of as many workers as there may be, unless it refuses them.
        """
        kind = self._pool(pool)
        if kind is None:
            return self._no_pool(pool)
        quoted: dict[str, Any] = {"words": ""}
        if (minimum, maximum, minimum_jobs, maximum_jobs) != (None,) * 4 or options:
            least = (minimum_jobs * kind.most if minimum_jobs is not None else minimum) or 0
            most = maximum_jobs * kind.most if maximum_jobs is not None else maximum
            most = math.inf if most is None else most
            # what it may grow to is what it may cost; without a bound, that of a cluster holds
            quoted = await self.quote(int(least if math.isinf(most) else most), kind.name)
            if quoted.get("error"):
                return quoted
            self._stop_adapting()
            self._cluster.adapt(
                Adaptive=PoolAdaptive, minimum=least, maximum=min(most, MOST_WORKERS), pool=kind.name, **options
            )
        else:
            self._stop_adapting()
        return {**await self.status(), **quoted}

    def _stop_adapting(self) -> None:
        with suppress(AttributeError):
            if self._cluster._adaptive is not None:
                self._cluster._adaptive.stop()
        self._cluster._adaptive = None
        self._cluster.__dict__.pop("_adaptive_options", None)

    async def add_pool(self, pool: dict[str, Any]) -> dict[str, Any]:
        """One more kind of worker; there are none of it yet."""
        new = Pool.of(pool)
        if new.name in self._cluster.pools:
            return {"error": _("There is a pool {name} already.").format(name=new.name)}
        self._cluster.pools[new.name] = new
        return {}

    async def status(self) -> ClusterStatus:
        """What is wanted, where it was submitted, what went wrong, and what it has used."""
        cluster = self._cluster
        jobs = await self._hub.jobs() if self._hub and cluster.missing() else None
        known_phases = {} if jobs is None else phases(jobs)
        if jobs is not None:
            await cluster.look_who_has_begun(known_phases)
        there = {str(state.name): state for state in cluster.scheduler.workers.values()}
        workers = []
        for name, spec in cluster.worker_spec.items():
            job, state, pool = cluster.workers.get(name), there.get(name), spec["options"]["pool"]
            metrics = state.metrics if state else {}
            # distributed measures the first GPU of a node also for a worker that was given none
            gpu = metrics if pool.gpus else {}
            workers.append(
                ClusterWorker(
                    name=name,
                    pool=pool.name,
                    state=worker_state(
                        state is not None,
                        name in cluster.problems,
                        seen=job is not None and job.seen,
                        submitted=job is not None and job.place is not None,
                        phase=known_phases.get(job.place) if job is not None and job.place else None,
                    ),
                    job=str(job.place) if job is not None and job.place else None,
                    begun=job is not None and job.begun,
                    address=state.address if state else None,
                    threads=state.nthreads if state else None,
                    memory=metrics.get("memory"),
                    memory_limit=state.memory_limit if state else None,
                    cpu=metrics.get("cpu"),
                    gpu_memory=gpu.get("gpu_memory_used"),
                    gpu_memory_total=gpu.get("gpu-memory-total"),
                    gpu_use=gpu.get("gpu_utilization"),
                )
            )
        known = ClusterStatus(
            name=str(cluster.name),
            jobs=jobs,
            session_ends_at=self._hub.session_ends_at if self._hub else None,
            hub=self._hub.problem if self._hub else "",
            workers=workers,
            problems=worker_status.told(worker_status.explained(cluster.problems, jobs or ())),
            said=cluster.batcher.said,
            adaptive=self._adaptive(),
            calls=dict(cluster.batcher.calls),
            pools={
                pool.name: ClusterPool(profile=pool.profile, gpus=pool.gpus, threads=pool.threads, memory=pool.memory)
                for pool in cluster.pools.values()
            },
            used=cluster.meter.used(),
            waiting=[],
            late=[],
            history=self._history.dump(),
            cost="",
        )
        return {
            **known,
            "waiting": worker_status.waiting(known, beside_counts=True),
            "late": worker_status.late(known),
            "cost": worker_status.cost(known),
        }

    def _adaptive(self) -> Adaptive | None:
        adaptive = self._cluster._adaptive
        if not adaptive:
            return None
        most = None if adaptive.maximum >= MOST_WORKERS else adaptive.maximum
        return Adaptive(pool=adaptive.pool, minimum=adaptive.minimum, maximum=most)

    async def working(self) -> dict[str, Any]:
        """``{"tasks"}``: how many tasks the workers that are there were given and have not done."""
        return {"tasks": sum(len(worker.processing) for worker in self._cluster.scheduler.workers.values())}

    async def log(self) -> str:
        """The end of the daemon's own log."""
        text = await asyncio.to_thread((self._cluster.directory / "log").read_text, errors="replace")
        return "\n".join(text.splitlines()[-LOG_LINES:])

    async def job_script(self, pool: str | None = None) -> str | dict[str, Any]:
        """The batch script of a pool's workers."""
        kind = self._pool(pool)
        return self._no_pool(pool) if kind is None else self._cluster.script_of(kind)

    async def keep(self) -> None:
        """The kernel that started it has let go of it: it stays when that one ends."""
        self._let_go()

    async def config(self) -> dict[str, Any]:
        """What the notebook has set in dask's configuration."""
        return self._config

    async def find(self, paths: list[str]) -> list[str]:
        """Have scheduler and workers import from these directories, too; returns all that they import from."""
        new = [directory for directory in paths if directory not in self._paths]
        if new:
            self._paths += new
            notebook_context.import_from(new)
            for nanny in (True, False):  # a nanny's next worker, and the present one
                broadcast = self._cluster.scheduler.broadcast(
                    msg={"op": "fabric_find", "paths": new}, nanny=nanny, on_error="ignore"
                )
                with suppress(TimeoutError):
                    await asyncio.wait_for(broadcast, JOBS_S)
        return self._paths

    async def close(self) -> None:
        """End the cluster; the answer comes before it does."""
        self._ending.set()
