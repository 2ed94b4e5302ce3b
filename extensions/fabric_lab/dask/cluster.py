"""What a notebook uses: ``DaskCluster``, a ``dask_jobqueue.SLURMCluster`` whose scheduler is no child of the kernel."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from dask.utils import parse_timedelta
from dask_jobqueue.core import job_parameters
from dask_jobqueue.slurm import SLURMCluster, SLURMJob
from distributed.core import Status
from distributed.deploy.spec import SpecCluster
from distributed.utils import Log, Logs, NoOpAwaitable
from tornado.ioloop import PeriodicCallback

from ..client import HubClient
from ..common.translation import _
from ..schema import ClusterOffer
from . import notebook_context, rendezvous, tls, worker_status
from .jobqueue_options import worker_words
from .plan import Plan, make_plan, profile_pool
from .remote import ConnectedWorker, HubNote, RemoteAdaptive, RemoteScheduler
from .rendezvous import ClusterError, claim, clusters, new_name, running

__all__ = ["ClusterError", "DaskCluster", "clusters"]

PLAN = "plan.json"
# The hub's own word on waiting workers is a few seconds old.
REFRESH_S = 3.0


class DaskCluster(SLURMCluster):
    """A private Dask cluster of this session.

    Takes what :class:`dask_jobqueue.SLURMCluster` takes; in a session of a hub nothing of that is needed. Without Slurm
    also ``threads_per_worker`` and ``memory_limit``, which mean what they do to :class:`distributed.LocalCluster`.

    :param n_workers: workers to start with; default: none on Slurm, else as many as LocalCluster has.
    :param gpus: workers with one GPU each, to start with.
    :param profile: the site's profile that a worker is like; default: one that has a GPU when ``gpus`` is given,
        else one that has none.
    :param name: small letters, digits and hyphens; :meth:`connect` finds the cluster by it. A cluster that was given
        none ends with the kernel that started it, unless :meth:`disconnect` has let go of it; one with a name stays.
    :param hours: longest life of a worker's job.
    :param idle_timeout: end the cluster after so long without work ("30 minutes"); None: never.
    :param workers_per_job: the most workers that share one job of Slurm's, and their imports.
    :raises ClusterError: it could not be started, or the hub refuses such workers.
    """

    job_cls = SLURMJob

    def __init__(
        self,
        n_workers: int | None = None,
        *,
        gpus: int = 0,
        profile: str | None = None,
        name: str | None = None,
        hours: float | None = None,
        idle_timeout: str | float | None = "1 hour",
        workers_per_job: int | None = None,
        asynchronous: bool = False,
        loop: Any = None,
        scheduler_options: Mapping[str, Any] | None = None,
        _attach: Path | None = None,
        **words: Any,
    ) -> None:
        plan = None
        if _attach is None:
            kernel_pid = None if name else os.getpid()
            name = name or new_name()
            if not rendezvous.NAME.fullmatch(name):
                raise ClusterError(
                    _("{name} is no name for a cluster: use small letters, digits and hyphens.").format(name=repr(name))
                )
            plan = make_plan(
                name,
                n_workers=n_workers,
                gpus=gpus,
                profile=profile,
                hours=hours,
                idle_timeout=None if idle_timeout is None else parse_timedelta(idle_timeout),
                workers_per_job=workers_per_job,
                scheduler_options=dict(scheduler_options or {}),
                words=words,
                kernel_pid=kernel_pid,
            )
            self.directory = rendezvous.clusters_directory() / name
            claim(self.directory)
            (self.directory / PLAN).write_text(plan.dumps())
        else:
            self.directory = _attach
        known = plan or Plan.loads((self.directory / PLAN).read_text())
        self._first = plan.first if plan is not None else 0
        self._status: dict[str, Any] = {}
        self._doing: set[asyncio.Task[Any]] = set()
        super().__init__(
            scheduler_cls=RemoteScheduler,
            scheduler_options={**known.scheduler_options, "directory": self.directory, "plan": plan},
            security=tls.load(self.directory),
            loop=loop,
            asynchronous=asynchronous,
            name=known.name,
            silence_logs=False,
            # the daemon's own section of the configuration another notebook need not have
            **{word: value for word, value in known.pools[0].job.items() if plan is not None or word != "config_name"},
        )
        self.shutdown_on_close = False  # not atexit: the daemon sees the kernel end, however it does
        if not asynchronous and self.told:
            print(self.told)

    @classmethod
    def connect(cls, name: str, *, asynchronous: bool = False) -> DaskCluster:
        """The cluster of this name, started by another notebook or before the kernel was restarted.

        :raises ClusterError: there is none.
        """
        directory = rendezvous.clusters_directory() / name
        if not rendezvous.NAME.fullmatch(name) or not running(directory):
            there = ", ".join(clusters())
            said = (
                _("There is no cluster {name} in this session; there is {others}.")
                if there
                else _("There is no cluster {name} in this session; there is none.")
            )
            raise ClusterError(said.format(name=repr(name), others=there))
        return cls(_attach=directory, asynchronous=asynchronous)

    def _get_worker_security(self, security: Any) -> None:
        """Workers read the key where it is; none of it is in a command."""

    async def _start(self) -> None:
        try:
            await super()._start()  # type: ignore[no-untyped-call]
        except RuntimeError as error:  # distributed's own for whatever it was
            raise error.__cause__ if isinstance(error.__cause__, ClusterError) else error from None
        assert self.scheduler is not None
        self.scheduler.belongs_to(self)
        await self._ask("fabric_find", paths=notebook_context.own_directories())
        first, self._first = self._first, 0
        if first:
            try:
                await self._ask("fabric_scale", n=first)
            except ClusterError:
                await self._close()
                raise
        if "fabric-status" not in self.periodic_callbacks:
            refresh = PeriodicCallback(self._refresh, REFRESH_S * 1000)
            self.periodic_callbacks["fabric-status"] = refresh
            refresh.start()

    async def _refresh(self) -> None:
        if self.status == Status.running:
            with suppress(OSError, ClusterError):
                await self._ask("fabric_status")

    # -- the daemon does it; each of these is one request

    async def _ask(self, verb: str, **arguments: Any) -> Any:
        if self.scheduler_comm is None or self.status == Status.created:
            await self
        answer = await getattr(self.scheduler_comm, verb)(**arguments)
        if isinstance(answer, dict) and answer.get("error"):
            raise ClusterError(answer["error"])
        if isinstance(answer, dict) and "workers" in answer:
            self._status = answer
        return answer

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do it now; in an asynchronous cluster it is on its way, and may be awaited."""
        if not self.asynchronous:

            async def waited() -> Any:
                return await work

            return self.sync(waited)  # type: ignore[no-untyped-call]
        task = asyncio.ensure_future(work)
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)
        return task

    def scale(  # type: ignore[override]  # dask's own classes differ, too
        self,
        n: int | None = None,
        jobs: int = 0,
        memory: str | None = None,
        cores: int | None = None,
        pool: str | None = None,
    ) -> Any:
        """Have this many workers (or jobs full of them, or as many as make so much memory or so many cores).

        :param pool: of which kind (:meth:`add_pool`); default: the cluster's own.
        :returns: what they cost per hour, and how many of them find a place now, in words.
        :raises ClusterError: the hub refuses them.
        """

        async def scaled() -> HubNote:
            answer = await self._ask("fabric_scale", n=n, jobs=jobs, memory=memory, cores=cores, pool=pool)
            return HubNote(answer["words"])

        return self._do(scaled())

    def quote(self, n: int, pool: str | None = None) -> Any:
        """What so many workers would cost per hour, and how many find a place now, in words; nothing is submitted."""

        async def quoted() -> HubNote:
            return HubNote((await self._ask("fabric_quote", n=n, pool=pool))["words"])

        return self._do(quoted())

    def adapt(  # type: ignore[override]  # dask's own classes differ, too
        self,
        *,
        minimum: int = 0,
        maximum: float = math.inf,
        minimum_jobs: int | None = None,
        maximum_jobs: int | None = None,
        pool: str | None = None,
        **options: Any,
    ) -> RemoteAdaptive:
        """Follow the work between ``minimum`` and ``maximum`` workers (or jobs full of them) of a pool.

        :raises ClusterError: the hub refuses as many as there may be.
        """
        answer = self._do(
            self._ask(
                "fabric_adapt",
                minimum=minimum,
                maximum=maximum,
                minimum_jobs=minimum_jobs,
                maximum_jobs=maximum_jobs,
                pool=pool,
                **options,
            )
        )
        note = str(answer["words"]) if isinstance(answer, dict) else ""  # an asynchronous cluster has asked only
        self._adaptive = RemoteAdaptive(self, minimum, maximum, note)
        return self._adaptive

    def add_pool(
        self,
        profile: str | None = None,
        *,
        name: str | None = None,
        gpus: bool = False,
        hours: float | None = None,
        workers_per_job: int | None = None,
    ) -> Any:
        """One more kind of worker under the same scheduler; ``scale(n, pool=NAME)`` starts some.

        :param profile: the site's; default: its first with a GPU (or without one).
        :param name: of the pool; default: the profile's.
        :returns: the pool's name.
        :raises ClusterError: there is a pool of that name already.
        """

        async def added() -> str:
            offer = cast("ClusterOffer", (await asyncio.to_thread(HubClient(os.environ).ask, "/clusters")).unwrap())
            pool = profile_pool(
                offer,
                profile,
                gpus=int(gpus),
                pool_name=name,
                hours=hours,
                workers_per_job=workers_per_job,
                said=worker_words({}),
            )
            await self._ask("fabric_add_pool", pool=asdict(pool))
            return pool.name

        return self._do(added())

    def status_of_workers(self) -> Any:
        """Workers wanted, with their jobs, and what went wrong; see :meth:`.control.Control.status`."""
        return self._do(self._ask("fabric_status"))

    def job_script(self, pool: str | None = None) -> Any:
        """The batch script of a pool's workers; what sbatch is told besides stands in its command."""
        return self._do(self._ask("fabric_job_script", pool=pool))

    async def _get_logs(self, cluster: bool = True, scheduler: bool = True, workers: Any = True) -> Any:
        logs = await super()._get_logs(cluster=False, scheduler=scheduler, workers=workers)  # type: ignore[no-untyped-call]
        if cluster:  # the cluster's own log is its daemon's
            logs = Logs({"Cluster": Log(await self._ask("fabric_log")), **logs})
        return logs

    # -- how it is shown

    @property
    def told(self) -> HubNote:
        """What the hub said of the workers to start with: their cost, and how many find a place now."""
        return getattr(self.scheduler, "told", HubNote())

    @property
    def dashboard_link(self) -> str:
        """Where the dashboard is: behind the hub's login in a session, else for who holds the cluster's key."""
        prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
        if prefix:
            host = os.environ.get("JUPYTERHUB_HOST", "")
            return f"{host}{prefix.rstrip('/')}/fabric/dask/{self.name}/status"
        state = getattr(self.scheduler, "state", None)
        return f"https://{state.dashboard}/status" if state else ""

    @property
    def _cluster_class_name(self) -> str:
        return type(self).__name__

    @property
    def _known(self) -> dict[str, Any]:
        """What the daemon last said, without the waiting of workers that have come since."""
        here = {str(name) for name in self.observed}
        workers = [{**one, "address": one["address"] or one["name"] in here} for one in self._status.get("workers", ())]
        return {**self._status, "workers": workers}

    def __repr__(self) -> str:
        waiting = "; ".join([*worker_status.waiting(self._known), *self._status.get("problems", {}).values()])
        own = super().__repr__()  # type: ignore[no-untyped-call]
        return f"{own[:-1]}; {waiting})" if waiting else own

    def _repr_html_(self, cluster_status: str | None = None) -> str:
        return str(super()._repr_html_(cluster_status=(cluster_status or "") + worker_status.rows(self._known)))  # type: ignore[no-untyped-call]

    def _scaling_status(self) -> str:
        return worker_status.scaling(self._known, len(self.scheduler_info["workers"]))

    # -- what SpecCluster would do here

    @property
    def workers(self) -> dict[str, Any]:
        """What the scheduler tells of each worker that is there, by name."""
        return {str(info["name"]): ConnectedWorker(info) for info in self.scheduler_info.get("workers", {}).values()}

    @workers.setter
    def workers(self, _processes: Any) -> None:
        """SpecCluster's own have their processes there; ours are the daemon's."""

    def _update_worker_status(self, op: str, msg: Any) -> None:
        # wait_for_workers may have seen before us that a worker is gone; the original would stop listening
        if op == "remove":
            self.scheduler_info["workers"].pop(msg, None)
        else:
            super(SpecCluster, self)._update_worker_status(op, msg)  # type: ignore[no-untyped-call]

    def _correct_state(self) -> Any:
        """The daemon starts and ends workers."""
        return NoOpAwaitable()

    @property
    def plan(self) -> set[str]:
        return set(self.observed)

    @property
    def requested(self) -> set[str]:
        return set(self.observed)

    async def _close(self, *, end: bool = True) -> None:
        if self.status == Status.closed:
            return
        if self._doing:  # what was asked for comes first
            await asyncio.gather(*self._doing, return_exceptions=True)
        if self.scheduler_comm is not None and self.status == Status.running:
            with suppress(OSError):
                await (self.scheduler_comm.fabric_close() if end else self.scheduler_comm.fabric_keep())
        self._adaptive = None  # closing it would tell the daemon to stop adapting
        await super(SpecCluster, self)._close()  # type: ignore[no-untyped-call]
        if end and self.scheduler is not None:
            await self.scheduler.close()

    def disconnect(self) -> Any:
        """Let go of the cluster without ending it; :meth:`connect` finds it again, also after the kernel has ended."""
        answer = self.sync(self._close, end=False)  # type: ignore[no-untyped-call]
        if not self.asynchronous:
            self._loop_runner.stop()
        return answer


DaskCluster.__doc__ = f"""{DaskCluster.__doc__}
    Of dask-jobqueue's words those count that can, and the others are refused by name:

    {job_parameters}
    """
