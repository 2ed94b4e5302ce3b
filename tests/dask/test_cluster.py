"""Dask clusters as people use them in a notebook: on a real hub, a real Slurm, in real kernels."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from tests.support.dask_notebook import CellError, Notebook, Session
from tests.support.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image]

START = "from fabric_lab import DaskCluster, clusters\n"
SQUARES = "sum(client.gather(client.map(lambda x: x * x, range(100))))"


def test_a_cluster_with_gpus_in_two_lines_one_worker_for_each_gpu(notebook: Notebook) -> None:
    notebook.run(
        START + "cluster = DaskCluster(gpus=2); client = cluster.get_client()\ncluster.wait_for_workers(2, timeout=60)"
    )
    devices = notebook.value(
        "sorted(client.run(lambda: __import__('os').environ['CUDA_VISIBLE_DEVICES']).items(), key=str)"
    )
    assert sorted(device for _, device in devices) == ["0", "1"]
    assert notebook.value("[list(w['resources'].items()) for w in cluster.scheduler_info['workers'].values()]") == (
        [[["GPU", 1.0]]] * 2
    )
    assert notebook.value(SQUARES) == 328350
    notebook.run("client.close(); cluster.close()")
    assert notebook.value("clusters()") == []


def test_what_starts_together_is_one_submission_and_what_ends_together_one_cancellation(notebook: Notebook) -> None:
    notebook.run(START + "cluster = DaskCluster(name='many', workers_per_job=2)\ncluster.scale(6)")
    notebook.run("cluster.wait_for_workers(6, timeout=60)")
    status = notebook.value("cluster.status_of_workers()")
    assert status["calls"] == {"sbatch": 1, "scancel": 0}
    assert len({worker["job"] for worker in status["workers"]}) == 3
    notebook.run("cluster.scale(0)")
    notebook.until("not cluster.scheduler_info['workers']", "all workers are gone")
    assert notebook.value("cluster.status_of_workers()['calls']") == {"sbatch": 1, "scancel": 1}


def test_shrinking_moves_results_and_computes_none_again(notebook: Notebook) -> None:
    notebook.run(START + "cluster = DaskCluster(6, workers_per_job=3); client = cluster.get_client()")
    notebook.run("cluster.wait_for_workers(6, timeout=60)")
    notebook.run(
        "import os, time, distributed\n"
        "results = client.map(lambda i: (i, os.getpid(), time.time()), range(200), pure=False)\n"
        "distributed.wait(results); before = client.gather(results)"
    )
    notebook.run("cluster.scale(2)")
    notebook.until("len(cluster.scheduler_info['workers']) == 2", "two workers are left")
    assert notebook.value("client.gather(results) == before")
    assert notebook.value("len({pid for _, pid, _ in before})") == 6, "the work was not spread over all workers"


def test_workers_have_no_token_and_nothing_of_the_notebooks_own_job(notebook: Notebook, session: Session) -> None:
    notebook.run(
        START + "cluster = DaskCluster(1); client = cluster.get_client(); cluster.wait_for_workers(1, timeout=60)"
    )
    (names,) = notebook.value("[sorted(e) for e in client.run(lambda: list(__import__('os').environ)).values()]")
    assert not [name for name in names if "TOKEN" in name or name.startswith(("JUPYTER", "JPY"))]
    jobs = notebook.value("client.run(lambda: __import__('os').environ['SLURM_JOB_ID'])")
    assert notebook.value("__import__('os').environ['FABRIC_JOB_ID']") not in jobs.values()
    # the daemon, too
    daemons = [pid for pid, command in session.processes if "fabric_lab.dask.daemon" in command]
    assert daemons
    for pid in daemons:
        environment = Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
        assert b"TOKEN" not in environment


def test_lost_workers_come_back_by_themselves(notebook: Notebook, session: Session) -> None:
    notebook.run(
        START + "cluster = DaskCluster(2, name='heals', workers_per_job=1); cluster.wait_for_workers(2, timeout=60)"
    )
    jobs = notebook.value("[w['job'] for w in cluster.status_of_workers()['workers']]")
    session.run.slurm("scancel", jobs[0])
    notebook.until("len(cluster.scheduler_info['workers']) == 1", "its worker is gone")
    notebook.until("len(cluster.scheduler_info['workers']) == 2", "there are two workers again")
    again = notebook.value("[w['job'] for w in cluster.status_of_workers()['workers']]")
    assert jobs[1] in again
    assert jobs[0] not in again


def test_a_worker_that_slurm_ends_hands_over_its_results_first(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(2, workers_per_job=1); client = cluster.get_client()")
    notebook.run("cluster.wait_for_workers(2, timeout=60)")
    notebook.run(
        "import os, distributed\nresults = client.map(lambda i: (i, os.getpid()), range(50), pure=False)\n"
        "distributed.wait(results); before = client.gather(results)"
    )
    job = notebook.value("cluster.status_of_workers()['workers'][0]['job']")
    session.run.slurm("scancel", job)  # SIGTERM first, as at preemption
    notebook.until("len(cluster.scheduler_info['workers']) == 1", "its worker is gone")
    assert notebook.value("client.gather(results) == before")


def test_a_cluster_outlives_its_kernel_and_is_found_by_another_notebook(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(1, name='stays'); cluster.wait_for_workers(1, timeout=60)")
    address = notebook.value("cluster.scheduler_address")
    notebook.restart()
    assert notebook.value("__import__('fabric_lab').clusters()") == ["stays"]
    other = session.notebook()
    other.run(START + "cluster = DaskCluster.connect('stays'); client = cluster.get_client()")
    assert other.value("cluster.scheduler_address") == address
    assert other.value(SQUARES) == 328350
    with pytest.raises(CellError, match="There is no cluster 'other' in this session; there is stays"):
        other.run("DaskCluster.connect('other')")
    with pytest.raises(CellError, match="There is a cluster stays already"):
        other.run("DaskCluster(name='stays')")
    other.run("cluster.close()")
    assert notebook.value("__import__('fabric_lab').clusters()") == []


def test_waiting_workers_say_why_in_the_words_of_the_waiting_page(notebook: Notebook) -> None:
    notebook.run(START + "cluster = DaskCluster(gpus=8)")
    why = "{j['why'] for j in cluster.status_of_workers()['jobs'] or [] if j['phase'] == 'queued'}"
    notebook.until(
        f"{why} - {{'', 'Submitted. Slurm has not scheduled it yet.'}}", "Slurm has looked, and the hub has seen it"
    )
    assert notebook.value(f"sorted({why})") == ["It's next. It starts as soon as enough of partition gpu is free."]


def test_it_is_dask_jobqueues_cluster_and_follows_the_work(notebook: Notebook) -> None:
    notebook.run(START + "from dask_jobqueue import SLURMCluster\ncluster = DaskCluster()")
    assert notebook.value("isinstance(cluster, SLURMCluster)")
    notebook.run("cluster.adapt(minimum=0, maximum=3); client = cluster.get_client()")
    assert notebook.value(SQUARES) == 328350
    notebook.until("not cluster.scheduler_info['workers']", "without work there is no worker")


def test_a_cluster_without_work_ends_by_itself(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(1, idle_timeout='3 seconds'); client = cluster.get_client()")
    assert notebook.value(SQUARES) == 328350
    directory = Path(notebook.value("str(cluster.directory)"))
    notebook.until("clusters() == []", "it has ended")
    assert not directory.exists(), "it has not ended in order"
    session.until_no_jobs()


# Distributed looks once in a while whether it was idle for so long: now, and as if that had begun an hour ago.
LOOK = """
def look(dask_scheduler):
    dask_scheduler.check_idle()  # after any change it begins anew
    dask_scheduler.idle_since = time.time() - 3600
    dask_scheduler.check_idle()
    return dask_scheduler.idle_since
"""


def test_a_cluster_whose_workers_wait_in_slurms_queue_is_not_idle(notebook: Notebook, session: Session) -> None:
    session.run.slurm("scontrol", "update", "NodeName=cpu1", "State=DRAIN", "Reason=test")
    try:
        notebook.run(START + "cluster = DaskCluster(1, idle_timeout='30 minutes'); client = cluster.get_client()")
        notebook.run("import time" + LOOK)
        assert notebook.value("client.run_on_scheduler(look)") is None
        assert any("PENDING" in job for job in session.jobs()), session.jobs()
    finally:
        session.run.slurm("scontrol", "update", "NodeName=cpu1", "State=RESUME")
    assert notebook.value(SQUARES) == 328350
    assert notebook.value("client.run_on_scheduler(look)") is not None
    notebook.until("clusters() == []", "without work it ends")


def test_scratch_space_goes_with_its_cluster(notebook: Notebook, session: Session) -> None:
    before = _scratch_spaces(session)
    notebook.run(START + "cluster = DaskCluster(1, name='tidy'); client = cluster.get_client()")
    assert notebook.value(SQUARES) == 328350
    inside = notebook.value("client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.local_directory)")
    assert Path(inside).is_relative_to(notebook.value("str(cluster.directory)"))
    of_workers = notebook.value("list(client.run(lambda dask_worker: dask_worker.local_directory).values())")
    assert all(Path(inside).parts[2].startswith("fabric-dask-") for inside in of_workers), of_workers
    notebook.run("client.close(); cluster.close()")
    session.until_no_jobs()
    left = [Path(*Path(inside).parts[:3]) for inside in of_workers]
    until(
        lambda: not any(directory.exists() for directory in left), "the workers' space is gone", 60, seen=lambda: left
    )
    assert not Path(inside).exists()
    assert _scratch_spaces(session) == before


def _scratch_spaces(session: Session) -> dict[str, int]:
    """Distributed's own in /tmp that are the session's user's, and when something was made in each last."""
    uid = pwd.getpwnam(session.run.unix_name(session.user)).pw_uid
    found = {path: path.stat() for path in Path("/tmp").glob("dask-scratch-space*")}
    return {str(path): status.st_mtime_ns for path, status in found.items() if status.st_uid == uid}


def test_nothing_is_left_two_minutes_after_the_sessions_server_was_killed(session: Session, notebook: Notebook) -> None:
    notebook.run(
        START + "cluster = DaskCluster(1, name='last'); cluster.wait_for_workers(1, timeout=60)\ncluster.scale(40)"
    )
    assert session.jobs()
    session.kill("fabric_lab.dask.daemon")
    session.kill("fabric_lab.launch")
    session.until_no_jobs(120)
