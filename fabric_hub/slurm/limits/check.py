"""May this job run, by Slurm's own limits? Pure.

Two kinds of no: what can *never* start under a limit is refused, naming it, before Slurm would leave it in the queue
for ever; what only *waits* until other jobs end is said, not refused. Only what Slurm has told counts: an unknown user,
account or QOS is left for Slurm to refuse in its own words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from fabric_hub.messages.formats import about, are, duration
from fabric_hub.slurm.model import Snapshot

from .amounts import NAMES, capital, count, hours_of, jobs_of, share
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


def decide(limits: Limits | None, snapshot: Snapshot | None, ask: JobRequest, now: float) -> LimitDecision:
    """Whether a job may run, by the limits as last told.

    :param now: Unix seconds.
    """
    try:
        found = limit_chain(limits, snapshot, ask, now)
    except RefusedError as error:
        return error.decision
    safe = limits is not None and limits.enforcement.safe

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
    own, reason = scope.limits, reason_of(scope)
    if own.max_wall_s is not None:
        no: str | RefusedError = ""
        if ask.minutes * 60 > own.max_wall_s:
            no = RefusedError(
                f"{capital(scope.name)} allows a job at most {duration(own.max_wall_s)}, "
                f"not {duration(ask.minutes * 60)}.",
                reason,
                f"Ask for {duration(own.max_wall_s)} or less.",
            )
        yield "wall", no, ""
    for tres, most in own.max_tres_per_job.items():
        no = ""
        if ask.tres.get(tres, 0) > most:
            no = RefusedError(
                f"{capital(scope.name)} allows a job at most {count(most, tres)}, not {ask.tres[tres]}.",
                reason,
                "Choose a smaller profile.",
            )
        yield f"job {tres}", no, ""
    for tres, most in own.max_tres_mins_per_job.items():
        no = ""
        if (wanted := ask.tres.get(tres, 0) * ask.minutes) > most:
            no = RefusedError(
                f"{capital(scope.name)} allows a job at most {hours_of(most, tres)}, not {hours_of(wanted, tres)}.",
                reason,
                f"Ask for {duration(60 * (most // ask.tres[tres]))} or less."
                if most >= ask.tres[tres]
                else "Choose a smaller profile.",
            )
        yield f"job minutes {tres}", no, ""
    for tres, least in own.min_tres_per_job.items() if isinstance(own, Qos) else ():
        if ask.tres.get(tres, 0) < least and tres in NAMES:
            no = RefusedError(
                f"{capital(scope.name)} wants at least {count(least, tres)} for a job, not {ask.tres.get(tres, 0)}.",
                reason,
                "Choose a larger profile.",
            )
            yield f"least {tres}", no, ""


def _budgets(scope: LimitScope, ask: JobRequest, safe: bool) -> Found:
    """Limits on use over time. A job that takes nothing of a TRES is not held to its budget."""
    for tres, bound in scope.limits.grp_tres_mins.items():
        wanted = ask.tres.get(tres, 1 if tres == "billing" else 0)
        if bound.limit is None or not wanted:
            continue
        use = scope.use(tres)
        left, whom = use.left or 0.0, whose(scope, ask)
        told, ends = standing(scope, tres, use, bound.limit)
        no: str | RefusedError = ""
        cut = ""
        if left <= 0:
            no = used_up(scope, told, whom)
        elif tres != "billing" and left < wanted * ask.minutes:
            if safe:
                no = RefusedError(
                    f"{ends}, and this job asks for {hours_of(wanted * ask.minutes, tres)}.",
                    "budget",
                    f"Ask for {duration(60 * math.floor(left / wanted))} or less, or {whom} for more."
                    if left >= wanted
                    else f"Ask {whom} for more.",
                    scope.name,
                )
            else:
                cut = f"{ends}: Slurm ends the job when they are used up, after {about(60 * left / wanted)}."
        yield f"minutes {tres}", no, cut


def _to_come(scope: LimitScope, ask: JobRequest) -> Found:
    """Limits on what running jobs may still take by their time limits (GrpTRESRunMins)."""
    for tres, bound in scope.limits.grp_tres_run_mins.items():
        wanted = ask.tres.get(tres, 0) * ask.minutes
        if bound.limit is None or not wanted:
            continue
        no: str | RefusedError = ""
        allows = f"{capital(scope.name)} allows running jobs {hours_of(bound.limit, tres)} to come"
        if wanted > bound.limit:
            no = RefusedError(
                f"{allows}, and this job asks for {hours_of(wanted, tres)}.",
                reason_of(scope),
                "Ask for less time, or choose a smaller profile.",
            )
        elif bound.used + wanted > bound.limit:
            no = f"{allows}, and those that run have {hours_of(bound.used, tres)}."
        yield f"to come {tres}", no, ""


def _at_once(scope: LimitScope, ask: JobRequest) -> Found:
    """Limits on what is in use at the same time."""
    for bounds, whom, taken in at_once(scope, ask):
        yield from _bounds(scope, ask, bounds, whom, taken)


def at_once(scope: LimitScope, ask: JobRequest) -> Iterator[tuple[Mapping[str, Limit], str, str]]:
    """(limits by TRES on what is in use at the same time, for whom they are, by whom it is used), in words."""
    yield scope.limits.grp_tres, "altogether", "in use"
    own = scope.limits
    if isinstance(own, Qos):
        for who, share, most in (
            (ask.user, own.per_user.get(ask.user), own.max_tres_per_user),
            (f"account {ask.account}", own.per_account.get(ask.account), own.max_tres_per_account),
        ):
            bounds = {tres: Limit(limit=number) for tres, number in most.items()} | dict(share.tres if share else {})
            yield bounds, f"for {who}", f"in use by {who}"


def _bounds(scope: LimitScope, ask: JobRequest, bounds: Mapping[str, Limit], whom: str, taken: str) -> Found:
    for tres, bound in bounds.items():
        wanted = ask.tres.get(tres, 0)
        if bound.limit is None or not wanted:
            continue
        no: str | RefusedError = ""
        if wanted > bound.limit:
            no = RefusedError(
                f"{capital(scope.name)} allows at most {count(bound.limit, tres)} {whom}, "
                f"and this job asks for {wanted}.",
                reason_of(scope),
                "Choose a smaller profile.",
            )
        elif bound.used + wanted > bound.limit:
            part = share(bound.used, bound.limit, count(bound.limit, tres))
            no = f"{part} that {scope.name} allows {whom} {are(bound.used)} {taken}."
        yield f"at once {whom} {tres}", no, ""


def _counts(scope: LimitScope, ask: JobRequest) -> Found:
    """Limits on how many jobs there are."""
    for whom, running, submitted in counts(scope, ask):
        yield from _jobs(scope, whom, running, submitted)


def counts(scope: LimitScope, ask: JobRequest) -> Iterator[tuple[str, Limit, Limit]]:
    """(for whom, how many jobs may run, how many may run or wait)."""
    own = scope.limits
    yield "altogether", own.grp_jobs, own.grp_submit
    if isinstance(own, Qos):
        for who, share, jobs, submit in (
            (ask.user, own.per_user.get(ask.user), own.max_jobs_per_user, own.max_submit_per_user),
            (
                f"account {ask.account}",
                own.per_account.get(ask.account),
                own.max_jobs_per_account,
                own.max_submit_per_account,
            ),
        ):
            running = share.jobs if share else Limit(limit=jobs)
            yield f"for {who}", running, share.submit if share else Limit(limit=submit)
    elif scope.first:
        yield f"for {ask.user}", own.max_jobs, own.max_submit


def _jobs(scope: LimitScope, whom: str, running: Limit, submitted: Limit) -> Found:
    if submitted.limit is not None:
        no: str | RefusedError = ""
        if submitted.used >= submitted.limit:
            no = RefusedError(
                f"{capital(scope.name)} allows at most {jobs_of(submitted.limit)} {whom}, running or waiting, "
                f"and there {are(submitted.used)} {submitted.used}.",
                reason_of(scope),
                "End one of them first." if submitted.limit else "Choose another profile.",
            )
        yield f"submit {whom}", no, ""
    if running.limit is not None:
        no = ""
        if running.limit == 0:
            no = RefusedError(
                f"{capital(scope.name)} allows no running job {whom}.", reason_of(scope), "Choose another profile."
            )
        elif running.used >= running.limit:
            part = share(running.used, running.limit, jobs_of(running.limit))
            no = f"{part} that {scope.name} allows {whom} {are(running.used)} running."
        yield f"jobs {whom}", no, ""
