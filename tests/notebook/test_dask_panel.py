"""The panel of Dask clusters in a real JupyterLab, with a real cluster of this machine's processes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.answering_hub import AnsweringHub
from tests.support.chromium import faults, open_lab, run_first_cell
from tests.support.running_session import RunningSession
from tests.support.waiting import until

pytestmark = [pytest.mark.image, pytest.mark.browser, pytest.mark.timeout(600)]

PANEL = ".fabric-Clusters"


def test_a_cluster_from_start_to_stop_with_the_mouse(chromium: Page, session: RunningSession) -> None:
    open_lab(chromium, session)
    chromium.get_by_role("tab", name="Dask clusters").click(timeout=90_000)
    panel = chromium.locator(PANEL)
    expect(panel.get_by_text("No cluster yet.")).to_be_visible()
    panel.get_by_role("region", name="New cluster").get_by_label("Workers").fill("1")
    panel.get_by_role("button", name="Start a new cluster").click()
    cluster = panel.get_by_role("region", name="Cluster dask-")
    expect(cluster).to_contain_text(re.compile(r"1 worker · [\d.]+ of [\d.]+ GB"))
    expect(cluster).to_contain_text("CPU-hours so far, ")
    name = cluster.get_by_role("heading").inner_text()
    assert faults(chromium, PANEL) == []

    cluster.get_by_label("Workers", exact=True).fill("2")
    cluster.get_by_role("button", name=f"Scale {name}").click()
    expect(cluster.get_by_role("status")).to_contain_text("Scaling to 2 workers.")
    expect(cluster).to_contain_text("2 workers · ")
    cluster.get_by_label("At most").fill("2")
    cluster.get_by_role("button", name=f"Let {name} follow the work").click()
    expect(cluster).to_contain_text("Follows the work: 0 to 2 workers (local).")

    cluster.get_by_role("combobox", name="Dashboard").select_option("individual-workers-memory")
    cluster.get_by_role("button", name=f"Open the dashboard of {name}").click()
    expect(chromium.get_by_role("tab", name=f"{name}: Memory of workers")).to_be_visible()
    frame = chromium.frame_locator(f'iframe[title="Memory of workers of cluster {name}"]')
    expect(frame.locator(".bk-Figure").first).to_be_visible()

    cluster.get_by_role("button", name=f"Stop {name}").click()
    dialog = chromium.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile("stops?\\. Running tasks and unsaved results are lost"))
    assert faults(chromium, ".jp-Dialog") == []
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    chromium.keyboard.press("Enter")  # is no
    expect(dialog).to_have_count(0)
    expect(cluster).to_be_visible()
    cluster.get_by_role("button", name=f"Stop {name}").click()
    dialog.get_by_role("button", name="Stop").click()
    expect(panel.get_by_text("No cluster yet.")).to_be_visible()
    expect(panel.get_by_role("status").first).to_have_text(f"Cluster {name} stopped.")


def test_the_numbers_follow_the_cluster_and_not_while_others_are_typed_which_are_quoted(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    status, body = session.get("fabric/clusters", method="POST", body={"name": "mine", "n_workers": 1})
    assert status == 201, body
    small = {"title": "One GPU", "cpus": 4, "memory_mb": 8192, "gpus": 1, "max_hours": 4.0}
    hub.clusters = {**hub.clusters, "profiles": [small | {"name": "gpu-1"}, small | {"name": "gpu-2", "title": "Two"}]}
    hub.usage["GET /clusters/quote?profile=gpu-1&workers=2"] = {"words": "2 cost 2 GPU-hours."}
    asked: list[dict[str, Any]] = []

    def of_a_profile(route: Route) -> None:
        """The cluster as it is, but for where its workers run: for those of this machine nobody pays."""
        answer = route.fetch()
        known = answer.json()
        for cluster in known["clusters"]:
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
    expect(new.get_by_role("option")).to_have_text(["One GPU: 1 GPU, 4 CPUs, 8 GB each"])
    expect(new).to_contain_text("2 cost 2 GPU-hours.")

    cluster = panel.get_by_role("region", name="Cluster mine")
    workers = cluster.get_by_label("Workers", exact=True)
    expect(workers).to_have_value("1")
    told = {"verb": "scale", "n": 2, "pool": "local"}
    assert session.get("fabric/clusters/mine", method="POST", body=told)[0] == 200
    expect(workers).to_have_value("2")
    expect(cluster).to_contain_text("2 workers · ")
    assert asked == []
    workers.fill("5")
    expect(cluster).to_contain_text("5 cost 5 GPU-hours, asked 1 times.")
    assert session.get("fabric/clusters/mine", method="POST", body=told | {"n": 1})[0] == 200
    # more of them are added
    expect(cluster).to_contain_text(re.compile(r"5 cost 5 GPU-hours, asked [2-9] times\."))
    expect(workers).to_have_value("5")
    assert {(one["pool"], one["n"]) for one in asked} == {("local", 5)}
    workers.fill("1")
    expect(cluster).not_to_contain_text("GPU-hours, asked")
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
