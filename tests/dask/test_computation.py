"""A real piece of work on a mounted dataset, while its cluster grows, shrinks and loses a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.dask_notebook import Notebook, Session
from tests.support.embedded_run import ROOT, EmbeddedRun

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image]

DATASET, ADDED = "wheat-trials", "energy-year"


@pytest.fixture(scope="module")
def session(embedded_hub: EmbeddedRun) -> Iterator[Session]:
    """A session with a demo dataset."""
    started = Session(embedded_hub, "student2", project="ml-course", datasets=[DATASET])
    yield started
    started.stop()


def test_a_dataframe_on_eight_workers_that_come_and_go_gives_the_right_result(
    notebook: Notebook, session: Session
) -> None:
    notebook.run(
        "from fabric_lab import DaskCluster, datasets\nimport pandas, time, dask, dask.dataframe as dd\n"
        f"path = datasets.path({DATASET!r}) / 'ndvi.csv'\n"
        "whole = pandas.read_csv(path)\n"
        "expected = whole.groupby(['year', 'plot']).ndvi.mean()\n"
        "cluster = DaskCluster(4, cores=1, memory='700MB', queue='cpu', workers_per_job=2)\n"
        "client = cluster.get_client(); cluster.wait_for_workers(4, timeout=60)"
    )
    # each worker opens the file on its own node
    notebook.run(
        "def part(n, of=60):\n"
        "    time.sleep(0.3)\n"
        "    table = pandas.read_csv(path)\n"
        "    return table.iloc[len(table) * n // of : len(table) * (n + 1) // of]\n"
        "frame = dd.from_map(part, list(range(60)))\n"
        "mean = frame.groupby(['year', 'plot']).ndvi.mean()\n"
        "computing = client.compute(mean); cluster.scale(8); cluster.wait_for_workers(8, timeout=60)"
    )
    job = notebook.value("cluster.status_of_workers()['workers'][0]['job']")
    session.run.slurm("scancel", job)
    notebook.run("cluster.scale(3); found = computing.result()")
    assert notebook.value("len(found) == len(expected) and bool((found.sort_index() - expected).abs().max() < 1e-12)")
    notebook.until("len(cluster.scheduler_info['workers']) == 3", "three workers are left")
    again = "client.compute(frame.ndvi.count()).result()"
    assert notebook.value(f"int({again}) == int(whole.ndvi.count())")


def test_a_dataset_that_is_added_while_a_cluster_runs_is_on_all_of_its_nodes_when_add_returns(
    notebook: Notebook, session: Session
) -> None:
    notebook.run(
        "from fabric_lab import DaskCluster, datasets\nimport os, warnings\n"
        "cluster = DaskCluster(2, cores=1, memory='700MB', queue='cpu', workers_per_job=1)\n"
        "cluster.add_pool(profile='gpu-1', name='gpu'); cluster.scale(1, pool='gpu')\n"
        "client = cluster.get_client(); cluster.wait_for_workers(3, timeout=60)\n"
        "def seen(path):\n"
        "    try:\n        return len(os.listdir(path)) > 0\n"
        "    except OSError:\n        return False\n"
    )
    place = f"str(path.parents[0].parent / {ADDED!r} / 'latest')"
    notebook.run(f"path = datasets.path({DATASET!r}); place = {place}")
    everywhere = "sorted(client.run(seen, place).values())"
    if ROOT:  # without it they are plain directories
        assert notebook.value(everywhere) == [False] * 3, "it is closed before it is added"
    notebook.run(f"warnings.simplefilter('error'); added = str(datasets.add({ADDED!r}))")
    assert notebook.value("sorted(client.run(seen, added).values())") == [True] * 3
    notebook.run("cluster.scale(3); cluster.wait_for_workers(4, timeout=60)")
    assert notebook.value("sorted(client.run(seen, added).values())") == [True] * 4, "a later worker has it as well"
    if ROOT:
        notebook.run(f"datasets.drop({ADDED!r})")
        assert notebook.value("sorted(client.run(seen, added).values())") == [False] * 4
