"""How sacct tells of the jobs of a time window, as types. Pure.

A job's name is text of its owner's choice, so names are asked for apart from everything that is counted: a name that
reads like a record of sacct can at most mislabel its own owner's jobs (the reader checks account and user).
"""

from __future__ import annotations

import re
from typing import Final

from fabric_hub.slurm.accounting import PastJob
from fabric_hub.slurm.limits.model import GPU
from fabric_hub.slurm.model import CLUSTER_JOB_NAME, JOB_NAME

from .parse import GarbledError, records

FIELDS: Final = ["JobIDRaw", "User", "Account", "Partition", "QOS", "State", "Start", "End", "AllocTRES"]
NAME_FIELDS: Final = ["JobIDRaw", "JobName"]


def jobs(text: str, names: dict[int, str]) -> tuple[PastJob, ...]:
    """sacct's answer to :data:`FIELDS` (``--parsable2``, times as Unix seconds): jobs that have started.

    A job that was requeued comes once for every time it ran.

    :raises GarbledError: a line is not of the asked form.
    """
    found = []
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) != len(FIELDS) or not fields[0].isdigit():
            raise GarbledError(f"a line has {len(fields)} fields of {len(FIELDS)}")
        number, user, account, partition, qos, state, start, end, tres = fields
        if not start.isdigit() or not int(start):
            continue
        counts = {name: int(count) for name, count in re.findall(r"(?:^|,)([^=,]+)=(\d+)(?=,|$)", tres)}
        typed = sum(count for name, count in counts.items() if name.startswith(f"{GPU}:"))
        found.append(
            PastJob(
                job_id=int(number),
                user=user,
                account=account,
                partition=partition,
                qos=qos,
                state=state.split()[0] if state else "",
                started_at=float(start),
                ended_at=float(end) if end.isdigit() and int(end) else None,
                gpus=counts.get(GPU, typed),
                cpus=counts.get("cpu", 0),
                name=names.get(int(number), ""),
            )
        )
    return tuple(found)


def names(text: str, mark: str) -> dict[int, str]:
    """The names of our jobs in sacct's answer to :data:`NAME_FIELDS`, each field ended with ``|MARK``.

    :raises GarbledError: the answer stops in the middle.
    """
    found: dict[int, str] = {}
    for number, name in records(text, mark, len(NAME_FIELDS)):
        if number.isdigit() and (JOB_NAME.fullmatch(name) or CLUSTER_JOB_NAME.fullmatch(name)):
            found[int(number)] = name
    return found
