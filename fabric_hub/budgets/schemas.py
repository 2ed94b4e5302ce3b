"""What people and their sessions are told of quotas and time: the service's answers as types, and where they come from.

Times are Unix seconds, sizes bytes, budgets GPU-hours; ``None`` for a limit says that there is none.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, Field

from fabric_hub.messages.text import NOTHING, Said, WithTexts
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.types import Frozen

# How many files a successor opens again; more is no state of mind that anybody has.
MOST_REOPENED = 50
Level = Literal["info", "warning", "danger"]


def _stays_below(path: str) -> str:
    if {".", ".."} & set(path.split("/")):
        raise ValueError("the path is not a plain one")
    return path


_PLAIN = r"^(?:[^/\\\x00-\x1f\x7f]{1,255}/){0,30}[^/\\\x00-\x1f\x7f]{1,255}$"
# A path below where the session's server begins: no leading slash, no part that is "." or "..", no backslash.
RelativePath = Annotated[
    str,
    Field(
        pattern=_PLAIN,
        max_length=1024,
        strict=True,
        # the document says all of it in one pattern, of a kind (look-ahead) that the validator has not
        json_schema_extra={"pattern": rf"^(?!(?:[^/]*/)*\.{{1,2}}(?:/|$)){_PLAIN[1:]}"},
    ),
    AfterValidator(_stays_below),
]


class ParentLimit(Frozen):
    """A limit on GPU-hours that counts for a project and is not its account's own: of an account above, or of a QOS.

    All of it is of everybody whom it holds. ``profiles`` are those of the project that it counts for (empty: all).
    The other fields are those of :class:`Balance`.
    """

    name: str  # "account faculty", "QOS grant"
    limit: float
    used: float
    left: float
    running: float = 0.0
    to_come: float = 0.0
    rate_per_day: float | None = None
    lasts_until: float | None = None
    profiles: tuple[str, ...] = ()


class Balance(Frozen):
    """GPU-hours of a project or of a user in it.

    ``limit`` is its own, ``left`` what the tightest of all that count leaves; ``above`` are those that are not its own.

    ``running`` is how many GPUs are in use now, and ``to_come`` what their jobs may still take by their time limits;
    ``rate_per_day`` is what the last days took on average, and ``lasts_until`` when nothing is left at that rate, or
    before, when what runs now may take all (None: no limit, no use, or not known).
    """

    limit: float | None
    used: float
    left: float | None
    running: float = 0.0
    to_come: float = 0.0
    rate_per_day: float | None = None
    lasts_until: float | None = None
    of: str = ""  # whose balance it is, as limits are named: "account lab", "ann in account lab"
    limited_by: str = ""  # whose limit leaves the least: this account's own, one above it, or a QOS
    above: tuple[ParentLimit, ...] = ()


class DayUse(Frozen):
    """GPU-hours of a project on a day; ``mine`` are those of the person who is told, None where that is nobody."""

    day: date
    gpu_hours: float
    mine: float | None = None


def with_own(days: tuple[DayUse, ...], own: tuple[DayUse, ...]) -> tuple[DayUse, ...]:
    """A project's days with one person's share of each; a day that is not among ``own`` had none. Pure."""
    used = {day.day: day.gpu_hours for day in own}
    return tuple(day.model_copy(update={"mine": min(day.gpu_hours, used.get(day.day, 0.0))}) for day in days)


class StorageUse(WithTexts):
    """One file system's quota, by its own tools. ``at`` is when they were asked; ``problem`` why they said nothing.

    ``project`` is the project whose quota it is; empty: it is the user's own, or one for all.
    """

    title: str
    path: str
    project: str = ""
    scope: str = "user"  # user, project: whose quota it is
    used: int = 0
    limit: int | None = None
    files_used: int | None = None
    files_limit: int | None = None
    at: float | None = None
    problem: Said = NOTHING


class Warned(WithTexts):
    """A warning in force, since when; ``id`` is the same for as long as it is."""

    id: str
    level: Level
    subject: str
    text: Said
    since: float


class TimeLeft(WithTexts):
    """When a session ends and why; whether it could be later, by at most so many minutes, or why not.

    ``text`` says so with the moment by the hub's clock; a browser, which has its own, makes the sentence from its code.
    """

    started_at: float | None = None
    ends_at: float | None = None
    why: Literal["limit", "reservation", "project", "operator", "left", ""] = ""
    text: Said = NOTHING
    can_extend: bool = False
    extend_most_minutes: int = 0
    extend_why_not: Said = NOTHING


class IdlePolicy(Frozen):
    """A profile's: stopped after so many idle minutes, told so many before; GPUs below this use (percent) are idle."""

    minutes: float
    gpu_percent: float
    warn_minutes: float


class SessionQuota(WithTexts):
    """What a session is told."""

    session: str
    user: str
    project: str
    project_title: str
    account: str
    profile: str
    gpus: int
    gpu_hours: Balance | None
    user_gpu_hours: Balance | None
    trend: tuple[DayUse, ...]
    storage: tuple[StorageUse, ...]
    time: TimeLeft
    idle: IdlePolicy | None
    warnings: tuple[Warned, ...]
    age_s: float | None
    unavailable_since: float | None
    problem: Said


class ProjectQuota(Frozen):
    project: str
    title: str
    account: str
    gpu_hours: Balance | None
    user_gpu_hours: Balance | None
    trend: tuple[DayUse, ...]


class PersonQuota(WithTexts):
    """What a person is told of all projects that they are a member of."""

    user: str
    projects: tuple[ProjectQuota, ...]
    storage: tuple[StorageUse, ...]
    warnings: tuple[Warned, ...]
    age_s: float | None
    unavailable_since: float | None
    problem: Said


class Usage(WithTexts):
    """What is known of one user in one project: two balances without a forecast, and how old that is."""

    project: Balance | None = None
    user: Balance | None = None
    age_s: float | None = None
    unavailable_since: float | None = None
    problem: Said = NOTHING


class Source(Protocol):
    """The one account of usage, read from memory: no call of these asks Slurm or a file system."""

    def limits(self) -> Limits | None:
        """All limits as Slurm told them last; None before that, or without Slurm."""

    def usage(self, project: str, user: str) -> Usage:
        """Balances of a project and of a user in it."""

    def trend(self, project: str, user: str | None = None) -> tuple[DayUse, ...]:
        """GPU-hours of the last 28 whole days, oldest first; days before the first known one are left out."""

    def charged(self, holder: str) -> tuple[DayUse, ...]:
        """GPU-hours by day that count towards the limits of "account NAME" (all below it included) or "QOS NAME"."""

    def storage(self, user: str) -> tuple[StorageUse, ...]:
        """What a user's file systems said last, those of all their projects included."""
