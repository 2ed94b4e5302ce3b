"""What the hub says of a cluster's jobs: asked seldom, kept, and for everybody who wants to know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from . import session
from .pools import Place
from .show import tasks_of

log = logging.getLogger("fabric_lab.dask")

# The hub's own snapshot is a few seconds old; asking it more often would tell nothing new.
KEEP_S = 5.0
# What the hub answers when such workers cannot be had: not in this project, not on these nodes, not so many.
REFUSALS = frozenset({403, 409})


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
        self.session_ends_at: float | None = None

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
        self.session_ends_at = answer.get("session_ends_at")
        if answer.get("silent_since") is not None or answer.get("age_s") is None:
            self.problem = "Slurm does not answer the hub."
            return None
        self.problem = ""
        return [job for job in answer["jobs"] if job["cluster"] == self._cluster]

    async def quote(self, profile: str, workers: int, have: int, submitted: int, per_job: int) -> str:
        """What so many workers of a profile cost and wait for, in words; "" while the hub does not say.

        :param have: so many of them run already.
        :param submitted: so many run, or wait for their job.
        :param per_job: up to so many share a job.
        :raises session.HubError: it refuses: they cannot be had.
        """
        path = f"/session/clusters/quote?profile={quote(profile, safe='')}&workers={workers}&have={have}"
        path += f"&submitted={submitted}&per_job={per_job}"
        try:
            return str((await asyncio.to_thread(session.ask, path, None, self._service))["words"])
        except session.HubError as error:
            if error.status in REFUSALS:
                raise
            return ""

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
