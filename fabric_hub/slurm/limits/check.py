"""May this job run, by Slurm's own limits? Pure.

Two kinds of no: what can *never* start under a limit is refused, naming it, before Slurm would leave it in the queue
for ever; what only *waits* until other jobs end is said, not refused. Only what Slurm has told counts: an unknown user,
account or QOS is left for Slurm to refuse in its own words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from fabric_hub.messages.text import NOTHING, Reason, Text
from fabric_hub.messages.texts import limits as texts
from fabric_hub.slurm.model import Snapshot

from .amounts import COUNTS, count, hours_of, jobs_of
from .billing import billed
from .chain import (
    Found,
    LimitDecision,
    LimitScope,
    RefusedError,
    held,
    limit_chain,
    reason_of,
    standing,
    used_up,
    whose,
)
from .model import Limit, Limits, Qos
from .request import JobRequest


def decide(
    limits: Limits | None, snapshot: Snapshot | None, ask: JobRequest, now: float, *, whole: bool = False
) -> LimitDecision:
    """Whether a job may run, by the limits as last told.

    :param now: Unix seconds.
    :param whole: it is to run to its end: refuse it, too, where Slurm would start it and end it when a budget is used
        up.
    """
    ask = billed(limits, ask)
    try:
        found = limit_chain(limits, snapshot, ask, now)
    except RefusedError as error:
        return error.decision
    safe = whole or (limits is not None and limits.enforcement.safe)

    def checks(scope: LimitScope) -> Found:
        yield from one_job(scope, ask)
        yield from _budgets(scope, ask, safe)
        yield from _to_come(scope, ask)
        yield from _at_once(scope, ask)
        yield from _counts(scope, ask)

    return held(found, checks)


def one_job(scope: LimitScope, ask: JobRequest) -> Found:
    """Limits on each single job. Yields what is limited, and a refusal where it is not kept."""
    if not scope.first:
        return
    own, name, reason = scope.limits, scope.name, reason_of(scope)
    no: Text | RefusedError
    if own.max_wall_s is not None:
        no, asked = NOTHING, ask.minutes * 60
        if asked > own.max_wall_s:
            no = RefusedError(texts.JOB_TIME(scope=name, longest=own.max_wall_s, asked=asked), reason)
        yield "wall", no, NOTHING
    for tres, most in own.max_tres_per_job.items():
        no = NOTHING
        if ask.tres.get(tres, 0) > most:
            no = RefusedError(texts.JOB_TRES(scope=name, most=count(most, tres), asked=ask.tres[tres]), reason)
        yield f"job {tres}", no, NOTHING
    for tres, most in own.max_tres_mins_per_job.items():
        no = NOTHING
        if (wanted := ask.tres.get(tres, 0) * ask.minutes) > most:
            said = {"scope": name, "most": hours_of(most, tres), "asked": hours_of(wanted, tres)}
            longest = 60 * (most // ask.tres[tres])
            no = RefusedError(
                texts.JOB_HOURS(**said, longest=longest) if longest else texts.JOB_HOURS_TOO_FEW(**said), reason
            )
        yield f"job minutes {tres}", no, NOTHING
    for tres, least in own.min_tres_per_job.items() if isinstance(own, Qos) else ():
        asked = ask.tres.get(tres, 0)
        if asked < least and tres in COUNTS:
            no = RefusedError(texts.JOB_LEAST(scope=name, least=count(least, tres), asked=asked), reason)
            yield f"least {tres}", no, NOTHING


def _budgets(scope: LimitScope, ask: JobRequest, safe: bool) -> Found:
    """Limits on use over time. A job that takes nothing of a TRES is not held to its budget."""
    for tres, bound in scope.limits.grp_tres_mins.items():
        wanted = ask.tres.get(tres, 1 if tres == "billing" else 0)
        if bound.limit is None or not wanted:
            continue
        use = scope.use(tres)
        left, whom = use.left or 0.0, whose(scope, ask)
        stands = standing(scope, tres, use, bound.limit)
        no: Text | RefusedError = NOTHING
        cut = NOTHING
        if left <= 0:
            no = used_up(scope, stands["used"], whom)
        elif tres in ask.tres and left < wanted * ask.minutes:
            if safe:
                said = {**stands, "asked": hours_of(wanted * ask.minutes, tres), "whom": whom}
                longest = 60 * math.floor(left / wanted)
                no = RefusedError(
                    texts.BUDGET_TOO_SMALL(**said, longest=longest)
                    if longest
                    else texts.BUDGET_TOO_SMALL_AT_ALL(**said),
                    budget_of=scope.name,
                )
            else:
                cut = texts.BUDGET_CUTS(**stands, lasts=60 * left / wanted)
        yield f"minutes {tres}", no, cut


def _to_come(scope: LimitScope, ask: JobRequest) -> Found:
    """Limits on what running jobs may still take by their time limits (GrpTRESRunMins)."""
    for tres, bound in scope.limits.grp_tres_run_mins.items():
        wanted = ask.tres.get(tres, 0) * ask.minutes
        if bound.limit is None or not wanted:
            continue
        no: Text | RefusedError = NOTHING
        limit = hours_of(bound.limit, tres)
        if wanted > bound.limit:
            asked = hours_of(wanted, tres)
            no = RefusedError(texts.TO_COME_NEVER(scope=scope.name, limit=limit, asked=asked), reason_of(scope))
        elif bound.used + wanted > bound.limit:
            no = texts.TO_COME_WAITS(scope=scope.name, limit=limit, used=hours_of(bound.used, tres))
        yield f"to come {tres}", no, NOTHING


# For whom a limit is: an account or a user; None for altogether.
WhoLimited = Text | str | None


def told_of(both: tuple[Reason, Reason], who: WhoLimited, **params: object) -> Text:
    """The text of a limit on all, or of one on somebody.

    :param both: the reasons of the two, see :mod:`fabric_hub.messages.texts.limits`.
    """
    altogether, of_one = both
    return altogether(**params) if who is None else of_one(who=who, **params)


def _at_once(scope: LimitScope, ask: JobRequest) -> Found:
    """Limits on what is in use at the same time."""
    for bounds, who in at_once(scope, ask):
        yield from _bounds(scope, ask, bounds, who)


def at_once(scope: LimitScope, ask: JobRequest) -> Iterator[tuple[Mapping[str, Limit], WhoLimited]]:
    """(limits by TRES on what is in use at the same time, for whom they are)."""
    yield scope.limits.grp_tres, None
    own = scope.limits
    if isinstance(own, Qos):
        for who, share, most in (
            (ask.user, own.per_user.get(ask.user), own.max_tres_per_user),
            (texts.ACCOUNT(account=ask.account), own.per_account.get(ask.account), own.max_tres_per_account),
        ):
            bounds = {tres: Limit(limit=number) for tres, number in most.items()} | dict(share.tres if share else {})
            yield bounds, who


def _bounds(scope: LimitScope, ask: JobRequest, bounds: Mapping[str, Limit], who: WhoLimited) -> Found:
    for tres, bound in bounds.items():
        wanted = ask.tres.get(tres, 0)
        if bound.limit is None or not wanted:
            continue
        no: Text | RefusedError = NOTHING
        limit = count(bound.limit, tres)
        if wanted > bound.limit:
            message = told_of(texts.AT_ONCE_NEVER, who, scope=scope.name, limit=limit, asked=wanted)
            no = RefusedError(message, reason_of(scope))
        elif bound.used + wanted > bound.limit:
            both = texts.AT_ONCE_ALL if bound.used == bound.limit else texts.AT_ONCE_PART
            no = told_of(both, who, scope=scope.name, limit=limit, n=bound.used)
        yield f"at once {who} {tres}", no, NOTHING


def _counts(scope: LimitScope, ask: JobRequest) -> Found:
    """Limits on how many jobs there are."""
    for who, running, submitted in counts(scope, ask):
        yield from _jobs(scope, who, running, submitted)


def counts(scope: LimitScope, ask: JobRequest) -> Iterator[tuple[WhoLimited, Limit, Limit]]:
    """(for whom, how many jobs may run, how many may run or wait)."""
    own = scope.limits
    yield None, own.grp_jobs, own.grp_submit
    if isinstance(own, Qos):
        for who, share, jobs, submit in (
            (ask.user, own.per_user.get(ask.user), own.max_jobs_per_user, own.max_submit_per_user),
            (
                texts.ACCOUNT(account=ask.account),
                own.per_account.get(ask.account),
                own.max_jobs_per_account,
                own.max_submit_per_account,
            ),
        ):
            running = share.jobs if share else Limit(limit=jobs)
            yield who, running, share.submit if share else Limit(limit=submit)
    elif scope.first:
        yield ask.user, own.max_jobs, own.max_submit


def _jobs(scope: LimitScope, who: WhoLimited, running: Limit, submitted: Limit) -> Found:
    no: Text | RefusedError
    if submitted.limit is not None:
        no = NOTHING
        if submitted.used >= submitted.limit:
            both = texts.SUBMITTED_ALL if submitted.limit else texts.NO_JOB
            message = told_of(both, who, scope=scope.name, limit=jobs_of(submitted.limit), n=submitted.used)
            no = RefusedError(message, reason_of(scope))
        yield f"submit {who}", no, NOTHING
    if running.limit is not None:
        no = NOTHING
        if running.limit == 0:
            no = RefusedError(told_of(texts.NO_RUNNING_JOB, who, scope=scope.name), reason_of(scope))
        elif running.used >= running.limit:
            both = texts.JOBS_ALL if running.used == running.limit else texts.JOBS_PART
            no = told_of(both, who, scope=scope.name, limit=jobs_of(running.limit), n=running.used)
        yield f"jobs {who}", no, NOTHING
