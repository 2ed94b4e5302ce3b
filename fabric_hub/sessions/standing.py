"""Three answers, not two: is a session's job alive, gone, or is it not known. Pure."""

from __future__ import annotations

from enum import StrEnum

from ..model import Frozen, Job, Phase, Snapshot
from .store import Session

# The hub's record of a submission and Slurm's table are written by different processes on one
# clock; a question asked this long after the submission was recorded must know the job.
SETTLE_S = 2.0


class Verdict(StrEnum):
    ALIVE = "alive"
    GONE = "gone"
    UNKNOWN = "unknown"


class Standing(Frozen):
    """What is known of a session's job: the verdict, and Slurm's last word where there is one."""

    verdict: Verdict
    job: Job | None = None


def standing(session: Session, snapshot: Snapshot | None) -> Standing:
    """What a snapshot says of a session's job.

    Gone needs Slurm's own word: an ended state, or a successful answer to a question
    asked after the job was submitted in which the job is missing. While Slurm is
    silent, or the snapshot is older than the job, nothing is known.
    """
    if snapshot is None or session.job_id is None:
        return Standing(verdict=Verdict.UNKNOWN)
    job = next((job for job in snapshot.jobs if job.job_id == session.job_id), None)
    if job is not None:
        return Standing(verdict=Verdict.GONE if job.phase is Phase.ENDED else Verdict.ALIVE, job=job)
    if snapshot.silent_since is not None or snapshot.jobs_at is None:
        return Standing(verdict=Verdict.UNKNOWN)
    if session.submitted_at is None or snapshot.jobs_at < session.submitted_at + SETTLE_S:
        return Standing(verdict=Verdict.UNKNOWN)
    return Standing(verdict=Verdict.GONE)
