"""Everything of the service that keeps count: put together here, run and stopped as one."""

from __future__ import annotations

import asyncio
import logging
import time

from prometheus_client.registry import Collector

from fabric_hub.budgets.history import History
from fabric_hub.budgets.rolling import keep_rolling
from fabric_hub.budgets.schemas import Source, StorageUse, Warned
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.rpc.follower import Follower
from fabric_hub.service.budget_service import BudgetService
from fabric_hub.service.hub_api import HubApi
from fabric_hub.service.metrics import ServiceMetrics, seen
from fabric_hub.service.usage_service import UsageService
from fabric_hub.sessions.stops import StopBook
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import Snapshot
from fabric_hub.slurm.storage import StorageQuota

from .continuation import Continuation
from .idle import IdleSessions
from .leaving import Leaving
from .operator_stops import OperatorStops
from .review import Review

log = logging.getLogger(__name__)

AFTER_FAULT_S = 60.0
# Those who are refused by old numbers have Slurm asked for new ones, two questions: so often for all of them together.
ASKED_ANEW_S = 60.0
LIMITS_WAIT_S = 5.0


class UsageTasks:
    """Usage, budgets, idle sessions and metrics of one service.

    :param follower: the service's view of Slurm's jobs; it follows already.
    """

    def __init__(
        self,
        settings: Settings,
        store: SessionStore,
        follower: Follower[Snapshot],
        gateway: GatewayClient,
        hub: HubApi,
    ) -> None:
        self._settings, self._store, self._follower = settings, store, follower
        self._gateway = gateway if settings.slurm else None
        self._limits = Follower("limits", gateway.limits, Limits())
        self._history = History(store.url)
        storage = self._storage_of if self._gateway and settings.quotas.storage else None
        self._usage = UsageService(
            settings, self._limits, follower, self._history.daily, storage, self._history.charged
        )
        self._idle = IdleSessions(settings, store, hub)
        self._continuation = Continuation(settings, store, hub)
        stops = StopBook(store.engine)
        self._operator_stops = OperatorStops(stops, store, hub, self._gateway)
        self._leaving = Leaving(settings, stops, store)
        source: Source = self._usage
        self._review = Review(settings, store, source)
        self.budgets = BudgetService(
            settings=settings,
            source=source,
            review=self._review,
            continuation=self._continuation,
            idle=self._idle,
            gateway=self._gateway,
            newer_limits=self._newer_limits,
            stops=stops,
        )
        self._asked_at = -ASKED_ANEW_S
        self._newer: asyncio.Task[Limits | None] | None = None

    async def run(self) -> None:
        """Until cancelled. A fault in keeping count ends no service that sessions need to start."""
        if self._gateway:
            self._limits.follow()
        while True:
            try:
                await self._keep_count()
            except* Exception as faults:
                log.critical("Usage is not kept for a while", exc_info=faults)
            await asyncio.sleep(AFTER_FAULT_S)

    async def _keep_count(self) -> None:
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._usage.run(), name="usage")
            loops.create_task(self._review.run(), name="review")
            loops.create_task(self._continuation.run(), name="continued sessions")
            loops.create_task(self._operator_stops.run(), name="sessions that operators end")
            loops.create_task(self._leaving.run(), name="sessions of people who left")
            if self._gateway:
                rolling = keep_rolling(self._settings, self._gateway, self._store, self._history)
                loops.create_task(rolling, name="history")

    def in_force(self) -> tuple[Warned, ...]:
        """The warnings that are in force now, everybody's."""
        return self._review.in_force

    async def stop(self) -> None:
        """Let what has begun come to its end."""
        await self._idle.close()
        await self._continuation.close()
        await self._operator_stops.close()
        await self._limits.stop()
        self._history.close()

    async def _newer_limits(self) -> Limits | None:
        if self._gateway is None:
            return None
        if self._newer is None or self._newer.done():
            if time.monotonic() - self._asked_at < ASKED_ANEW_S:
                return None
            self._asked_at = time.monotonic()
            self._newer = asyncio.create_task(self._ask_limits(self._gateway))
        return await asyncio.shield(self._newer)  # others who are refused meanwhile have the same answer

    async def _ask_limits(self, gateway: GatewayClient) -> Limits | None:
        try:
            return await gateway.limits(wait_s=LIMITS_WAIT_S, fresh=time.time())
        except FabricError as error:
            log.warning("Slurm's limits are as old as before: %s", error)
            return None

    async def _storage_of(self, user: str) -> tuple[StorageUse, ...]:
        assert self._gateway is not None
        told = await self._gateway.storage(user)
        fields = StorageUse.model_fields.keys() & StorageQuota.model_fields.keys()
        found = (StorageUse(**{name: getattr(one, name) for name in fields}) for one in told.quotas)
        return tuple(one if one.at else one.model_copy(update={"at": told.at}) for one in found)

    async def scrape(self) -> Collector:
        """What Prometheus is told now."""
        now = await seen(self._store, self._follower.value, self._limits.value, self._gateway)
        return ServiceMetrics(self._settings, now, self._usage, self._review)
