"""Several kinds of workers under one scheduler, what they cost, and the dashboard behind the hub's login."""

from __future__ import annotations

import httpx
import pytest

from tests.support.dask_notebook import CellError, Notebook, Session

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image]

START = "from fabric_lab import DaskCluster, clusters\n"


def test_cpu_and_gpu_workers_under_one_scheduler_scaled_apart(notebook: Notebook) -> None:
    notebook.run(START + "cluster = DaskCluster(1, profile='cpu'); client = cluster.get_client()")
    assert notebook.value("cluster.add_pool(profile='gpu-1', name='gpu')") == "gpu"
    told = notebook.value("str(cluster.scale(2, pool='gpu'))")
    assert told.startswith(("2 GPU-hours per hour.", "2 GPU-hours per hour · can start now.")), told
    assert told.endswith("All workers of the cluster then cost 2 GPU-hours and 2 CPU-hours per hour."), told
    notebook.run("cluster.wait_for_workers(3, timeout=60)")
    kinds = "sorted((w['pool'], w['job'].split('_')[0]) for w in cluster.status_of_workers()['workers'])"
    assert [kind for kind, _ in notebook.value(kinds)] == ["cpu", "gpu", "gpu"]
    device = "client.submit(lambda: __import__('os').environ.get('CUDA_VISIBLE_DEVICES', ''), pure=False"
    assert notebook.value(device + ", resources={'GPU': 1}).result()") in ("0", "1")
    notebook.run("cluster.scale(0, pool='gpu')")
    notebook.until("len(cluster.scheduler_info['workers']) == 1", "the GPU workers are gone")
    assert [kind for kind, _ in notebook.value(kinds)] == ["cpu"]
    with pytest.raises(CellError, match="There is no pool big; this cluster has cpu, gpu"):
        notebook.run("cluster.scale(1, pool='big')")
    with pytest.raises(CellError, match="There is no profile nothing"):
        notebook.run("cluster.add_pool(profile='nothing')")
    notebook.run("adaptive = cluster.adapt(minimum=1, maximum=1, pool='gpu')\ncluster.wait_for_workers(2, timeout=60)")
    assert [kind for kind, _ in notebook.value(kinds)] == ["cpu", "gpu"]


def test_a_new_cluster_says_what_its_workers_cost_and_wait_for(notebook: Notebook) -> None:
    printed = notebook.run(START + "cluster = DaskCluster(gpus=2)")
    assert printed.startswith(("2 GPU-hours per hour.", "2 GPU-hours per hour · can start now.")), printed
    assert notebook.value("cluster.status_of_workers()['calls']['sbatch']") == 1


def test_what_can_never_be_had_is_refused_before_it_is_submitted(notebook: Notebook) -> None:
    notebook.run(START + "cluster = DaskCluster(name='small')")
    with pytest.raises(CellError, match="1001 workers are too many for one cluster"):
        notebook.run("cluster.scale(1001)")
    with pytest.raises(CellError, match="threads_per_worker= is for a hub without Slurm"):
        notebook.run("DaskCluster(2, threads_per_worker=2)")
    with pytest.raises(CellError, match="1001 workers are too many for one cluster"):
        notebook.run("cluster.adapt(minimum=0, maximum=1001)")
    with pytest.raises(CellError, match="1001 workers are too many for one cluster"):
        notebook.run("DaskCluster(1001, name='large')")
    with pytest.raises(CellError, match=r"hours= is for workers like a profile\. With cores= say how long"):
        notebook.run("DaskCluster(1, cores=1, memory='1 GB', hours=1)")
    assert notebook.value("clusters()") == ["small"]
    assert notebook.value("cluster.status_of_workers()['calls']") == {"sbatch": 0, "scancel": 0}
    cost = "4 CPU-hours per hour"
    adapting = notebook.value("repr(cluster.adapt(maximum=2))")
    assert adapting.startswith(f"From 0 to 2 workers. {cost}"), adapting
    quoted = notebook.value("str(cluster.quote(2))")
    assert quoted.startswith((f"{cost}.", f"{cost} · can start now.")), quoted


def test_a_limit_of_the_account_is_told_before_workers_are_submitted_and_slurm_holds_them_to_it(
    notebook: Notebook, session: Session
) -> None:
    notebook.run(
        START + "cluster = DaskCluster(1, profile='gpu-1', name='capped')\ncluster.wait_for_workers(1, timeout=60)"
    )
    modify = ("sacctmgr", "-i", "-Q", "modify", "account", "ml-course", "set")
    session.run.slurm(*modify, "GrpTRES=gres/gpu=1")
    try:
        says = "Account ml-course allows 1 GPU altogether, and 1 is in use."
        notebook.until(f"{says!r} in str(cluster.quote(2))", "the hub has read the limit")
        panel = session.api.post(
            f"/user/{session.user}/fabric/clusters/capped", json={"verb": "quote", "n": 2, "pool": "gpu-1"}
        )
        told = notebook.value("str(cluster.scale(2))")
        assert (panel.status_code, panel.json()) == (200, {"words": told}), "the panel is told the same"
        assert told == f"2 GPU-hours per hour (+1). No more can start now; 1 will queue. {says}"
        notebook.until("'1 queued. All GPUs that account ml-course may use' in repr(cluster)", "Slurm says the same")
    finally:
        session.run.slurm(*modify, "GrpTRES=gres/gpu=-1")
    notebook.run("cluster.wait_for_workers(2, timeout=60)")


def test_waiting_workers_and_the_cost_are_shown_in_every_form(notebook: Notebook) -> None:
    notebook.run(START + "cluster = DaskCluster(gpus=6)\ncluster.wait_for_workers(4, timeout=60)")
    why = "It's next. It starts as soon as enough of partition gpu is free."
    late = ", after this session ends."  # Slurm may know already when the others end
    notebook.until(f"any(said in repr(cluster) for said in ({why!r}, {late!r}))", "the reason is known")
    notebook.until("'4 GPU-hours per hour · ' in cluster._repr_html_()", "the cost is known")
    html = notebook.value("cluster._repr_html_()")
    assert " queued" in html
    assert "/fabric/dask/" in html
    assert "Workers: 4 / 6" in notebook.value("cluster._scaling_status()")
    notebook.run("import ipywidgets; assert isinstance(cluster._widget(), ipywidgets.Tab); cluster")


def test_the_dashboard_is_served_through_the_hub_to_its_user_alone(notebook: Notebook, session: Session) -> None:
    notebook.run(START + "cluster = DaskCluster(1, name='seen'); client = cluster.get_client()")
    link = notebook.value("cluster.dashboard_link")
    assert link == f"/user/{session.user}/fabric/dask/seen/status"
    assert notebook.value("client.dashboard_link") == link
    answer = session.api.get(link)
    assert answer.status_code == 200, answer.text
    assert "Dask Diagnostic UI" in answer.text
    other = {"Authorization": f"token {session.run.token('student1')}"}
    for headers in ({}, other):
        refused = httpx.get(f"{session.run.address}{link}", headers=headers)
        assert refused.status_code in (302, 403), refused.text
        assert "Dask Diagnostic" not in refused.text
