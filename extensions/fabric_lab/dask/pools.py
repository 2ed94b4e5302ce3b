"""What workers are like, how many of them become how many tasks of a job array, and what they have used. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..answers import Used

# Workers that share a job start sooner; a job that is too large waits longer for a place.
MOST_PER_JOB = 8


@dataclass(frozen=True)
class Pool:
    """One kind of worker: its share of a job, and the most that share one job.

    ``memory`` is in bytes; ``options`` are sbatch's, after those of the batch script; ``job`` holds dask-jobqueue's
    words for that script (cores, queue, ...), and ``own_log`` whether they say where its output goes. ``worker`` holds
    distributed's words for a worker. ``profile`` is the site's, "" where there is none.
    """

    name: str
    threads: int
    cpus: float
    memory: int
    most: int = 8
    gpus: int = 0
    gpu_type: str = ""
    options: tuple[str, ...] = ()
    local_directory: str | None = None
    death_timeout: float = 60.0
    resources: dict[str, float] = field(default_factory=dict)
    profile: str = ""
    job: dict[str, Any] = field(default_factory=dict)
    own_log: bool = False
    worker: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Pool:
        """From JSON, where a tuple is a list."""
        return cls(**{**data, "options": tuple(data["options"])})


@dataclass(frozen=True)
class Place:
    """Where a worker was submitted: a task of a job array."""

    job: int
    task: int

    def __str__(self) -> str:
        return f"{self.job}_{self.task}"


@dataclass(frozen=True)
class Batch:
    """One submission: ``tasks`` tasks of ``per_task`` workers each."""

    tasks: int
    per_task: int

    @property
    def workers(self) -> int:
        return self.tasks * self.per_task


@dataclass
class Presubmitted:
    """Where the first workers were submitted, by name, with how many orders to Slurm."""

    places: dict[str, Place] = field(default_factory=dict)
    submissions: int = 0
    said: str = ""  # what the site says to them

    def dump(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "places": {name: [place.job, place.task] for name, place in self.places.items()},
            "submissions": self.submissions,
            "said": self.said,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Presubmitted:
        return cls({name: Place(*place) for name, place in data["places"].items()}, data["submissions"], data["said"])


def arrange(workers: int, most: int) -> list[Batch]:
    """Batches that hold exactly this many workers; no task asks for what no worker uses.

    One batch, which is one submission, when the workers divide evenly into tasks that are at least half as full as they
    could be; else two, as few and as even tasks as can be. Workers of one task share their imports, so fuller ones are
    ready sooner. (The hub's quote reckons in the same way.)

    :param most: workers that one task may hold, at least 1.
    """
    if workers <= 0:
        return []
    tasks = -(-workers // max(1, most))
    even = max(share for share in range(1, max(1, most) + 1) if workers % share == 0)
    if 2 * even * tasks >= workers:
        return [Batch(workers // even, even)]
    fewer, larger = divmod(workers, tasks)
    batches = [Batch(larger, fewer + 1), Batch(tasks - larger, fewer)]
    return [batch for batch in batches if batch.tasks]


def whole_jobs_first(idle: Sequence[str], places: Mapping[str, Place]) -> list[str]:
    """Idle workers in an order in which jobs end whole: Slurm gets a job's place back when its last worker goes.

    Jobs of which a worker is busy come last; among the others, those with the fewest workers first.

    :param idle: in the order in which they would go if each had a job of its own.
    :param places: of all workers that are there, busy ones too.
    """
    sharing: dict[Place | None, set[str]] = {}
    for name, place in places.items():
        sharing.setdefault(place, set()).add(name)
    turn: dict[Place | None, int] = {}
    free = set(idle)
    for name in idle:
        turn.setdefault(places.get(name), len(turn))

    def key(name: str) -> tuple[bool, int, int]:
        place = places.get(name)
        job = sharing.get(place, {name})
        return (not job <= free, len(job), turn[place])

    return sorted(idle, key=key)


def task_ids(indices: list[int]) -> str:
    """Indices of an array as Slurm writes them: ``[0, 1, 2, 5]`` is ``0-2,5``."""
    runs: list[list[int]] = []
    for index in sorted(set(indices)):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


class Meter:
    """Counts the time of each worker from its arrival to its end; Slurm's own count has the jobs' starts besides."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._here: dict[str, tuple[Pool, float]] = {}
        self._cpu_s = self._gpu_s = 0.0

    def arrived(self, address: str, pool: Pool) -> None:
        self._here.setdefault(address, (pool, self._clock()))

    def left(self, address: str) -> None:
        found = self._here.pop(address, None)
        if found:
            pool, since = found
            self._cpu_s += pool.cpus * (self._clock() - since)
            self._gpu_s += pool.gpus * (self._clock() - since)

    def used(self) -> Used:
        now = self._clock()
        cpu = self._cpu_s + sum(pool.cpus * (now - since) for pool, since in self._here.values())
        gpu = self._gpu_s + sum(pool.gpus * (now - since) for pool, since in self._here.values())
        pools = [pool for pool, _ in self._here.values()]
        return Used(
            cpu_hours=cpu / 3600,
            gpu_hours=gpu / 3600,
            cpus=sum(pool.cpus for pool in pools),
            gpus=sum(pool.gpus for pool in pools),
        )


class PlanError(ValueError):  # what dask-jobqueue raises for words that it does not take
    """What was asked for cannot be had; the message says why, and what can."""
