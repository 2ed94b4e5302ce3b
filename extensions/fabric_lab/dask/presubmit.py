"""A new cluster's first workers are submitted by the notebook, while the cluster's daemon still starts.

Slurm needs its time to start a job, and so does the job to import distributed: neither has to wait for the scheduler.
The daemon then takes the workers for its own (:meth:`.hosted_cluster.HostedCluster.adopt`). A task that is there
before the scheduler waits for it (:mod:`.rendezvous`), and ends by itself when there will be none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import job, slurm
from .batcher import Batcher
from .hub import Hub
from .plan import Plan
from .pools import Begun, Place, Pool
from .queues import SlurmQueue


@dataclass
class First:
    """One worker that is about to be submitted, as a batch wants it."""

    name: str
    pool: Pool

    def job_script(self) -> str:
        return job.script(self.pool)


async def begin(directory: Path, plan: Plan, service: Mapping[str, str]) -> tuple[Begun, str]:
    """Submit a new cluster's first workers, unless the hub refuses them; returns also what hub and site say of them.

    What Slurm refuses is left to the cluster, which tells and repeats it. So is everything where there is no Slurm.

    :param service: what :class:`.hub.Hub` asks with; empty outside a session.
    :raises session.HubError: the hub refuses them.
    """
    if plan.local or not plan.first:
        return Begun(), ""
    pool, words = plan.pools[0], ""
    if service and pool.profile:
        words = await Hub(plan.name, service).quote(pool.profile, plan.first, 0, 0, pool.most)
    batcher = Batcher(directory, SlurmQueue(directory, plan.job_name), gather_s=0)
    firsts = [First(f"{plan.name}-{number}", pool) for number in range(plan.first)]  # dask-jobqueue's names
    places = await asyncio.gather(*(batcher.join(first) for first in firsts), return_exceptions=True)
    found = {first.name: place for first, place in zip(firsts, places, strict=True) if isinstance(place, Place)}
    told = f"{words} The cluster says: {batcher.said}".strip() if batcher.said else words
    return Begun(found, batcher.calls["sbatch"], batcher.said), told


async def take_back(directory: Path, plan: Plan, begun: Begun) -> None:
    """Cancel what was submitted for a cluster that did not start; a task that stays ends by itself."""
    tasks: dict[int, list[int]] = {}
    for place in set(begun.places.values()):
        tasks.setdefault(place.job, []).append(place.task)
    if tasks:
        with suppress(slurm.SlurmError):
            await SlurmQueue(directory, plan.job_name).cancel(tasks)
