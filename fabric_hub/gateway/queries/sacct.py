"""sacct: how jobs ended, and the jobs of a time window, from Slurm's database. Arguments and answers as types. Pure.

A job's name is text of its owner's choice, so names are asked for apart from everything that is counted: a name that
reads like a record of sacct can at most mislabel its own owner's jobs (the reader checks account and user).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from fabric_hub.slurm.accounting import PastJob
from fabric_hub.slurm.limits.model import GPU
from fabric_hub.slurm.model import CLUSTER_JOB_NAME, JOB_NAME
from fabric_hub.slurm.notation import exit_of, time_of, whole_counts

from .parse import GarbledError, records

ENDED_FIELDS: Final = ["JobIDRaw", "State", "ExitCode", "End"]
CANCELLED_FIELDS: Final = ["JobIDRaw", "State"]
FIELDS: Final = ["JobIDRaw", "User", "Account", "Partition", "QOS", "State", "Start", "End", "AllocTRES"]
NAME_FIELDS: Final = ["JobIDRaw", "JobName"]


def argv(fields: list[str], numbers: Sequence[int]) -> list[str]:
    """The arguments that ask for these fields of jobs, by their numbers."""
    which = f"--jobs={','.join(str(number) for number in numbers)}"
    return ["--noheader", "--parsable2", "--allocations", f"--format={','.join(fields)}", which]


def window_argv(start: float, end: float, whose: str) -> list[str]:
    """The arguments, without the form of the answer, that ask for the jobs between two moments (Unix seconds).

    :param whose: the option that chooses among them: ``--accounts=...`` or ``--qos=...``.
    """
    # sacct takes local time without a zone: an hour more on both sides, for the one that a change of clocks repeats
    begin, after = (datetime.fromtimestamp(at).astimezone() for at in (start - 3600, end + 3600))
    window = [f"--starttime={begin:%Y-%m-%dT%H:%M:%S}", f"--endtime={after:%Y-%m-%dT%H:%M:%S}"]
    return ["--noheader", "--allusers", whose, "--allocations", "--duplicates", *window]


def counts_form() -> list[str]:
    """The arguments that ask for :data:`FIELDS`."""
    return [f"--format={','.join(FIELDS)}", "--parsable2"]


def names_form(mark: str) -> list[str]:
    """The arguments that ask for :data:`NAME_FIELDS`, each ended with the mark."""
    return [f"--format={','.join(NAME_FIELDS)}", "--parsable", f"--delimiter=|{mark}"]


def ended(text: str) -> dict[int, tuple[str, int | None, int | None, float | None]]:
    """sacct's answer to :data:`ENDED_FIELDS`: job id -> (state, exit status, signal, end)."""
    found = {}
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) == len(ENDED_FIELDS) and fields[0].isdigit() and fields[1]:
            number, state, code, end = fields
            found[int(number)] = (state.split()[0], *exit_of(code), time_of(end))
    return found


def cancelled_by(text: str, number: int) -> int | None:
    """The uid in sacct's answer to :data:`CANCELLED_FIELDS`, of a job that is ``CANCELLED by UID``."""
    found = re.search(rf"^{number}\|CANCELLED by (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else None


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
        counts = whole_counts(tres)
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
                gpus=counts.get(GPU, 0),
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
