"""On a node: ``python -P -m fabric_lab.dask.worker_task FILE`` is one task of a cluster's job array.

FILE is the :class:`Order` that was written before the task was submitted. The workers of the task are forked from one
process that has imported distributed (:mod:`.forkserver`), each under a nanny of its own. Before the task is ended, by
Slurm or by scancel, the workers hand their results to others.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..common import gpu
from ..common.scratch import let_multiprocessing_use, scratch
from ..common.translation import _
from . import forkserver, notebook_context, rendezvous
from .notebook_context import JobDatasets

# Between Slurm's SIGTERM and its SIGKILL are KillWait seconds (slurm.conf, 30 by default); a part is for the goodbye.
HAND_OVER_S = 25.0
# The signal before the end comes so much earlier (:func:`.queues.options`); a part of it is for others to be there.
NOTICE_S = 60
SUCCESSORS_S, LOOK_S = 30.0, 1.0
# A job that is signalled sooner after its start would only be followed by one like it: it works until SIGTERM.
SHORTEST_S = 30.0
CONNECT_S = 60.0
# Workers whose results are safe, or wanted by nobody, have nothing left to wait for.
GOODBYE_S = 2.0


@dataclass(frozen=True)
class Order:
    """What a job array's tasks shall run; task k has ``names[k * per_task:(k + 1) * per_task]``.

    ``memory_limit`` is in bytes per worker (0: none), ``death_timeout`` in seconds without a scheduler. What else
    distributed's worker is told is in ``worker``.
    """

    names: list[str]
    per_task: int
    nthreads: int
    memory_limit: int
    gpus: int = 0
    resources: dict[str, float] | None = None
    local_directory: str | None = None
    death_timeout: float = CONNECT_S
    worker: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Put it where the tasks read it, readable by the user only."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file)

    @classmethod
    def read(cls, path: Path) -> Order:
        return cls(**json.loads(path.read_text()))

    def of_task(self, task: int) -> list[str]:
        return self.names[task * self.per_task : (task + 1) * self.per_task]


def devices(environment: dict[str, str] | os._Environ[str], workers: int, each: int) -> list[dict[str, str]]:
    """The environment that gives each of a task's workers its own GPUs out of those that Slurm gave the task.

    :raises ValueError: Slurm gave fewer than they need.
    """
    if not each:
        return [{} for _ in range(workers)]
    given = [device for device in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if device]
    if len(given) < workers * each:
        raise ValueError(f"{workers} workers need {workers * each} GPUs, but Slurm gave this task {len(given)}.")
    return [{"CUDA_VISIBLE_DEVICES": ",".join(given[n * each : (n + 1) * each])} for n in range(workers)]


async def run(order: Order, directory: Path, task: int) -> None:
    """Be the workers of one task until they are all closed, or the task is about to end."""
    from distributed import Nanny, rpc

    from . import tls
    from .tls_nodes import ClosedWorker, find

    security, scheduler_address = tls.load(directory), await rendezvous.until_address(directory, CONNECT_S)
    names = order.of_task(task)
    ending, now = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    began = loop.time()

    def end_soon() -> None:
        if loop.time() - began >= SHORTEST_S:
            ending.set()

    def end_now() -> None:
        ending.set()
        now.set()

    loop.add_signal_handler(signal.SIGUSR1, end_soon)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end_now)
    async with rpc(scheduler_address, connection_args=security.get_connection_args("worker")) as scheduler:
        # a worker that was given up while its job waited is not started
        wanted = await asyncio.wait_for(scheduler.fabric_wanted(names=names), CONNECT_S)
        names = [name for name in names if name in wanted]
        datasets = JobDatasets()
        await open_datasets(scheduler, datasets)
        notebook_context.take_settings(await asyncio.wait_for(scheduler.fabric_config(), CONNECT_S))
        configure()  # stands above that
        notebook_context.import_from(
            await asyncio.wait_for(scheduler.fabric_find(paths=[]), CONNECT_S)
        )  # workers have our path
        nannies = [
            Nanny(
                scheduler_address,
                name=name,
                nthreads=order.nthreads,
                memory_limit=order.memory_limit,
                resources=order.resources,
                local_directory=order.local_directory,
                death_timeout=order.death_timeout,
                security=security,
                worker_class=ClosedWorker,
                dashboard=False,
                env=environment,
                **order.worker,
            )
            for name, environment in zip(names, devices(os.environ, len(names), order.gpus), strict=True)
        ]
        for nanny in nannies:
            nanny.handlers["fabric_datasets"] = datasets.match
            nanny.handlers["fabric_find"] = find
        started: asyncio.Future[Any] = asyncio.gather(*nannies)
        signalled: asyncio.Future[Any] = asyncio.ensure_future(ending.wait())
        await asyncio.wait([started, signalled], return_when=asyncio.FIRST_COMPLETED)
        if started.done():
            started.result()
            await open_datasets(scheduler, datasets)  # what was added while they started
            print(json.dumps({"workers": names, "node": os.environ.get("SLURMD_NODENAME", "")}), flush=True)
            finished: asyncio.Future[Any] = asyncio.gather(*(nanny.finished() for nanny in nannies))
            await asyncio.wait([finished, signalled], return_when=asyncio.FIRST_COMPLETED)
            if not finished.done():
                leaving: asyncio.Future[Any] = asyncio.ensure_future(leave(scheduler, names, now))
                # a scheduler that ends closes the workers by itself, and answers nobody any more
                await asyncio.wait([finished, leaving], return_when=asyncio.FIRST_COMPLETED)
                leaving.cancel()
                with suppress(asyncio.CancelledError):
                    await leaving
            finished.cancel()
            with suppress(asyncio.CancelledError):
                await finished
        else:
            started.cancel()
        signalled.cancel()
        await asyncio.gather(*(nanny.close(timeout=GOODBYE_S, reason="the job ends") for nanny in nannies))


def configure() -> None:
    """Have distributed fork its workers, and measure no GPU but their own.

    It measures the node's first GPU where a worker was given none: under Slurm that is somebody else's.
    """
    import dask

    dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    if "SLURM_JOB_ID" in os.environ and not gpu.devices(os.environ):
        dask.config.set({"distributed.diagnostics.nvml": False})  # nannies hand it on


async def open_datasets(scheduler: Any, datasets: JobDatasets) -> None:
    """Have the node open the session's datasets for this job; one that is refused is a line in the log."""
    await datasets.match(await asyncio.wait_for(scheduler.fabric_datasets(), CONNECT_S))


async def leave(scheduler: Any, names: list[str], now: asyncio.Event) -> None:
    """Hand over, and tell the scheduler that these workers end with their job.

    :param now: there is no time to wait for others in their place.
    """
    if not now.is_set():
        others: asyncio.Future[Any] = asyncio.ensure_future(successors(scheduler, names))
        hurry: asyncio.Future[Any] = asyncio.ensure_future(now.wait())
        await asyncio.wait([others, hurry], return_when=asyncio.FIRST_COMPLETED)
        others.cancel()
        hurry.cancel()
    await hand_over(scheduler, names)
    with suppress(OSError):
        await scheduler.fabric_leave(names=names)


async def successors(scheduler: Any, names: list[str]) -> None:
    """Have others started in these workers' place, and wait for them: all may be about to end at once."""
    end = asyncio.get_running_loop().time() + SUCCESSORS_S
    said = _("The job ends soon: others are started in place of {workers}.")
    print(said.format(workers=", ".join(names)), flush=True)
    with suppress(TimeoutError, OSError):
        while not await asyncio.wait_for(scheduler.fabric_succeed(names=names), HAND_OVER_S):
            if asyncio.get_running_loop().time() >= end:
                return
            await asyncio.sleep(LOOK_S)


async def hand_over(scheduler: Any, names: list[str]) -> None:
    """Have results that only these workers hold copied to others, for as long as Slurm lets us live."""
    try:
        names = await asyncio.wait_for(scheduler.fabric_wanted(names=names), HAND_OVER_S)
        if not names:
            return
        said = _("The job ends: workers {workers} hand over their results.")
        print(said.format(workers=", ".join(names)), flush=True)
        await asyncio.wait_for(
            scheduler.retire_workers(names=names, close_workers=False, remove=False), timeout=HAND_OVER_S
        )
    except (TimeoutError, OSError) as error:
        said = _("Not all of them could be handed over: {error}.")
        print(said.format(error=str(error) or _("no time was left")), flush=True)


def main() -> int:
    """Run the task that Slurm's environment names."""
    path = Path(sys.argv[1])
    try:
        order = Order.read(path)
        # sockets cannot be had on every file system that workers may write to
        with scratch() as own, scratch(order.local_directory) if order.local_directory else nullcontext(own) as wide:
            let_multiprocessing_use(own)
            order = replace(order, local_directory=wide)
            configure()
            forkserver.start()
            asyncio.run(run(order, path.parents[1], int(os.environ.get("SLURM_ARRAY_TASK_ID", "0"))))
    except FileNotFoundError as error:
        # the cluster's directory goes with it
        said = _("there is no {file}: the cluster has ended.").format(file=error.filename)
        print(f"fabric_lab.dask.worker_task: {said}", file=sys.stderr)
        return 0
    except (OSError, TimeoutError) as error:
        said = _("the cluster's scheduler does not answer: {error}.").format(error=error)
        print(f"fabric_lab.dask.worker_task: {said}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"fabric_lab.dask.worker_task: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
