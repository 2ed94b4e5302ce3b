"""The panel of Dask clusters in a real JupyterLab, with a real cluster of this machine's processes."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.answering_hub import AnsweringHub
from tests.support.chromium import faults, open_lab, run_first_cell
from tests.support.running_session import RunningSession
from tests.support.waiting import until

pytestmark = [pytest.mark.image, pytest.mark.browser, pytest.mark.timeout(600)]

PANEL = ".fabric-Clusters"
ENDS = ("Minimum", "Maximum")
# Of a cluster without GPUs.
PAGES = ["Status", "Tasks", "Progress", "Memory", "Graph", "Workers", "System"]


def test_a_cluster_from_start_to_stop_with_the_mouse(chromium: Page, session: RunningSession) -> None:
    open_lab(chromium, session)
    chromium.get_by_role("tab", name="Dask clusters").click(timeout=90_000)
    panel = chromium.locator(PANEL)
    expect(panel.get_by_text("No cluster yet.")).to_be_visible()
    panel.get_by_role("region", name="New cluster").get_by_label("Workers").fill("1")
    panel.get_by_role("button", name="Start a new cluster").click()
    cluster = panel.get_by_role("region", name="Cluster dask-")
    expect(cluster).to_contain_text(re.compile(r"1 worker · [\d.]+ of [\d.]+ GB"))
    expect(cluster).to_contain_text("per hour · 0.0")
    expect(cluster.get_by_role("list", name="Workers by state")).to_have_text("1 running")
    name = cluster.get_by_role("heading").inner_text()
    new = panel.get_by_role("region", name="New cluster")
    expect(new.get_by_role("button", name="Start a new cluster")).to_be_hidden()
    expect(new.get_by_role("status")).to_contain_text(f"Cluster {name} is ready")
    expect(cluster.get_by_role("img", name="Tasks in the last 10 minutes: 0 now, 0 at most")).to_be_visible()
    expect(cluster.get_by_role("img", name="Memory of workers in the last 10 minutes")).to_be_visible()
    assert faults(chromium, PANEL) == []

    minimum, maximum = (cluster.get_by_role("slider", name=f"{end} workers of {name}") for end in ENDS)
    minimum.focus()
    chromium.keyboard.press("ArrowRight")  # takes the other end along: a fixed number
    expect(maximum).to_have_value("2")
    cluster.get_by_role("button", name=f"Scale {name}").click()
    expect(cluster.get_by_role("status")).to_contain_text("Scaling to 2 workers")
    expect(cluster).to_contain_text("2 workers · ")
    minimum.focus()
    chromium.keyboard.press("Home")
    expect(minimum).to_have_value("0")
    chromium.keyboard.press("Tab")
    expect(maximum).to_be_focused()
    chromium.keyboard.press("End")
    expect(maximum).to_have_value("16")
    expect(maximum).to_have_attribute("aria-valuetext", "16 workers")
    cluster.get_by_label("Maximum", exact=True).fill("2")
    expect(maximum).to_have_value("2")
    cluster.get_by_role("button", name=f"Scale {name}").press("Enter")
    expect(cluster).to_contain_text("Follows the work: 0 to 2 workers (local).")
    expect(cluster.get_by_role("status")).to_contain_text("Scaling between 0 and 2 workers")

    dashboard = cluster.get_by_role("list", name=f"Dashboard of {name}")
    expect(dashboard.get_by_role("link")).to_have_text(PAGES)
    dashboard.get_by_role("link", name="Memory").press("Enter")
    expect(chromium.get_by_role("tab", name=f"{name}: Memory of workers")).to_be_visible()
    frame = chromium.frame_locator(f'iframe[title="Memory of workers of cluster {name}"]')
    expect(frame.locator(".bk-Figure").first).to_be_visible()

    chromium.set_viewport_size({"width": 320, "height": 640})
    scale = cluster.get_by_role("button", name=f"Scale {name}")
    scale.scroll_into_view_if_needed()
    expect(scale).to_be_in_viewport(ratio=1)
    assert faults(chromium, PANEL) == []
    chromium.set_viewport_size({"width": 1280, "height": 900})

    cluster.get_by_role("button", name=f"Stop {name}").click()
    dialog = chromium.get_by_role("dialog")
    expect(dialog).to_contain_text("Running tasks and unsaved results are lost.")
    assert faults(chromium, ".jp-Dialog") == []
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    chromium.keyboard.press("Enter")  # is no
    expect(dialog).to_have_count(0)
    expect(cluster).to_be_visible()
    cluster.get_by_role("button", name=f"Stop {name}").click()
    dialog.get_by_role("button", name="Stop").click()
    expect(panel.get_by_text("No cluster yet.")).to_be_visible()
    expect(panel.get_by_role("status").first).to_have_text(f"Cluster {name} stopped.")
    expect(new.get_by_role("button", name="Start a new cluster")).to_be_visible()
    gone = chromium.locator(".fabric-Dashboard")
    expect(gone.get_by_role("heading", name="Cluster stopped")).to_be_visible()
    expect(gone.locator("iframe")).to_have_count(0)
    assert faults(chromium, ".fabric-Dashboard") == []


@pytest.mark.long
def test_a_dashboard_says_that_its_scheduler_is_gone_also_while_the_panel_is_closed(
    chromium: Page, session: RunningSession
) -> None:
    for name in ("mine", "stays"):
        status, body = session.get("fabric/clusters", method="POST", body={"name": name, "n_workers": 0})
        assert status == 201, body
    open_lab(chromium, session)
    tab = chromium.get_by_role("tab", name="Dask clusters")
    tab.click(timeout=90_000)
    for name in ("stays", "mine"):
        chromium.get_by_role("list", name=f"Dashboard of {name}").get_by_role("link", name="Status").click()
        expect(chromium.locator(f'iframe[title="Status of cluster {name}"]')).to_be_visible()
    tab.click()
    expect(chromium.locator(PANEL)).to_be_hidden()
    known = json.loads((session.private / "clusters" / "mine" / "cluster.json").read_text())
    os.kill(known["pid"], signal.SIGKILL)
    gone = chromium.locator(".fabric-Dashboard").filter(has_text="Cluster mine and its dashboard are gone.")
    expect(gone).to_be_visible(timeout=60_000)
    expect(chromium.locator('iframe[title="Status of cluster stays"]')).to_have_count(1)
    status, body = session.get("fabric/dask/mine/status")
    assert (status, "<h1>Cluster stopped</h1>" in body) == (404, True)
    assert json.loads(session.get("fabric/running-clusters")[1]) == {"names": ["stays"]}
    assert session.get("fabric/running-clusters", token=None)[0] in (302, 403)
    session.get("fabric/clusters/stays", method="POST", body={"verb": "close"})


def test_the_numbers_follow_the_cluster_and_not_while_others_are_typed_which_are_quoted(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    status, body = session.get("fabric/clusters", method="POST", body={"name": "mine", "n_workers": 1})
    assert status == 201, body
    small = {"title": "One GPU", "cpus": 4, "memory_mb": 8192, "gpus": 1, "max_hours": 4.0}
    hub.clusters = {**hub.clusters, "profiles": [small | {"name": "gpu-1"}, small | {"name": "gpu-2", "title": "Two"}]}
    hub.usage["GET /clusters/quote?profile=gpu-1&workers=2"] = {"words": "2 cost 2 GPU-hours."}
    asked: list[dict[str, Any]] = []
    late: list[dict[str, Any]] = []

    def of_a_profile(route: Route) -> None:
        """The cluster as it is, but for where its workers run: for those of this machine nobody pays."""
        answer = route.fetch()
        known = answer.json()
        for cluster in known["clusters"]:
            cluster["late"] = late
            for pool in cluster.get("pools", {}).values():
                pool["profile"] = "gpu-1"
        route.fulfill(response=answer, json=known)

    def priced(route: Route) -> None:
        """What it says of such workers; everything else it says itself."""
        order = route.request.post_data_json
        assert order
        if order["verb"] != "quote":
            route.fallback()
            return
        asked.append(order)
        route.fulfill(json={"words": f"{order['n']} cost {order['n']} GPU-hours, asked {len(asked)} times."})

    chromium.route(re.compile(r"/fabric/clusters\?\d+$"), of_a_profile)
    chromium.route(re.compile(r"/fabric/clusters/mine\?\d+$"), priced)
    open_lab(chromium, session)
    chromium.get_by_role("tab", name="Dask clusters").click(timeout=90_000)
    panel = chromium.locator(PANEL)
    new = panel.get_by_role("region", name="New cluster")
    new.get_by_text("New cluster").click()
    expect(new.get_by_role("option")).to_have_text(["One GPU: 1 GPU, 4 CPUs, 8 GB each"])
    expect(new).to_contain_text("2 cost 2 GPU-hours.")

    cluster = panel.get_by_role("region", name="Cluster mine")
    least, most = (cluster.get_by_label(end, exact=True) for end in ENDS)
    expect(most).to_have_value("1")
    told = {"verb": "scale", "n": 2, "pool": "local"}
    assert session.get("fabric/clusters/mine", method="POST", body=told)[0] == 200
    expect(most).to_have_value("2")
    expect(least).to_have_value("2")
    expect(cluster).to_contain_text("2 workers · ")
    assert asked == []
    most.fill("5")
    expect(cluster).to_contain_text("At most 5 cost 5 GPU-hours, asked 1 times.")
    assert session.get("fabric/clusters/mine", method="POST", body=told | {"n": 1})[0] == 200
    # more of them are added
    expect(cluster).to_contain_text(re.compile(r"5 cost 5 GPU-hours, asked [2-9] times\."))
    expect(most).to_have_value("5")
    expect(least).to_have_value("2")
    assert {(one["pool"], one["n"]) for one in asked} == {("local", 5)}
    most.fill("1")
    expect(least).to_have_value("1")
    expect(cluster).not_to_contain_text("GPU-hours, asked")

    assert session.get("fabric/clusters/mine", method="POST", body=told)[0] == 200
    late.append({"pool": "local", "count": 1, "keep": 1})
    cluster.get_by_role("button", name="Reduce to 1").click()
    expect(cluster.get_by_role("status")).to_have_text("Scaling to 1 worker")
    expect(cluster.get_by_role("list", name="Workers by state")).to_have_text("1 running")
    session.get("fabric/clusters/mine", method="POST", body={"verb": "close"})


def test_client_code_of_a_cluster_works_where_it_is_inserted(chromium: Page, session: RunningSession) -> None:
    status, body = session.get("fabric/clusters", method="POST", body={"name": "mine", "n_workers": 1})
    assert status == 201, body
    open_lab(chromium, session)
    chromium.get_by_role("tab", name="Dask clusters").click(timeout=90_000)
    panel = chromium.locator(PANEL)
    insert = panel.get_by_role("button", name="Insert client code for mine")
    insert.click()
    mine = panel.get_by_role("region", name="Cluster mine")
    expect(mine.get_by_role("status")).to_contain_text("Click into a notebook cell")
    chromium.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
    cell = chromium.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click()
    until(session.kernel_listens, "the kernel listens", 60)
    insert.click()
    expect(cell).to_contain_text('cluster = DaskCluster.connect("mine")')
    output = run_first_cell(chromium)
    expect(output).to_contain_text("Client")
    expect(output).to_contain_text("/user/ann/fabric/dask/mine/status")
    session.get("fabric/clusters/mine", method="POST", body={"verb": "close"})
