"""The parts of a notebook's cluster that are elsewhere: its scheduler, and what follows the work, are in the daemon."""

from __future__ import annotations

import asyncio
import math
import os
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed.deploy.spec import ProcessInterface

from . import session
from .daemon import State
from .plan import Plan
from .pools import Begun
from .presubmit import begin, take_back
from .start import START_S, ClusterError, Daemon, last_words, running, until_gone

if TYPE_CHECKING:
    from .cluster import DaskCluster


class RemoteScheduler(ProcessInterface):
    """The scheduler in the cluster's daemon, as SpecCluster wants it.

    :param directory: the cluster's.
    :param plan: starts a daemon with it; None: one is there already.
    """

    def __init__(self, *, directory: Path, plan: Plan | None, **_other: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.directory, self._plan = directory, plan
        self.state: State | None = None
        self.told = Told()  # what the hub said of the first workers
        self._of: Callable[[], DaskCluster | None] = lambda: None

    def belongs_to(self, cluster: DaskCluster) -> None:
        self._of = weakref.ref(cluster)

    @property
    def ip(self) -> str:
        """Where it listens, as ``Scheduler.ip``; "" before its start."""
        return self.state.ip if self.state is not None else ""

    @property
    def workers(self) -> dict[str, There]:
        """What the scheduler tells of each worker that is there, by address, as ``Scheduler.workers`` has it."""
        cluster = self._of()
        known = cluster.scheduler_info.get("workers", {}) if cluster is not None else {}
        return {address: There(info) for address, info in known.items()}

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
        daemon, begun = await asyncio.to_thread(Daemon, self.directory), Begun()
        try:
            begun, words = await begin(self.directory, plan, session.access(os.environ))
            self.told = Told(words)
            await asyncio.to_thread(daemon.go, plan, begun.dump())
            self.state = await self._until_there()
        except BaseException as error:
            await asyncio.to_thread(daemon.drop)
            await take_back(self.directory, plan, begun)
            if isinstance(error, session.HubError):
                raise ClusterError(str(error)) from None
            raise

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
        await super().close()  # type: ignore[no-untyped-call]


class Told(str):
    """What the hub said of so many workers; a notebook shows it. It may be awaited, as dask's own answer."""

    def __repr__(self) -> str:
        return str(self)

    def __await__(self) -> Generator[None, None, Told]:
        return self
        yield


class There(dict[str, Any]):
    """A worker that is there; SpecCluster waits for its workers, and this one's wait is over.

    What the scheduler tells of it are keys, and attributes, as those of its own ``WorkerState``.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __await__(self) -> Generator[None, None, There]:
        return self
        yield


class RemoteAdaptive:
    """What ``adapt`` returns: the bounds that the cluster follows by itself, and how to stop it.

    ``told`` is what the hub says of as many workers as there may be.
    """

    def __init__(self, cluster: DaskCluster, minimum: float, maximum: float, told: str) -> None:
        self._cluster, self.told = cluster, told
        self.minimum, self.maximum = minimum, maximum
        self.periodic_callback = True  # distributed's reprs take it for "adaptive"

    def __repr__(self) -> str:
        most = "any number of" if math.isinf(self.maximum) else f"{self.maximum:g}"
        return f"From {self.minimum:g} to {most} workers. {self.told}".strip()

    def stop(self, reason: str = "") -> None:
        """Keep the workers that there are."""
        if self.periodic_callback:
            self.periodic_callback = False
            self._cluster._do(self._cluster._ask("fabric_adapt"))
