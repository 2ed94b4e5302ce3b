"""A waiting job's place in the queue of its partition. Pure.

The lines of a snapshot are put in order once, for everybody who asks for a place in one: two hundred people who wait
behind twenty thousand jobs of others ask with every snapshot.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate

from .model import Job, Phase, Snapshot

# Jobs that wait for something else than their turn: nobody waits for them.
_NOT_IN_LINE = frozenset(
    {"Dependency", "DependencyNeverSatisfied", "BeginTime", "JobHeldUser", "JobHeldAdmin", "JobHoldMaxRequeue"}
)


class _Counted:
    """Numbers in order, each with how many jobs it stands for: how many are below a bound."""

    def __init__(self, found: Iterable[tuple[float, int]]) -> None:
        ordered = sorted(found)
        self._numbers = [number for number, _ in ordered]
        self._sums = [0, *accumulate(count for _, count in ordered)]

    def below(self, bound: float) -> int:
        return self._sums[bisect_left(self._numbers, bound)]


class _Waiting:
    """The jobs in line that ask for the same partitions: by priority, and by when they came."""

    def __init__(self, jobs: list[Job]) -> None:
        counts = [(job, tasks_of(job)) for job in jobs]
        self.by_rank = _Counted((job.rank or 0, count) for job, count in counts)
        self.by_time = _Counted((job.submitted_at or 0.0, count) for job, count in counts)


class Queue:
    """The lines of all partitions at one moment.

    :ivar expected: the jobs in line for which Slurm has said when they start.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._in_line = [job for job in jobs if _in_line(job)]
        self.expected = tuple(job for job in self._in_line if job.started_at)
        groups: dict[str, list[Job]] = defaultdict(list)
        for job in self._in_line:
            groups[job.partition].append(job)
        self._groups = {partition: _Waiting(found) for partition, found in groups.items()}
        self._lines: dict[str, tuple[Job, ...]] = {}

    def before(self, job: Job) -> int:
        """How many jobs in line are before one that waits."""
        wanted = set(job.partition.split(","))
        found = 0
        for partition, waiting in self._groups.items():
            if partition == job.partition:
                found += waiting.by_rank.below(job.rank or 0)
            elif wanted & set(partition.split(",")):
                found += waiting.by_time.below(job.submitted_at or 0.0)
        return found

    def line(self, partition: str) -> tuple[Job, ...]:
        """The jobs that wait in a partition for their turn, first in line first."""
        if partition not in self._lines:
            waiting = (job for job in self._in_line if partition in job.partition.split(","))
            self._lines[partition] = tuple(sorted(waiting, key=lambda job: (job.rank or 0, job.job_id)))
        return self._lines[partition]


_latest: tuple[tuple[Job, ...], Queue] = ((), Queue(()))


def queue_of(snapshot: Snapshot) -> Queue:
    """The lines of a snapshot, made once for each."""
    global _latest
    known, queue = _latest
    if known is not snapshot.jobs:
        queue = Queue(snapshot.jobs)
        _latest = snapshot.jobs, queue
    return queue


def ahead(job: Job, snapshot: Snapshot) -> int | None:
    """How many jobs are before this one: they wait in its partition for their turn, and have a higher priority.

    Those that are on hold, or wait for a time or another job, are not counted; the tasks of an array that wait count
    each. None: nobody knows, as while Slurm does not show all jobs, or of a job that is itself in no line.
    """
    if job.rank is None or snapshot.unavailable_since is not None or not _in_line(job):
        return None
    return queue_of(snapshot).before(job)


def is_before(other: Job, job: Job) -> bool:
    """Whether another job waits for its turn, and gets it before this one."""
    return other.job_id != job.job_id and _in_line(other) and _before(other, job)


def in_line(partition: str, snapshot: Snapshot) -> tuple[Job, ...]:
    """The jobs that wait in a partition for their turn, first in line first."""
    return queue_of(snapshot).line(partition)


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
