"""Scheduler and worker of distributed whose web pages, too, answer only to who has the cluster's key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distributed import Scheduler, Worker

from . import tls


class ClosedScheduler(Scheduler):  # type: ignore[misc]
    """:param key_directory: where the cluster's key is."""

    def __init__(self, *args: Any, key_directory: str, **kwargs: Any) -> None:
        self._key_directory = Path(key_directory)
        super().__init__(*args, **kwargs)

    def start_http_server(
        self, routes: Any, dashboard_address: Any, default_port: int = 0, ssl_options: Any = None
    ) -> None:
        super().start_http_server(routes, dashboard_address, default_port, tls.for_pages(self._key_directory))


class ClosedWorker(Worker):  # type: ignore[misc]
    """Finds the key beside its own TLS files."""

    def start_http_server(
        self, routes: Any, dashboard_address: Any, default_port: int = 0, ssl_options: Any = None
    ) -> None:
        directory = Path(self.security.tls_worker_key).parent
        super().start_http_server(routes, dashboard_address, default_port, tls.for_pages(directory))
