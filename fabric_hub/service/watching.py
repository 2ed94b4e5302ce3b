"""How a running service looks at the other processes: for its readiness, and for Prometheus."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from prometheus_client.registry import Collector

from fabric_hub.catalogue.api import Agent
from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.config.settings import Settings
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.rpc.follower import Follower
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.model import Snapshot
from fabric_hub.unix import authorities, last_backup

from .daemon_metrics import DaemonMetrics, Watched
from .hub_api import HubApi
from .readiness import Asks, Readiness


class Watch:
    """Readiness and metrics of a site's processes.

    :param follower: the service's view of Slurm's jobs and nodes; it follows already.
    :param hub: the hub's API, with the service's own token.
    """

    def __init__(
        self,
        settings: Settings,
        store: SessionStore,
        hub: HubApi,
        gateway: GatewayClient,
        follower: Follower[Snapshot],
        catalogue: CatalogueClient | None,
    ) -> None:
        self._settings, self._store, self._follower, self._catalogue = settings, store, follower, catalogue
        slurm = settings.slurm is not None
        self.readiness = Readiness(
            Asks(
                hub=hub.answers,
                record=store.newest,
                gateway=gateway.health if slurm else None,
                snapshot=self._snapshot if slurm else None,
                catalogue=catalogue.health if catalogue else None,
                agents=self._agents if catalogue and settings.enforces_datasets else None,
            )
        )

    async def _snapshot(self) -> Snapshot | None:
        return self._follower.value

    async def _agents(self) -> tuple[Agent, ...]:
        assert self._catalogue is not None
        return (await self._catalogue.agents()).agents

    async def scrape(self) -> Collector:
        """What Prometheus is told of the daemons now."""
        hub = self._settings.hub
        seen = await self.readiness()
        kept = await asyncio.to_thread(_certificates, hub.state_dir / "certs") if hub.internal_ssl else {}
        backup = await asyncio.to_thread(last_backup.read, hub.state_dir)
        at = backup.at if backup else None
        return DaemonMetrics(Watched(time.time(), seen, self._catalogue is not None, kept, at))


def _certificates(store: Path) -> dict[str, float]:
    """Until when each is valid, in Unix seconds; none where they cannot be read."""
    try:
        return {one.name: one.end for one in authorities.certificates(store)}
    except (OSError, ValueError):
        return {}
