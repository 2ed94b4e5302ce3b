"""Use and memory of the workers' GPUs, as the panel in a real JupyterLab shows them; NVIDIA's library is a stand-in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, SIZE, SLOW_MS
from tests.browser.conftest import picture as picture  # a fixture
from tests.support import stand_ins
from tests.support.chromium import faults
from tests.support.dask_notebook import Notebook, Session
from tests.support.embedded_run import EmbeddedRun

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image, pytest.mark.browser, pytest.mark.timeout(600)]

# What the stand-in tells of a node's GPUs: per cent, and bytes of 80 GB.
GPUS = {"0": [7, 20_000_000_000, 80_000_000_000], "1": [43, 60_000_000_000, 80_000_000_000]}


@pytest.fixture(scope="module")
def library(sandbox: Path) -> Path:
    """A directory that everybody may enter, with the stand-in, for LD_LIBRARY_PATH."""
    directory = sandbox / "nvml"
    directory.mkdir(mode=0o755)
    return stand_ins.compiled(directory, "-DWHOLE", names=("libnvidia-ml.so.1",))


@pytest.fixture(scope="module")
def session(embedded_hub: EmbeddedRun) -> Iterator[Session]:
    """One that lasts longer than its workers: none that waits comes too late for it."""
    started = Session(embedded_hub, "trainer", project="ml-course", hours=4)
    yield started
    started.stop()


@pytest.fixture
def lab(session: Session) -> Iterator[Page]:
    """The session's JupyterLab, through the hub's proxy."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        headers = {"Authorization": f"token {session._token}"}
        page = browser.new_page(extra_http_headers=headers, viewport=SIZE, locale="en-GB")  # type: ignore[arg-type]
        page.goto(f"{session.run.address}/user/{session.user}/lab?reset", timeout=SLOW_MS)
        yield page
        browser.close()


def test_each_worker_is_measured_on_its_own_gpu_and_the_panel_shows_it(
    library: Path, notebook: Notebook, lab: Page, picture: Callable[[Page, str], None]
) -> None:
    notebook.run(
        f"import os; os.environ['LD_LIBRARY_PATH'] = {str(library)!r}\n"
        "from fabric_lab import DaskCluster\ncluster = DaskCluster(1, name='study', profile='cpu')\n"
        "cluster.add_pool(name='gpu', gpus=True); cluster.scale(6, pool='gpu')\n"
        "cluster.wait_for_workers(5, timeout=90); client = cluster.get_client()\n"
        "def given(dask_worker):\n    return dask_worker.name, os.environ.get('CUDA_VISIBLE_DEVICES', '')"
    )
    given = dict(notebook.value("list(client.run(given).values())"))
    assert sorted(given.values()) == ["", "0", "0", "1", "1"]
    workers = [w for w in notebook.value("cluster.status_of_workers()['workers']") if w["address"]]
    assert {w["name"]: [w["gpu_use"], w["gpu_memory"], w["gpu_memory_total"]] for w in workers} == {
        name: GPUS.get(device, [None, None, None]) for name, device in given.items()
    }
    # nor does Dask's own dashboard count somebody else's GPU as that of a worker without one
    metrics = "{w.name: w.metrics.get('gpu_utilization') for w in dask_scheduler.workers.values()}"
    measured = notebook.value(f"client.run_on_scheduler(lambda dask_scheduler: {metrics})")
    assert measured == {name: GPUS.get(device, [None])[0] for name, device in given.items()}

    lab.get_by_role("tab", name="Dask clusters").click(timeout=SLOW_MS)
    panel = lab.locator(".fabric-Clusters")
    cluster = panel.get_by_role("region", name="Cluster study")
    expect(cluster).to_contain_text("5 of 7 workers · 4 GPUs, 25 % busy, 160.0 of 320.0 GB on them · ", timeout=SLOW_MS)
    expect(cluster).to_contain_text(re.compile(r"4 GPU-hours per hour · 0\.\d\d so far"))
    expect(cluster).to_contain_text(re.compile(r"queued.*It's next\. It starts as soon as"), timeout=SLOW_MS)
    states = cluster.get_by_role("list", name="Workers by state")
    expect(states.get_by_role("listitem")).to_have_text(["5 running", "2 queued"])
    cluster.get_by_text("Each worker").click()
    for name, device in given.items():
        use, used, total = GPUS.get(device, [0, 0, 0])
        on = f"1 GPU, {use} % busy, {used / 1e9:.1f} of {total / 1e9:.1f} GB on it · " if device else ""
        line = cluster.get_by_role("listitem").filter(has_text=f"{name}: ")
        expect(line).to_have_text(re.compile(rf"^{name}: {re.escape(on)}0\.\d of [48]\.\d GB · \d+ % CPU$"))
    count = cluster.get_by_role("slider", name="Maximum workers of study")
    expect(count).to_have_value("1")  # of the kind that would be scaled
    cluster.get_by_label("Kind of worker").select_option("gpu")
    expect(count).to_have_value("6")
    assert faults(lab, ".fabric-Clusters") == []

    curves = cluster.get_by_role("img")
    expect(curves.first).to_have_attribute("aria-label", re.compile("^Tasks in the last 10 minutes: 0 now, "))
    expect(curves.last).to_have_attribute("aria-label", re.compile("^Memory of workers in the last 10 minutes: "))

    cluster.get_by_role("link", name="GPU use").click()
    frame = lab.frame_locator('iframe[title="Use of GPUs of cluster study"]')
    expect(frame.locator(".bk-Figure").first).to_be_visible(timeout=SLOW_MS)
    panel.evaluate("panel => panel.scrollTo(0, 0)")
    picture(lab, "dask-panel")
