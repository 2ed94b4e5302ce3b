"""What the hub says of a cluster's jobs: asked seldom, kept, and for everybody who wants to know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from . import session
from .batcher import Place

log = logging.getLogger("fabric_lab.dask")

# The hub's own snapshot is a few seconds old; asking it more often would tell nothing new.
KEEP_S = 5.0
ALL_QUIET_S = 30.0


class Hub:
    """The service's word on one cluster's jobs.

    :param service: the environment's variables with which :func:`.session.ask` asks; the token among them came to
        the daemon on its standard input.
    """

    def __init__(self, cluster: str, service: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._service = dict(service)
        self._asked = 0.0
        self._jobs: list[dict[str, Any]] | None = None
        self._lock = asyncio.Lock()
        self.problem = ""

    async def jobs(self, fresh_s: float = KEEP_S) -> list[dict[str, Any]] | None:
        """The cluster's jobs, not older than so many seconds; None while nothing can be known."""
        async with self._lock:
            if time.monotonic() - self._asked >= fresh_s:
                self._jobs = await self._ask()
                self._asked = time.monotonic()
            return self._jobs

    async def _ask(self) -> list[dict[str, Any]] | None:
        try:
            answer = await asyncio.to_thread(session.ask, "/session/clusters", None, self._service)
        except session.HubError as error:
            self.problem = str(error)
            return None
        if answer.get("silent_since") is not None or answer.get("age_s") is None:
            self.problem = "Slurm does not answer the hub."
            return None
        self.problem = ""
        return [job for job in answer["jobs"] if job["cluster"] == self._cluster]

    async def states(self) -> dict[Place, str] | None:
        """The phase of every task of the cluster's arrays, or None while nothing can be known."""
        jobs = await self.jobs()
        return None if jobs is None else phases(jobs)


def phases(jobs: list[dict[str, Any]]) -> dict[Place, str]:
    """(array, task) -> "queued", "running", "ending" or "ended", from the service's list of jobs. Pure."""
    found: dict[Place, str] = {}
    for job in jobs:
        for task in tasks_of(job["tasks"]):
            place = Place(job["array_id"], task)
            # a task that was requeued has an older, ended record too
            if found.get(place) in (None, "ended"):
                found[place] = job["phase"]
    return found


def tasks_of(notation: str) -> list[int]:
    """Slurm's "0-2,5" as numbers."""
    tasks: list[int] = []
    for part in notation.split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            tasks += range(int(first), int(last if last.isdigit() else first) + 1)
    return tasks
