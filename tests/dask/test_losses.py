"""What a cluster does when things are taken from it: submissions, jobs, nodes, its own processes."""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.dask_clients import Clients
from tests.support.dask_notebook import CellError, Notebook, Session
from tests.support.embedded_run import ROOT, EmbeddedRun

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image]

START = "from fabric_lab import DaskCluster, clusters\n"
# A task that was running when its worker died is given up at once: what is lost without a warning shows.
STRICT = "import os; os.environ['DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES'] = '0'\n"
HERE = "len(cluster.scheduler_info['workers'])"
JOBS = "sorted(w['job'] for w in cluster.status_of_workers()['workers'])"


@contextmanager
def state(run: EmbeddedRun, *what: str, during: str, after: str) -> Iterator[None]:
    """A state that an administrator gives to something, taken back at the end."""
    run.slurm("scontrol", "update", *what, *during.split())
    try:
        yield
    finally:
        run.slurm("scontrol", "update", *what, *after.split())


def lose_power(run: EmbeddedRun, node: str, user: str) -> None:
    """A node goes down, and with it everything that a user runs there: Slurm itself cannot end it then.

    Nothing of it does a thing any more once the node is down, such as handing over its results: it stands still first,
    and so does the node's slurmd, which would let it go on for a last word.
    """
    signalled(node, user, signal.SIGSTOP)
    with run.silent(f"slurmd-{node}"):
        run.slurm("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")  # it returns by itself
        signalled(node, user, signal.SIGKILL)


def signalled(node: str, user: str, number: signal.Signals) -> None:
    """A signal to everything that a user runs on a node of this machine."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            mine = entry.name.isdigit() and (ROOT is False or entry.stat().st_uid == pwd.getpwnam(user).pw_uid)
            if mine and f"SLURMD_NODENAME={node}\0".encode() in (entry / "environ").read_bytes():
                os.kill(int(entry.name), number)


def test_a_submission_that_fails_is_told_and_repeated(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(name='refused')")
    with state(session.run, "PartitionName=cpu", during="State=INACTIVE", after="State=UP"):
        notebook.run("cluster.scale(1)")
        notebook.until("'could not be submitted' in repr(cluster)", "the refusal is shown")
        (problem,) = notebook.value("list(cluster.status_of_workers()['problems'].values())")
        assert "Required partition not available" in problem
    notebook.until(f"{HERE} == 1", "it was repeated")
    assert notebook.value("cluster.status_of_workers()['problems']") == {}


def test_workers_that_reach_their_time_limit_together_have_successors_first_and_nothing_is_computed_again(
    notebook: Notebook, session: Session
) -> None:
    notebook.run(
        STRICT + START + "import time, distributed\n"
        "cluster = DaskCluster(2, cores=1, memory='500MB', queue='cpu', walltime='00:03:00', workers_per_job=1)\n"
        "client = cluster.get_client(); cluster.wait_for_workers(2, timeout=60)\n"
        "kept = client.map(lambda n: (n, time.time()), range(20), pure=False); distributed.wait(kept)\n"
        "first = client.gather(kept); before = set(cluster.scheduler_info['workers'])"
    )
    gone = "not before & set(cluster.scheduler_info['workers'])"
    notebook.until(f"{gone} and {HERE} == 2", "both have been followed by others", 200)
    assert notebook.value("client.gather(kept) == first"), notebook.value("cluster.get_logs()['Cluster']")
    assert notebook.value("[state for state in cluster.status_of_workers()['problems']]") == []
    accounted = session.run.slurm(
        "sacct", "-n", "-X", "-S", "now-10minutes", "-u", session.run.unix_name(session.user), "-o", "State"
    )
    assert "TIMEOUT" not in accounted, accounted


def test_workers_of_a_node_that_goes_down_come_back(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(gpus=4); client = cluster.get_client()")
    notebook.run("cluster.wait_for_workers(4, timeout=60)")
    before = notebook.value(JOBS)
    lose_power(session.run, "gpu2", session.run.unix_name(session.user))
    notebook.until(f"{HERE} == 2", "half of the workers are gone")
    assert notebook.value("client.submit(lambda: 7, pure=False).result()") == 7
    notebook.until(f"{HERE} == 4", "the node's workers are there again")
    assert len(set(before) & set(notebook.value(JOBS))) == 2


def test_a_node_that_goes_down_with_a_quarter_of_the_workers_costs_their_work_and_nothing_else(
    notebook: Notebook, session: Session
) -> None:
    clients = Clients(notebook)
    with state(session.run, "NodeName=gpu2", during="State=DRAIN Reason=test", after="State=RESUME"):
        notebook.run(
            START
            + "cluster = DaskCluster(6, profile='cpu', workers_per_job=2)\ncluster.add_pool(name='gpu', gpus=True)"
        )
        notebook.run("cluster.scale(2, pool='gpu'); cluster.wait_for_workers(8, timeout=90)")
    before = notebook.value("cluster.status_of_workers()")
    assert before["calls"] == {"sbatch": 2, "scancel": 0}
    lost = {worker["name"] for worker in before["workers"] if worker["pool"] == "gpu"}
    notebook.run(
        "import time, distributed; client = cluster.get_client()\n"
        "def made(i):\n    time.sleep(0.02)\n    return i, distributed.get_worker().name, time.time()\n"
        "kept = client.map(made, range(400), pure=False); distributed.wait(kept); first = client.gather(kept)\n"
        "def slow(i):\n    time.sleep(0.5)\n    return i\n"
        "work = client.map(slow, range(200), pure=False)"
    )
    makers = notebook.value("sorted({name for _, name, _ in first})")
    assert lost < set(makers), "the work was not spread over all workers"
    assert len(makers) == 8
    lose_power(session.run, "gpu1", session.run.unix_name(session.user))
    notebook.until(f"{HERE} == 6", "a quarter of the workers is gone")
    notebook.until(f"{HERE} == 8", "there are as many again")
    assert notebook.value("sorted(client.gather(work))") == [*range(200)]
    for old, new in zip(notebook.value("first"), notebook.value("client.gather(kept)"), strict=True):
        if old[1] in lost:
            assert (new[0], new[2] > old[2]) == (old[0], True)  # computed again
        else:
            assert new == old

    after = notebook.value("cluster.status_of_workers()")
    others = [[w["job"] for w in status["workers"] if w["pool"] == "cpu"] for status in (before, after)]
    assert others[0] == others[1]
    again = clients.calls("sbatch")[2:]
    assert all("--gres=gpu" in call for call in again), again
    assert sum(int(call.split("--array=0-")[1].split()[0]) + 1 for call in again) == 2
    ended = {place.split("_")[0] for place in others[0]}
    assert not [call for call in clients.calls("scancel") if any(f"{job}_" in call for job in ended)]


def test_a_job_that_slurm_has_put_back_is_left_alone(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(1, name='again'); cluster.wait_for_workers(1, timeout=60)")
    (place,) = notebook.value(JOBS)
    session.run.slurm("scontrol", "update", f"job={place}", "Requeue=1")
    session.run.slurm("scontrol", "requeue", place)
    # Slurm's own word: the hub's may still be that it waits for its first start
    asked = f"squeue -h -r -j {place} -o '%T %r' | grep -qx 'PENDING BeginTime'"
    session.run.slurm("timeout", "50", "sh", "-c", f"until {asked}; do sleep 0.2; done")
    notebook.until(f"{HERE} == 0", "its worker is gone")
    notebook.until("any(j['phase'] == 'queued' for j in cluster.status_of_workers()['jobs'] or [])", "it waits again")
    session.run.slurm("scontrol", "update", f"job={place}", "StartTime=now")  # Slurm would let it wait two minutes
    notebook.until(f"{HERE} == 1", "its worker is there again")
    status = notebook.value("cluster.status_of_workers()")
    assert [worker["job"] for worker in status["workers"]] == [place]
    assert status["calls"] == {"sbatch": 1, "scancel": 0}


@pytest.fixture
def urgent(session: Session) -> Iterator[EmbeddedRun]:
    """A QOS that may preempt others, for jobs of researcher in project proteins."""
    run = session.run
    run.slurm("sacctmgr", "-i", "add", "qos", "urgent", "Preempt=normal", "Priority=1000")
    run.slurm("sacctmgr", "-i", "modify", "user", run.unix_name("researcher"), "set", "QOS+=urgent")
    yield run
    run.slurm("sacctmgr", "-i", "modify", "user", run.unix_name("researcher"), "set", "QOS-=urgent")
    run.slurm("sacctmgr", "-i", "delete", "qos", "urgent")


def preempted(run: EmbeddedRun) -> list[str]:
    """The jobs that Slurm has preempted lately, by its database."""
    asked = ("sacct", "-n", "-X", "-a", "--state=PREEMPTED", "--starttime=now-1hour", "--endtime=now", "-o", "jobid")
    return run.slurm(*asked).split()


@pytest.mark.root
@pytest.mark.skipif(not ROOT, reason="needs root: it submits as a second user")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("trials", [4, pytest.param(20, marks=pytest.mark.long)])
def test_preemptions_one_after_another_end_no_work_and_lose_no_result(
    notebook: Notebook, session: Session, urgent: EmbeddedRun, trials: int
) -> None:
    before = len(preempted(urgent))
    notebook.run(STRICT + START + "cluster = DaskCluster(gpus=4); client = cluster.get_client()")
    notebook.run("cluster.wait_for_workers(4, timeout=60)")
    notebook.run(
        "import time, distributed\n"
        "def slow(i):\n    time.sleep(0.5)\n    return i\n"
        "kept = client.map(lambda i: (i, time.time()), range(100), pure=False); distributed.wait(kept)\n"
        "made = client.gather(kept)"
    )
    for trial in range(trials):
        notebook.run(f"work = client.map(slow, range({trial * 1000}, {trial * 1000 + 160}), pure=False)")
        argv = ["sbatch", "--parsable", "--wait", "-A", "proteins", "-p", "gpu", "--gres=gpu:1", "--qos=urgent"]
        done = urgent.as_user("researcher", *argv, "--mem=100M", "--output=/dev/null", input="#!/bin/sh\ntrue\n")
        assert done.returncode == 0, done.stderr
        assert notebook.value("sorted(client.gather(work))") == [*range(trial * 1000, trial * 1000 + 160)], trial
        notebook.until(f"{HERE} == 4", f"trial {trial}: four workers again")
    assert len(preempted(urgent)) - before >= trials, preempted(urgent)
    assert notebook.value("client.gather(kept) == [tuple(x) for x in made]"), "results were computed again"


def test_kill_9_of_the_kernel_changes_nothing_for_the_cluster(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(1, name='orphan'); client = cluster.get_client()")
    notebook.run("cluster.wait_for_workers(1, timeout=60); client.publish_dataset(answer=client.submit(lambda: 42))")
    os.kill(notebook.value("__import__('os').getpid()"), signal.SIGKILL)
    other = session.notebook()
    other.run(START + "cluster = DaskCluster.connect('orphan'); client = cluster.get_client()")
    assert other.value("client.get_dataset('answer').result()") == 42


def test_kill_9_of_the_scheduler_ends_its_workers_and_its_name_is_free(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(2, name='headless'); cluster.wait_for_workers(2, timeout=60)")
    assert session.jobs()
    session.kill("fabric_lab.dask.daemon")
    notebook.until("clusters() == []", "it is gone")
    other = session.notebook()
    with pytest.raises(CellError, match="There is no cluster 'headless' in this session; there is none"):
        other.run(START + "DaskCluster.connect('headless')")
    session.until_no_jobs(110)
    other.run("cluster = DaskCluster(1, name='headless'); cluster.wait_for_workers(1, timeout=60); cluster.close()")
