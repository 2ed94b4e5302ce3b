"""When a session with GPUs counts as forgotten. Pure: a policy, what a session reports, and the clock go in.

A session reports about once a minute: how long ago anybody did anything, whether a kernel or a
terminal is at work, and the highest use of each of its GPUs since its last report. It is idle while nothing runs and
every GPU stays below the threshold. What is not known is never held against it: without a reading of the
GPUs, after a gap in the reports, or when the hub was started again, the time begins anew.

The reports are the session's own word, and a session that lies keeps its GPUs until its time limit. This returns what
people forget; Slurm's limits are what holds.
"""

from __future__ import annotations

from typing import Literal

from fabric_hub.messages.text import NOTHING, Said, Text, WithTexts, sentences
from fabric_hub.messages.texts import budgets as texts
from fabric_hub.types import Frozen

from .schemas import IdlePolicy

REPORT_EVERY_S = 60.0
# Not more often than this, however short the policy.
REPORT_SOONEST_S = 5.0
# Longer between two reports, and what happened meanwhile is not known.
GAP_S = 300.0
# Reports travel for a moment: the same last touch, counted back from two arrivals, differs by less.
JITTER_S = 5.0


class Report(Frozen):
    """What a session says of itself. ``gpu_percent`` None: its GPUs' use cannot be read."""

    idle_s: float
    busy: bool
    gpu_percent: tuple[float, ...] | None = None


class Watch(Frozen):
    """What the hub remembers of a session between two reports, in the hub's own time."""

    quiet_since: float
    seen_at: float
    warned_at: float | None = None


class IdleDecision(WithTexts):
    """``stop_at`` is when it will be stopped if nothing happens until then.

    ``what`` is so since ``quiet_since``: ``text`` without its moments, for who says them by a clock of their own.
    """

    state: Literal["active", "idle", "warn", "stop"]
    idle_for_s: float = 0.0
    stop_at: float | None = None
    text: Said = NOTHING
    what: Said = NOTHING
    quiet_since: float | None = None


def report_every_s(policy: IdlePolicy) -> float:
    """Seconds between two reports: a policy that warns shortly before it stops looks more often than once a minute."""
    return min(REPORT_EVERY_S, max(REPORT_SOONEST_S, policy.warn_minutes * 60 / 5))


def why_active(policy: IdlePolicy, gpus: int, report: Report) -> Text | None:
    """What shows that a session is at work; None when nothing does."""
    if report.busy:
        return texts.BUSY()
    if gpus and report.gpu_percent is None:
        return texts.GPU_NOT_READ()
    busiest = max(report.gpu_percent or (), default=0.0)
    if gpus and busiest >= policy.gpu_percent:
        return texts.GPU_IN_USE(use=busiest / 100)
    return None


def judge(
    policy: IdlePolicy, gpus: int, before: Watch | None, report: Report, now: float
) -> tuple[Watch, IdleDecision]:
    """What a report means, and what to remember of it.

    :param gpus: how many GPUs the session has; with none, only what people and programs do counts.
    :param before: what was remembered, None at the first report.
    """
    active = why_active(policy, gpus, report)
    if active:
        return Watch(quiet_since=now, seen_at=now), IdleDecision(state="active", text=active)
    unknown = before is None or now - before.seen_at > GAP_S
    touched = now - report.idle_s  # when somebody last did something, by the session's own count
    if unknown or before is None:
        quiet_since, warned_at = now, None
    elif touched > before.quiet_since + JITTER_S:
        quiet_since, warned_at = min(now, touched), None
    else:
        quiet_since, warned_at = before.quiet_since, before.warned_at
    limit_s, warn_s = policy.minutes * 60, policy.warn_minutes * 60
    idle_s = now - quiet_since
    if warned_at is None and idle_s >= limit_s - warn_s:
        warned_at = now
    # whoever is stopped was told so long before
    stop_at = quiet_since + limit_s if warned_at is None else max(quiet_since + limit_s, warned_at + warn_s)
    watch = Watch(quiet_since=quiet_since, seen_at=now, warned_at=warned_at)
    if warned_at is None:
        return watch, IdleDecision(state="idle", idle_for_s=idle_s, stop_at=stop_at)
    if now < stop_at:
        said, what = (texts.IDLE_GPUS, texts.QUIET_GPUS) if gpus else (texts.IDLE, texts.QUIET)
        percent = policy.gpu_percent
        return watch, IdleDecision(
            state="warn",
            idle_for_s=idle_s,
            stop_at=stop_at,
            text=said(since=quiet_since, at=stop_at, percent=percent),
            what=what(percent=percent),
            quiet_since=quiet_since,
        )
    return watch, IdleDecision(state="stop", idle_for_s=idle_s, stop_at=now)


def returned_gpu_hours(gpus: int, ends_at: float | None, now: float) -> float:
    """GPU-hours that a session would still have taken until its end."""
    return gpus * max(0.0, (ends_at or now) - now) / 3600


def stop_message(idle_for_s: float, gpus: int, returned: float, project: str) -> Text:
    """Why a session was stopped."""
    back = texts.IDLE_RETURNED(hours=returned, project=project) if gpus else None
    return sentences(texts.IDLE_STOPPED(n=round(idle_for_s / 60)), back, texts.START_AGAIN())
