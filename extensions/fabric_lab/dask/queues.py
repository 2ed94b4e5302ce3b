"""Where a cluster's tasks run: Slurm's queue, or this machine where there is no Slurm.

sbatch and scancel are called with argument lists only, in a clean environment, within a time limit.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from ..common.formats import ZONE
from ..common.scratch import sweep
from ..common.translation import LANGUAGE, _
from .pools import Batch, Place, Pool, task_ids
from .worker_task import NOTICE_S

LIMIT_S = 60.0

# What the notebook's own job and the hub put in the environment is not the workers': Slurm's variables would
# change what sbatch asks for, and the hub's hold the session's token.
_NOT_FOR_WORKERS = re.compile(r"(?:SLURM|SLURMD|SBATCH|SALLOC|SRUN|JUPYTER|JUPYTERHUB|JPY|PMI|PMIX)_?.*|FABRIC_.*|CUDA_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ROCR_VISIBLE_DEVICES|ZE_AFFINITY_MASK")  # fmt: skip  # noqa: E501
_KEPT = frozenset({"SLURM_CONF", "FABRIC_NODE_SOCKET", "FABRIC_DATA_DIR", "FABRIC_DATASETS", LANGUAGE, ZONE})
# What the batch script calls the order's path until it is known.
ORDER = "FABRIC_ORDER"
# A process that was told to end has this long to hand over its results.
ENDING_S = 15.0


class SlurmError(Exception):
    """Slurm's client refused or did not answer; the message is its own words."""


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without Slurm's, Jupyter's and the hub's variables: no token, nothing of the notebook's job."""
    return {name: value for name, value in environment.items() if name in _KEPT or not _NOT_FOR_WORKERS.fullmatch(name)}


class Submitted(NamedTuple):
    """An accepted job: its id, and what the site says to it."""

    job: int
    words: str = ""


async def sbatch(options: Sequence[str], script: str) -> Submitted:
    """Submit a batch script.

    :param options: sbatch's, each one word; they count above the script's own #SBATCH lines.
    :param script: its text, given on standard input.
    :raises SlurmError: it was refused, or nothing was heard in time (it may have been submitted).
    """
    out, error = await _call(["sbatch", "--parsable", *options], script)
    return submitted(out, error)


def submitted(out: str, error: str) -> Submitted:
    """What an sbatch that succeeded said: a wrapper around it, and the site's job_submit plugin, may say more.

    :param out: the id is its last line of the form NUMBER or NUMBER;CLUSTER.
    :param error: what was written to standard error.
    :raises SlurmError: there is no id.
    """
    lines = [line for line in map(str.strip, out.splitlines()) if line]
    ids = [n for n, line in enumerate(lines) if re.fullmatch(r"\d+(?:;\S+)?", line)]
    if not ids:
        answer = repr(" ".join(lines)[:200])
        raise SlurmError(_("sbatch answered {answer}, which is no job id.").format(answer=answer))
    words = [*lines[: ids[-1]], *lines[ids[-1] + 1 :], *_plain(error)]
    return Submitted(int(lines[ids[-1]].partition(";")[0]), " ".join(words))


def _plain(error: str) -> list[str]:
    """Lines that a client wrote to standard error, without its name."""
    lines = (re.sub(r"^(?:sbatch|scancel)\S*: (?:error: |fatal: )?", "", line.strip()) for line in error.splitlines())
    return [line for line in lines if line]


async def scancel(jobs: Sequence[str]) -> None:
    """Cancel jobs or tasks of arrays (``123_[0-3,7]``), all in one call; what is over already is no error."""
    if jobs:
        await _call(["scancel", "--quiet", *jobs], "")


async def _call(argv: Sequence[str], text: str) -> tuple[str, str]:
    environment = clean(os.environ)
    program = _program(argv[0], environment)
    process = await asyncio.create_subprocess_exec(
        program,
        *argv[1:],
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, error = await asyncio.wait_for(process.communicate(text.encode()), LIMIT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        said = _("{program} did not answer within {seconds} s.").format(program=argv[0], seconds=f"{LIMIT_S:g}")
        raise SlurmError(said) from None
    printed, said = out.decode(errors="replace"), error.decode(errors="replace")
    if process.returncode:
        words = " ".join([*_plain(printed), *_plain(said)])
        ended = _("{program} ended with {status}.").format(program=argv[0], status=process.returncode)
        raise SlurmError(words or ended)
    return printed, said


def _program(name: str, environment: Mapping[str, str]) -> str:
    for directory in environment.get("PATH", os.defpath).split(os.pathsep):
        if directory and os.access(Path(directory) / name, os.X_OK):
            return str(Path(directory) / name)
    raise SlurmError(
        _("There is no {program} on this node's PATH, so no worker can be started from here.").format(program=name)
    )


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
        submitted = await sbatch(wanted, script.replace(ORDER, str(order)))
        self.said = submitted.words
        return submitted.job

    async def cancel(self, tasks: Mapping[int, Sequence[int]]) -> None:
        await scancel([f"{job}_[{task_ids(list(ids))}]" for job, ids in tasks.items()])


class LocalQueue:
    """Processes of this machine, started at once; they end with this process's scheduler."""

    def __init__(self, directory: Path) -> None:
        self.said = ""
        self._directory = directory
        self._numbers = itertools.count(1)
        self._processes: dict[Place, asyncio.subprocess.Process] = {}
        self._ends: dict[Place, asyncio.Task[None]] = {}
        self._killed = False

    async def submit(self, script: str, order: Path, batch: Batch, pool: Pool) -> int:
        job = next(self._numbers)
        for task in range(batch.tasks):
            place = Place(job, task)
            with (self._directory / "logs" / f"{place}.log").open("ab") as log:
                self._processes[place] = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-m", "fabric_lab.dask.worker_task", str(order),
                    env={**clean(os.environ), "SLURM_ARRAY_TASK_ID": str(task)},
                    stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
        return job

    async def cancel(self, tasks: Mapping[int, Sequence[int]]) -> None:
        for job, ids in tasks.items():
            for task in ids:
                self._begin_to_end(Place(job, task))

    async def states(self) -> dict[Place, str]:
        """How every task fares."""
        return {
            place: "running" if process.returncode is None else "ended" for place, process in self._processes.items()
        }

    async def over(self) -> None:
        """End all tasks, those too that a closing cluster had no time to cancel; of the killed ones nothing is left."""
        for place in self._processes:
            self._begin_to_end(place)
        await asyncio.gather(*self._ends.values())
        if self._killed:
            sweep(Path(tempfile.gettempdir()))

    def _begin_to_end(self, place: Place) -> None:
        process = self._processes.get(place)
        if process is not None and process.returncode is None and place not in self._ends:
            self._ends[place] = asyncio.create_task(self._end(process))

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
