"""What a notebook uses: ``DaskCluster``, a ``dask_jobqueue.SLURMCluster`` whose scheduler is no child of the kernel."""

from __future__ import annotations

import asyncio
import fcntl
import json
import math
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dask.utils import parse_timedelta
from dask_jobqueue.slurm import SLURMCluster, SLURMJob
from distributed.core import Status
from distributed.deploy.spec import ProcessInterface, SpecCluster
from distributed.utils import NoOpAwaitable

from . import session, slurm, tls
from .daemon import Plan, State
from .plan import make_plan

START_S = 60.0
PLAN = "plan.json"


class ClusterError(Exception):
    """A cluster could not be started or found; the message says why and what to do."""


class RemoteScheduler(ProcessInterface):  # type: ignore[misc]
    """The scheduler in the cluster's daemon, as SpecCluster wants it.

    :param directory: the cluster's.
    :param plan: starts a daemon with it; None: one is there already.
    """

    def __init__(self, *, directory: Path, plan: Plan | None, **_other: Any) -> None:
        super().__init__()
        self.directory, self._plan = directory, plan
        self.state: State | None = None

    async def start(self) -> None:
        if self._plan is not None:
            await asyncio.to_thread(launch, self.directory, self._plan)
        self.state = await self._until_there()
        self.address = self.state.address
        await super().start()

    async def _until_there(self) -> State:
        end = time.monotonic() + START_S
        while True:
            with suppress(OSError, ValueError, TypeError):
                return State.read(self.directory)
            if time.monotonic() > end or (self._plan is not None and not running(self.directory)):
                raise ClusterError(f"Cluster {self.directory.name} did not start. {last_words(self.directory)}".strip())
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Wait until the daemon has ended: its workers' jobs are cancelled then."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(until_gone, self.directory), START_S)
        await super().close()


def launch(directory: Path, plan: Plan) -> None:
    """Start a cluster's daemon; it is in a process group of its own, and of no kernel."""
    for name in ("orders", "logs"):
        (directory / name).mkdir(mode=0o700)
    environment = slurm.clean(os.environ)
    log = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        subprocess.run(
            [sys.executable, "-P", "-m", "fabric_lab.dask.daemon", str(directory)],
            input=json.dumps({"plan": asdict(plan), "service": session.access(os.environ)}).encode(),
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment,
            cwd=Path.home(),
            check=True,
            timeout=START_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ClusterError(f"Cluster {directory.name} did not start: {error}. {last_words(directory)}") from error
    finally:
        os.close(log)


def running(directory: Path) -> bool:
    """Whether a cluster's daemon lives: it holds a lock on its directory's ``lock`` as long as it does."""
    try:
        with (directory / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def until_gone(directory: Path) -> None:
    """Wait for a cluster's daemon to end, however it does."""
    with suppress(OSError), (directory / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


def last_words(directory: Path, lines: int = 5) -> str:
    """The end of a daemon's log."""
    with suppress(OSError):
        return "\n".join((directory / "log").read_text(errors="replace").splitlines()[-lines:])
    return ""


def claim(directory: Path) -> None:
    """Make a new cluster's directory with its key; only its user may enter.

    :raises ClusterError: there is a cluster of this name.
    """
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
        tls.create(directory)
        return
    if running(directory):
        raise ClusterError(
            f"There is a cluster {directory.name} already. "
            f"Connect to it with DaskCluster.connect({directory.name!r}), or choose another name."
        )
    shutil.rmtree(directory)  # of a daemon that was killed
    directory.mkdir(mode=0o700)
    tls.create(directory)


class RemoteAdaptive:
    """What ``adapt`` returns: the bounds that the cluster follows by itself, and how to stop it."""

    def __init__(self, cluster: DaskCluster, minimum: float, maximum: float) -> None:
        self._cluster = cluster
        self.minimum, self.maximum = minimum, maximum
        self.periodic_callback = True  # distributed's reprs take it for "adaptive"

    def stop(self, reason: str = "") -> None:
        """Keep the workers that there are."""
        if self.periodic_callback:
            self.periodic_callback = False
            self._cluster._ask("fabric_adapt")


class DaskCluster(SLURMCluster):  # type: ignore[misc]
    """A private Dask cluster of this session.

    Takes what :class:`dask_jobqueue.SLURMCluster` takes; in a session of a hub nothing of that is needed:

    :param n_workers: workers to start with.
    :param gpus: workers with one GPU each, to start with.
    :param profile: the site's profile that a worker is like; default: one that has a GPU when ``gpus`` is given,
        else one that has none.
    :param name: small letters, digits and hyphens; :meth:`connect` finds the cluster by it.
    :param hours: longest life of a worker's job.
    :param idle_timeout: end the cluster after so long without work ("30 minutes"); None: never.
    :param workers_per_job: the most workers that share one job of Slurm's, and their imports.
    :raises ClusterError: it could not be started.
    """

    job_cls = SLURMJob

    def __init__(
        self,
        n_workers: int = 0,
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
            name = name or f"dask-{secrets.token_hex(3)}"
            if not session.NAME.fullmatch(name):
                raise ClusterError(f"{name!r} is no name for a cluster: use small letters, digits and hyphens.")
            plan = make_plan(
                name,
                gpus=gpus,
                profile=profile,
                hours=hours,
                idle_timeout=None if idle_timeout is None else parse_timedelta(idle_timeout),
                workers_per_job=workers_per_job,
                scheduler_options=dict(scheduler_options or {}),
                words=words,
            )
            self.directory = session.clusters_directory() / name
            claim(self.directory)
            (self.directory / PLAN).write_text(plan.dumps())
        else:
            self.directory = _attach
        known = plan or Plan.loads((self.directory / PLAN).read_text())
        self._pools = {pool.name: pool for pool in known.pools}
        super().__init__(
            scheduler_cls=RemoteScheduler,
            scheduler_options={"directory": self.directory, "plan": plan},
            security=tls.load(self.directory),
            loop=loop,
            asynchronous=asynchronous,
            name=known.name,
            silence_logs=False,
            **known.job,
        )
        self.shutdown_on_close = False  # atexit: the cluster outlives the kernel; close() ends it
        if plan is not None and (gpus or n_workers):
            self.scale(gpus or n_workers)

    @classmethod
    def connect(cls, name: str, *, asynchronous: bool = False) -> DaskCluster:
        """The cluster of this name, started by another notebook or before the kernel was restarted.

        :raises ClusterError: there is none.
        """
        directory = session.clusters_directory() / name
        if not session.NAME.fullmatch(name) or not running(directory):
            there = ", ".join(clusters()) or "none"
            raise ClusterError(f"There is no cluster {name!r} in this session; there is {there}.")
        return cls(_attach=directory, asynchronous=asynchronous)

    def _get_worker_security(self, security: Any) -> None:
        """Workers read the key where it is; none of it is in a command."""

    # -- the daemon does it; each of these is one request

    def _ask(self, verb: str, **arguments: Any) -> Any:
        return self.sync(self._ask_async, verb, **arguments)

    async def _ask_async(self, verb: str, **arguments: Any) -> Any:
        if self.scheduler_comm is None:
            await self
        answer = await getattr(self.scheduler_comm, verb)(**arguments)
        if isinstance(answer, dict) and answer.get("error"):
            raise ClusterError(answer["error"])
        return answer

    def scale(
        self,
        n: int | None = None,
        jobs: int = 0,
        memory: str | None = None,
        cores: int | None = None,
        pool: str | None = None,
    ) -> Any:
        """Have this many workers (or jobs full of them, or as many as make so much memory or so many cores)."""
        return self._ask("fabric_scale", n=n, jobs=jobs, memory=memory, cores=cores, pool=pool)

    def adapt(
        self,
        *,
        minimum: int = 0,
        maximum: float = math.inf,
        minimum_jobs: int | None = None,
        maximum_jobs: int | None = None,
        **options: Any,
    ) -> RemoteAdaptive:
        """Follow the work between ``minimum`` and ``maximum`` workers (or jobs of them)."""
        most = next(iter(self._pools.values())).most
        minimum = minimum if minimum_jobs is None else minimum_jobs * most
        maximum = maximum if maximum_jobs is None else maximum_jobs * most
        self._ask("fabric_adapt", minimum=minimum, maximum=maximum, **options)
        self._adaptive = RemoteAdaptive(self, minimum, maximum)
        return self._adaptive

    def status_of_workers(self) -> dict[str, Any]:
        """Workers wanted, with their jobs, and what went wrong; see :meth:`.control.Control.status`."""
        return dict(self._ask("fabric_status"))

    def job_script(self) -> str:
        """The batch script of the workers; what sbatch is told besides stands in its command."""
        return str(self._ask("fabric_job_script"))

    # -- what SpecCluster would do here

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
        if end and self.scheduler_comm is not None and self.status == Status.running:
            with suppress(OSError):
                await self.scheduler_comm.fabric_close()
        await super(SpecCluster, self)._close()
        if end and self.scheduler is not None:
            await self.scheduler.close()

    def disconnect(self) -> Any:
        """Let go of the cluster without ending it; :meth:`connect` finds it again."""
        answer = self.sync(self._close, end=False)
        if not self.asynchronous:
            self._loop_runner.stop()
        return answer


def clusters() -> list[str]:
    """Names of this session's clusters."""
    return sorted(path.name for path in session.clusters_directory().iterdir() if running(path))
