"""What ``scontrol show assoc_mgr``, ``show partition`` and ``sacctmgr show`` say of limits, as types. Pure.

Nothing in these answers is text of a user's choice: accounts, users, QOS and partitions are named by operators.
Fields are looked up by name and the first of a name counts, so that a release may add fields, or leave some out:
22.05 has ``Lft=`` where 23.11 has ``Lineage=``, and names users in a QOS by uid where others write ``name(uid)``.
"""

from __future__ import annotations

import re

from fabric_hub.slurm.limits.model import Association, Enforcement, Limit, Limits, PartitionLimits, Qos, Share
from fabric_hub.types import slurm_key

from .parse import GarbledError, duration_s, fields_of

ASSOC_FIELDS = "account,user,partition,qos,defaultqos"
QOS_FIELDS = "name,usagefactor,maxtrespu,maxjobspu,maxsubmitpu,maxtrespa,maxjobspa,maxsubmitpa,flags"
CONFIG_WORD = "AccountingStorageEnforce"
YEAR_S = 365 * 86400.0

# The TRES that a job of ours can ask for; others (energy, pages ...) are nobody's limit here.
_TRES = re.compile(r"cpu|mem|node|billing|gres/[^,=\s]+")
_PAIR = re.compile(r"(N|\d+)\((\d+)(?:\.\d+)?\)")
_SHARE = re.compile(r"(\S+?)=\{([^{}]*)\}")
_ALL = frozenset({"", "ALL", "N/A", "(null)", "NONE"})
_SCALE = {"": 1, "K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}


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
            user, uid = _named(fields.get("UserName", ""))
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
        parent=account if user else _named(fields.get("ParentAccount", ""))[0],
        grp_tres_mins=_tres_pairs(fields.get("GrpTRESMins", "")),
        grp_tres_run_mins=_tres_pairs(fields.get("GrpTRESRunMins", "")),
        grp_tres=_tres_pairs(fields.get("GrpTRES", "")),
        grp_jobs=_pair(fields.get("GrpJobs", "")),
        grp_submit=_pair(fields.get("GrpSubmitJobs", "")),
        max_jobs=_pair(fields.get("MaxJobs", "")),
        max_submit=_pair(fields.get("MaxSubmitJobs", "")),
        max_wall_s=_minutes(fields.get("MaxWallPJ", "")),
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
        plain, uid = _named(name)
        per_user[plain if uid else names.get(name, name)] = share
    return Qos(
        name=_named(fields["QOS"])[0],
        grp_tres_mins=_tres_pairs(fields.get("GrpTRESMins", "")),
        grp_tres_run_mins=_tres_pairs(fields.get("GrpTRESRunMins", "")),
        grp_tres=_tres_pairs(fields.get("GrpTRES", "")),
        grp_jobs=_pair(fields.get("GrpJobs", "")),
        grp_submit=_pair(fields.get("GrpSubmitJobs", "")),
        max_wall_s=_minutes(fields.get("MaxWallPJ", "")),
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
        qos = fields.get("QoS", "")
        found.append(
            PartitionLimits(
                name=fields["PartitionName"],
                default=fields.get("Default") == "YES",
                state=fields.get("State", "UP"),
                qos="" if qos in _ALL else qos,
                max_time_s=duration_s(fields.get("MaxTime", "")),
                max_nodes=_number(fields.get("MaxNodes", "")),
                max_cpus_per_node=_number(fields.get("MaxCPUsPerNode", "")),
                allow_accounts=_names(fields.get("AllowAccounts", "")),
                deny_accounts=_names(fields.get("DenyAccounts", "")),
                allow_qos=_names(fields.get("AllowQos", "")),
                deny_qos=_names(fields.get("DenyQos", "")),
            )
        )
    return tuple(found)


def with_rights(limits: Limits, text: str) -> Limits:
    """Limits with the QOS of each association, from ``sacctmgr -nP show assoc format=``:data:`ASSOC_FIELDS`."""
    rights: dict[tuple[str, str, str], tuple[tuple[str, ...], str]] = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) == 5:
            account, user, partition, qos, default = parts
            known_as = slurm_key(account), user, partition
            rights[known_as] = tuple(map(slurm_key, _names(qos))), slurm_key(default)
    made = []
    for known in limits.associations:
        qos_names, default = rights.get((known.account, known.user, known.partition), ((), ""))
        made.append(known.model_copy(update={"qos": qos_names, "default_qos": default}))
    return limits.model_copy(update={"associations": tuple(made)})


def with_qos_rules(limits: Limits, text: str) -> Limits:
    """Limits with what a QOS gives each user and account, from ``sacctmgr -nP show qos format=``:data:`QOS_FIELDS`."""
    rules = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) == 9:
            rules[slurm_key(parts[0])] = {
                "usage_factor": float(parts[1]) if re.fullmatch(r"\d+(\.\d+)?", parts[1]) else 1.0,
                "max_tres_per_user": tres_counts(parts[2]),
                "max_jobs_per_user": _number(parts[3]),
                "max_submit_per_user": _number(parts[4]),
                "max_tres_per_account": tres_counts(parts[5]),
                "max_jobs_per_account": _number(parts[6]),
                "max_submit_per_account": _number(parts[7]),
                "flags": _names(parts[8]),
            }
    made = tuple(known.model_copy(update=rules.get(known.name, {})) for known in limits.qos)
    return limits.model_copy(update={"qos": made})


def enforcement(text: str) -> Enforcement:
    """What Slurm enforces, from ``scontrol show config``."""
    line = re.search(rf"^{CONFIG_WORD}\s*=\s*(.*)$", text, re.MULTILINE)
    words = {word.strip().lower() for word in line[1].split(",")} if line else {"limits", "qos"}
    return Enforcement(
        limits=bool(words & {"limits", "safe", "all"}),
        safe=bool(words & {"safe", "all"}),
        qos=bool(words & {"qos", "all"}),
    )


def over_run_s(text: str) -> float:
    """How long a job may go on after its reservation, from ``scontrol show config``; 0.0 where it says nothing.

    Slurm takes UNLIMITED for a year.
    """
    told = re.search(r"^ResvOverRun\s*=\s*(?:(\d+) min|(UNLIMITED))\s*$", text, re.MULTILINE)
    if told is None:
        return 0.0
    return float(told[1]) * 60 if told[1] else YEAR_S


def tres_counts(text: str) -> dict[str, int]:
    """``cpu=8,mem=16G,gres/gpu=2`` as numbers, memory in MiB."""
    found = {}
    for item in text.split(","):
        name, _, count = item.partition("=")
        scaled = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", count)
        if _TRES.fullmatch(name) and scaled:
            factor = _SCALE[scaled[2]] if name == "mem" else 1
            found[name] = int(float(scaled[1]) * factor)
    return found


def _tres_pairs(text: str) -> dict[str, Limit]:
    """``cpu=N(2),gres/gpu=3(2)``; what has neither a limit nor a use is left out."""
    found = {}
    for item in text.split(","):
        name, _, value = item.partition("=")
        pair = _pair(value)
        if _TRES.fullmatch(name) and pair != Limit():
            found[name] = pair
    return found


def _pair(text: str) -> Limit:
    match = _PAIR.fullmatch(text)
    if not match:
        return Limit()
    return Limit(limit=None if match[1] == "N" else int(match[1]), used=int(match[2]))


def _named(text: str) -> tuple[str, str]:
    """(name, number) of ``name(number)``."""
    match = re.fullmatch(r"(.*)\((\d+)\)", text)
    return (match[1], match[2]) if match else (text, "")


def _names(text: str) -> tuple[str, ...]:
    return () if text in _ALL else tuple(name for name in text.split(",") if name)


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _minutes(text: str) -> int | None:
    return int(text) * 60 if text.isdigit() else duration_s(text)
