"""Many workers: one call of Slurm's for all of them, and results that stay when half of them go."""

from __future__ import annotations

import time

import pytest

from tests.support.dask_clients import Clients
from tests.support.dask_notebook import Notebook, Session
from tests.support.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image, pytest.mark.timeout(300)]

HERE = "len(cluster.scheduler_info['workers'])"


def test_sixty_four_workers_are_one_submission_and_when_half_of_them_go_nothing_is_computed_again(
    notebook: Notebook, session: Session
) -> None:
    clients = Clients(notebook)
    notebook.run(
        "import os, time, distributed\nfrom fabric_lab import DaskCluster\n"
        "cluster = DaskCluster(name='many', cores=8, processes=8, job_cpu=1, memory='3GB', queue='cpu')\n"
        "client = cluster.get_client()"
    )
    began = time.monotonic()
    notebook.run("cluster.scale(64); cluster.wait_for_workers(64, timeout=240)")
    there = time.monotonic() - began
    status = notebook.value("cluster.status_of_workers()")
    assert status["calls"] == {"sbatch": 1, "scancel": 0}
    assert [call.split("--array=")[1].split()[0] for call in clients.calls("sbatch")] == ["0-7"]
    assert len({worker["job"] for worker in status["workers"]}) == 8

    notebook.run(
        "def made(i):\n    time.sleep(0.05)\n    return i, os.getpid(), time.time()\n"
        "results = client.map(made, range(1280), pure=False)\n"
        "distributed.wait(results); before = client.gather(results)"
    )
    assert notebook.value("len({pid for _, pid, _ in before})") == 64, "the work was not spread over all workers"
    began = time.monotonic()
    notebook.run("cluster.scale(32)")
    notebook.until(f"{HERE} == 32", "half of the workers are left")
    gone = time.monotonic() - began
    assert notebook.value("client.gather(results) == before"), "results were computed again"
    # four of eight jobs have given their place back, in one call
    notebook.until("cluster.status_of_workers()['calls'] == {'sbatch': 1, 'scancel': 1}", "whole jobs went", 30)
    notebook.until("len({w['job'] for w in cluster.status_of_workers()['workers']}) == 4", "four jobs are left", 30)
    until(lambda: len(session.jobs()) <= 4, "four jobs are left in Slurm, too", 60, seen=session.jobs)

    notebook.run("client.close(); cluster.close()")
    assert len(clients.calls("scancel")) == 2
    session.until_no_jobs(120)
    print(f"64 workers in {there:.1f} s, 32 of them handed over their results and were gone in {gone:.1f} s.")
