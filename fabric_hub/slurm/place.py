"""A waiting job's place in the queue of its partition. Pure."""

from __future__ import annotations

from .model import Job, Phase, Snapshot

# Jobs that wait for something else than their turn: nobody waits for them.
_NOT_IN_LINE = frozenset(
    {"Dependency", "DependencyNeverSatisfied", "BeginTime", "JobHeldUser", "JobHeldAdmin", "JobHoldMaxRequeue"}
)


def ahead(job: Job, snapshot: Snapshot) -> int | None:
    """How many jobs are before this one: they wait in its partition for their turn, and have a higher priority.

    Those that are on hold, or wait for a time or another job, are not counted; the tasks of an array that wait count
    each. None: nobody knows, as while Slurm does not show all jobs, or of a job that is itself in no line.
    """
    if job.rank is None or snapshot.unavailable_since is not None or not _in_line(job):
        return None
    found = 0
    for other in snapshot.jobs:
        if is_before(other, job):
            found += tasks_of(other)
    return found


def is_before(other: Job, job: Job) -> bool:
    """Whether another job waits for its turn, and gets it before this one."""
    return other.job_id != job.job_id and _in_line(other) and _before(other, job)


def in_line(partition: str, snapshot: Snapshot) -> tuple[Job, ...]:
    """The jobs that wait in a partition for their turn, first in line first."""
    waiting = (job for job in snapshot.jobs if _in_line(job) and partition in job.partition.split(","))
    return tuple(sorted(waiting, key=lambda job: (job.rank or 0, job.job_id)))


def tasks_of(job: Job) -> int:
    """How many jobs a record of the queue stands for: one, or the tasks of an array that wait."""
    if not job.array_tasks:
        return 1
    count = 0
    for part in job.array_tasks.split(","):
        first, _, last = part.partition("-")
        count += int(last) - int(first) + 1 if first.isdigit() and last.isdigit() else 1
    return count


def _in_line(job: Job) -> bool:
    return (
        job.phase is Phase.QUEUED
        and job.state == "PENDING"
        and job.rank is not None
        and job.reason.strip("()").split(",")[0] not in _NOT_IN_LINE
    )


def _before(other: Job, job: Job) -> bool:
    if other.partition == job.partition:
        return (other.rank or 0) < (job.rank or 0)
    if not set(other.partition.split(",")) & set(job.partition.split(",")):
        return False
    # of one that may run in several partitions squeue's order says nothing: who came first is a good guess
    return (other.submitted_at or 0.0) < (job.submitted_at or 0.0)
