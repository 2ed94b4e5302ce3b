"""A notebook's side of its cluster: scheduler and what follows the work are in the daemon, which this starts.

The first workers are submitted by the notebook, while the daemon still starts: Slurm needs its time to start a job, and
so does the job to import distributed; neither has to wait for the scheduler. The daemon then takes the workers for its
own (:meth:`.hosted_cluster.HostedCluster.adopt`). A task that is there before the scheduler waits for it
(:mod:`.rendezvous`), and ends by itself when there will be none.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from distributed.deploy.spec import ProcessInterface

from ..client import HubError, credentials
from ..common.translation import _, sentences
from . import queues, worker_jobs
from .plan import Plan
from .pools import Place, Pool, Presubmitted
from .queues import SlurmQueue
from .rendezvous import START_S, ClusterError, State, last_words, running, until_gone
from .worker_jobs import Batcher
from .worker_status import Hub


class Asking(Protocol):
    """As much of a notebook's cluster (:class:`.cluster.DaskCluster`) as its parts here need."""

    scheduler_info: dict[str, Any]

    def _ask(self, verb: str, **arguments: Any) -> Coroutine[Any, Any, Any]: ...

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any: ...


class RemoteScheduler(ProcessInterface):
    """The scheduler in the cluster's daemon, as SpecCluster wants it.

    :param directory: the cluster's.
    :param plan: starts a daemon with it; None: one is there already.
    """

    def __init__(self, *, directory: Path, plan: Plan | None, **_other: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.directory, self._plan = directory, plan
        self.state: State | None = None
        self.told = HubNote()  # what the hub said of the first workers
        self._of: Callable[[], Asking | None] = lambda: None

    def belongs_to(self, cluster: Asking) -> None:
        self._of = weakref.ref(cluster)

    @property
    def ip(self) -> str:
        """Where it listens, as ``Scheduler.ip``; "" before its start."""
        return self.state.ip if self.state is not None else ""

    @property
    def workers(self) -> dict[str, ConnectedWorker]:
        """What the scheduler tells of each worker that is there, by address, as ``Scheduler.workers`` has it."""
        cluster = self._of()
        known = cluster.scheduler_info.get("workers", {}) if cluster is not None else {}
        return {address: ConnectedWorker(info) for address, info in known.items()}

    async def start(self) -> None:
        if self._plan is not None:
            await self._launch(self._plan)
        else:
            self.state = await self._until_there()
        assert self.state is not None
        self.address = self.state.address
        await super().start()  # type: ignore[no-untyped-call]

    async def _launch(self, plan: Plan) -> None:
        """Start the daemon, and meanwhile have Slurm start the first workers' jobs."""
        daemon, begun = await asyncio.to_thread(Daemon, self.directory), Presubmitted()
        try:
            begun, words = await presubmit(self.directory, plan, credentials(os.environ))
            self.told = HubNote(words)
            await asyncio.to_thread(daemon.go, plan, begun.dump())
            self.state = await self._until_there()
        except BaseException as error:
            await asyncio.to_thread(daemon.drop)
            await take_back(self.directory, plan, begun)
            if isinstance(error, HubError):
                raise ClusterError(str(error)) from None
            raise

    async def _until_there(self) -> State:
        end = time.monotonic() + START_S
        while True:
            with suppress(OSError, ValueError, TypeError):
                return State.read(self.directory)
            if time.monotonic() > end or (self._plan is not None and not running(self.directory)):
                said = _("Cluster {name} did not start.").format(name=self.directory.name)
                raise ClusterError(sentences(said, last_words(self.directory)))
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Wait until the daemon has ended: its workers' jobs are cancelled then."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(until_gone, self.directory), START_S)
        await super().close()  # type: ignore[no-untyped-call]


class HubNote(str):
    """What the hub said of so many workers; a notebook shows it. It may be awaited, as dask's own answer."""

    def __repr__(self) -> str:
        return str(self)

    def __await__(self) -> Generator[None, None, HubNote]:
        return self
        yield


class ConnectedWorker(dict[str, Any]):
    """A worker that is there; SpecCluster waits for its workers, and this one's wait is over.

    What the scheduler tells of it are keys, and attributes, as those of its own ``WorkerState``.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __await__(self) -> Generator[None, None, ConnectedWorker]:
        return self
        yield


class RemoteAdaptive:
    """What ``adapt`` returns: the bounds that the cluster follows by itself, and how to stop it.

    ``told`` is what the hub says of as many workers as there may be.
    """

    def __init__(self, cluster: Asking, minimum: float, maximum: float, told: str) -> None:
        self._cluster, self.told = cluster, told
        self.minimum, self.maximum = minimum, maximum
        self.periodic_callback = True  # distributed's reprs take it for "adaptive"

    def __repr__(self) -> str:
        said = (
            _("From {minimum} to any number of workers.")
            if math.isinf(self.maximum)
            else _("From {minimum} to {maximum} workers.")
        )
        return sentences(said.format(minimum=f"{self.minimum:g}", maximum=f"{self.maximum:g}"), self.told)

    def stop(self, reason: str = "") -> None:
        """Keep the workers that there are."""
        if self.periodic_callback:
            self.periodic_callback = False
            self._cluster._do(self._cluster._ask("fabric_adapt"))


@dataclass
class FirstWorker:
    """One worker that is about to be submitted, as a batch wants it."""

    name: str
    pool: Pool

    def job_script(self) -> str:
        return worker_jobs.script(self.pool)


async def presubmit(directory: Path, plan: Plan, service: Mapping[str, str]) -> tuple[Presubmitted, str]:
    """Submit a new cluster's first workers, unless the hub refuses them; returns also what hub and site say of them.

    What Slurm refuses is left to the cluster, which tells and repeats it. So is everything where there is no Slurm.

    :param service: what :class:`.worker_status.Hub` asks with; empty outside a session.
    :raises HubError: the hub refuses them.
    """
    if plan.local or not plan.first:
        return Presubmitted(), ""
    pool, words = plan.pools[0], ""
    if service and pool.profile:
        words = await Hub(plan.name, service).quote(pool.profile, plan.first, 0, 0, pool.most)
    batcher = Batcher(directory, SlurmQueue(directory, plan.job_name), gather_s=0)
    firsts = [FirstWorker(f"{plan.name}-{number}", pool) for number in range(plan.first)]  # dask-jobqueue's names
    places = await asyncio.gather(*(batcher.join(first) for first in firsts), return_exceptions=True)
    found = {first.name: place for first, place in zip(firsts, places, strict=True) if isinstance(place, Place)}
    site = _("The cluster says: {words}").format(words=batcher.said) if batcher.said else ""
    note = sentences(words, site)
    return Presubmitted(found, batcher.calls["sbatch"], batcher.said), note


async def take_back(directory: Path, plan: Plan, begun: Presubmitted) -> None:
    """Cancel what was submitted for a cluster that did not start; a task that stays ends by itself."""
    tasks: dict[int, list[int]] = {}
    for place in set(begun.places.values()):
        tasks.setdefault(place.job, []).append(place.task)
    if tasks:
        with suppress(queues.SlurmError):
            await SlurmQueue(directory, plan.job_name).cancel(tasks)


class Daemon:
    """A cluster's daemon: it imports what it needs while it waits for its plan, and is a child of nobody's.

    :raises ClusterError: it could not be started.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        log = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fabric_lab.dask.daemon", str(directory)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=queues.clean(os.environ),
                cwd=here(),
            )
            # what has been started has left a child of its own, and ends
            code = self._process.wait(START_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise self._failed(error) from error
        finally:
            os.close(log)
        if code:
            raise self._failed(subprocess.CalledProcessError(code, self._process.args))

    def go(self, plan: Plan, begun: Mapping[str, Any]) -> None:
        """Have it be the cluster.

        :param begun: what was submitted for it already (:func:`presubmit`).
        :raises ClusterError: it is gone.
        """
        sent = {"plan": asdict(plan), "service": credentials(os.environ), "begun": begun}
        assert self._process.stdin is not None
        try:
            with self._process.stdin as stream:
                stream.write(json.dumps(sent).encode())
        except OSError as error:
            raise self._failed(error) from error

    def drop(self) -> None:
        """There shall be no cluster: the daemon is gone afterwards, and so is the directory."""
        if running(self._directory):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
        until_gone(self._directory)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _failed(self, error: Exception) -> ClusterError:
        said = _("Cluster {name} did not start: {error}.").format(name=self._directory.name, error=error)
        return ClusterError(sentences(said, last_words(self._directory)))


def here() -> Path:
    """The notebook's directory, where workers run, too, as dask-jobqueue's do; the home where that is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path.home()
