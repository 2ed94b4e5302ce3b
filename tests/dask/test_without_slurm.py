"""The same class on a hub that runs without Slurm: workers are processes of its machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import new_prefix
from tests.support.dask_notebook import CellError, Notebook, Session
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.image]

START = "from fabric_lab import DaskCluster, clusters\n"


@pytest.fixture(scope="module")
def session(sandbox: Path, images: Path) -> Iterator[Session]:
    """A session of a hub that was started with ``fabric-hub up --local``."""
    run = EmbeddedRun.start(sandbox / "local-run", "--local", "--prefix", new_prefix(), "--images", str(images))
    started = Session(run, "trainer", project="ml-course", profile="local")
    yield started
    started.stop()
    run.remove()


def test_a_cluster_of_this_machines_processes(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(2, name='here'); client = cluster.get_client()")
    notebook.run("cluster.wait_for_workers(2, timeout=60)")
    assert notebook.value("sum(client.gather(client.map(lambda x: x * x, range(100))))") == 328350
    assert notebook.value("list(client.security.get_connection_args('client'))")
    assert notebook.value("cluster.scheduler_address").startswith("tls://")
    # one TLS connection that breaks ends no other one, in any of a cluster's processes
    notebook.run("def sockets(*_):\n    import ssl\n    return ssl.SSLContext.sslsocket_class.__module__")
    everywhere = "[sockets(), client.run_on_scheduler(sockets), *client.run(sockets).values(), "
    everywhere += "*client.run(sockets, nanny=True).values()]"
    assert notebook.value(everywhere) == ["fabric_lab.tls_sockets"] * 6
    # who finds a cluster with its workers has nothing to wait for
    said = notebook.run("import gc; again = DaskCluster.connect('here'); gc.collect(); again.disconnect()")
    assert "exception" not in said, said
    assert notebook.run("print([(await worker)['name'] for worker in again.workers.values()])").count("here-") == 2
    notebook.run("cluster.scale(1)")
    notebook.until("len(cluster.scheduler_info['workers']) == 1", "one is left")
    assert session.api.get(notebook.value("cluster.dashboard_link")).status_code == 200
    notebook.run("cluster.close()")
    assert notebook.value("clusters()") == []

    def left() -> list[str]:
        return [command for _, command in session.processes if "fabric_lab.dask" in command]

    until(lambda: not left(), "no process of the cluster is left", seen=left)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "n_workers=1",
        "threads_per_worker=1, memory_limit='700 MB'",
        "n_workers=3, memory_limit=0.1, processes=True",
        "memory_limit=0",
    ],
)
def test_it_has_the_workers_that_a_local_cluster_has_and_takes_its_words(notebook: Notebook, words: str) -> None:
    notebook.run(
        "from distributed import LocalCluster\n"
        f"spec = LocalCluster(asynchronous=True, dashboard_address=':0', {words}).worker_spec.values()\n"
        "from distributed.worker_memory import parse_memory_limit; import logging\n"
        "limit = lambda said: parse_memory_limit(said, 1, logger=logging.getLogger())\n"
        "theirs = [[s['options']['nthreads'], limit(s['options']['memory_limit'])] for s in spec]"
    )
    notebook.run(START + f"cluster = DaskCluster({words}); cluster.wait_for_workers(len(theirs), timeout=90)")
    ours = notebook.value("[[w['nthreads'], w['memory_limit'] or None] for w in cluster.workers.values()]")
    assert ours == notebook.value("theirs")
    assert ours
    if words == "memory_limit=0":  # there is no telling how many of them make so much
        with pytest.raises(CellError, match="have no limit of memory"):
            notebook.run("cluster.scale(memory='4 GB')")
    assert notebook.value("cluster.name in repr(cluster) and repr(cluster)").startswith("DaskCluster(")
    notebook.run("cluster.close()")


def test_no_worker_where_none_is_asked_for_and_dask_jobqueues_words_for_one(notebook: Notebook) -> None:
    notebook.run(START + "cluster = DaskCluster(0, cores=2, processes=2, memory='1 GB')")
    assert notebook.value("cluster.status_of_workers()['workers']") == []
    notebook.run("cluster.scale(jobs=1); cluster.wait_for_workers(2, timeout=60)")
    assert notebook.value("sorted((w['nthreads'], w['memory_limit']) for w in cluster.workers.values())") == (
        [[1, 500_000_000]] * 2
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("host='0.0.0.0'", "host= cannot be had: there is no Slurm here, and workers are processes of this machine"),
        ("processes=False", "processes=False cannot be had"),
        ("queue='cpu'", "queue= cannot be had: .*Say it with n_workers=, threads_per_worker=, memory_limit="),
        ("cores=1, memory='1 GB', queue='cpu'", "queue= cannot be had: .*Say it with n_workers=, cores=, memory="),
        ("2, hours=1", "hours= cannot be had: there is no Slurm here.* Leave it out; idle_timeout="),
        ("scheduler_options={'security': None}", "security=None cannot be had: a cluster has a key of its own"),
        ("threads_per_worker=0", "threads_per_worker=0 is no number of threads: say 1 or more"),
        ("memory_limit='much'", "memory_limit='much' is no amount of memory"),
    ],
)
def test_what_it_does_not_take_is_named(notebook: Notebook, words: str, told: str) -> None:
    with pytest.raises(CellError, match=told):
        notebook.run(START + f"DaskCluster({words})")
    assert notebook.value("clusters()") == []


def test_what_only_slurm_gives_is_refused_in_words(notebook: Notebook) -> None:
    with pytest.raises(CellError, match="this hub runs without Slurm"):
        notebook.run(START + "DaskCluster(gpus=1)")
