"""A month of the site on one sheet, for operators: GPUs in use by hour, waits, starts, availability, people. Pure.

What jobs had is Slurm's accounting, as it is summed up each day: a :class:`DayPiece` is what a month needs of a day.
What was tried, and by whom, is the record of sessions. Days and hours are local ones of the hub's machine.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from math import ceil

from pydantic import Field

from fabric_hub.config.settings import Settings
from fabric_hub.messages.text import SENTENCES, VERBATIM, Text
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.accounting import PastJob
from fabric_hub.types import Frozen, slurm_key
from fabric_hub.unix.accounts import unix_name

from .history import HOUR_S, bounds, session_of

# How a start ended that its own person took back: no fault of anybody's.
TAKEN_BACK = frozenset({"stopped", "replaced"})


class Hour(Frozen):
    """GPU-hours of one hour that begins at ``at`` (Unix seconds): of sessions with their clusters, of other jobs."""

    at: float
    sessions: float = 0.0
    others: float = 0.0


class DayPiece(Frozen):
    """What a month needs of a day's jobs; ``asked_at`` is when Slurm's database was asked.

    ``begun`` has each session whose job first ran on that day, with when it did, in Unix seconds.
    """

    day: date
    asked_at: float
    hours: tuple[Hour, ...] = ()
    begun: dict[str, float] = Field(default={})


class Waits(Frozen):
    """How long the jobs of sessions with a profile waited in the queue, in seconds: the median, and what 95 of 100 did
    not exceed."""

    profile: str
    starts: int
    p50: float
    p95: float


class Failure(Frozen):
    """Why starts failed: the code of the reason, and how many."""

    code: str
    starts: int


class Starts(Frozen):
    """Starts of sessions: all, those that opened, those that their person took back before, those that still wait."""

    tried: int = 0
    succeeded: int = 0
    taken_back: int = 0
    waiting: int = 0
    failed: tuple[Failure, ...] = ()


class Ready(Frozen):
    """How often everything that sessions need answered, of so many looks; recorded since ``since`` (None: never)."""

    since: float | None = None
    looks: int = 0
    ready: int = 0


class People(Frozen):
    """People who started a session, by whose project it is; "" is not known."""

    organisation: str
    sector: str
    people: int
    sessions: int


class Idle(Frozen):
    """GPU-hours that sessions had and by their own word did not use, of those that there is a word of; and since when
    that is recorded (None: never)."""

    since: float | None = None
    watched: float = 0.0
    idle: float = 0.0


class MonthSheet(Frozen):
    """A month, ``2026-11``. ``closed``: nothing of it changes any more. ``missing``: days of it, until now, of which
    Slurm's accounting is not on record."""

    month: str
    made_at: float
    closed: bool = False
    missing: tuple[date, ...] = ()
    hours: tuple[Hour, ...] = ()
    waits: tuple[Waits, ...] = ()
    starts: Starts = Starts()
    ready: Ready = Ready()
    people: tuple[People, ...] = ()
    idle: Idle = Idle()

    @property
    def of_sessions(self) -> float:
        """GPU-hours of sessions."""
        return sum(hour.sessions for hour in self.hours)

    @property
    def of_others(self) -> float:
        """GPU-hours of other jobs of the site's projects."""
        return sum(hour.others for hour in self.hours)


def first_of(month: str) -> date:
    """The first day of a month as ``2026-11``.

    :raises ValueError: it is none.
    """
    if not re.fullmatch(r"[0-9]{4}-(?:0[1-9]|1[0-2])", month):
        raise ValueError(f"{month!r} is no month")
    return date.fromisoformat(f"{month}-01")


def days_of(month: str) -> list[date]:
    """All days of a month."""
    first = first_of(month)
    after = (first + timedelta(days=32)).replace(day=1)
    return [first + timedelta(days=number) for number in range((after - first).days)]


def span_of(month: str) -> tuple[float, float]:
    """The Unix times at which a month begins and ends."""
    days = days_of(month)
    return bounds(days[0])[0], bounds(days[-1])[1]


def piece_of(
    settings: Settings,
    jobs: Sequence[PastJob],
    sessions: Mapping[str, Session],
    day: date,
    asked_at: float,
    below: Mapping[str, str],
) -> DayPiece:
    """What a month needs of a day.

    :param jobs: those that ran on the day; one that runs has run until ``asked_at``.
    :param sessions: those that jobs name, by id; a job counts for one only if account and user are its own.
    :param below: accounts below those of projects.
    """
    accounts = {project.account for project in settings.project.values()}
    begin, after = bounds(day)
    hours = {begin + step * HOUR_S: [0.0, 0.0] for step in range(round((after - begin) / HOUR_S))}
    begun: dict[str, float] = {}
    for job in jobs:
        if below.get(job.account, job.account) not in accounts:
            continue  # it only shares a budget with a project
        named, worker = session_of(job.name, settings.hub.id)
        session = sessions.get(named)
        if session and not _is_its(settings, job, session):
            session = None
        end = min(job.ended_at or asked_at, asked_at)
        if job.gpus:
            for at, hour in hours.items():
                seconds = min(end, at + HOUR_S) - max(job.started_at, at)
                if seconds > 0:
                    hour[0 if session else 1] += job.gpus * seconds / HOUR_S
        if session and not worker and begin <= job.started_at < after:
            begun[session.id] = min(job.started_at, begun.get(session.id, job.started_at))
    filled = tuple(Hour(at=at, sessions=mine, others=others) for at, (mine, others) in sorted(hours.items()))
    return DayPiece(day=day, asked_at=asked_at, hours=filled, begun=begun)


def _is_its(settings: Settings, job: PastJob, session: Session) -> bool:
    users = settings.users
    whose = users.shared_account or unix_name(users, session.user) == job.user
    return slurm_key(session.account) == job.account and whose


def sheet_of(
    settings: Settings,
    month: str,
    pieces: Collection[DayPiece],
    sessions: Iterable[Session],
    ready: Ready,
    idle: Idle,
    *,
    now: float,
) -> MonthSheet:
    """A month's sheet.

    :param pieces: of its days, as far as they are on record.
    :param sessions: all that were created in the month, and those that ``begun`` of the pieces names.
    """
    begin, after = span_of(month)
    every = {session.id: session for session in sessions}
    known = {piece.day for piece in pieces}
    missing = tuple(day for day in days_of(month) if bounds(day)[0] < now and day not in known)
    made = [one for one in every.values() if begin <= one.created_at < after and one.adopted_at is None]
    return MonthSheet(
        month=month,
        made_at=now,
        missing=missing,
        hours=tuple(hour for piece in sorted(pieces, key=lambda piece: piece.day) for hour in piece.hours),
        waits=waits_of(pieces, every),
        starts=starts_of(made),
        ready=ready,
        people=people_of(settings, made),
        idle=idle,
    )


def waits_of(pieces: Iterable[DayPiece], sessions: Mapping[str, Session]) -> tuple[Waits, ...]:
    """Waits by profile, of the jobs that first ran in the month: from when the hub submitted them until Slurm's start.

    Slurm keeps whole seconds: a job that starts within the second of its submission has waited for none.
    """
    first: dict[str, float] = {}
    for piece in pieces:
        for name, at in piece.begun.items():  # one that was requeued began more than once
            first[name] = min(at, first.get(name, at))
    found: dict[str, list[float]] = defaultdict(list)
    for name, started_at in first.items():
        session = sessions.get(name)
        submitted = session.submitted_at if session and session.submitted_at is not None else None
        if session and submitted is not None and session.adopted_at is None:
            found[session.profile].append(max(0.0, started_at - submitted))
    return tuple(
        Waits(profile=profile, starts=len(waits), p50=percentile(waits, 50), p95=percentile(waits, 95))
        for profile, waits in sorted(found.items())
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many of 100 do not exceed (nearest rank).

    :raises ValueError: there are none.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def starts_of(sessions: Iterable[Session]) -> Starts:
    """How starts fared."""
    tried = succeeded = taken_back = waiting = 0
    why: Counter[str] = Counter()
    for session in sessions:
        tried += 1
        if session.ready_at is not None:
            succeeded += 1
        elif session.ended_at is None:
            waiting += 1
        elif session.end_reason in TAKEN_BACK:
            taken_back += 1
        else:
            why[_code_of(session)] += 1
    most_first = sorted(why.items(), key=lambda one: (-one[1], one[0]))
    failed = tuple(Failure(code=code, starts=count) for code, count in most_first)
    return Starts(tried=tried, succeeded=succeeded, taken_back=taken_back, waiting=waiting, failed=failed)


def _code_of(session: Session) -> str:
    """By what a failed start is counted: the code of what was said, of several sentences the first one's; where that
    was others' words, its label."""
    said = session.end_text
    while said and said.code == SENTENCES:
        said = next((one for one in said.params.get("all", ()) if isinstance(one, Text)), None)
    return said.code if said and said.code != VERBATIM else session.end_reason or "unknown"


def people_of(settings: Settings, sessions: Iterable[Session]) -> tuple[People, ...]:
    """Who started sessions, by the organisation and the sector of the projects that they started them in.

    Whoever works in projects of two organisations counts for both.
    """
    users: dict[tuple[str, str], set[str]] = defaultdict(set)
    count: Counter[tuple[str, str]] = Counter()
    for session in sessions:
        project = settings.project.get(session.project)
        key = (project.organisation, project.sector) if project else ("", "")
        users[key].add(session.user)
        count[key] += 1
    return tuple(
        People(organisation=key[0], sector=key[1], people=len(users[key]), sessions=count[key]) for key in sorted(users)
    )


def by_hour_of_day(hours: Iterable[Hour]) -> list[float]:
    """GPUs in use on average in each of the 24 hours of the day, of all that is known; local time."""
    total, count = [0.0] * 24, [0] * 24
    for hour in hours:
        clock = datetime.fromtimestamp(hour.at).astimezone().hour
        total[clock] += hour.sessions + hour.others
        count[clock] += 1
    return [used / seen if seen else 0.0 for used, seen in zip(total, count, strict=True)]


def by_day(hours: Iterable[Hour]) -> list[tuple[date, float, float]]:
    """GPU-hours by day: (day, of sessions, of others)."""
    found: dict[date, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for hour in hours:
        day = found[datetime.fromtimestamp(hour.at).astimezone().date()]
        day[0] += hour.sessions
        day[1] += hour.others
    return [(day, mine, others) for day, (mine, others) in sorted(found.items())]
