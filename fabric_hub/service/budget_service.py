"""Usage, budgets and time as sessions and people are told of them: what is left, how long, what can be done."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from fabric_hub.budgets.schemas import PersonQuota, ProjectQuota, SessionQuota, Source, TimeLeft
from fabric_hub.budgets.time_left import longer, time_left, with_stop
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Said, WithTexts, sentences
from fabric_hub.messages.texts import budgets as texts
from fabric_hub.projects.membership import projects_of
from fabric_hub.sessions.status import standing
from fabric_hub.sessions.stops import Stop, StopBook
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.limits.extension import more_time
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import ExtendRequest, Snapshot

from .tasks.continuation import Continuation
from .tasks.idle import IdleSessions, policy_of
from .tasks.review import Review, with_forecast


class Extends(Protocol):
    """What the gateway is asked for."""

    async def extend(self, request: ExtendRequest) -> None: ...


class Extended(WithTexts):
    """The new end of a session, and how many minutes it has in all."""

    ends_at: float
    minutes: int
    text: Said


@dataclass(frozen=True)
class BudgetService:
    """Everything that is known of usage and time. ``gateway`` is None where there is no Slurm.

    ``newer_limits`` has Slurm asked for the limits; None when that was done a moment ago, or nobody answers. ``stops``
    are operators' orders; None where nobody gives any.
    """

    settings: Settings
    source: Source
    review: Review
    continuation: Continuation
    idle: IdleSessions
    gateway: Extends | None
    newer_limits: Callable[[], Awaitable[Limits | None]]
    stops: StopBook | None = None

    def stop_of(self, session: Session) -> Stop | None:
        """The operator's order that stands for a session."""
        return self.stops.of([session.id]).get(session.id) if self.stops else None

    def of_session(self, session: Session, snapshot: Snapshot | None, now: float) -> SessionQuota:
        """Everything that a session is told. From memory."""
        project, today, source = self.settings.project.get(session.project), _day(now), self.source
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
            time=with_stop(time_left_of(self.settings, session, snapshot, now), self.stop_of(session)),
            idle=policy_of(self.settings, session),
            warnings=self.review.of(session.user, [session.project]),
            age_s=finite(usage.age_s),
            unavailable_since=usage.unavailable_since,
            problem=usage.problem,
        )

    def of_person(self, user: str, now: float) -> PersonQuota:
        """Everything that a person is told, of all of their projects. From memory."""
        source, today, quotas, last = self.source, _day(now), [], None
        for name, project in projects_of(self.settings, user).items():
            last = source.usage(name, user)
            quotas.append(
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
            projects=tuple(quotas),
            storage=source.storage(user),
            warnings=self.review.of(user, [quota.project for quota in quotas]),
            age_s=finite(last.age_s) if last else None,
            unavailable_since=last.unavailable_since if last else None,
            problem=last.problem if last else NOTHING,
        )

    async def extend(self, session: Session, wanted_minutes: int, snapshot: Snapshot | None) -> Extended:
        """Ask Slurm for more time for a session, where the site lets it.

        :param wanted_minutes: how long the session is to last in all.
        :raises FabricError: the site, the profile, the project or Slurm does not let it.
        """
        now = time.time()
        job = standing(session, snapshot).job
        left = with_stop(time_left_of(self.settings, session, snapshot, now), self.stop_of(session))
        minutes = longer(left, wanted_minutes)
        if self.gateway is None or job is None or left.started_at is None:
            raise FabricError(texts.NO_SLURM())
        extension = more_time(self.source.limits(), snapshot, job, minutes, now)
        if extension.refused:
            raise extension.error()
        await self.gateway.extend(
            ExtendRequest(
                session=session.id,
                user=session.user,
                job_id=job.job_id,
                account=session.account,
                partition=self.settings.profile[session.profile].partition,
                minutes=minutes,
            )
        )
        ends = left.started_at + minutes * 60
        return Extended(
            ends_at=ends,
            minutes=minutes,
            text=sentences(texts.EXTENDED(at=ends), extension.cut),
        )


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


def _day(now: float) -> date:
    return datetime.fromtimestamp(now).astimezone().date()


def finite(value: float | None) -> float | None:
    """A number as JSON can say it: an age of which nothing is known yet is infinite, and told as None."""
    return value if value is not None and math.isfinite(value) else None
