"""Whose limits count for a job, and in which order. Pure.

Which limit counts is Slurm's order (https://slurm.schedmd.com/resource_limits.html): the partition's QOS, the job's
QOS, the user's association, then every account above it; a QOS that limits something is all that counts for it. Limits
for one job are handed down by Slurm itself from account to user, limits for all jobs together count at every level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from fabric_hub.errors import FabricError
from fabric_hub.messages.formats import are_of, duration
from fabric_hub.slurm.model import Snapshot
from fabric_hub.types import Frozen

from .amounts import capital, count, hours_of
from .model import Association, Limits, PartitionLimits, Qos
from .request import JobRequest
from .usage import TresUsage, UsageIndex, counted, in_order, name_of, partition_of

# Limits that are older than this are not held against a start: Slurm decides.
STALE_S = 900.0


class LimitDecision(Frozen):
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
class LimitScope:
    """Somebody with limits: an association or a QOS."""

    name: str
    kind: str  # association, qos
    limits: Association | Qos
    use: Callable[[str], TresUsage]
    first: bool = True  # of the associations: the one whose limits for single jobs count


class RefusedError(Exception):
    """Raised, or handed on, by one check of a limit."""

    def __init__(self, message: str, reason: str, hint: str, budget_of: str = "") -> None:
        super().__init__(message)
        self.decision = LimitDecision(message=message, reason=reason, hint=hint, budget_of=budget_of)


def current(limits: Limits, now: float) -> bool:
    """Whether limits are new enough to be held against anybody."""
    return limits.at is not None and now - limits.at <= STALE_S


def limit_chain(limits: Limits | None, snapshot: Snapshot | None, ask: JobRequest, now: float) -> list[LimitScope]:
    """Everybody whose limits count for a job, in Slurm's order; nobody where the limits are not known or not enforced.

    :raises RefusedError: the partition, or the rights to a QOS, let no such job in.
    """
    if limits is None or not current(limits, now) or not limits.enforcement.limits:
        return []
    partition, book = partition_of(limits, ask.partition), counted(limits, snapshot)
    associations = book.chain(ask.account, ask.user, partition.name if partition else "")
    if not associations:
        return []
    qos = _qos_of(limits, ask, associations[0])
    if partition:
        _check_partition(partition, ask, qos, frozenset(found.account for found in associations))
    return list(scopes_of(book, partition, qos, associations, now))


def _qos_of(limits: Limits, ask: JobRequest, association: Association) -> Qos | None:
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


def _check_partition(partition: PartitionLimits, ask: JobRequest, service: Qos | None, above: frozenset[str]) -> None:
    qos, passes = (service.name, service.flags) if service else ("", ())
    where = f"Partition {partition.name}"
    other = "Choose a profile of another partition"
    # newer releases let in every account below one that is named; where a release does not, Slurm says so itself
    if partition.allow_accounts and not above & set(partition.allow_accounts):
        some = "account" if len(partition.allow_accounts) == 1 else "accounts"
        raise RefusedError(
            f"{where} takes jobs of the {some} {', '.join(partition.allow_accounts)} only, not of {ask.account}.",
            "partition",
            f"{other}, or another project.",
        )
    # slurm.conf(5): where there is a list of who may, that of who may not counts for nothing
    if not partition.allow_accounts and ask.account in partition.deny_accounts:
        raise RefusedError(f"{where} takes no jobs of account {ask.account}.", "partition", f"{other}.")
    if qos and (qos not in partition.allow_qos if partition.allow_qos else qos in partition.deny_qos):
        raise RefusedError(f"{where} takes no jobs of QOS {qos}.", "partition", f"{other}.")
    timed = partition.max_time_s is not None and "PartitionTimeLimit" not in passes
    if timed and partition.max_time_s is not None and ask.minutes * 60 > partition.max_time_s:
        raise RefusedError(
            f"{where} allows a job at most {duration(partition.max_time_s)}, not {duration(ask.minutes * 60)}.",
            "partition",
            f"Ask for {duration(partition.max_time_s)} or less.",
        )
    cpus = ask.tres.get("cpu", 0)
    if partition.max_cpus_per_node is not None and cpus > partition.max_cpus_per_node:
        raise RefusedError(
            f"{where} gives a job at most {count(partition.max_cpus_per_node, 'cpu')} of a node, not {cpus}.",
            "partition",
            "Choose a smaller profile.",
        )
    if partition.max_nodes == 0 and "PartitionMaxNodes" not in passes:
        raise RefusedError(f"{where} gives a job no node.", "partition", f"{other}.")


def scopes_of(
    book: UsageIndex,
    partition: PartitionLimits | None,
    qos: Qos | None,
    associations: Sequence[Association],
    now: float,
) -> Iterator[LimitScope]:
    """Everybody whose limits count for a job of these, in Slurm's order."""
    for service in in_order(book.limits, partition, qos):

        def use_of_qos(tres: str, known: Qos = service) -> TresUsage:
            return book.of_qos(known, now, tres)

        yield LimitScope(f"QOS {service.name}", "qos", service, use_of_qos)
    for number, found in enumerate(associations):

        def use(tres: str, found: Association = found) -> TresUsage:
            return book.of_association(found, now, tres)

        yield LimitScope(name_of(found), "association", found, use, first=number == 0)


Found = Iterator[tuple[str, "str | RefusedError", str]]
Check = Callable[[LimitScope], Found]


def held(limit_chain: Iterable[LimitScope], check: Check) -> LimitDecision:
    """What everybody's limits say together.

    :param check: yields, for one scope, what is limited, a refusal or what is waited for ("" for neither), and
        how a budget ends the job before its time ("": it does not).
    """
    taken: set[str] = set()  # what a QOS has limited is not asked of associations
    waits: list[str] = []
    cuts: list[str] = []
    for scope in limit_chain:
        before = set(taken)
        for key, wait, cut in check(scope):
            if key in before:
                continue
            if isinstance(wait, RefusedError):
                return wait.decision
            waits += [wait] if wait else []
            cuts += [cut] if cut else []
            if scope.kind == "qos":
                taken.add(key)
    return LimitDecision(waits=waits[0] if waits else "", cut=cuts[0] if cuts else "")


def reason_of(scope: LimitScope) -> str:
    """The short reason of a refusal by this scope."""
    return "limit-qos" if scope.kind == "qos" else "limit-account"


def whose(scope: LimitScope, ask: JobRequest) -> str:
    """Who gives more of a budget: what an account above or a QOS has is no owner's to give."""
    own = isinstance(scope.limits, Association) and scope.limits.account == ask.account
    return "the owner of the project" if own else "the operators"


def standing(scope: LimitScope, tres: str, use: TresUsage, limit: int) -> tuple[str, str]:
    """How a budget (TRES-minutes) stands, in words: what is used of it, and that with what is left."""
    used = hours_of(use.used, tres)
    told = f"{used} of {hours_of(limit, tres)} {are_of(used)} used"
    return told, f"{capital(scope.name)} has {hours_of(use.left or 0.0, tres)} left ({told})"


def used_up(scope: LimitScope, told: str, whom: str) -> RefusedError:
    """That nothing is left of a budget."""
    return RefusedError(
        f"The budget of {scope.name} is used up: {told}.", "budget", f"Ask {whom} for more.", scope.name
    )
