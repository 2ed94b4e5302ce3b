"""What this session's server reads on its own node: its GPUs, and the memory and CPU time of its job.

Ten minutes of the GPUs are kept in memory, for whoever opens the panel later. Nothing of it is sent to the hub, and
nothing of it is billed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..answers import GpuHistory, GpuPoint, GpuUsage, JobUse, Readings
from ..common import job_usage
from ..common.environment import of_job
from ..common.gpu import Gpus

EVERY_S = 5.0
POINTS = 120
# All tabs together have the GPUs and the job read once in so many seconds.
KEEP_S = 1.0
# CPU use is an average over at least so long.
CPU_S = 2.0


def point(gpu: GpuUsage) -> GpuPoint:
    """What is drawn of a reading."""
    used, total = gpu["memory_used"], gpu["memory_total"]
    return GpuPoint(use=gpu["percent"], memory=None if used is None or not total else round(100 * used / total, 1))


def cpus_busy(before: tuple[float, float] | None, now: tuple[float, float] | None) -> float | None:
    """How many CPUs were busy between two moments, each with the CPU time until then; None: not known.

    Time of processes that have ended may be missing from the later one: less than nothing is nothing.
    """
    if before is None or now is None or now[0] - before[0] <= 0:
        return None
    return round(max(0.0, now[1] - before[1]) / (now[0] - before[0]), 2)


class JobMeter:
    """The job's memory and CPU time; usable from one thread at a time.

    :param clock: seconds that only grow.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        where: job_usage.Place,
        read: Callable[..., job_usage.JobReading] = job_usage.read,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.where = where
        self.asked = job_usage.asked(environment)
        self._read = read
        self._clock = clock
        self._cpu: deque[tuple[float, float]] = deque(maxlen=8)

    def use(self) -> JobUse:
        """Now."""
        reading = self._read(self.where, self.asked, os.getpid())
        now = None if reading.cpu_s is None else (self._clock(), reading.cpu_s)
        before = self._since(now[0] - CPU_S) if now else None
        if now:
            self._cpu.append(now)
        return JobUse(
            source=reading.source,
            memory=reading.memory,
            memory_limit=reading.memory_limit,
            cpus_busy=cpus_busy(before, now),
            cpus=self.asked.cpus,
        )

    def _since(self, moment: float) -> tuple[float, float] | None:
        """The latest reading that is at least as old, or the oldest."""
        return next((one for one in reversed(self._cpu) if one[0] <= moment), self._cpu[0] if self._cpu else None)


def here(environment: Mapping[str, str]) -> job_usage.Place:
    """Where the kernel counts this process's job."""
    try:
        listed = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    except OSError:
        listed = ""
    return job_usage.place(listed, of_job(environment, "SLURM_JOB_ID"))


class Readout:
    """What the handler answers with; one for all tabs."""

    def __init__(self, gpus: Gpus, meter: JobMeter, clock: Callable[[], float] = time.monotonic) -> None:
        self._gpus = gpus
        self._meter = meter
        self._clock = clock
        self._history: deque[Sequence[GpuPoint]] = deque(maxlen=POINTS)
        self._read: list[GpuUsage] = []
        self._job: JobUse | None = None
        self._until = 0.0
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        """Keep the GPUs' history until cancelled; a session without one has nothing to keep."""
        while len(self._gpus):
            async with self._reading:
                self._read = await asyncio.to_thread(self._gpus.read)
            self.keep(self._read)
            await asyncio.sleep(EVERY_S)

    def keep(self, read: Sequence[GpuUsage]) -> None:
        """Add a moment to the history."""
        self._history.append([point(gpu) for gpu in read])

    async def answer(self) -> Readings:
        """As it was read at most a second ago."""
        async with self._reading:
            if self._clock() >= self._until:
                self._read, self._job = await asyncio.to_thread(self._all)
                self._until = self._clock() + KEEP_S
            history = [
                GpuHistory(points=[moment[index] for moment in self._history]) for index in range(len(self._read))
            ]
            return Readings(gpus=self._read, every_s=EVERY_S, history=history, job=self._job)

    def _all(self) -> tuple[list[GpuUsage], JobUse]:
        return (self._gpus.read() if len(self._gpus) else []), self._meter.use()
