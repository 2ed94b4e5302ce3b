"""Three answers, not two: is a session's job alive, gone, or is it not known. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum

from fabric_hub.slurm.model import Job, Phase, Snapshot
from fabric_hub.types import Frozen

from .store import Session

# The hub's record of a submission and Slurm's table are written by different processes on one
# clock; a question asked this long after the submission was recorded must know the job.
SETTLE_S = 2.0


class JobPresence(StrEnum):
    ALIVE = "alive"
    GONE = "gone"
    UNKNOWN = "unknown"


class SessionStatus(Frozen):
    """What is known of a session's job: whether it is there, and Slurm's last word where there is one."""

    presence: JobPresence
    job: Job | None = None
    missing: bool = False  # an answer that should have the job has not: Slurm must be asked for it by number

    @property
    def alive(self) -> Job | None:
        """The job, while Slurm says that it lives."""
        return self.job if self.presence is JobPresence.ALIVE else None


def standing(session: Session, snapshot: Snapshot | None) -> SessionStatus:
    """What a snapshot says of a session's job.

    Gone needs Slurm's own word in an answer to a question asked after the job was
    submitted: an ended state. While Slurm is silent, or
    the snapshot is older than the submission, nothing is known: an ended job may have
    been requeued since, and an old answer may tell of an earlier job of that number.
    That a job is missing from an answer is no word on it: Slurm may hide it from who asked (PrivateData).
    """
    return standings([session], snapshot)[session.id]


def standings(sessions: Sequence[Session], snapshot: Snapshot | None) -> dict[str, SessionStatus]:
    """What a snapshot says of many sessions' jobs, by the session's id: the jobs are gone through once."""
    jobs = _by_number(snapshot.jobs) if snapshot else {}
    return {session.id: _judge(session, snapshot, jobs.get(session.job_id or 0, ())) for session in sessions}


_latest: tuple[tuple[Job, ...], dict[int, list[Job]]] = ((), {})


def _by_number(jobs: tuple[Job, ...]) -> dict[int, list[Job]]:
    """The jobs by their number, made once for each snapshot: everybody asks for one of them."""
    global _latest
    known, index = _latest
    if known is not jobs:
        index = defaultdict(list)
        for job in jobs:
            index[job.job_id].append(job)
        _latest = jobs, index
    return index


def _judge(session: Session, snapshot: Snapshot | None, numbered: Iterable[Job]) -> SessionStatus:
    if snapshot is None or session.job_id is None:
        return SessionStatus(presence=JobPresence.UNKNOWN)
    # by number and name: sbatch runs as the user, so the number alone is the user's word
    job = next((job for job in numbered if (job.session or ("", ""))[1] == session.id), None)
    if job is not None and job.phase is not Phase.ENDED:
        return SessionStatus(presence=JobPresence.ALIVE, job=job)
    # a narrowed view is of now, as far as it goes
    unavailable = snapshot.unavailable_since is not None and not snapshot.narrowed
    if unavailable or snapshot.jobs_at is None or session.submitted_at is None:
        return SessionStatus(presence=JobPresence.UNKNOWN, job=job)
    if job is None:
        return SessionStatus(presence=JobPresence.UNKNOWN, missing=snapshot.jobs_at >= session.submitted_at + SETTLE_S)
    return SessionStatus(
        presence=JobPresence.GONE if snapshot.jobs_at >= session.submitted_at else JobPresence.UNKNOWN, job=job
    )


def by_number(job: Job | None) -> SessionStatus:
    """What Slurm's answer to a question about a session's one job says, where it was missing from a snapshot.

    :param job: the job, or None: Slurm has none of that number and name.
    """
    gone = job is None or job.phase is Phase.ENDED
    return SessionStatus(presence=JobPresence.GONE if gone else JobPresence.ALIVE, job=job)
