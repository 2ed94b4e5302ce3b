"""squeue: all jobs that Slurm remembers, or those of one account. Its arguments, and what it says, as types. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from fabric_hub.slurm.model import Job, Phase, phase_of
from fabric_hub.slurm.notation import duration_s, exit_of, text_of, time_of

from .parse import GarbledError, field_list, records

# The clients' names of the fields; all are in Slurm 22.05 and in every later release. The name comes last.
JOB_FIELDS: Final = [
    "JobID", "UserName", "Account", "Partition", "QOS", "State", "Reason", "BatchHost", "SubmitTime", "StartTime",
    "EndTime", "TimeLimit", "exit_code", "tres-alloc", "JobArrayID", "Reservation",
    "Name",
]  # fmt: skip
DETAIL_FIELDS: Final = ["JobID", "UserName", "State", "NodeList", "Comment", "Name"]

_NAME_LIMIT = 200


@dataclass(frozen=True)
class JobDetail:
    """What is asked of few jobs only: every node (as Slurm abbreviates them), and the comment, its owner's text."""

    job_id: int
    name: str
    user: str
    state: str
    nodes: str
    comment: str

    @property
    def phase(self) -> Phase:
        return phase_of(self.state)


def argv(account: str = "", name: str = "") -> list[str]:
    """The arguments; the fields are asked for in the environment (:func:`environment`).

    :param account: the Unix account whose jobs are wanted; "": everybody's.
    :param name: that the wanted jobs have; "": any.
    """
    which = [f"--user={account}"] if account else []
    which += [f"--name={name}"] if name else []
    return ["--noheader", "--all", "--local", "--states=all", *which]


def environment(fields: list[str], mark: str) -> dict[str, str]:
    """What asks for these fields, each ended with the mark: other users cannot read an environment in /proc."""
    # squeue cuts the tasks of an array at 64 characters; this holds some thousand of them apart
    return {"SQUEUE_FORMAT2": field_list(fields, mark), "SLURM_BITSTR_LEN": "16384"}


def jobs(text: str, mark: str) -> tuple[Job, ...]:
    """The jobs in squeue's answer to :data:`JOB_FIELDS`, by job id.

    squeue writes the jobs of a partition in the order of their priority, highest first, where it is not told to sort
    otherwise: so each that waits is known to have so many before it (``rank``).

    :raises GarbledError: see :func:`records`; or a job without a number.
    """
    found: dict[int, Job] = {}
    waiting: Counter[str] = Counter()
    for record in records(text, mark, len(JOB_FIELDS)):
        number, user, account, partition, qos, state, reason, host, submit, start, end, limit, code, tres = record[:14]
        array, reservation, name = record[14:]
        array_id, tasks = array_of(array)
        if not number.isdigit():
            raise GarbledError(f"a job's number reads {number!r}")
        rank = None
        if state == "PENDING":
            rank = waiting[partition]
            waiting[partition] += 1
        status, signal = exit_of(code) if state not in ("PENDING", "RUNNING") else (None, None)
        found[int(number)] = Job(
            job_id=int(number),
            array_id=array_id,
            array_tasks=tasks,
            name=name[:_NAME_LIMIT],
            user=user,
            account=text_of(account),
            partition=text_of(partition),
            qos=text_of(qos),
            reservation=text_of(reservation)[:_NAME_LIMIT],
            state=state,
            reason=text_of(reason),
            node=text_of(host),
            submitted_at=time_of(submit),
            started_at=time_of(start),
            ends_at=time_of(end),
            limit_s=duration_s(limit),
            exit_status=status,
            exit_signal=signal,
            tres=text_of(tres),
            rank=rank,
        )
    return tuple(found[number] for number in sorted(found))


def details(text: str, mark: str) -> tuple[JobDetail, ...]:
    """The jobs in squeue's answer to :data:`DETAIL_FIELDS`, oldest first.

    :raises GarbledError: see :func:`records`; or a job without a number.
    """
    found = []
    for number, user, state, nodes, comment, name in records(text, mark, len(DETAIL_FIELDS)):
        if not number.isdigit():
            raise GarbledError(f"a job's number reads {number!r}")
        found.append(JobDetail(int(number), name[:_NAME_LIMIT], user, state, text_of(nodes), comment))
    return tuple(sorted(found, key=lambda detail: detail.job_id))


def array_of(text: str) -> tuple[int | None, str]:
    """(array, tasks) from ``123_4`` or ``123_[4,6-9%2]``; (None, "") of a job that is no array's.

    Tasks that stand at equal distances, which Slurm writes as ``0-8:2``, are given one by one.
    """
    match = re.fullmatch(r"(\d+)_\[?([\d,:-]+)(?:%\d+)?\]?", text)
    return (int(match.group(1)), re.sub(r"(\d+)-(\d+):(\d+)", _one_by_one, match.group(2))) if match else (None, "")


def _one_by_one(steps: re.Match[str]) -> str:
    first, last, step = map(int, steps.groups())
    return ",".join(map(str, range(first, last + 1, max(1, step))))
