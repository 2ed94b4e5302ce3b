"""``python -m fabric_hub.service --site FILE``: started by the hub as its managed service."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from prometheus_client.registry import Collector

from fabric_hub.budgets.months import MonthBook
from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.catalogue.view import follower_of, known_by
from fabric_hub.config.settings import Settings, load
from fabric_hub.datasets.policy import CatalogueView
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.logs import lines
from fabric_hub.messages.logs import gives_up, with_codes
from fabric_hub.notices.book import NoticeBook
from fabric_hub.projects.live import with_live_projects
from fabric_hub.rpc import server as unix_server
from fabric_hub.rpc.follower import Follower
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.problems import ReportDesk
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.model import Snapshot
from fabric_hub.unix import state_lock

from .app import make_app, serve_static
from .auth import Tokens
from .daemon_metrics import Together
from .dataset_service import DatasetService
from .deps import ServiceContext
from .hub_api import HubApi
from .tasks.accounting import UsageTasks
from .tasks.courier import Courier
from .tasks.lease import Lease, lease_path
from .tasks.months import MonthTasks
from .tasks.noticing import Noticing
from .tasks.outbox import Outbox
from .tasks.reconciler import Reconciler
from .tasks.retention import RetentionTask
from .watching import Watch
from .web_server import serve

log = logging.getLogger("fabric_hub.service")

# Questions whose token this is that the hub, one thread, is asked at once; more would only wait there.
AT_ONCE = 8
TLS = {"keyfile": "JUPYTERHUB_SSL_KEYFILE", "certfile": "JUPYTERHUB_SSL_CERTFILE", "ca": "JUPYTERHUB_SSL_CLIENT_CA"}


def build(settings: Settings, local: bool) -> FastAPI:
    """The service with everything it needs: the hub's word on tokens, the snapshot, the reconciler.

    :param local: whether the hub can run sessions on its own machine.
    """
    store = SessionStore(database_url(settings))
    gateway = GatewayClient(settings.gateway.socket)
    follower = Follower("snapshot", gateway.snapshot, Snapshot())

    async def latest() -> Snapshot | None:
        return follower.value if settings.slurm else None

    catalogue_service = CatalogueClient(settings.catalogue.socket) if settings.catalogue else None
    catalogue = follower_of(catalogue_service) if catalogue_service else None

    async def known() -> CatalogueView | None:
        return await known_by(catalogue) if catalogue else None

    datasets = DatasetService(settings, store, known, catalogue_service) if catalogue_service else None
    address = os.environ["JUPYTERHUB_API_URL"], os.environ["JUPYTERHUB_API_TOKEN"], tls_files()
    # starts take their time: who a token is must not wait behind them
    hub, identities = HubApi(*address), HubApi(*address, most=AT_ONCE)
    accounts = UsageTasks(settings, store, follower, gateway, hub)
    identify = Tokens(identities.who, store.holder)
    watch = Watch(settings, store, hub, gateway, follower, catalogue_service)

    async def metrics() -> Collector:
        return Together(await accounts.scrape(), await watch.scrape())

    app = make_app(
        ServiceContext(settings, store, identify, latest, datasets, accounts.budgets, metrics, watch.readiness, local)
    )
    lease = Lease(lease_path(settings))
    lease.take()
    reconciler = Reconciler(settings, store, gateway, follower, hub, lease)
    outbox = Outbox(settings, ReportDesk(store.engine))
    book = NoticeBook(store.engine)
    noticing = Noticing(settings, store, book, accounts.in_force, known if catalogue else None)
    courier = Courier(settings, book)
    months = MonthTasks(settings, MonthBook(store.engine), watch.readiness)
    retention = RetentionTask(settings, store.engine)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> Any:
        tasks = [
            asyncio.create_task(reconciler.run(), name="reconciler"),
            asyncio.create_task(lease.keep(), name="lease"),
            asyncio.create_task(accounts.run(), name="accounts"),
            asyncio.create_task(outbox.run(), name="outbox"),
            asyncio.create_task(noticing.run(), name="noticing"),
            asyncio.create_task(courier.run(), name="courier"),
            asyncio.create_task(months.run(), name="months"),
            asyncio.create_task(retention.run(), name="retention"),
        ]
        for task in tasks:
            task.add_done_callback(_must_not_fail)
        if settings.slurm:
            follower.follow()
        if catalogue:
            catalogue.follow()
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await accounts.stop()
        await follower.stop()
        await hub.close()
        await identities.close()
        await gateway.aclose()
        if catalogue and catalogue_service:
            await catalogue.stop()
            await catalogue_service.aclose()
        store.close()

    app.router.lifespan_context = lifespan
    return app


def _must_not_fail(task: asyncio.Task[None]) -> None:
    """Without the reconciler sessions may be lost; the hub starts a service that ends again."""
    if not task.cancelled() and task.exception():
        log.critical("The %s ended; the service stops", task.get_name(), exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)


def tls_files() -> dict[str, str] | None:
    """The certificate files that the hub gave us, or None without internal TLS."""
    files = {kind: os.environ.get(name, "") for kind, name in TLS.items()}
    return files if files["certfile"] else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fabric_hub.service")
    parser.add_argument("--site", type=Path, required=True, help="the site's file (TOML)")
    parser.add_argument("--local-sessions", action="store_true", help="the hub can run sessions on its own machine")
    parser.add_argument("--static", type=Path, required=True, help="the directory of the files of the hub's pages")
    arguments = parser.parse_args()
    with_codes()
    try:
        settings = with_live_projects(load(arguments.site))
        lines.configure("service", settings.log.as_json)
        state_lock.hold(settings.hub.state_dir)
        app = build(settings, arguments.local_sessions)
        serve_static(app, arguments.static)
        listening, draft = unix_server.bind(settings.hub.service_socket, "service")
    except FabricError as error:
        raise SystemExit(f"fabric-hub service: {gives_up(error)}") from error
    # what is loaded by now stays: each search for garbage would go through it, 230 ms in which nobody is answered
    gc.collect()
    gc.freeze()
    os.rename(draft, settings.hub.service_socket)
    serve(app, fd=listening.fileno())


if __name__ == "__main__":
    main()
