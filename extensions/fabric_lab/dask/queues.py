"""Where a cluster's tasks run: Slurm's queue, or this machine where there is no Slurm."""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ..common.scratch import sweep
from . import slurm
from .pools import Batch, Place, Pool, task_ids
from .worker_task import NOTICE_S

# What the batch script calls the order's path until it is known.
ORDER = "FABRIC_ORDER"
# A process that was told to end has this long to hand over its results.
ENDING_S = 15.0


class Queue(Protocol):
    """Runs arrays of tasks, each of which is ``python -m fabric_lab.dask.worker_task ORDER``.

    ``said``: what the site says to submissions, last of all; "" when it says nothing.
    """

    said: str

    async def submit(self, script: str, order: Path, batch: Batch, pool: Pool) -> int:
        """Submit an array; returns its job's id.

        :raises slurm.SlurmError: it was refused.
        """

    async def cancel(self, tasks: Mapping[int, Sequence[int]]) -> None:
        """End tasks of arrays by job id.

        :raises slurm.SlurmError: that was refused.
        """


class SlurmQueue:
    """sbatch and scancel.

    :param directory: the cluster's; logs go below it.
    """

    def __init__(self, directory: Path, job_name: str) -> None:
        self._directory = directory
        self._job_name = job_name
        self.said = ""

    async def submit(self, script: str, order: Path, batch: Batch, pool: Pool) -> int:
        wanted = options(pool, self._job_name, self._directory, batch.tasks, batch.per_task)
        submitted = await slurm.submit(wanted, script.replace(ORDER, str(order)))
        self.said = submitted.words
        return submitted.job

    async def cancel(self, tasks: Mapping[int, Sequence[int]]) -> None:
        await slurm.cancel([f"{job}_[{task_ids(list(ids))}]" for job, ids in tasks.items()])


class LocalQueue:
    """Processes of this machine, started at once; they end with this process's scheduler."""

    def __init__(self, directory: Path) -> None:
        self.said = ""
        self._directory = directory
        self._numbers = itertools.count(1)
        self._processes: dict[Place, asyncio.subprocess.Process] = {}
        self._ends: set[asyncio.Task[None]] = set()
        self._killed = False

    async def submit(self, script: str, order: Path, batch: Batch, pool: Pool) -> int:
        job = next(self._numbers)
        for task in range(batch.tasks):
            place = Place(job, task)
            with (self._directory / "logs" / f"{place}.log").open("ab") as log:
                self._processes[place] = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-m", "fabric_lab.dask.worker_task", str(order),
                    env={**slurm.clean(os.environ), "SLURM_ARRAY_TASK_ID": str(task)},
                    stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
        return job

    async def cancel(self, tasks: Mapping[int, Sequence[int]]) -> None:
        for job, ids in tasks.items():
            for task in ids:
                process = self._processes.get(Place(job, task))
                if process is not None and process.returncode is None:
                    end = asyncio.create_task(self._end(process))
                    self._ends.add(end)
                    end.add_done_callback(self._ends.discard)

    async def states(self) -> dict[Place, str]:
        """How every task fares."""
        return {
            place: "running" if process.returncode is None else "ended" for place, process in self._processes.items()
        }

    async def over(self) -> None:
        """Wait until all tasks that were cancelled have ended; of those that had to be killed, nothing is left."""
        await asyncio.gather(*self._ends)
        if self._killed:
            sweep(Path(tempfile.gettempdir()))

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), ENDING_S)
            except TimeoutError:
                process.kill()
                self._killed = True
                await process.wait()


def options(pool: Pool, job_name: str, directory: Path, tasks: int, per_task: int) -> list[str]:
    """sbatch's options for one array of tasks, each with this many workers.

    No dataset is named in them: everybody can read them in Slurm's records. The tasks ask their nodes themselves.
    """
    wanted = [
        *pool.options,
        f"--job-name={job_name}",
        f"--array=0-{tasks - 1}",
        "--nodes=1",
        "--ntasks=1",
        f"--cpus-per-task={math.ceil(pool.cpus * per_task)}",
        f"--mem={math.ceil(pool.memory * per_task / (1 << 20))}M",
        *([] if pool.own_log else [f"--output={str(directory).replace('%', '%%')}/logs/%A_%a.log"]),
        "--open-mode=append",
        "--no-requeue",  # what Slurm puts back waits two minutes; what is lost is submitted again at once
        f"--signal=B:USR1@{NOTICE_S}",
        "--export=ALL",
    ]
    if pool.gpus:
        kind = f"{pool.gpu_type}:" if pool.gpu_type else ""
        wanted.append(f"--gres=gpu:{kind}{pool.gpus * per_task}")
    return wanted
