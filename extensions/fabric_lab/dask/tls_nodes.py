"""Scheduler and worker of distributed whose web pages, too, answer only to who has the cluster's key.

The scheduler is not idle, either, while it waits for its workers.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distributed import Scheduler, Worker
from distributed.scheduler import WorkerStatusPlugin

from .. import tls_sockets
from . import notebook_context, tls


async def find(paths: list[str]) -> None:
    """Import from these directories, too."""
    notebook_context.import_from(paths)


class Subscriber(WorkerStatusPlugin):
    """Tells one notebook which workers come and go; the original's single name lets only the last one hear it."""

    _numbers = itertools.count(1)

    def __init__(self, scheduler: Scheduler, comm: Any) -> None:
        self.name = f"worker-status-{next(self._numbers)}"  # type: ignore[misc]  # a class's, to the original
        super().__init__(scheduler, comm)


class ClosedScheduler(Scheduler):
    """:param key_directory: where the cluster's key is.
    :param waits: whether workers that shall be are not there.
    """

    def __init__(self, *args: Any, key_directory: str, waits: Callable[[], bool], **kwargs: Any) -> None:
        self._key_directory = Path(key_directory)
        self._waits = waits
        super().__init__(*args, **kwargs)

    def check_idle(self) -> float | None:
        # the original knows of tasks only: one that ended now would give up its workers' places in Slurm's queue
        if self._waits():
            self.idle_since = None
            return None
        idle: float | None = super().check_idle()
        return idle

    def subscribe_worker_status(self, comm: Any) -> Any:
        Subscriber(self, comm)
        known = self.identity()
        for worker in known["workers"].values():
            del worker["metrics"], worker["last_seen"]
        return known

    def start_http_server(
        self, routes: Any, dashboard_address: Any, default_port: int = 0, ssl_options: Any = None
    ) -> None:
        super().start_http_server(routes, dashboard_address, default_port, tls.for_pages(self._key_directory))  # type: ignore[no-untyped-call]


class ClosedWorker(Worker):
    """Finds the key beside its own TLS files, and leaves the end of its job to the process that runs its nanny.

    Slurm sends SIGTERM to every process of a job: a worker that obeyed it would take its results along, before they
    are handed over.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.handlers["fabric_find"] = find

    async def start_unsafe(self) -> Any:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        tls_sockets.mend()
        return await super().start_unsafe()  # type: ignore[no-untyped-call]

    def start_http_server(
        self, routes: Any, dashboard_address: Any, default_port: int = 0, ssl_options: Any = None
    ) -> None:
        directory = Path(self.security.tls_worker_key).parent  # type: ignore[attr-defined]  # set by name
        super().start_http_server(routes, dashboard_address, default_port, tls.for_pages(directory))  # type: ignore[no-untyped-call]
