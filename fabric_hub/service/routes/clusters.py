"""A session's Dask clusters: what they may ask for, how they fare, what more would cost."""

import time
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from fabric_hub.launch import dask_clusters
from fabric_hub.launch.dask_clusters import ClusterOffer
from fabric_hub.launch.quote import Quote, QuoteRequest
from fabric_hub.service.budget_service import time_left_of
from fabric_hub.service.cluster_quotes import MOST_WORKERS, worker_account
from fabric_hub.service.deps import Context, SessionCaller
from fabric_hub.sessions.stops import soonest
from fabric_hub.types import Slug

router = APIRouter()


@router.get("/session/clusters")
async def session_clusters(session: SessionCaller, context: Context) -> ClusterOffer:
    """The profiles of the session's project that workers may have, and the jobs of its clusters."""
    settings, snapshot = context.settings, await context.latest()
    own_end = time_left_of(settings, session, snapshot, time.time()).ends_at
    ends_at = soonest(own_end, context.stops.of([session.id]).get(session.id))
    today = datetime.now().astimezone().date()
    return dask_clusters.offer(settings, session, worker_account(settings, session), snapshot, today, ends_at)


@router.get("/session/clusters/quote")
async def cluster_quote(
    session: SessionCaller,
    context: Context,
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
    return await context.quotes.quote(session, QuoteRequest(profile, workers, have, submitted, per_job))
