"""Why a job waits, and how it ended, as a student understands it. Pure.

The words of Slurm are at https://slurm.schedmd.com/squeue.html (job reasons and states).
"""

from __future__ import annotations

import re
import signal
import time
from typing import Any, Final

from fabric_hub.messages.text import NOTHING, Reason, Text, sentences
from fabric_hub.messages.texts import limits
from fabric_hub.messages.texts import slurm_reasons as texts

from .model import Job, Phase, Reservation, Snapshot
from .notation import node_names

_FIVE_MINUTES_S: Final = 300.0
_MINUTE_S: Final = 60.0  # Slurm counts time limits in whole minutes
# What a limit counts, from its name (QOSMaxGRESPerUser, AssocGrpCPUMinutesLimit ...), and the kind of its hours.
_COUNTED: Final[tuple[tuple[str, Reason, Reason | str], ...]] = (
    (r"GRES|Gres", texts.GPUS, "GPU"), (r"Cpu|CPU", texts.CPUS, "CPU"), (r"Mem", texts.MEMORY, texts.MEMORY),
    (r"Node", texts.NODES, texts.KIND_NODE), (r"Jobs?", texts.JOBS, texts.KIND_JOB),
    (r"Wall|Time", texts.RUNNING_TIME, texts.RUNNING_TIME), (r"Billing", texts.BILLING, texts.KIND_BILLING),
    (r"BB", texts.BURST_BUFFER, texts.BURST_BUFFER), (r"License", texts.LICENCES, texts.LICENCES),
    (r"Energy", texts.ENERGY, texts.ENERGY), (r"Unknown", texts.RESOURCES, texts.RESOURCES),
)  # fmt: skip

_WAITING: Final = {
    "": texts.WAITS_UNSEEN,
    "None": texts.WAITS_UNSEEN,
    "WaitingForScheduling": texts.WAITS_UNSEEN,
    "Priority": texts.WAITS_PRIORITY,
    "Resources": texts.WAITS_RESOURCES,
    "Dependency": texts.WAITS_DEPENDENCY,
    "DependencyNeverSatisfied": texts.WAITS_DEPENDENCY_NEVER,
    "BeginTime": texts.WAITS_BEGIN_TIME,
    "JobHeldUser": texts.HELD_BY_USER,
    "JobHeldAdmin": texts.HELD_BY_OPERATORS,
    "JobHoldMaxRequeue": texts.HELD_BY_SLURM,
    "JobLaunchFailure": texts.NODE_DID_NOT_START_IT,
    "launch_failed_requeued_held": texts.NODE_DID_NOT_START_IT,
    "Reservation": texts.WAITS_RESERVATION,
    "ReservationInvalid": texts.RESERVATION_INVALID,
    "ReservationDeleted": texts.RESERVATION_GONE,
    "PartitionTimeLimit": texts.ABOVE_PARTITION_TIME,
    "PartitionNodeLimit": texts.ABOVE_PARTITION_NODES,
    "PartitionConfig": texts.ABOVE_PARTITION,
    "PartitionDown": texts.PARTITION_STOPPED,
    "PartitionInactive": texts.PARTITION_STOPPED,
    "BadConstraints": texts.NO_NODE_HAS_ALL,
    "Constraints": texts.NODES_MISSING_NOW,
    "AccountNotAllowed": texts.ACCOUNT_NOT_ALLOWED,
    "QOSNotAllowed": texts.QOS_NOT_ALLOWED,
    "InvalidAccount": texts.ACCOUNT_GONE,
    "InvalidQOS": texts.QOS_GONE,
    "AccountingPolicy": texts.ACCOUNT_LIMIT,
    "AssociationJobLimit": texts.ACCOUNT_LIMIT,
    "AssociationResourceLimit": texts.ACCOUNT_LIMIT,
    "AssociationTimeLimit": texts.ACCOUNT_LIMIT,
    "QOSJobLimit": texts.QOS_JOBS,
    "QOSResourceLimit": texts.QOS_LIMIT,
    "QOSTimeLimit": texts.QOS_LIMIT,
    "QOSUsageThreshold": texts.QOS_USAGE,
    "Licenses": texts.WAITS_LICENCE,
    "Prolog": texts.NODE_MADE_READY,
    "Cleaning": texts.NODE_CLEANED,
    "NodeDown": texts.NODE_DOWN,
    "ReqNodeNotAvail": texts.NODES_NOT_AVAILABLE,
    "FrontEndDown": texts.FRONT_END_DOWN,
    "SystemFailure": texts.SLURM_FAILED,
    "BlockFreeAction": texts.BLOCK_FAILED,
    "BlockMaxError": texts.BLOCK_FAILED,
    "BurstBufferOperation": texts.BURST_BUFFER_FAILED,
    "BurstBufferResources": texts.BURST_BUFFER_WAITS,
    "BurstBufferStageIn": texts.BURST_BUFFER_FILLS,
    "DeadLine": texts.DEADLINE_MISSED,
    "FedJobLock": texts.FEDERATION_LOCK,
    "InactiveLimit": texts.INACTIVE,
    "InvaildReason": texts.NO_VALID_REASON,  # as 22.05 to 24.11 write it
    "InvalidReason": texts.NO_VALID_REASON,
    "MaxPoweredUpNodes": texts.POWERED_UP_NODES,
    "MpiPortsBusy": texts.MPI_PORTS,
    "NvidiaImexChannels": texts.IMEX_CHANNELS,
    "OutOfMemory": texts.OUT_OF_MEMORY,
    "PowerNotAvail": texts.POWER,
    "PowerReserved": texts.POWER,
    "SchedDefer": texts.DEFERRED,
    "JobArrayTaskLimit": texts.ARRAY_LIMIT,
    "MaxMemPerLimit": texts.ABOVE_MEMORY,
    "NonZeroExitCode": texts.EXIT_CODE,
    "RaisedSignal": texts.SIGNAL,
    "TimeLimit": texts.TIME_LIMIT,
}

# Where Slurm writes a description in the place of a reason; clients differ in what they write for a space.
_DESCRIBED: Final = tuple(
    (re.compile(pattern.replace("~", "[ _]")), said)
    for pattern, said in (
        (r"Nodes~required~for~job~are", texts.NODES_DOWN_OR_PROMISED),
        (r"Reservation~.+~was~deleted", texts.RESERVATION_GONE),
        (r"Reservation~.+~is~invalid", texts.RESERVATION_INVALID),
        (r"Job~is~at~or~exceeds~QOS", texts.QOS_LIMIT),
        (r"Job~is~at~or~exceeds~assoc", texts.ACCOUNT_LIMIT),
        (r"uid~\d+~not~in~group", texts.GROUP_NOT_ALLOWED),
        (r"job~requeued~in~held~state", texts.HELD_AFTER_REQUEUE),
    )
)

_ENDED: Final = {
    "COMPLETED": texts.ENDED,
    "TIMEOUT": texts.ENDED_TIME_LIMIT,
    "OUT_OF_MEMORY": texts.ENDED_OUT_OF_MEMORY,
    "NODE_FAIL": texts.ENDED_NODE,
    "PREEMPTED": texts.ENDED_PREEMPTED,
    "CANCELLED": texts.ENDED_STOPPED,
    "BOOT_FAIL": texts.ENDED_BOOT,
    "DEADLINE": texts.ENDED_DEADLINE,
    "LAUNCH_FAILED": texts.ENDED_LAUNCH,
    "RECONFIG_FAIL": texts.ENDED_RECONFIG,
    "REVOKED": texts.ENDED_REVOKED,
}

_RUNNING: Final = {
    "RUNNING": texts.RUNNING,
    "SUSPENDED": texts.SUSPENDED,
    "STOPPED": texts.STOPPED,
    "COMPLETING": texts.COMPLETING,
    "CONFIGURING": texts.CONFIGURING,
    "STAGE_OUT": texts.STAGE_OUT,
    "SIGNALING": texts.SIGNALING,
    "RESIZING": texts.RESIZING,
}

# States in which a job ends by somebody else's doing, or by its node's.
BY_OTHERS = frozenset({"CANCELLED", "FAILED", "BOOT_FAIL", "LAUNCH_FAILED", "NODE_FAIL"})
# Slurm keeps whole seconds, and drains a node before or after it ends the job.
_ABOUT_S = 3.0


def meanwhile(job: Job, moment: float | None) -> bool:
    """Whether something happened while a job had its node, as exactly as Slurm says when. Pure."""
    began, over = job.started_at or job.submitted_at or 0.0, job.ends_at or time.time()
    return moment is not None and began - _ABOUT_S <= moment <= over + _ABOUT_S


def explain(job: Job, snapshot: Snapshot | None = None) -> Text:
    """One or two sentences about a job's state for the person who owns it.

    :param snapshot: where the job is from; it may know when the job's reservation begins.
    """
    word = job.reason.strip("()").split(",")[0].split(" ")[0]
    if job.phase is Phase.ENDED:
        return _ending(job, word)
    if job.phase is Phase.QUEUED and job.state in ("PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"):
        if said := _described(job.reason):
            return _of_job(said, job)
        if word == "Reservation":
            return _reserved(job, snapshot)
        kept = kept_from(job, snapshot) if word == "ReqNodeNotAvail" else None
        return _maintained(kept, snapshot) if kept and snapshot else _waiting(job, word)
    return _of_job(_RUNNING.get(job.state, texts.UNKNOWN_STATE), job)


def _described(reason: str) -> Reason | None:
    return next((said for pattern, said in _DESCRIBED if pattern.match(reason.strip("()"))), None)


def silence(snapshot: Snapshot | None) -> Text:
    """What is wrong with what is known of Slurm, and since when, as sentences; empty while nothing is."""
    if snapshot is None or snapshot.unavailable_since is None:
        return NOTHING
    what = texts.SLURM_HIDES_SESSIONS if snapshot.narrowed else texts.SLURM_SILENT
    return sentences(what(since=snapshot.unavailable_since), snapshot.problem)


def partition_of(job: Job) -> Text:
    """A job's partition within a sentence: "partition gpu"."""
    return texts.PARTITION(partition=job.partition) if job.partition else texts.THE_PARTITION()


def _of_job(reason: Reason, job: Job, **more: Any) -> Text:
    """A reason with those of a job's fields that it speaks of."""
    known: dict[str, Any] = {
        "job": job.job_id,
        "account": job.account or texts.UNKNOWN(),
        "qos": job.qos or texts.UNKNOWN(),
        "partition": partition_of(job),
        "node": job.node or texts.ITS_NODE(),
        "limit": texts.NO_LIMIT() if job.limit_s is None else job.limit_s,
        "state": job.state,
        "exit": job.exit_status,
        "signal": _signal(job),
    }
    return reason(**{name: more.get(name, known.get(name)) for name in reason.fields})


def _reserved(job: Job, snapshot: Snapshot | None) -> Text:
    """What a job says that waits for its reservation."""
    found = snapshot.reservation_of(job) if snapshot else None
    if snapshot is None or found is None or found.starts_at <= snapshot.now:
        return texts.WAITS_RESERVATION()
    return texts.WAITS_RESERVATION_UNTIL(reservation=found.name, begins=found.starts_at)


def kept_from(job: Job, snapshot: Snapshot | None) -> Reservation | None:
    """The maintenance that keeps a waiting job from its nodes: the next to begin or to end, of those that are known.

    :param snapshot: where the job is from. Slurm names no reservation in a job's reason; that it is one it does say.
    """
    if snapshot is None or "reserved" not in job.reason.lower() or job.reservation:
        return None
    nodes = {node.name for node in snapshot.nodes if job.partition in node.partitions}
    known = (
        one
        for one in snapshot.reservations
        if one.maintenance and one.ends_at > snapshot.now and (not nodes or nodes & set(node_names(one.nodes)))
    )
    return min(known, key=lambda one: one.starts_at, default=None)


def _maintained(kept: Reservation, snapshot: Snapshot) -> Text:
    if kept.starts_at > snapshot.now:
        fits = (kept.starts_at - snapshot.now) // _FIVE_MINUTES_S * _FIVE_MINUTES_S
        return texts.MAINTENANCE_FROM(reservation=kept.name, begins=kept.starts_at, fits=fits)
    return texts.MAINTENANCE_UNTIL(reservation=kept.name, ends=kept.ends_at)


def _waiting(job: Job, word: str) -> Text:
    """A sentence about Slurm's word for why a job waits."""
    if word in _WAITING:
        return _of_job(_WAITING[word], job)
    # those without a prefix (MaxGRESPerAccount) are a QOS's, too
    limit = re.fullmatch(r"(QOS|Assoc|)(Grp|Max|Min)(\w+?)(Limit)?", word)
    if not limit:
        return texts.UNKNOWN_REASON(reason=job.reason.strip("()"))
    kind, rest = limit[2], limit[3]
    counts = (item for item in _COUNTED if re.search(item[0], rest.split("Per")[0]))
    _, what, of_hours = next(counts, ("", rest, rest))
    said = {"what": _noun(what), "kind": _noun(of_hours), "scope": _scope(limit[1], job)}
    return _of_job(_limit_that_holds(kind, rest), job, **said)


def _limit_that_holds(kind: str, rest: str) -> Reason:
    """What a limit says to a job that waits for it.

    :param kind: Grp, Max or Min of the limit's name, ``rest`` what follows it.
    """
    if kind == "Min":
        return texts.BELOW_LEAST
    if re.search(r"Run(Minutes|Mins)", rest):
        return texts.MINUTES_IN_USE
    if re.search(r"Minutes|Mins", rest) and not rest.startswith("RunMin") and "RunMinutes" not in rest:
        return texts.HOURS_USED_UP if kind == "Grp" else texts.ABOVE_JOB_MINUTES
    if kind == "Grp":
        return texts.ALL_IN_USE
    if "PerAccount" in rest:
        return texts.ABOVE_ACCOUNTS
    if "PerUser" in rest or re.fullmatch(r"Jobs\w*", rest):
        return texts.ABOVE_USERS
    return texts.ABOVE_JOB


def _noun(word: Reason | str) -> Text | str:
    return word if isinstance(word, str) else word()


def _scope(word: str, job: Job) -> Text:
    if word != "Assoc":
        return texts.THE_QOS(qos=job.qos or texts.UNKNOWN())
    return limits.ACCOUNT(account=job.account or texts.UNKNOWN())


def _ending(job: Job, word: str) -> Text:
    if word in ("BadConstraints", "JobLaunchFailure") and job.state == "FAILED" and job.exit_status is None:
        if word == "BadConstraints":
            return texts.REFUSED_AFTER_ALL()
        by_signal = texts.ENDED_BY_THIS_SIGNAL_OR_NODE if job.exit_signal else texts.ENDED_BY_SIGNAL_OR_NODE
        return _of_job(by_signal, job)
    if job.state == "FAILED":
        exited = texts.FAILED_EXIT if job.exit_status else texts.FAILED
        return _of_job(texts.FAILED_SIGNAL if job.exit_signal else exited, job)
    if job.state == "TIMEOUT" and _before_its_limit(job):
        return _of_job(texts.ENDED_WITH_RESERVATION if job.reservation else texts.ENDED_WITH_BUDGET, job)
    return _of_job(_ENDED.get(job.state, texts.UNKNOWN_STATE), job)


def _before_its_limit(job: Job) -> bool:
    """Whether Slurm ended a job for its time, and that time was not over: with its reservation, or with a budget."""
    if job.started_at is None or job.ends_at is None or job.limit_s is None:
        return False
    return job.ends_at < job.started_at + job.limit_s - _MINUTE_S


def _signal(job: Job) -> str:
    """A signal's number, and its name where it has one: ``9, SIGKILL``."""
    names = {item.value: item.name for item in signal.Signals}
    found = job.exit_signal or 0
    return f"{found}, {names[found]}" if found in names else str(found)
