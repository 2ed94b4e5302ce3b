"""The same class on a hub that runs without Slurm: workers are processes of its machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import new_prefix
from tests.embedded_run import EmbeddedRun

from .notebook import CellError, Notebook, Session

pytestmark = [pytest.mark.hub, pytest.mark.image]

START = "from fabric_lab import DaskCluster, clusters\n"


@pytest.fixture(scope="module")
def session(sandbox: Path, images: Path) -> Iterator[Session]:
    """A session of a hub that was started with ``fabric-hub up --local``."""
    run = EmbeddedRun.start(sandbox / "local", "--local", "--prefix", new_prefix(), "--images", str(images))
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
    notebook.run("cluster.scale(1)")
    notebook.until("len(cluster.scheduler_info['workers']) == 1", "one is left")
    assert session.api.get(notebook.value("cluster.dashboard_link")).status_code == 200
    notebook.run("cluster.close()")
    assert notebook.value("clusters()") == []
    end = time.monotonic() + 30
    while left := [command for _, command in session.processes if "fabric_lab.dask" in command]:
        assert time.monotonic() < end, left
        time.sleep(0.1)


def test_what_only_slurm_gives_is_refused_in_words(notebook: Notebook) -> None:
    with pytest.raises(CellError, match="this hub runs without Slurm"):
        notebook.run(START + "DaskCluster(gpus=1)")
