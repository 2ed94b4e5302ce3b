"""Where there is no Slurm: workers are processes of this machine, in the words of :class:`distributed.LocalCluster`."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from .jobqueue_options import own_pool
from .plan import MOST_PER_JOB, PlanError
from .pools import Pool

log = logging.getLogger("fabric_lab.dask")

# LocalCluster's words for a worker, and dask-jobqueue's: those that say nothing of Slurm.
LOCAL = ("threads_per_worker", "memory_limit", "processes")
JOBQUEUE = ("cores", "memory", "processes", "local_directory", "death_timeout")
WHY = "there is no Slurm here, and workers are processes of this machine"


def local_pool(
    n_workers: int | None,
    words: Mapping[str, Any],
    *,
    profile: str | None,
    gpus: int,
    hours: float | None,
    workers_per_job: int | None,
) -> tuple[Pool, int]:
    """What each worker is like, and how many there are first: as LocalCluster has it where nothing is said.

    :param words: LocalCluster's, or with ``cores`` among them dask-jobqueue's.
    :raises PlanError: something was asked for that is not to be had here.
    """
    from dask.system import CPU_COUNT

    if profile or gpus:
        asked = f"profile {profile}" if profile else "GPU for a worker"
        raise PlanError(f"There is no {asked}: this hub runs without Slurm, and workers are processes of its machine.")
    if hours is not None:
        raise PlanError(
            f"hours= cannot be had: {WHY}, whose time nobody limits. Leave it out; "
            'idle_timeout="2 hours" ends a cluster that is not used.'
        )
    known = JOBQUEUE if "cores" in words else LOCAL
    for name, value in words.items():
        if name not in known:
            these = ", ".join(f"{one}=" for one in ("n_workers", *known))
            raise PlanError(f"{name}= cannot be had: {WHY}. Say it with {these}.")
        if name == "processes" and value is False:
            raise PlanError(f"processes=False cannot be had: {WHY}, for a cluster outlives its kernel.")
    if "cores" in words:
        own = own_pool(words, workers_per_job)
        return own, n_workers if n_workers is not None else max(1, CPU_COUNT // own.threads)
    count, threads = spread(n_workers, words.get("threads_per_worker"))
    memory = memory_of("memory_limit" in words, words.get("memory_limit"), count)
    job = {"cores": threads, "memory": f"{memory or 1 << 30} B"}  # of a batch script that nobody submits
    most = workers_per_job or MOST_PER_JOB
    return Pool(name="local", threads=threads, cpus=threads, memory=memory, most=most, job=job), count


def spread(n_workers: int | None, threads: Any) -> tuple[int, int]:
    """Workers, and threads of each, over the CPUs that this machine lets us use.

    :raises PlanError: that is no number of threads.
    """
    from dask.system import CPU_COUNT
    from distributed.deploy.utils import nprocesses_nthreads

    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise PlanError(f"threads_per_worker={threads!r} is no number of threads: say 1 or more.")
    if threads is not None:
        return n_workers if n_workers is not None else max(1, CPU_COUNT // threads), threads
    if n_workers:
        return n_workers, max(1, math.ceil(CPU_COUNT / n_workers))
    processes, each = nprocesses_nthreads()
    return processes if n_workers is None else 0, each


def memory_of(said: bool, limit: Any, workers: int) -> int:
    """Bytes for each worker, 0 without a limit: what was said of it, else an even part of what there is.

    :raises PlanError: that is no amount of memory.
    """
    from distributed.deploy.utils import nprocesses_nthreads
    from distributed.worker_memory import parse_memory_limit

    try:
        part = workers or nprocesses_nthreads()[0]
        return parse_memory_limit(limit if said else "auto", 1, part, logger=log) or 0
    except (ValueError, TypeError, AssertionError):
        raise PlanError(
            f"memory_limit={limit!r} is no amount of memory: say '2 GB', bytes, or a part like 0.5."
        ) from None
