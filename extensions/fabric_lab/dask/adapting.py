"""Following the work with the workers of one pool."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from distributed.deploy import adaptive as distributed_adaptive

from .hosted_cluster import HostedCluster


class PoolAdaptive(distributed_adaptive.Adaptive):
    """Follows the work with the workers of one pool; those of others are what they are."""

    cluster: HostedCluster

    def __init__(self, cluster: HostedCluster, *, pool: str, **options: Any) -> None:
        self.pool = pool
        super().__init__(cluster, **options)

    def _own(self, names: Iterable[str]) -> set[str]:
        return set(names) & set(self.cluster.of_pool(self.pool))

    @property
    def plan(self) -> set[str]:  # type: ignore[override]  # names, not WorkerStates, are the cluster's
        return self._own(self.cluster.plan)

    @property
    def requested(self) -> set[str]:  # type: ignore[override]  # names, not WorkerStates, are the cluster's
        return self._own(self.cluster.requested)

    @property
    def observed(self) -> set[str]:  # type: ignore[override]  # names, not WorkerStates, are the cluster's
        return self._own(self.cluster.observed)

    async def target(self) -> int:
        others = len(self.cluster.plan) - len(self.plan)
        wanted: int = await super().target()  # type: ignore[no-untyped-call]
        return max(0, wanted - others)

    async def workers_to_close(self, target: int) -> list[str]:
        return list(self.cluster.first_to_go(self.observed, len(self.plan) - target))

    async def scale_up(self, n: int) -> None:  # type: ignore[override]  # as Adaptive's own
        self.cluster.scale(n, pool=self.pool)
