"""Whose limits count for a job, and in which order. Pure.

Which limit counts is Slurm's order (https://slurm.schedmd.com/resource_limits.html): the partition's QOS, the job's
QOS, the user's association, then every account above it; a QOS that limits something is all that counts for it. Limits
for one job are handed down by Slurm itself from account to user, limits for all jobs together count at every level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Said, Text, WithTexts, sentences
from fabric_hub.messages.texts import limits as texts
from fabric_hub.messages.texts.whom import WHOM_OPERATORS, WHOM_OWNER
from fabric_hub.slurm.model import Snapshot

from .amounts import count, hours_of, scope_of, used_of
from .model import Association, Limits, PartitionLimits, Qos
from .request import JobRequest
from .usage import TresUsage, UsageIndex, counted, in_order, partition_of

# Limits that are older than this are not held against a start: Slurm decides.
STALE_S = 900.0


class LimitDecision(WithTexts):
    """``refusal`` (message, reason, hint): it can never start so. ``waits``: what it waits for, if it does.

    ``cut``: it starts, and Slurm ends it before its time, when a budget is used up.
    ``budget_of``: whose budget it is that refuses. A text that is not there is empty.
    """

    message: Said = NOTHING
    reason: str = ""
    hint: Said = NOTHING
    waits: Said = NOTHING
    cut: Said = NOTHING
    budget_of: Said = NOTHING

    @property
    def refused(self) -> bool:
        return bool(self.message)

    def error(self, hint: Text = NOTHING) -> FabricError:
        """The refusal as an error, with one more thing to do."""
        return FabricError(self.message, reason=self.reason, hint=sentences(self.hint, hint), status=403)


@dataclass(frozen=True)
class LimitScope:
    """Somebody with limits: an association or a QOS."""

    name: Text
    kind: str  # association, qos
    limits: Association | Qos
    use: Callable[[str], TresUsage]
    first: bool = True  # of the associations: the one whose limits for single jobs count


class RefusedError(Exception):
    """Raised, or handed on, by one check of a limit.

    :param reason: the label; that of the message unless given.
    :param hint: what to do next; that of the message unless given.
    """

    def __init__(self, message: Text, reason: str = "", hint: Text | None = None, budget_of: Text = NOTHING) -> None:
        super().__init__(message)
        self.decision = LimitDecision(
            message=message,
            reason=reason or message.reason.label,
            hint=hint or message.hint or NOTHING,
            budget_of=budget_of,
        )


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
            texts.QOS_NOT_OF_ACCOUNT(user=ask.user, qos=name, account=ask.account, known=association.qos)
        )
    return next((known for known in limits.qos if known.name == name), None)


def _check_partition(partition: PartitionLimits, ask: JobRequest, service: Qos | None, above: frozenset[str]) -> None:
    qos, passes = (service.name, service.flags) if service else ("", ())
    where, allowed = partition.name, partition.allow_accounts
    # newer releases let in every account below one that is named; where a release does not, Slurm says so itself
    if allowed and not above & set(allowed):
        raise RefusedError(
            texts.PARTITION_ACCOUNTS(partition=where, n=len(allowed), accounts=allowed, account=ask.account)
        )
    # slurm.conf(5): where there is a list of who may, that of who may not counts for nothing
    if not allowed and ask.account in partition.deny_accounts:
        raise RefusedError(texts.PARTITION_NOT_ACCOUNT(partition=where, account=ask.account))
    if qos and (qos not in partition.allow_qos if partition.allow_qos else qos in partition.deny_qos):
        raise RefusedError(texts.PARTITION_NOT_QOS(partition=where, qos=qos))
    longest, asked = partition.max_time_s, ask.minutes * 60
    if longest is not None and "PartitionTimeLimit" not in passes and asked > longest:
        raise RefusedError(texts.PARTITION_TIME(partition=where, longest=longest, asked=asked))
    cpus, most = ask.tres.get("cpu", 0), partition.max_cpus_per_node
    if most is not None and cpus > most:
        raise RefusedError(texts.PARTITION_CPUS(partition=where, most=count(most, "cpu"), asked=cpus))
    if partition.max_nodes == 0 and "PartitionMaxNodes" not in passes:
        raise RefusedError(texts.PARTITION_NO_NODE(partition=where))


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

        yield LimitScope(scope_of(service), "qos", service, use_of_qos)
    for number, found in enumerate(associations):

        def use(tres: str, found: Association = found) -> TresUsage:
            return book.of_association(found, now, tres)

        yield LimitScope(scope_of(found), "association", found, use, first=number == 0)


Found = Iterator[tuple[str, "Text | RefusedError", Text]]
Check = Callable[[LimitScope], Found]


def held(limit_chain: Iterable[LimitScope], check: Check) -> LimitDecision:
    """What everybody's limits say together.

    :param check: yields, for one scope, what is limited, a refusal or what is waited for (empty for neither), and
        how a budget ends the job before its time (empty: it does not).
    """
    taken: set[str] = set()  # what a QOS has limited is not asked of associations
    waits: list[Text] = []
    cuts: list[Text] = []
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
    return LimitDecision(waits=waits[0] if waits else NOTHING, cut=cuts[0] if cuts else NOTHING)


def reason_of(scope: LimitScope) -> str:
    """The short reason of a refusal by this scope."""
    return "limit-qos" if scope.kind == "qos" else "limit-account"


def whose(scope: LimitScope, ask: JobRequest) -> Text:
    """Who gives more of a budget: what an account above or a QOS has is no owner's to give."""
    own = isinstance(scope.limits, Association) and scope.limits.account == ask.account
    return WHOM_OWNER() if own else WHOM_OPERATORS()


def standing(scope: LimitScope, tres: str, use: TresUsage, limit: int) -> dict[str, Text]:
    """How a budget (TRES-minutes) stands, as parameters of a text: what is used of it, and what is left."""
    return {
        "scope": scope.name,
        "left": hours_of(use.left or 0.0, tres),
        "used": used_of(use.used, limit, tres),
    }


def used_up(scope: LimitScope, used: Text, whom: Text) -> RefusedError:
    """That nothing is left of a budget."""
    return RefusedError(texts.BUDGET_USED_UP(scope=scope.name, used=used, whom=whom), budget_of=scope.name)
