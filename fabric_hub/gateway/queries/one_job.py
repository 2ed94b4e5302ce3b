"""What Slurm says of one job to its owner, who asks for it by its number: from them it hides nothing of theirs. Pure.

The owner may have given the job another name, and what follows a name is what they like. So the answer counts only
when it begins with number, name and owner as the caller knows them.
"""

from __future__ import annotations

import re
from typing import Final

from fabric_hub.slurm.model import Job

from .parse import duration_s, exit_of, fields_of, records, text_of, time_of

NODE_FIELDS: Final = ["Reason", "Timestamp"]
_NO_SUCH_JOB = re.compile(r"Invalid job id", re.IGNORECASE)


class AnotherJobError(Exception):
    """The number is that of another job by now, or was never the wanted one's."""


def argv(number: int) -> list[str]:
    """scontrol's arguments for the question."""
    return ["--oneliner", "show", "job", str(number)]


def is_no_such_job(words: str) -> bool:
    """Whether these words of scontrol's say that there is no job of that number."""
    return _NO_SUCH_JOB.search(words) is not None


def shown(text: str, wanted: Job) -> Job:
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
            tres=text_of(fields.get("TRES", "")),
        )
    raise AnotherJobError(f"job {wanted.job_id} is not {wanted.name} of {wanted.user}")


def cancelled_by(text: str, number: int) -> int | None:
    """The uid in sacct's answer to ``JobIDRaw,State``, of a job that is ``CANCELLED by UID``."""
    found = re.search(rf"^{number}\|CANCELLED by (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else None


def node_reason(text: str, mark: str) -> tuple[str, float | None]:
    """(why a node is out of service, since when), from sinfo's answer to :data:`NODE_FIELDS`; a line per partition.

    :raises GarbledError: the answer stops in the middle.
    """
    for reason, since in records(text, mark, len(NODE_FIELDS)):
        return ("", None) if reason == "none" else (text_of(reason), time_of(since.strip()))
    return "", None
