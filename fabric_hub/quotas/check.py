"""May this job run, by Slurm's own limits? Pure.

Two kinds of no: what can *never* start under a limit is refused, naming it, before Slurm would leave it in the queue
for ever; what only *waits* until other jobs end is said, not refused. Only what Slurm has told counts: an unknown user,
account or QOS is left for Slurm to refuse in its own words.

Which limit counts is Slurm's order (https://slurm.schedmd.com/resource_limits.html): the partition's QOS, the job's
QOS, the user's association, then every account above it; a QOS that limits something is all that counts for it. Limits
for one job are handed down by Slurm itself from account to user, limits for all jobs together count at every level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import FabricError
from ..model import Frozen, Snapshot
from ..slurm.limits import Association, Limit, Limits, PartitionLimits, Qos
from .account import Counted, Spent, counted, in_order, name_of, partition_of
from .amounts import NAMES, capital, count, duration, hours_of, jobs_of
from .ask import Ask

# Limits that are older than this are not held against anybody: Slurm decides.
STALE_S = 900.0


class Verdict(Frozen):
    """``refusal`` (message, reason, hint): it can never start so. ``waits``: what it waits for, if it does.

    ``cut``: it starts, and Slurm ends it before its time, when a budget is used up.
    ``budget_of``: whose budget it is that refuses.
    """

    message: str = ""
    reason: str = ""
    hint: str = ""
    waits: str = ""
    cut: str = ""
    budget_of: str = ""

    @property
    def refused(self) -> bool:
        return bool(self.message)

    def error(self, hint: str = "") -> FabricError:
        """The refusal as an error, with one more thing to do."""
        return FabricError(self.message, reason=self.reason, hint=f"{self.hint} {hint}".strip(), status=403)


@dataclass(frozen=True)
class Holder:
    """Somebody with limits: an association or a QOS."""

    name: str
    kind: str  # association, qos
    limits: Association | Qos
    use: Callable[[str], Spent]
    first: bool = True  # of the associations: the one whose limits for single jobs count


class RefusedError(Exception):
    def __init__(self, message: str, reason: str, hint: str, budget_of: str = "") -> None:
        super().__init__(message)
        self.verdict = Verdict(message=message, reason=reason, hint=hint, budget_of=budget_of)


def verdict(limits: Limits | None, snapshot: Snapshot | None, ask: Ask, now: float) -> Verdict:
    """Whether a job may run, by the limits as last told.

    :param now: Unix seconds.
    """
    try:
        found = holders(limits, snapshot, ask, now)
    except RefusedError as error:
        return error.verdict
    if limits is None or not found:
        return Verdict()
    try:
        return _check_limits(found, ask, limits)
    except RefusedError as error:
        return error.verdict


def holders(limits: Limits | None, snapshot: Snapshot | None, ask: Ask, now: float) -> list[Holder]:
    """Everybody whose limits count for a job, in Slurm's order; nobody where the limits are not known or not enforced.

    :raises RefusedError: the partition, or the rights to a QOS, let no such job in.
    """
    if limits is None or limits.at is None or now - limits.at > STALE_S or not limits.enforcement.limits:
        return []
    partition, book = partition_of(limits, ask.partition), counted(limits, snapshot)
    associations = book.chain(ask.account, ask.user, partition.name if partition else "")
    if not associations:
        return []
    qos = _qos_of(limits, ask, associations[0])
    if partition:
        _check_partition(partition, ask, qos)
    return list(_holders(book, partition, qos, associations, now))


def _qos_of(limits: Limits, ask: Ask, association: Association) -> Qos | None:
    if not limits.enforcement.qos:
        return None
    name = ask.qos or association.default_qos or "normal"
    if association.qos and name not in association.qos and ask.qos:
        raise RefusedError(
            f"{ask.user} may not use QOS {name} in account {ask.account}.",
            "qos",
            f"Choose a profile with one of {', '.join(association.qos)}, or ask the operators.",
        )
    return next((known for known in limits.qos if known.name == name), None)


def _check_partition(partition: PartitionLimits, ask: Ask, service: Qos | None) -> None:
    qos, passes = (service.name, service.flags) if service else ("", ())
    where = f"Partition {partition.name}"
    other = "Choose a profile of another partition"
    if partition.allow_accounts and ask.account not in partition.allow_accounts:
        raise RefusedError(
            f"{where} takes jobs of the accounts {', '.join(partition.allow_accounts)} only, not of {ask.account}.",
            "partition",
            f"{other}, or another project.",
        )
    if ask.account in partition.deny_accounts:
        raise RefusedError(f"{where} takes no jobs of account {ask.account}.", "partition", f"{other}.")
    if qos and ((partition.allow_qos and qos not in partition.allow_qos) or qos in partition.deny_qos):
        raise RefusedError(f"{where} takes no jobs of QOS {qos}.", "partition", f"{other}.")
    timed = partition.max_time_s is not None and "PartitionTimeLimit" not in passes
    if timed and partition.max_time_s is not None and ask.minutes * 60 > partition.max_time_s:
        raise RefusedError(
            f"{where} allows a job at most {duration(partition.max_time_s)}, not {duration(ask.minutes * 60)}.",
            "partition",
            f"Ask for {duration(partition.max_time_s)} or less.",
        )
    if partition.max_cpus_per_node is not None and ask.tres.get("cpu", 0) > partition.max_cpus_per_node:
        raise RefusedError(
            f"{where} gives a job at most {partition.max_cpus_per_node} CPUs of a node, not {ask.tres['cpu']}.",
            "partition",
            "Choose a smaller profile.",
        )
    if partition.max_nodes == 0 and "PartitionMaxNodes" not in passes:
        raise RefusedError(f"{where} gives a job no node.", "partition", f"{other}.")


def _holders(
    book: Counted,
    partition: PartitionLimits | None,
    qos: Qos | None,
    associations: Sequence[Association],
    now: float,
) -> Iterator[Holder]:
    for service in in_order(book.limits, partition, qos):

        def use_of_qos(tres: str, known: Qos = service) -> Spent:
            return book.of_qos(known, now, tres)

        yield Holder(f"QOS {service.name}", "qos", service, use_of_qos)
    for number, found in enumerate(associations):

        def use(tres: str, found: Association = found) -> Spent:
            return book.of_association(found, now, tres)

        yield Holder(name_of(found), "association", found, use, first=number == 0)


def _check_limits(holders: Sequence[Holder], ask: Ask, limits: Limits) -> Verdict:
    taken: set[str] = set()  # what a QOS has limited is not asked of associations
    waits: list[str] = []
    cuts: list[str] = []
    for holder in holders:
        before = set(taken)
        for check in (_one_job, _budgets, _to_come, _at_once, _counts):
            for key, wait, cut in check(holder, ask, limits.enforcement.safe):
                if key in before:
                    continue
                if isinstance(wait, RefusedError):
                    raise wait
                waits += [wait] if wait else []
                cuts += [cut] if cut else []
                if holder.kind == "qos":
                    taken.add(key)
    return Verdict(waits=waits[0] if waits else "", cut=cuts[0] if cuts else "")


_Found = Iterator[tuple[str, "str | RefusedError", str]]


def _one_job(holder: Holder, ask: Ask, _safe: bool) -> _Found:
    """Limits on each single job. Yields what is limited, and a refusal where it is not kept."""
    if not holder.first:
        return
    own, reason = holder.limits, _reason(holder)
    if own.max_wall_s is not None:
        no: str | RefusedError = ""
        if ask.minutes * 60 > own.max_wall_s:
            no = RefusedError(
                f"{capital(holder.name)} allows a job at most {duration(own.max_wall_s)}, "
                f"not {duration(ask.minutes * 60)}.",
                reason,
                f"Ask for {duration(own.max_wall_s)} or less.",
            )
        yield "wall", no, ""
    for tres, most in own.max_tres_per_job.items():
        no = ""
        if ask.tres.get(tres, 0) > most:
            no = RefusedError(
                f"{capital(holder.name)} allows a job at most {count(most, tres)}, not {ask.tres[tres]}.",
                reason,
                "Choose a smaller profile.",
            )
        yield f"job {tres}", no, ""
    for tres, most in own.max_tres_mins_per_job.items():
        no = ""
        if (wanted := ask.tres.get(tres, 0) * ask.minutes) > most:
            no = RefusedError(
                f"{capital(holder.name)} allows a job at most {hours_of(most, tres)}, not {hours_of(wanted, tres)}.",
                reason,
                f"Ask for {duration(60 * (most // ask.tres[tres]))} or less."
                if most >= ask.tres[tres]
                else "Choose a smaller profile.",
            )
        yield f"job minutes {tres}", no, ""
    for tres, least in own.min_tres_per_job.items() if isinstance(own, Qos) else ():
        if ask.tres.get(tres, 0) < least and tres in NAMES:
            no = RefusedError(
                f"{capital(holder.name)} wants at least {count(least, tres)} for a job, not {ask.tres.get(tres, 0)}.",
                reason,
                "Choose a larger profile.",
            )
            yield f"least {tres}", no, ""


def _budgets(holder: Holder, ask: Ask, safe: bool) -> _Found:
    """Limits on use over time. A job that takes nothing of a TRES is not held to its budget."""
    for tres, bound in holder.limits.grp_tres_mins.items():
        wanted = ask.tres.get(tres, 1 if tres == "billing" else 0)
        if bound.limit is None or not wanted:
            continue
        use = holder.use(tres)
        left = use.left or 0.0
        told = f"{hours_of(use.used, tres)} of {hours_of(bound.limit, tres)} are used"
        ends = f"{capital(holder.name)} has {hours_of(left, tres)} left ({told})"
        no: str | RefusedError = ""
        cut = ""
        # what an account above or a QOS has is no owner's to give
        own = isinstance(holder.limits, Association) and holder.limits.account == ask.account
        whom = "the owner of the project" if own else "the operators"
        if left <= 0:
            no = RefusedError(
                f"The budget of {holder.name} is used up: {told}.", "budget", f"Ask {whom} for more.", holder.name
            )
        elif tres != "billing" and left < wanted * ask.minutes:
            if safe:
                no = RefusedError(
                    f"{ends}, and this job asks for {hours_of(wanted * ask.minutes, tres)}.",
                    "budget",
                    f"Ask for {duration(60 * math.floor(left / wanted))} or less, or {whom} for more."
                    if left >= wanted
                    else f"Ask {whom} for more.",
                    holder.name,
                )
            else:
                cut = f"{ends}: Slurm ends the job when they are used up, after about {duration(60 * left / wanted)}."
        yield f"minutes {tres}", no, cut


def _to_come(holder: Holder, ask: Ask, _safe: bool) -> _Found:
    """Limits on what running jobs may still take by their time limits (GrpTRESRunMins)."""
    for tres, bound in holder.limits.grp_tres_run_mins.items():
        wanted = ask.tres.get(tres, 0) * ask.minutes
        if bound.limit is None or not wanted:
            continue
        no: str | RefusedError = ""
        allows = f"{capital(holder.name)} allows running jobs {hours_of(bound.limit, tres)} to come"
        if wanted > bound.limit:
            no = RefusedError(
                f"{allows}, and this job asks for {hours_of(wanted, tres)}.",
                _reason(holder),
                "Ask for less time, or choose a smaller profile.",
            )
        elif bound.used + wanted > bound.limit:
            no = f"{allows}, and those that run have {hours_of(bound.used, tres)}."
        yield f"to come {tres}", no, ""


def _at_once(holder: Holder, ask: Ask, _safe: bool) -> _Found:
    """Limits on what is in use at the same time."""
    for bounds, whom, taken in at_once(holder, ask):
        yield from _bounds(holder, ask, bounds, whom, taken)


def at_once(holder: Holder, ask: Ask) -> Iterator[tuple[Mapping[str, Limit], str, str]]:
    """(limits by TRES on what is in use at the same time, for whom they are, by whom it is used), in words."""
    yield holder.limits.grp_tres, "altogether", "in use"
    own = holder.limits
    if isinstance(own, Qos):
        for who, share, most in (
            (ask.user, own.per_user.get(ask.user), own.max_tres_per_user),
            (f"account {ask.account}", own.per_account.get(ask.account), own.max_tres_per_account),
        ):
            bounds = {tres: Limit(limit=number) for tres, number in most.items()} | dict(share.tres if share else {})
            yield bounds, f"for {who}", f"in use by {who}"


def _bounds(holder: Holder, ask: Ask, bounds: Mapping[str, Limit], whom: str, taken: str) -> _Found:
    for tres, bound in bounds.items():
        wanted = ask.tres.get(tres, 0)
        if bound.limit is None or not wanted:
            continue
        no: str | RefusedError = ""
        if wanted > bound.limit:
            no = RefusedError(
                f"{capital(holder.name)} allows at most {count(bound.limit, tres)} {whom}, "
                f"and this job asks for {wanted}.",
                _reason(holder),
                "Choose a smaller profile.",
            )
        elif bound.used + wanted > bound.limit:
            no = f"{bound.used} of the {count(bound.limit, tres)} that {holder.name} allows {whom} are {taken}."
        yield f"at once {whom} {tres}", no, ""


def _counts(holder: Holder, ask: Ask, _safe: bool) -> _Found:
    """Limits on how many jobs there are."""
    for whom, running, submitted in counts(holder, ask):
        yield from _jobs(holder, whom, running, submitted)


def counts(holder: Holder, ask: Ask) -> Iterator[tuple[str, Limit, Limit]]:
    """(for whom, how many jobs may run, how many may run or wait)."""
    own = holder.limits
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
    elif holder.first:
        yield f"for {ask.user}", own.max_jobs, own.max_submit


def _jobs(holder: Holder, whom: str, running: Limit, submitted: Limit) -> _Found:
    if submitted.limit is not None:
        no: str | RefusedError = ""
        if submitted.used >= submitted.limit:
            no = RefusedError(
                f"{capital(holder.name)} allows at most {jobs_of(submitted.limit)} {whom}, running or waiting, "
                f"and there are {submitted.used}.",
                _reason(holder),
                "End one of them first." if submitted.limit else "Choose another profile.",
            )
        yield f"submit {whom}", no, ""
    if running.limit is not None:
        no = ""
        if running.limit == 0:
            no = RefusedError(
                f"{capital(holder.name)} allows no running job {whom}.", _reason(holder), "Choose another profile."
            )
        elif running.used >= running.limit:
            no = f"{running.used} of the {jobs_of(running.limit)} that {holder.name} allows {whom} are running."
        yield f"jobs {whom}", no, ""


def _reason(holder: Holder) -> str:
    return "limit-qos" if holder.kind == "qos" else "limit-account"
