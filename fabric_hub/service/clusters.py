"""The service's verbs for a session's Dask clusters: what they may ask for, how they fare, what more would cost."""

# No `from __future__ import annotations` here: FastAPI reads the annotations of local functions.

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from ..accounts import unix_name
from ..errors import FabricError
from ..model import Slug, Snapshot
from ..projects import clusters
from ..projects.clusters import ClusterOffer, Quote
from ..sessions.store import Session
from ..settings import Settings

# As many workers as one scheduler can lead; also what a job array may hold by default (slurm.conf, MaxArraySize).
MOST_WORKERS = 1000


def add_clusters(
    api: APIRouter,
    settings: Settings,
    latest: Callable[[], Awaitable[Snapshot | None]],
    own_session: Callable[..., Awaitable[Session]],
) -> None:
    """Add the verbs to the service's API; all are for a session's own token.

    :param latest: the latest snapshot, or None where there is no Slurm.
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
    ) -> Quote:
        """What so many workers of a profile would cost per hour, and how many of them find a place now."""
        if workers > MOST_WORKERS:
            raise FabricError(
                f"{workers} workers are too many for one cluster.",
                reason="too-many",
                hint=f"It may have {MOST_WORKERS}.",
                status=409,
            )
        return clusters.quote(settings, session, profile, workers, await latest(), _today())


def _account(settings: Settings, session: Session) -> str | None:
    return None if settings.users.shared_account else unix_name(settings.users, session.user)


def _today() -> date:
    return datetime.now().astimezone().date()
