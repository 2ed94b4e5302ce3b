"""The panel of Dask clusters in a real JupyterLab, with a real cluster of this machine's processes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .chromium import faults, open_lab
from .running_session import RunningSession

pytestmark = [pytest.mark.image, pytest.mark.browser, pytest.mark.timeout(600)]

PANEL = ".fabric-Clusters"


def test_a_cluster_from_start_to_stop_with_the_mouse(chromium: Page, session: RunningSession) -> None:
    open_lab(chromium, session)
    chromium.get_by_role("tab", name="Dask clusters").click(timeout=90_000)
    panel = chromium.locator(PANEL)
    expect(panel.get_by_text("This session has no cluster.")).to_be_visible()
    panel.get_by_role("region", name="New cluster").get_by_label("Workers").fill("1")
    panel.get_by_role("button", name="Start a new cluster").click()
    cluster = panel.get_by_role("region", name="Cluster dask-")
    expect(cluster).to_contain_text(re.compile(r"1 worker · [\d.]+ of [\d.]+ GB"))
    expect(cluster).to_contain_text("CPU-hours so far, ")
    name = cluster.get_by_role("heading").inner_text()
    assert faults(chromium, PANEL) == []

    cluster.get_by_label("Workers", exact=True).fill("2")
    cluster.get_by_role("button", name=f"Scale {name}").click()
    expect(panel.get_by_role("status")).to_contain_text(f"{name} shall have 2 workers.")
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
    expect(panel.get_by_text("This session has no cluster.")).to_be_visible()


def test_client_code_of_a_cluster_works_where_it_is_inserted(chromium: Page, session: RunningSession) -> None:
    status, body = session.get("fabric/clusters", method="POST", body={"name": "mine", "n_workers": 1})
    assert status == 201, body
    open_lab(chromium, session)
    chromium.get_by_role("tab", name="Dask clusters").click(timeout=90_000)
    panel = chromium.locator(PANEL)
    insert = panel.get_by_role("button", name="Insert client code for mine")
    insert.click()
    expect(panel.get_by_role("status")).to_contain_text("Click into a notebook cell")
    chromium.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
    cell = chromium.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click()
    expect(chromium.locator('.jp-NotebookPanel-toolbar [data-status="idle"]').first).to_be_attached()
    insert.click()
    expect(cell).to_contain_text('cluster = DaskCluster.connect("mine")')
    cell.click()
    chromium.keyboard.press("Shift+Enter")
    output = chromium.locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("Client")
    expect(output).to_contain_text("/user/ann/fabric/dask/mine/status")
    session.get("fabric/clusters/mine", method="POST", body={"verb": "close"})
