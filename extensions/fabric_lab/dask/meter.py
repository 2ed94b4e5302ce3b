"""How much a cluster has used so far. Pure, but for the clock that it is given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .pools import Pool


@dataclass(frozen=True)
class Used:
    """CPU-hours and GPU-hours of connected workers, and how many of each they use per hour now."""

    cpu_hours: float
    gpu_hours: float
    cpus: float
    gpus: int


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
        return Used(cpu / 3600, gpu / 3600, sum(pool.cpus for pool in pools), sum(pool.gpus for pool in pools))
