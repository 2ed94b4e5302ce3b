"""When a session ends, why, and how much later that could be. Pure."""

from __future__ import annotations

import math
from typing import Literal

from fabric_hub.config.settings import Profile, Project
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.messages.texts import budgets as texts
from fabric_hub.projects.membership import end_of
from fabric_hub.sessions.stops import Stop
from fabric_hub.slurm.model import Job, Phase

from .schemas import TimeLeft

# Slurm counts time limits in whole minutes.
_SAME_S = 60.0


def time_left(
    job: Job | None,
    profile: Profile | None,
    project: Project | None,
    now: float,
    *,
    offered: bool,
    reservation_ends_at: float | None = None,
    over_run_s: float = 0.0,
    reservation_unknown: bool = False,
) -> TimeLeft:
    """What Slurm's word on a job means for the person in its session.

    :param offered: whether the site lets running sessions have more time at all (``slurm.extend``).
    :param reservation_ends_at: of the reservation that the job runs in, and is ended with.
    :param over_run_s: so much later Slurm ends it. Nobody is given more time to use that up.
    :param reservation_unknown: it runs in one of which Slurm has not told yet.
    """
    ended_with = None if reservation_ends_at is None else reservation_ends_at + over_run_s
    latest = job.ends_at if job is not None and job.ends_at is not None else ended_with
    if job is None or job.phase is not Phase.RUNNING or latest is None:
        return TimeLeft(extend_why_not=texts.NO_END())
    ends = latest
    why: Literal["limit", "reservation", "project"] = "limit"
    project_ends = end_of(project.end) if project else None
    if ended_with is not None and ended_with <= ends + _SAME_S:
        ends, why = min(ends, ended_with), "reservation"
    elif project_ends is not None and project_ends <= ends + _SAME_S and project_ends > now:
        why = "project"
    sentence = {
        "limit": texts.ENDS_BY_LIMIT,
        "reservation": texts.ENDS_AFTER_RESERVATION if over_run_s else texts.ENDS_BY_RESERVATION,
        "project": texts.ENDS_BY_PROJECT,
    }[why]
    over = {"over": over_run_s} if sentence is texts.ENDS_AFTER_RESERVATION else {}
    if reservation_unknown:
        sentence = texts.ENDS_AT_LATEST
    most, why_not = _extension(job, profile, project_ends, reservation_ends_at, now, offered)
    return TimeLeft(
        started_at=job.started_at,
        ends_at=ends,
        why=why,
        text=sentence(at=ends, **over),
        can_extend=most >= 1,
        extend_most_minutes=most,
        extend_why_not=why_not,
    )


def _extension(
    job: Job,
    profile: Profile | None,
    project_ends: float | None,
    reservation_ends_at: float | None,
    now: float,
    offered: bool,
) -> tuple[int, Text]:
    """How many minutes more a running job may have, or why none."""
    if not offered:
        return 0, texts.NOT_OFFERED()
    if job.ends_at is None:
        return 0, texts.NO_TIME_LIMIT()
    if profile is None or job.started_at is None:
        return 0, texts.PROFILE_GONE()
    most_s = profile.max_hours * 3600
    bounds = [(job.started_at + most_s, texts.PROFILE_ALLOWS(most=most_s))]
    if project_ends is not None and project_ends > now:
        bounds.append((project_ends, texts.PROJECT_ENDS(at=project_ends)))
    if reservation_ends_at is not None:
        bounds.append((reservation_ends_at, texts.RESERVATION_ENDS(at=reservation_ends_at)))
    latest, reason = min(bounds, key=lambda bound: bound[0])
    most = math.floor((latest - job.ends_at) / 60)
    return (most, NOTHING) if most >= 1 else (0, reason)


def longer(left: TimeLeft, minutes: int) -> int:
    """The time limit to ask Slurm for, in minutes since the job's start.

    :raises FabricError: the session may not have so much more.
    """
    if not left.can_extend or left.ends_at is None or left.started_at is None:
        raise FabricError(left.extend_why_not or texts.END_NOT_KNOWN())
    if minutes > left.extend_most_minutes:
        raise FabricError(texts.TOO_MANY_MINUTES(n=left.extend_most_minutes, minutes=minutes))
    return round((left.ends_at - left.started_at) / 60) + minutes


def with_stop(left: TimeLeft, stop: Stop | None) -> TimeLeft:
    """What is left of a session's time where an operator ends it before its own end, or at that.

    :param stop: the order that stands; None: there is none.
    """
    if stop is None or (left.ends_at is not None and left.ends_at < stop.due_at):
        return left
    return left.model_copy(
        update={
            "ends_at": stop.due_at,
            "why": "left" if stop.by_leaving else "operator",
            "text": stop.announced,
            "can_extend": False,
            "extend_most_minutes": 0,
            "extend_why_not": stop.not_extended,
        }
    )
