"""sacctmgr show: who may use which QOS, and what a QOS gives each user and account. Arguments and answers. Pure.

Slurm's database says this, and slurmctld does not; it seldom changes. All names in it are the operators'.
"""

from __future__ import annotations

import re
from typing import Final

from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.notation import names_of, number_of, tres_counts
from fabric_hub.types import slurm_key

ASSOC_FIELDS: Final = "account,user,partition,qos,defaultqos"
QOS_FIELDS: Final = "name,usagefactor,maxtrespu,maxjobspu,maxsubmitpu,maxtrespa,maxjobspa,maxsubmitpa,flags"
_SHOW: Final = ("--noheader", "--parsable2", "--readonly", "show")
RIGHTS: Final = (*_SHOW, "assoc", f"format={ASSOC_FIELDS}")
QOS: Final = (*_SHOW, "qos", f"format={QOS_FIELDS}")


def with_rights(limits: Limits, text: str) -> Limits:
    """Limits with the QOS of each association, from the answer to :data:`RIGHTS`."""
    rights: dict[tuple[str, str, str], tuple[tuple[str, ...], str]] = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) == 5:
            account, user, partition, qos, default = parts
            known_as = slurm_key(account), user, partition
            rights[known_as] = tuple(map(slurm_key, names_of(qos))), slurm_key(default)
    made = []
    for known in limits.associations:
        qos_names, default = rights.get((known.account, known.user, known.partition), ((), ""))
        made.append(known.model_copy(update={"qos": qos_names, "default_qos": default}))
    return limits.model_copy(update={"associations": tuple(made)})


def with_qos_rules(limits: Limits, text: str) -> Limits:
    """Limits with what a QOS gives each user and account, from the answer to :data:`QOS`."""
    rules = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) == 9:
            rules[slurm_key(parts[0])] = {
                "usage_factor": float(parts[1]) if re.fullmatch(r"\d+(\.\d+)?", parts[1]) else 1.0,
                "max_tres_per_user": tres_counts(parts[2]),
                "max_jobs_per_user": number_of(parts[3]),
                "max_submit_per_user": number_of(parts[4]),
                "max_tres_per_account": tres_counts(parts[5]),
                "max_jobs_per_account": number_of(parts[6]),
                "max_submit_per_account": number_of(parts[7]),
                "flags": names_of(parts[8]),
            }
    made = tuple(known.model_copy(update=rules.get(known.name, {})) for known in limits.qos)
    return limits.model_copy(update={"qos": made})
