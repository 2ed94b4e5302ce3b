"""``dask``: a Dask cluster of eight workers from a notebook, beside plain dask-jobqueue in the same session.

Both are started in fresh kernels of one real session, in turn: same node, same Slurm, same image.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from tests.support.dask_notebook import Session
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from . import ours, sdiag
from .figures import Result, median_row

WORKERS = 8
SHUFFLES = 3

_START = """
import time
began = time.monotonic()
{cluster}
client = cluster.get_client()
client.wait_for_workers({workers}, timeout=300)
ready = time.monotonic() - began
"""
_OURS = """
from fabric_lab import DaskCluster
cluster = DaskCluster({workers}, cores=1, memory='900MB', queue='cpu', workers_per_job={workers})
"""
_PEER = """
from dask_jobqueue import SLURMCluster
cluster = SLURMCluster(cores=1, processes=1, memory='900MB', queue='cpu', account='ml-course',
                       job_script_prologue=['unset "${{!SLURM_MEM@}}" "${{!SBATCH_@}}"'])
cluster.scale({workers})
"""
_SHUFFLE = """
import dask, time
def shuffled(seed):
    # another table each time: what the workers still hold of the last one would be found again
    table = dask.datasets.timeseries(end='2000-01-13', freq='2s', partition_freq='12h', seed=seed)
    began = time.monotonic()
    # the length alone would be that of the table, without a shuffle
    assert table.shuffle('name').map_partitions(len).compute().sum() == 12 * 43200
    return time.monotonic() - began
took = [shuffled(seed) for seed in range({shuffles} + 1)][1:]  # the first one imports
"""


def one_side(run: EmbeddedRun, session: Session, start: str) -> dict[str, Any]:
    """Start a cluster, shuffle, close it; times in seconds, and Slurm's own count of orders."""
    notebook = session.notebook()
    until_over(run, session)
    run.slurm("sdiag", "-r")
    notebook.run(_START.format(cluster=start.format(workers=WORKERS), workers=WORKERS))
    scaled = orders(run)
    notebook.run(_SHUFFLE.format(shuffles=SHUFFLES))
    found: dict[str, Any] = {"ready": notebook.value("ready"), "shuffles": notebook.value("took"), "scale": scaled}
    run.slurm("sdiag", "-r")
    notebook.run("client.close(); began = time.monotonic(); cluster.close(); closed = time.monotonic() - began")
    found |= {"close": orders(run), "closed": notebook.value("closed")}
    return found


def until_over(run: EmbeddedRun, session: Session) -> None:
    """Wait until Slurm has cleared the jobs of the cluster before: until then they hold their places on the node."""

    def jobs() -> list[str]:
        return run.slurm("squeue", "-h", "-r", "-u", run.unix_name(session.user), "-o", "%i").split()

    until(lambda: len(jobs()) <= 1, "the jobs of the cluster before end", 60, 0.2, seen=jobs)


def orders(run: EmbeddedRun) -> int:
    """Submissions and cancellations since the count was reset."""
    counted = sdiag.counts(run.slurm("sdiag"))
    return sum(number for name, number in counted.items() if "SUBMIT" in name or "KILL_JOB" in name or "CANCEL" in name)


def measure(run: EmbeddedRun, rounds: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Both sides in turn."""
    session = Session(run, "trainer", project="ml-course")
    try:
        mine, peers = [], []
        for _ in range(rounds):
            mine.append(one_side(run, session, _OURS))
            peers.append(one_side(run, session, _PEER))
        return mine, peers
    finally:
        session.stop()


async def run(arguments: argparse.Namespace, images: Path, _environment: Path) -> Result:
    """Time to eight ready workers, what Slurm is told, and what TLS costs a shuffle."""
    async with ours.running(images) as embedded:
        mine, peers = await asyncio.to_thread(measure, embedded, arguments.rounds)

    def side(found: list[dict[str, Any]], name: str) -> list[float]:
        return [float(one[name]) for one in found]

    return Result(
        "dask",
        (
            median_row("to 8 ready workers", "s", side(mine, "ready"), side(peers, "ready"), aim=0.25),
            median_row("orders to Slurm for them", "", side(mine, "scale"), side(peers, "scale"), aim=1, of="ours"),
            median_row("orders to Slurm to close", "", side(mine, "close"), side(peers, "close"), aim=1, of="ours"),
            median_row("close", "s", side(mine, "closed"), side(peers, "closed")),
            median_row(
                "a shuffle, with TLS and without",
                "s",
                [took for one in mine for took in one["shuffles"]],
                [took for one in peers for took in one["shuffles"]],
            ),
        ),
        (
            "From the import in a fresh kernel. Ours: TLS, eight workers in one job; the peer: plain TCP, a job each.",
            "Neither begins before Slurm has cleared the jobs of the cluster before it.",
            "Orders are submissions and cancellations that slurmctld counted (sdiag).",
        ),
        {"ours": mine, "peer": peers},
    )
