"""Kernel, server, scheduler and session end at moments that are chosen, while something of the cluster is under way.

The tests go through one chain of sessions: each ends its cluster in another way, and starts one of the same name after.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.dask_clients import Clients
from tests.support.dask_notebook import Session
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image, pytest.mark.timeout(300)]

HERE = "len(cluster.scheduler_info['workers'])"
# The bound that is promised; what is measured is printed.
ORPHANS_S = 120.0

# Its copy is not made before the cluster's daemon is gone: what moves it is under way until then.
SLOW = """
class Slow:
    def __init__(self, directory):
        self.directory = directory

    def __reduce__(self):
        import pathlib, time
        from fabric_lab.dask.rendezvous import running
        directory = pathlib.Path(self.directory)
        (directory / 'moving').touch()
        while running(directory):
            time.sleep(0.02)
        return int, ()

import distributed
cluster.scale(2); cluster.wait_for_workers(2, timeout=60)
kept = [client.submit(Slow, str(cluster.directory), workers=[w], pure=False) for w in cluster.scheduler_info['workers']]
distributed.wait(kept)
"""


class Chain:
    """A session with a notebook that has cluster ``same``, with one worker; a new one whenever one was ended."""

    def __init__(self, run: EmbeddedRun) -> None:
        self._run = run
        self.session: Session | None = None

    def begin(self) -> None:
        """A new session, and the cluster in it."""
        self.session = Session(self._run, "trainer", project="ml-course")
        self.open()

    def open(self) -> None:
        """A new notebook, and the cluster that it starts."""
        assert self.session
        self.notebook = self.session.notebook()
        self.clients = Clients(self.notebook)
        self.notebook.run(
            "from fabric_lab import DaskCluster, clusters\n"
            "cluster = DaskCluster(1, name='same', workers_per_job=1); client = cluster.get_client()\n"
            "cluster.wait_for_workers(1, timeout=60)"
        )
        self.directory = Path(self.notebook.value("str(cluster.directory)"))

    def processes(self) -> list[str]:
        """Command lines of the cluster's: daemon, tasks, workers, and calls of Slurm's clients."""
        assert self.session
        return [
            command
            for pid, command in processes_below(self._run.directory)
            if any(part in command for part in ("fabric_lab.dask", "multiprocessing", str(self.clients.directory)))
        ]

    def daemon(self) -> bool:
        return any("fabric_lab.dask.daemon" in command for command in self.processes())

    def until_nothing_is_left(self, what: str, since: float) -> None:
        session = self.session
        assert session
        limit = since + ORPHANS_S - time.monotonic()
        until(lambda: not session.jobs(), "no job is left", limit, seen=session.jobs)
        jobs = time.monotonic() - since
        until(lambda: not self.processes(), "no process is left", limit, seen=self.processes)
        print(f"{what}: no job after {jobs:.1f} s, no process after {time.monotonic() - since:.1f} s.")

    def until_the_session_is_gone(self) -> None:
        """The hub has noticed, too: its user may start another."""
        session = self.session
        assert session
        until(lambda: not session.server(), "the hub has no session any more", ORPHANS_S, seen=session.server)


def processes_below(directory: Path) -> Iterator[tuple[int, str]]:
    """(pid, command line) of processes of a run's jobs: their environment says where its Slurm is."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and str(directory).encode() in (entry / "environ").read_bytes():
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                yield int(entry.name), command


@pytest.fixture(scope="module")
def links(embedded_hub: EmbeddedRun) -> Iterator[Chain]:
    chain = Chain(embedded_hub)
    yield chain
    if chain.session:
        chain.session.stop()


@pytest.fixture
def chain(links: Chain, request: pytest.FixtureRequest) -> Iterator[Chain]:
    """The chain as the last test left it; after one that failed, begun anew."""
    failed = request.session.testsfailed
    if links.session is None:
        links.begin()
    yield links
    if request.session.testsfailed > failed and links.session:
        links.session.stop()
        links.session = None


def test_kill_9_of_the_kernel_while_its_submission_is_under_way_changes_nothing(chain: Chain) -> None:
    assert chain.session
    kernel = chain.notebook.value("os.getpid()")
    chain.clients.hold("before-sbatch")
    chain.notebook.run("cluster.scale(3)")
    chain.clients.until_held("before-sbatch", calls=2)
    os.kill(kernel, signal.SIGKILL)
    chain.clients.let_go("before-sbatch")
    chain.notebook = chain.session.notebook()
    chain.notebook.run(
        "import os\nfrom fabric_lab import DaskCluster, clusters\ncluster = DaskCluster.connect('same')\n"
        "client = cluster.get_client(); cluster.wait_for_workers(3, timeout=60)"
    )
    assert chain.notebook.value("cluster.status_of_workers()['calls']") == {"sbatch": 2, "scancel": 0}
    chain.notebook.run("cluster.scale(1)")
    chain.notebook.until(f"{HERE} == 1", "one is left")


@pytest.mark.parametrize("moment", ["scaling down", "handing over"])
def test_kill_9_of_the_scheduler_while_results_move(chain: Chain, moment: str) -> None:
    assert chain.session
    chain.notebook.run(SLOW)
    if moment == "scaling down":
        chain.notebook.run("cluster.scale(1)")
    else:  # what Slurm sends before it ends a job
        job = chain.notebook.value("cluster.status_of_workers()['workers'][0]['job']")
        chain.session.run.slurm("scancel", job)
    until((chain.directory / "moving").exists, "a result moves")
    chain.session.kill("fabric_lab.dask.daemon")
    chain.until_nothing_is_left(f"Scheduler killed while {moment}", time.monotonic())
    chain.notebook.until("clusters() == []", "it is gone")
    chain.open()


@pytest.mark.parametrize(
    "moment", ["workers wait", "a submission has not reached Slurm", "a submission has no answer yet"]
)
def test_kill_9_of_the_server_alone(chain: Chain, moment: str) -> None:
    assert chain.session
    session = chain.session
    hold = {"workers wait": "", "a submission has not reached Slurm": "before-sbatch"}.get(moment, "after-sbatch")
    if hold:
        chain.clients.hold(hold)
        chain.notebook.run("cluster.scale(3)")
        chain.clients.until_held(hold, calls=2)
    else:
        chain.notebook.run("cluster.scale(40)")
        until(lambda: any("PENDING" in job for job in session.jobs()), "workers wait", seen=session.jobs)
    chain.session.kill("fabric_lab.launch")
    killed = time.monotonic()
    if hold:  # Slurm hears of it, or answers, when there is nobody left who could care
        until(lambda: not chain.daemon(), "the cluster's daemon is gone", ORPHANS_S, seen=chain.processes)
        chain.clients.let_go(hold)
    chain.until_nothing_is_left(f"Server killed while {moment}", killed)
    assert not list(chain.directory.parent.rglob("key.pem"))
    chain.until_the_session_is_gone()
    chain.begin()


@pytest.mark.parametrize("way", ["scancel", "the hub"])
def test_the_session_is_ended_while_workers_wait(chain: Chain, way: str) -> None:
    assert chain.session
    session = chain.session
    chain.notebook.run("cluster.scale(40)")
    until(lambda: any("PENDING" in job for job in session.jobs()), "workers wait", seen=session.jobs)
    ended = time.monotonic()
    if way == "scancel":
        chain.session.run.slurm("scancel", chain.notebook.value("os.environ['FABRIC_JOB_ID']"))
    else:
        chain.session.api.delete(f"/hub/api/users/{chain.session.user}/server")
    chain.until_nothing_is_left(f"Session ended by {way}", ended)
    assert not list(chain.directory.parent.rglob("key.pem"))
    chain.until_the_session_is_gone()
    chain.begin()
