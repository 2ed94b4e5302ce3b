"""sacctmgr and scontrol: which accounts there are with whom, what budgets rest on, and what changes them. Pure.

Every name in an argument stands behind a keyword of its own (``names=``), and types let through neither commas nor
equal signs nor spaces: no name becomes a second argument, or a word of sacctmgr's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from fabric_hub.slurm.associations import (
    NO_LIMIT,
    AccountingRules,
    AccountTree,
    AddAccount,
    AddUser,
    Close,
    Reopen,
    SetBudget,
    SlurmAccount,
    Step,
)
from fabric_hub.slurm.limits.model import GPU
from fabric_hub.slurm.notation import number_of, tres_counts
from fabric_hub.types import slurm_key

from .parse import GarbledError

FIELDS: Final = "account,user,partition,parentname,grptresmins,grpsubmit,maxsubmit"
_SHOW: Final = ("--noheader", "--parsable2", "--readonly", "show")
# -i: no question is asked; -Q: nothing is said of what was done
_CHANGE: Final = ("--immediate", "--quiet")
_ROOT: Final = "root"
# People of one change: an argument may be 128 KiB long, a name 64 bytes.
_PEOPLE_AT_ONCE: Final = 200
_UNCHANGED: Final = re.compile(r"Nothing (?:new added|modified|added)|[Aa]lready existing|already exists?\b")
_DENIED: Final = re.compile(
    r"denied|doesn't have permission|does not have the ability|Only admins|[Nn]ot a coordinator"
)


def tree_argv(cluster: str) -> list[str]:
    """The arguments that ask for all associations of a cluster."""
    return [*_SHOW, "assoc", f"cluster={cluster}", f"format={FIELDS}"]


def tree(text: str) -> AccountTree:
    """The answer to :func:`tree_argv`.

    :raises GarbledError: it is not such an answer, or not whole: root's account is in each.
    """
    accounts: dict[str, dict[str, Any]] = {}
    people: dict[str, dict[str, int]] = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) != 7:
            raise GarbledError(f"an association reads {line[:200]!r}")
        account, user, _partition, parent, minutes, group, most = parts
        account = slurm_key(account)
        if user:
            mine = people.setdefault(account, {})
            mine[user] = _larger(mine[user], _limit(most)) if user in mine else _limit(most)
        else:
            gpus = tres_counts(minutes).get(GPU)
            accounts[account] = {
                "parent": slurm_key(parent),
                "gpu_minutes": NO_LIMIT if gpus is None else gpus,
                "submit": _limit(group),
            }
    if _ROOT not in accounts or not text.endswith("\n") or people.keys() - accounts.keys():
        raise GarbledError("the answer does not have all associations")
    return AccountTree(
        accounts={name: SlurmAccount(**known, users=people.get(name, {})) for name, known in accounts.items()}
    )


def _limit(text: str) -> int:
    found = number_of(text)
    return NO_LIMIT if found is None else found


def _larger(one: int, other: int) -> int:
    return NO_LIMIT if NO_LIMIT in (one, other) else max(one, other)


def accounting_rules(config: str) -> AccountingRules:
    """What budgets rest on, from ``scontrol show config``.

    :raises GarbledError: it names no cluster.
    """
    said = dict(re.findall(r"^(\w+)\s*=\s*(.*?)\s*$", config, re.MULTILINE))
    cluster = said.get("ClusterName", "")
    if not cluster:
        raise GarbledError("the configuration names no cluster")
    half_life, period = said.get("PriorityDecayHalfLife", ""), said.get("PriorityUsageResetPeriod", "")
    # priority/basic keeps no use that could be forgotten; scontrol shows neither word then
    return AccountingRules(
        cluster=cluster,
        decays=half_life if re.search(r"[1-9]", half_life) else "",
        resets="" if period.upper() in ("", "NONE") else period,
        enforced=frozenset(
            word.strip().lower() for word in said.get("AccountingStorageEnforce", "").split(",") if word.strip()
        ),
    )


class Change(NamedTuple):
    """A call of sacctmgr, and the steps that it takes."""

    argv: list[str]
    steps: tuple[Step, ...]


def changes(steps: Sequence[Step], cluster: str) -> list[Change]:
    """The calls that take these steps, in their order; people who are added to one account go together."""
    made: list[Change] = []
    for (kind, _account), same in groupby(steps, key=lambda step: (step.do, step.account)):
        some = tuple(same)
        at_once = _PEOPLE_AT_ONCE if kind == "add-user" else 1
        made += [
            Change([*_CHANGE, *_words(some[first : first + at_once], cluster)], some[first : first + at_once])
            for first in range(0, len(some), at_once)
        ]
    return made


def _words(steps: Sequence[Step], cluster: str) -> list[str]:
    where, step = f"cluster={cluster}", steps[0]
    match step:
        case AddAccount():
            about = ["description=project", "organization=fabric-hub"]
            return ["add", "account", f"names={step.account}", f"parent={step.parent}", where, *about]
        case AddUser():
            names = ",".join(one.user for one in steps if isinstance(one, AddUser))
            return ["add", "user", f"names={names}", f"accounts={step.account}", where]
        case SetBudget():
            return _of_account(step.account, where, f"GrpTRESMins={GPU}={step.minutes}")
        case Close() | Reopen():
            limit = step.limit if isinstance(step, Reopen) else 0
            if not step.user:
                return _of_account(step.account, where, f"GrpSubmitJobs={limit}")
            whom = [f"names={step.user}", f"accounts={step.account}"]
            return ["modify", "user", "where", *whom, where, "set", f"MaxSubmitJobs={limit}"]


def _of_account(account: str, where: str, limit: str) -> list[str]:
    return ["modify", "account", "where", f"names={account}", where, "set", limit]


def is_unchanged(words: str) -> bool:
    """Whether sacctmgr's refusal says that all was so already."""
    return _UNCHANGED.search(words) is not None


def is_denied(words: str) -> bool:
    """Whether sacctmgr's refusal says that this account may not do that."""
    return _DENIED.search(words) is not None
