"""The service's verbs for usage, budgets and time: what is left, how long it lasts, and what can be done."""

# No `from __future__ import annotations` here: FastAPI reads the annotations of local functions.

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends
from pydantic import Field

from fabric_hub.budgets.idle import Report
from fabric_hub.budgets.schemas import (
    MOST_REOPENED,
    PersonQuota,
    ProjectQuota,
    RelativePath,
    SessionQuota,
    Source,
    TimeLeft,
)
from fabric_hub.budgets.time_left import longer, time_left
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.choice import projects_of
from fabric_hub.messages.formats import clock
from fabric_hub.service.tasks.continuation import Continuation, Continued
from fabric_hub.service.tasks.idle import IdleAnswer, IdleSessions, policy_of
from fabric_hub.service.tasks.review import Review, with_forecast
from fabric_hub.sessions.scopes import server_of
from fabric_hub.sessions.status import standing
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.limits.extension import more_time
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import ExtendRequest, Snapshot
from fabric_hub.types import Frozen, WholeNumber

Who = dict[str, Any]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False, strict=True)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]


class Extends(Protocol):
    """What the gateway is asked for."""

    async def extend(self, request: ExtendRequest) -> None: ...


@dataclass(frozen=True)
class BudgetService:
    """Everything that the verbs need. ``gateway`` is None where there is no Slurm.

    ``newer_limits`` has Slurm asked for the limits; None when that was done a moment ago, or nobody answers.
    """

    source: Source
    review: Review
    continuation: Continuation
    idle: IdleSessions
    gateway: Extends | None
    newer_limits: Callable[[], Awaitable[Limits | None]]


class ContinueRequest(Frozen):
    """Which files the successor opens again: paths relative to where the session's server begins."""

    reopen: tuple[RelativePath, ...] = Field(default=(), max_length=MOST_REOPENED)


class ExtensionRequest(Frozen):
    minutes: WholeNumber = Field(ge=1, le=60 * 24 * 366)


class Extended(Frozen):
    """The new end of a session, and how many minutes it has in all."""

    ends_at: float
    minutes: int
    text: str


class IdleReport(Frozen):
    """A session's own word: seconds since anybody did anything, whether a kernel or terminal is at work, and the
    highest use of each of its GPUs since its last report (null: it cannot be read)."""

    idle_s: Seconds
    busy: bool = Field(strict=True)
    gpu_percent: tuple[Percent, ...] | None = Field(default=None, max_length=64)


def add_quotas(
    api: APIRouter,
    settings: Settings,
    desk: BudgetService | None,
    latest: Callable[[], Awaitable[Snapshot | None]],
    person: Callable[..., Awaitable[Who]],
    own_session: Callable[..., Awaitable[Session]],
) -> None:
    """Add the verbs to the service's API.

    :param desk: None in a service that keeps no account of usage; every verb then answers 404.
    :param latest: the latest snapshot, or None where there is no Slurm.
    :param person: the dependency that knows who calls.
    :param own_session: the dependency for a session's own token only.
    """

    async def offered() -> BudgetService:
        if desk is None:
            raise FabricError("This hub keeps no account of usage.", reason="no-quotas", status=404)
        return desk

    async def in_person(who: Annotated[Who, Depends(person)]) -> str:
        if who.get("kind", "user") != "user" or server_of(who["name"], who.get("scopes") or []) is not None:
            raise FabricError(
                "This is for a person's own token; a session's token knows its own project only.",
                reason="scope",
                hint="A session asks for /session/quota.",
                status=403,
            )
        name: str = who["name"]
        return name

    of_caller = Annotated[Session, Depends(own_session)]
    at_desk = Annotated[BudgetService, Depends(offered)]

    @api.get("/session/quota")
    async def session_quota(session: of_caller, here: at_desk) -> SessionQuota:
        """What the caller's project, user and file systems have left, and how long the session has. From memory."""
        return describe(settings, session, here, await latest(), time.time())

    @api.get("/quota")
    async def person_quota(user: Annotated[str, Depends(in_person)], here: at_desk) -> PersonQuota:
        """What all projects of the caller have left."""
        return describe_person(settings, user, here, time.time())

    @api.post("/session/continue", status_code=202)
    async def continue_session(wish: ContinueRequest, session: of_caller, here: at_desk) -> Continued:
        """Start the successor of the caller's session with the same choices; asked again, tell how it fares."""
        return await here.continuation.start(session, wish.reopen, await latest())

    @api.get("/session/continue")
    async def continued(session: of_caller, here: at_desk) -> Continued:
        """How the successor of the caller's session fares; 404 when it has none."""
        found = here.continuation.find(session)
        if found is None:
            raise FabricError("This session has no successor.", reason="no-successor", status=404)
        return here.continuation.describe(found, await latest())

    @api.post("/session/extend")
    async def extend_session(wish: ExtensionRequest, session: of_caller, here: at_desk) -> Extended:
        """Ask Slurm for more time for the caller's own session, where the site lets it."""
        now, snapshot = time.time(), await latest()
        told, job = time_left_of(settings, session, snapshot, now), standing(session, snapshot).job
        minutes = longer(told, wish.minutes)
        if here.gateway is None or job is None or told.started_at is None:
            raise FabricError("There is no Slurm here to ask for more time.", reason="extend", status=403)
        found = more_time(here.source.limits(), snapshot, job, minutes, now)
        if found.refused:
            raise found.error()
        await here.gateway.extend(
            ExtendRequest(
                session=session.id,
                user=session.user,
                job_id=job.job_id,
                account=session.account,
                partition=settings.profile[session.profile].partition,
                minutes=minutes,
            )
        )
        ends = told.started_at + minutes * 60
        return Extended(
            ends_at=ends, minutes=minutes, text=f"This session now ends at {clock(ends)}. {found.cut}".strip()
        )

    @api.post("/session/idle")
    async def report_idle(report: IdleReport, session: of_caller, here: at_desk) -> IdleAnswer:
        """Take the session's word on how idle it is; the answer says what the profile's policy makes of it."""
        told = Report.model_validate(report.model_dump())
        return here.idle.report(session, told, await latest(), time.time())


def time_left_of(settings: Settings, session: Session, snapshot: Snapshot | None, now: float) -> TimeLeft:
    """When a session ends, and whether it could be later. Pure."""
    job = standing(session, snapshot).job
    reserved = snapshot.reservation_of(job) if snapshot and job else None
    return time_left(
        job,
        settings.profile.get(session.profile),
        settings.project.get(session.project),
        now,
        offered=settings.slurm is not None and settings.slurm.extend != "never",
        reservation_ends_at=reserved.ends_at if reserved and not reserved.flexible else None,
        over_run_s=snapshot.over_run_s if snapshot else 0.0,
        reservation_unknown=job is not None and bool(job.reservation) and reserved is None,
    )


def describe(
    settings: Settings, session: Session, here: BudgetService, snapshot: Snapshot | None, now: float
) -> SessionQuota:
    """Everything that a session is told."""
    project, today, source = settings.project.get(session.project), _day(now), here.source
    usage = source.usage(session.project, session.user)
    return SessionQuota(
        session=session.id,
        user=session.user,
        project=session.project,
        project_title=(project.title if project else "") or session.project,
        account=session.account,
        profile=session.profile,
        gpus=session.gpus,
        gpu_hours=with_forecast(source, session.project, usage.project, today, now),
        user_gpu_hours=with_forecast(source, session.project, usage.user, today, now, session.user),
        trend=source.trend(session.project),
        storage=tuple(one for one in source.storage(session.user) if one.project in ("", session.project)),
        time=time_left_of(settings, session, snapshot, now),
        idle=policy_of(settings, session),
        warnings=here.review.of(session.user, [session.project]),
        age_s=_finite(usage.age_s),
        silent_since=usage.silent_since,
        problem=usage.problem,
    )


def describe_person(settings: Settings, user: str, here: BudgetService, now: float) -> PersonQuota:
    """Everything that a person is told, of all of their projects."""
    source, today, told, last = here.source, _day(now), [], None
    for name, project in projects_of(settings, user).items():
        last = source.usage(name, user)
        told.append(
            ProjectQuota(
                project=name,
                title=project.title or name,
                account=project.account,
                gpu_hours=with_forecast(source, name, last.project, today, now),
                user_gpu_hours=with_forecast(source, name, last.user, today, now, user),
                trend=source.trend(name),
            )
        )
    return PersonQuota(
        user=user,
        projects=tuple(told),
        storage=source.storage(user),
        warnings=here.review.of(user, [one.project for one in told]),
        age_s=_finite(last.age_s) if last else None,
        silent_since=last.silent_since if last else None,
        problem=last.problem if last else "",
    )


def _day(now: float) -> date:
    return datetime.fromtimestamp(now).astimezone().date()


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


PLACES = {field for model in (ContinueRequest, ExtensionRequest, IdleReport) for field in model.model_fields}
