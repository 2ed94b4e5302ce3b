"""The service's verbs for a session's Dask clusters: what they may ask for, how they fare, what more would cost."""

# No `from __future__ import annotations` here: FastAPI reads the annotations of local functions.

import asyncio
import os
import pwd
import time
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch import dask_clusters as clusters
from fabric_hub.launch.dask_clusters import ClusterOffer
from fabric_hub.launch.quote import Quote, QuoteInputs, QuoteRequest, quote
from fabric_hub.service.per_session import PerSessionLimiter
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import Snapshot
from fabric_hub.types import Slug
from fabric_hub.unix.accounts import unix_name

from .usage import BudgetService, time_left_of

# As many workers as one scheduler can lead; also what a job array may hold by default (slurm.conf, MaxArraySize).
MOST_WORKERS = 1000
# Refusals that say how much of something is in use.
COUNTED = frozenset({"budget", "limit-account", "limit-qos"})


def add_clusters(
    api: APIRouter,
    settings: Settings,
    latest: Callable[[], Awaitable[Snapshot | None]],
    own_session: Callable[..., Awaitable[Session]],
    quotas: BudgetService | None = None,
) -> None:
    """Add the verbs to the service's API; all are for a session's own token.

    :param latest: the latest snapshot, or None where there is no Slurm.
    :param quotas: where Slurm's limits and the project's GPU-hours are read, or None where nobody keeps count.
    """

    one_at_a_time, turns = asyncio.Lock(), PerSessionLimiter()

    @api.get("/session/clusters")
    async def session_clusters(session: Annotated[Session, Depends(own_session)]) -> ClusterOffer:
        """The profiles of the session's project that workers may have, and the jobs of its clusters."""
        snapshot = await latest()
        ends_at = time_left_of(settings, session, snapshot, time.time()).ends_at
        return clusters.offer(settings, session, _account(settings, session), snapshot, _today(), ends_at)

    @api.get("/session/clusters/quote")
    async def cluster_quote(
        session: Annotated[Session, Depends(own_session)],
        profile: Annotated[Slug, Query(examples=["gpu"])],
        workers: Annotated[int, Query(ge=1)],
        have: Annotated[int, Query(ge=0)] = 0,
        submitted: Annotated[int, Query(ge=0)] = 0,
        per_job: Annotated[int | None, Query(ge=1, le=MOST_WORKERS)] = None,
    ) -> Quote:
        """What so many workers of a profile would cost per hour, and how many of them find a place now.

        ``have`` of them run, ``submitted`` run or wait for their job; up to ``per_job`` share one. A session has
        one question answered at a time; with too many at once the answer is 429, with Retry-After.
        """
        if workers > MOST_WORKERS:
            raise FabricError(
                f"{workers} workers are too many for one cluster.",
                reason="too-many",
                hint=f"It may have {MOST_WORKERS}.",
                status=409,
            )
        wish = QuoteRequest(profile, workers, have, submitted, per_job)
        async with turns.turn(session.id):
            try:
                return await priced(session, wish, quotas.source.limits() if quotas else None)
            except FabricError as error:
                # a refusal by counts that are older than what they count would be wrong
                newer = await quotas.newer_limits() if quotas and error.reason in COUNTED else None
                if newer is None:
                    raise
                return await priced(session, wish, newer)

    async def priced(session: Session, wish: QuoteRequest, limits: Limits | None) -> Quote:
        """Among all jobs of a large cluster this takes a while: beside the loop, and one at a time."""
        known = QuoteInputs(
            now=time.time(),
            snapshot=await latest(),
            limits=limits,
            balance=quotas.source.usage(session.project, session.user).project if quotas else None,
        )
        user = _account(settings, session) or pwd.getpwuid(os.geteuid()).pw_name
        async with one_at_a_time:
            return await asyncio.to_thread(quote, settings, session, user, wish, known, _today())


def _account(settings: Settings, session: Session) -> str | None:
    return None if settings.users.shared_account else unix_name(settings.users, session.user)


def _today() -> date:
    return datetime.now().astimezone().date()
