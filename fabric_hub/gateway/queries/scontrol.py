"""scontrol: one job to its owner, reservations, partitions, limits and configuration. Arguments and answers. Pure.

Nothing in the answers about limits and partitions is text of a user's choice: accounts, users, QOS and partitions are
named by operators. Fields are looked up by name and the first of a name counts, so that a release may add fields, or
leave some out: 22.05 has ``Lft=`` where 23.11 has ``Lineage=``, and names users in a QOS by uid where others write
``name(uid)``.

Of a job that its owner asks for by its number Slurm hides nothing from them. They may have given it another name, and
what follows a name is what they like: so the answer counts only when it begins with number, name and owner as the
caller knows them.
"""

from __future__ import annotations

import re
from typing import Any, Final

from fabric_hub.slurm.limits.billing import weights
from fabric_hub.slurm.limits.model import Association, Enforcement, Limit, PartitionLimits, Qos, Share
from fabric_hub.slurm.model import Job, Reservation
from fabric_hub.slurm.notation import (
    duration_s,
    exit_of,
    fields_of,
    hostnames,
    is_ours,
    named,
    names_of,
    number_of,
    text_of,
    time_of,
    tres_counts,
)

from .parse import GarbledError

RESERVATIONS: Final = ("--oneliner", "show", "reservation")
LIMITS: Final = ("--oneliner", "show", "assoc_mgr", "flags=assoc,qos")
PARTITIONS: Final = ("--oneliner", "--all", "show", "partition")
CONFIGURATION: Final = ("show", "config")

CONFIG_WORD = "AccountingStorageEnforce"
YEAR_S = 365 * 86400.0

_NAME_LIMIT = 200
_NO_SUCH_JOB = re.compile(r"Invalid job id", re.IGNORECASE)
# What Slurm writes first, in this order; the name and a comment further on are text of an administrator's choice.
_RESERVATION = re.compile(
    r"ReservationName=(?P<name>.+?) StartTime=(?P<starts>\d+) EndTime=(?P<ends>\d+) Duration=\S+ Nodes=(?P<nodes>\S*)"
    r"(?: NodeCnt=\d+ CoreCnt=\d+ Features=.*? PartitionName=.*? Flags=(?P<flags>\S*))?"
)
_CORES = re.compile(r" NodeName=(\S+) CoreIDs=(\S+)")
_TRES = re.compile(r" TRES=(\S+) Users=")
_PAIR = re.compile(r"(N|\d+)\((\d+)(?:\.\d+)?\)")
_SHARE = re.compile(r"(\S+?)=\{([^{}]*)\}")


# -- one job


class AnotherJobError(Exception):
    """The number is that of another job by now, or was never the wanted one's."""


def job_argv(number: int) -> list[str]:
    """The arguments that ask for one job by its number."""
    return ["--oneliner", "show", "job", str(number)]


def is_no_such_job(words: str) -> bool:
    """Whether these words of scontrol's say that there is no job of that number."""
    return _NO_SUCH_JOB.search(words) is not None


def job(text: str, wanted: Job) -> Job:
    """The job of ``scontrol --oneliner show job N``, with times as Unix seconds.

    :param wanted: number, name and owner of the job that was asked for.
    :raises AnotherJobError: the job of that number has another name or owner.
    """
    begin = rf"JobId={wanted.job_id} JobName={re.escape(wanted.name)} UserId={re.escape(wanted.user)}\(\d+\) "
    for line in text.splitlines():
        if not (found := re.match(begin, line)):
            continue
        fields = fields_of(line[found.end() :])
        state = fields.get("JobState", "")
        status, signal = exit_of(fields.get("ExitCode", "")) if state not in ("PENDING", "RUNNING") else (None, None)
        return Job(
            job_id=wanted.job_id,
            name=wanted.name,
            user=wanted.user,
            account=text_of(fields.get("Account", "")),
            partition=text_of(fields.get("Partition", "")),
            qos=text_of(fields.get("QOS", "")),
            reservation=text_of(fields.get("Reservation", "")),
            state=state,
            reason=text_of(fields.get("Reason", "")),
            node=text_of(fields.get("BatchHost", "")),
            submitted_at=time_of(fields.get("SubmitTime", "")),
            started_at=time_of(fields.get("StartTime", "")),
            ends_at=time_of(fields.get("EndTime", "")),
            limit_s=duration_s(fields.get("TimeLimit", "")),
            exit_status=status,
            exit_signal=signal,
            tres=text_of(fields.get("AllocTRES") or fields.get("TRES", "")),  # its later name, and that of 22.05
        )
    raise AnotherJobError(f"job {wanted.job_id} is not {wanted.name} of {wanted.user}")


def time_limit_argv(number: int, minutes: int) -> list[str]:
    """The arguments that give one job a time limit of so many minutes, from its start."""
    return ["update", f"JobId={number}", f"TimeLimit={minutes}"]


# -- reservations and partitions


def reservations(text: str) -> tuple[Reservation, ...]:
    """``scontrol --oneliner show reservation`` with times as Unix seconds.

    :raises GarbledError: a reservation without its name, times and nodes.
    """
    found = []
    for line in text.split("\n"):
        if not line.startswith("ReservationName="):
            continue
        told = _RESERVATION.match(line)
        if told is None:
            raise GarbledError(f"a reservation reads {line[:_NAME_LIMIT]!r}")
        flags = (told["flags"] or "").split(",")
        found.append(
            Reservation(
                name=told["name"][:_NAME_LIMIT],
                starts_at=float(told["starts"]),
                ends_at=float(told["ends"]),
                nodes=told["nodes"],
                flexible="FLEX" in flags,
                maintenance="MAINT" in flags,
                **_extent(line[told.end() :]),
            )
        )
    return tuple(found)


def _extent(rest: str) -> dict[str, Any]:
    """How much of its nodes a reservation has: CPUs, GPUs, and CPUs by node where Slurm lists its cores.

    :param rest: the line behind the flags.
    """
    tres = _TRES.search(rest)
    counts = tres_counts(tres[1]) if tres else {}
    cores = {name: len(hostnames(f"[{ids}]")) for name, ids in _CORES.findall(rest)}
    cpus = counts.get("cpu", 0)
    threads = max(1, cpus // max(1, sum(cores.values())))
    parts = tuple((name, count * threads) for name, count in cores.items())
    return {"cpus": cpus, "gpus": counts.get("gres/gpu", 0), "parts": parts}


def partitions(text: str) -> tuple[PartitionLimits, ...]:
    """The answer to ``scontrol -o show partition``.

    :raises GarbledError: it is not such an answer.
    """
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("No partitions"):
            continue
        fields = fields_of(line)
        if "PartitionName" not in fields:
            raise GarbledError("the answer names no partition")
        found.append(
            PartitionLimits(
                name=fields["PartitionName"],
                default=fields.get("Default") == "YES",
                state=fields.get("State", "UP"),
                qos=text_of(fields.get("QoS", "")),
                max_time_s=duration_s(fields.get("MaxTime", "")),
                max_nodes=number_of(fields.get("MaxNodes", "")),
                max_cpus_per_node=number_of(fields.get("MaxCPUsPerNode", "")),
                allow_accounts=names_of(fields.get("AllowAccounts", "")),
                deny_accounts=names_of(fields.get("DenyAccounts", "")),
                allow_qos=names_of(fields.get("AllowQos", "")),
                deny_qos=names_of(fields.get("DenyQos", "")),
                billing_weights=weights(fields.get("TRESBillingWeights", "")),
            )
        )
    return tuple(found)


def partition_argv(name: str) -> list[str]:
    """The arguments that ask for one partition."""
    return ["--oneliner", "show", "partition", name]


def partition_minutes(text: str) -> int | None:
    """The longest time of a job, in whole minutes, in the answer to :func:`partition_argv`; None: no limit."""
    longest_s = duration_s(fields_of(text).get("MaxTime", ""))
    return None if longest_s is None else longest_s // 60


def hostnames_argv(nodes: str) -> list[str]:
    """The arguments that write nodes out which Slurm abbreviates; the client does that alone, without slurmctld."""
    return ["show", "hostnames", nodes]


# -- limits


def associations(text: str) -> tuple[tuple[Association, ...], tuple[Qos, ...]]:
    """The answer to ``scontrol -o show assoc_mgr flags=assoc,qos``.

    :raises GarbledError: it is not such an answer, or its end is missing.
    """
    found, services = [], []
    names: dict[str, str] = {}  # uid -> Unix account
    for records, none in (("Association Records", "No associations"), ("QOS Records", "No QOS")):
        if records not in text and none not in text:  # a Slurm without accounting has none
            raise GarbledError(f"the answer has no {records}")
    if not text.endswith("\n"):
        raise GarbledError("the answer stops in the middle of a record")
    for line in text.splitlines():
        if line.startswith("ClusterName="):
            fields = fields_of(line)
            user, uid = named(fields.get("UserName", ""))
            names[uid] = user
            found.append(_association(fields, user))
        elif line.startswith("QOS="):
            services.append(line)
    return tuple(found), tuple(_qos(line, names) for line in services)


def _association(fields: dict[str, str], user: str) -> Association:
    account = fields.get("Account", "")
    return Association(
        account=account,
        user=user,
        partition=fields.get("Partition", ""),
        parent=account if user else named(fields.get("ParentAccount", ""))[0],
        grp_tres_mins=_tres_pairs(fields.get("GrpTRESMins", "")),
        grp_tres_run_mins=_tres_pairs(fields.get("GrpTRESRunMins", "")),
        grp_tres=_tres_pairs(fields.get("GrpTRES", "")),
        grp_jobs=_pair(fields.get("GrpJobs", "")),
        grp_submit=_pair(fields.get("GrpSubmitJobs", "")),
        max_jobs=_pair(fields.get("MaxJobs", "")),
        max_submit=_pair(fields.get("MaxSubmitJobs", "")),
        max_wall_s=duration_s(fields.get("MaxWallPJ", "")),
        max_tres_per_job=tres_counts(fields.get("MaxTRESPJ", "")),
        max_tres_mins_per_job=tres_counts(fields.get("MaxTRESMinsPJ", "")),
    )


def _qos(line: str, names: dict[str, str]) -> Qos:
    # the shares of accounts and users come last, each part with fields of its own
    own, _, shares = line.partition("Account Limits=")
    of_accounts, _, of_users = shares.partition("User Limits=")
    fields = fields_of(own)
    per_user = {}
    for name, share in _shares(of_users, "PU").items():
        plain, uid = named(name)
        per_user[plain if uid else names.get(name, name)] = share
    return Qos(
        name=named(fields["QOS"])[0],
        grp_tres_mins=_tres_pairs(fields.get("GrpTRESMins", "")),
        grp_tres_run_mins=_tres_pairs(fields.get("GrpTRESRunMins", "")),
        grp_tres=_tres_pairs(fields.get("GrpTRES", "")),
        grp_jobs=_pair(fields.get("GrpJobs", "")),
        grp_submit=_pair(fields.get("GrpSubmitJobs", "")),
        max_wall_s=duration_s(fields.get("MaxWallPJ", "")),
        max_tres_per_job=tres_counts(fields.get("MaxTRESPJ", "")),
        max_tres_mins_per_job=tres_counts(fields.get("MaxTRESMinsPJ", "")),
        min_tres_per_job=tres_counts(fields.get("MinTRESPJ", "")),
        per_user=per_user,
        per_account=_shares(of_accounts, "PA"),
    )


def _shares(text: str, suffix: str) -> dict[str, Share]:
    found = {}
    for name, inner in _SHARE.findall(text):
        fields = fields_of(inner)
        found[name] = Share(
            tres=_tres_pairs(fields.get(f"MaxTRES{suffix}", "")),
            jobs=_pair(fields.get(f"MaxJobs{suffix}", "")),
            submit=_pair(fields.get(f"MaxSubmitJobs{suffix}", "")),
        )
    return found


def _tres_pairs(text: str) -> dict[str, Limit]:
    """``cpu=N(2),gres/gpu=3(2)``; what has neither a limit nor a use is left out."""
    found = {}
    for item in text.split(","):
        name, _, value = item.partition("=")
        pair = _pair(value)
        if is_ours(name) and pair != Limit():
            found[name] = pair
    return found


def _pair(text: str) -> Limit:
    match = _PAIR.fullmatch(text)
    if not match:
        return Limit()
    return Limit(limit=None if match[1] == "N" else int(match[1]), used=int(match[2]))


# -- configuration


def enforcement(text: str) -> Enforcement:
    """What Slurm enforces, from ``scontrol show config``."""
    line = re.search(rf"^{CONFIG_WORD}\s*=\s*(.*)$", text, re.MULTILINE)
    words = {word.strip().lower() for word in line[1].split(",")} if line else {"limits", "qos"}
    flags = re.search(r"^PriorityFlags\s*=\s*(.*)$", text, re.MULTILINE)
    named_flags = {word.strip().upper() for word in flags[1].split(",")} if flags else set()
    return Enforcement(
        limits=bool(words & {"limits", "safe", "all"}),
        safe=bool(words & {"safe", "all"}),
        qos=bool(words & {"qos", "all"}),
        billing="max_gres" if "MAX_TRES_GRES" in named_flags else "max" if "MAX_TRES" in named_flags else "sum",
    )


def over_run_s(text: str) -> float:
    """How long a job may go on after its reservation, from ``scontrol show config``; 0.0 where it says nothing.

    Slurm takes UNLIMITED for a year.
    """
    told = re.search(r"^ResvOverRun\s*=\s*(?:(\d+) min|(UNLIMITED))\s*$", text, re.MULTILINE)
    if told is None:
        return 0.0
    return float(told[1]) * 60 if told[1] else YEAR_S
