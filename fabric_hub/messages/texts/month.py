"""What a month's sheet says, on its page and at a terminal."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

GPU_HOURS = Reason(
    "month-gpu-hours",
    N_("{sessions:hours} GPU-hours of sessions, {others:hours} of other jobs"),
    who=Who.NOBODY,
)
STARTS = Reason(
    "month-starts",
    N_("Starts: {tried} tried, {succeeded} succeeded, {taken_back} taken back, {waiting} waiting"),
    who=Who.NOBODY,
)
FAILED = Reason("month-failed", P_("{n} start failed: {code}", "{n} starts failed: {code}"), who=Who.NOBODY)
WAITS = Reason(
    "month-waits",
    P_(
        "Wait with {profile}, {n} start: median {p50:number} s, 95 of 100 at most {p95:number} s",
        "Wait with {profile}, {n} starts: median {p50:number} s, 95 of 100 at most {p95:number} s",
    ),
    who=Who.NOBODY,
)
READY = Reason(
    "month-ready", N_("Available {percent:number}% of the time; recorded since {since:clock}"), who=Who.NOBODY
)
READY_NOT_RECORDED = Reason("month-ready-not-recorded", N_("Availability: not recorded"), who=Who.NOBODY)
PEOPLE = Reason(
    "month-people",
    P_(
        "{n} person of {organisation}, sector {sector}: {sessions} sessions",
        "{n} people of {organisation}, sector {sector}: {sessions} sessions",
    ),
    who=Who.NOBODY,
)
NOT_KNOWN = Reason("month-not-known", N_("not known"), who=Who.NOBODY)
IDLE = Reason(
    "month-idle",
    N_("{idle:hours} of {watched:hours} GPU-hours were reserved and not used; recorded since {since:clock}"),
    who=Who.NOBODY,
)
IDLE_NOT_RECORDED = Reason("month-idle-not-recorded", N_("Reserved and not used: not recorded"), who=Who.NOBODY)
DAYS_MISSING = Reason(
    "month-days-missing",
    P_(
        "{n} day of the month is not on record: {first}. Sum it up with --now.",
        "{n} days of the month are not on record, the first is {first}. Sum them up with --now.",
    ),
    who=Who.OPERATOR,
)
NO_MONTH = Reason(
    "no-such-month",
    N_("{month} is no month. Write it as 2026-11."),
    label="malformed",
    status=404,
)
