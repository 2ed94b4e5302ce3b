"""May a running job have more time, by Slurm's own limits? Pure.

An Operator's word passes every limit, and so does a right that a site gives its users: whoever asks answers for what
time and budgets allow. Limits on how many jobs run, and on what they have at once, are kept already: this one runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.messages.texts import limits as texts
from fabric_hub.messages.texts import more_time as of_time
from fabric_hub.slurm.model import Job, Snapshot
from fabric_hub.slurm.unavailable import SlurmUnavailableError

from .amounts import hours_of
from .chain import (
    Found,
    LimitDecision,
    LimitScope,
    RefusedError,
    current,
    held,
    reason_of,
    scopes_of,
    standing,
    used_up,
    whose,
)
from .check import one_job
from .model import Limits
from .request import JobRequest
from .usage import counted, partition_of, tres_of


def check(limits: Limits, snapshot: Snapshot, job: Job, minutes: int, now: float) -> None:
    """Refuse what the limits do not allow, where nobody but the caller would keep them.

    :param minutes: the whole time limit, since the job's start.
    :param now: Unix seconds.
    :raises FabricError: the limit and its scope; (503) the limits are not known.
    """
    if not current(limits, now):
        raise SlurmUnavailableError(of_time.MORE_TIME_LIMITS_UNKNOWN())
    if limits.enforcement.limits and not counted(limits, snapshot).chain(job.account, job.user, job.partition):
        raise FabricError(of_time.MORE_TIME_NOT_IN_ACCOUNT(user=job.user, account=job.account))
    found = more_time(limits, snapshot, job, minutes, now)
    if found.refused:
        raise found.error()


def more_time(limits: Limits | None, snapshot: Snapshot | None, job: Job, minutes: int, now: float) -> LimitDecision:
    """What the limits say to a running job with ``minutes`` in all; nothing where they are not known or not enforced.

    A budget that is used up before the new end is in the decision's ``cut``, or with ``safe`` a refusal.
    """
    if limits is None or not current(limits, now) or not limits.enforcement.limits or job.started_at is None:
        return LimitDecision()
    partition = partition_of(limits, job.partition)
    qos = next((known for known in limits.qos if known.name == job.qos), None) if limits.enforcement.qos else None
    passes = qos is not None and "PartitionTimeLimit" in qos.flags
    if partition and partition.max_time_s is not None and not passes and minutes * 60 > partition.max_time_s:
        return RefusedError(over_partition(partition.name, partition.max_time_s)).decision
    weight = qos.usage_factor if qos else 1.0
    wish = _ExtensionRequest(
        ask=JobRequest(user=job.user, account=job.account, tres=dict(tres_of(job)), minutes=minutes),
        more=weight * max(0.0, minutes - ((job.ends_at or now) - job.started_at) / 60),
        left=weight * max(0.0, minutes - (now - job.started_at) / 60),
        safe=limits.enforcement.safe,
    )
    book = counted(limits, snapshot)
    associations = book.chain(job.account, job.user, job.partition)
    return held(scopes_of(book, partition, qos, associations, now), wish.checks)


def over_partition(name: str, longest_s: float) -> Text:
    """That a partition lets no job run for so long."""
    return of_time.MORE_TIME_PARTITION(partition=name, longest=longest_s)


@dataclass(frozen=True)
class _ExtensionRequest:
    """What a job asks for in all (``ask``), how many minutes that are more than it has, and how many are to come."""

    ask: JobRequest
    more: float
    left: float
    safe: bool

    def checks(self, scope: LimitScope) -> Found:
        for key, no, cut in one_job(scope, self.ask):
            if key == "wall" or key.startswith("job minutes"):
                yield key, _less(no), cut
        yield from self._budgets(scope)
        yield from self._to_come(scope)

    def _budgets(self, scope: LimitScope) -> Found:
        for tres, bound in scope.limits.grp_tres_mins.items():
            has = self.ask.tres.get(tres, 0)
            if bound.limit is None or not has:
                continue
            use = scope.use(tres)
            left = use.left or 0.0
            stands = standing(scope, tres, use, bound.limit)
            no: Text | RefusedError = NOTHING
            cut = NOTHING
            if left <= 0:
                no = used_up(scope, stands["used"], whose(scope, self.ask))
            elif self.safe and left < use.to_come + has * self.more:
                to_come, asked = hours_of(use.to_come, tres), hours_of(has * self.more, tres)
                no = RefusedError(
                    of_time.MORE_TIME_BUDGET(**stands, to_come=to_come, asked=asked, whom=whose(scope, self.ask)),
                    budget_of=scope.name,
                )
            elif left < has * self.left:
                cut = texts.BUDGET_CUTS(**stands, lasts=60 * left / has)
            yield f"minutes {tres}", no, cut

    def _to_come(self, scope: LimitScope) -> Found:
        for tres, bound in scope.limits.grp_tres_run_mins.items():
            more = self.ask.tres.get(tres, 0) * self.more
            if bound.limit is None or not more:
                continue
            to_come = scope.use(tres).to_come
            no: Text | RefusedError = NOTHING
            if to_come + more > bound.limit:
                no = RefusedError(
                    of_time.MORE_TIME_TO_COME(
                        scope=scope.name,
                        limit=hours_of(bound.limit, tres),
                        to_come=hours_of(to_come, tres),
                        asked=hours_of(more, tres),
                    ),
                    reason_of(scope),
                )
            yield f"to come {tres}", no, NOTHING


def _less(no: Text | RefusedError) -> Text | RefusedError:
    """A refusal of a start, with what to do about a session that runs."""
    if not isinstance(no, RefusedError):
        return no
    return RefusedError(no.decision.message, no.decision.reason, of_time.LESS_TIME())
