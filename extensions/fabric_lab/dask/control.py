"""What a notebook may ask of its cluster's daemon: more verbs on the scheduler's own connection.

That connection is TLS with the cluster's key, so whoever asks is the cluster's user.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .host import HostedCluster
from .hub import Hub

log = logging.getLogger("fabric_lab.dask")


class Control:
    """:param ending: set to end the cluster.
    :param hub: says why workers wait; None outside a session.
    """

    def __init__(self, cluster: HostedCluster, ending: asyncio.Event, hub: Hub | None) -> None:
        self._hub = hub
        self._cluster = cluster
        self._ending = ending

    def handlers(self) -> dict[str, Callable[..., Any]]:
        """By name, for ``Scheduler.handlers``."""
        return {
            "fabric_wanted": self.wanted,
            "fabric_scale": self.scale,
            "fabric_adapt": self.adapt,
            "fabric_status": self.status,
            "fabric_job_script": self.job_script,
            "fabric_close": self.close,
        }

    async def wanted(self, names: list[str]) -> list[str]:
        """Which of these workers the cluster still wants."""
        return [name for name in names if name in self._cluster.worker_spec]

    async def scale(
        self,
        n: int | None = None,
        jobs: int = 0,
        memory: str | None = None,
        cores: int | None = None,
        pool: str | None = None,
    ) -> dict[str, Any]:
        """Have that many workers; returns :meth:`status`. Adapting ends."""
        if pool is not None and pool not in self._cluster.pools:
            return {"error": f"There is no pool {pool}; this cluster has {', '.join(self._cluster.pools)}."}
        self._stop_adapting()
        self._cluster.scale(n, jobs=jobs, memory=memory, cores=cores, pool=pool)
        return await self.status()

    async def adapt(self, **options: Any) -> dict[str, Any]:
        """Follow the work between a minimum and a maximum; without either, stop."""
        self._stop_adapting()
        if options:
            self._cluster.adapt(**options)
        return await self.status()

    def _stop_adapting(self) -> None:
        with suppress(AttributeError):
            self._cluster._adaptive.stop()
        self._cluster._adaptive = None
        self._cluster.__dict__.pop("_adaptive_options", None)

    async def status(self) -> dict[str, Any]:
        """What is wanted, where it was submitted, and what went wrong."""
        cluster = self._cluster
        there = {str(state.name): state.address for state in cluster.scheduler.workers.values()}
        workers = [
            {
                "name": name,
                "pool": spec["options"]["pool"].name,
                "job": str(job.place) if (job := cluster.workers.get(name)) is not None and job.place else None,
                "address": there.get(name),
            }
            for name, spec in cluster.worker_spec.items()
        ]
        adaptive = cluster._adaptive
        jobs = await self._hub.jobs() if self._hub else None
        return {
            "jobs": jobs,
            "hub": self._hub.problem if self._hub else "",
            "name": cluster.name,
            "workers": workers,
            "problems": dict(cluster.problems),
            "adaptive": {"minimum": adaptive.minimum, "maximum": adaptive.maximum} if adaptive else None,
            "calls": dict(cluster.batcher.calls),
            "pools": list(cluster.pools),
        }

    async def job_script(self) -> str:
        """The batch script of the first pool's workers."""
        return str(self._cluster.job_script())

    async def close(self) -> None:
        """End the cluster; the answer comes before it does."""
        self._ending.set()
