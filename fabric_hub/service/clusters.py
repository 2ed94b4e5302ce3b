"""The service's verbs for a session's Dask clusters: what they may ask for, how they fare, what more would cost."""

# No `from __future__ import annotations` here: FastAPI reads the annotations of local functions.

import os
import pwd
import time
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from ..accounts import unix_name
from ..errors import FabricError
from ..model import Slug, Snapshot
from ..projects import clusters
from ..projects.clusters import ClusterOffer
from ..projects.quote import Known, Quote, Wish, quote
from ..sessions.store import Session
from ..settings import Settings
from .quotas import QuotaDesk

# As many workers as one scheduler can lead; also what a job array may hold by default (slurm.conf, MaxArraySize).
MOST_WORKERS = 1000


def add_clusters(
    api: APIRouter,
    settings: Settings,
    latest: Callable[[], Awaitable[Snapshot | None]],
    own_session: Callable[..., Awaitable[Session]],
    quotas: QuotaDesk | None = None,
) -> None:
    """Add the verbs to the service's API; all are for a session's own token.

    :param latest: the latest snapshot, or None where there is no Slurm.
    :param quotas: where Slurm's limits and the project's GPU-hours are read, or None where nobody keeps count.
    """

    @api.get("/session/clusters")
    async def session_clusters(session: Annotated[Session, Depends(own_session)]) -> ClusterOffer:
        """The profiles of the session's project that workers may have, and the jobs of its clusters."""
        return clusters.offer(settings, session, _account(settings, session), await latest(), _today())

    @api.get("/session/clusters/quote")
    async def cluster_quote(
        session: Annotated[Session, Depends(own_session)],
        profile: Annotated[Slug, Query()],
        workers: Annotated[int, Query(ge=1)],
        have: Annotated[int, Query(ge=0)] = 0,
        per_job: Annotated[int, Query(ge=1, le=MOST_WORKERS)] = 1,
    ) -> Quote:
        """What so many workers of a profile would cost per hour, and how many of them find a place now.

        ``have`` of them are there already; up to ``per_job`` share a job.
        """
        if workers > MOST_WORKERS:
            raise FabricError(
                f"{workers} workers are too many for one cluster.",
                reason="too-many",
                hint=f"It may have {MOST_WORKERS}.",
                status=409,
            )
        known = Known(
            now=time.time(),
            snapshot=await latest(),
            limits=quotas.source.limits() if quotas else None,
            balance=quotas.source.usage(session.project, session.user).project if quotas else None,
        )
        user = _account(settings, session) or pwd.getpwuid(os.geteuid()).pw_name
        return quote(settings, session, user, Wish(profile, workers, have, per_job), known, _today())


def _account(settings: Settings, session: Session) -> str | None:
    return None if settings.users.shared_account else unix_name(settings.users, session.user)


def _today() -> date:
    return datetime.now().astimezone().date()
