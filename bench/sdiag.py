"""What slurmctld was asked, counted by itself (sdiag(1)). Pure: text in, numbers out."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What Slurm's own daemons and a job's end tell slurmctld, and our counting itself: nobody's questions.
_NOT_ASKED = re.compile(
    r"MESSAGE_.*|REQUEST_(COMPLETE_.*|STEP_COMPLETE|STATS_INFO|PING|PERSIST_INIT|JOB_NOTIFY)|ACCOUNTING_.*|SRUN_.*"
)
# What changes something: starting and ending sessions.
_ORDERS = re.compile(r"REQUEST_(SUBMIT_.*|CANCEL_.*|KILL_.*|SIGNAL_.*|JOB_STEP_CREATE|.*_ALLOCATION|UPDATE_.*)")
_LINE = re.compile(r"^\s*([A-Z][A-Z0-9_]+)\s*\(\s*\d+\)\s+count:(\d+)", re.MULTILINE)


def counts(text: str) -> dict[str, int]:
    """RPCs by message type since the last reset, from the output of ``sdiag``."""
    section = text.partition("statistics by message type")[2].partition("statistics by user")[0]
    return {name: int(number) for name, number in _LINE.findall(section)}


def questions(by_type: Mapping[str, int]) -> dict[str, int]:
    """Of these, what somebody asked: no orders, and nothing of Slurm's own daemons."""
    return {
        name: number
        for name, number in by_type.items()
        if not _NOT_ASKED.fullmatch(name) and not _ORDERS.fullmatch(name)
    }
