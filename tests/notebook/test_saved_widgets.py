"""What a saved notebook shows of widgets whose kernel has ended, in a real JupyterLab and Notebook 7."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import RESETTING, run_cell, save
from tests.support.running_session import RunningSession
from tests.support.waiting import until

pytestmark = [pytest.mark.image, pytest.mark.browser, pytest.mark.usefixtures("usage_known")]

CELLS = ("from fabric_lab import quota; quota()", "from fabric_lab import session; session()")
LIVE = ".jp-OutputArea-output .widget-html"


@pytest.fixture
def notebook(session: RunningSession) -> Path:
    """A notebook that shows the widgets."""
    return a_notebook(session, CELLS)


def a_notebook(session: RunningSession, sources: tuple[str, ...]) -> Path:
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"c{n}", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
        for n, cell in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    file = session.home / "quota.ipynb"
    file.write_text(
        json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
    )
    return file


def open_at(page: Page, session: RunningSession, path: str) -> None:
    page.goto(f"http://127.0.0.1:{session.port}/user/ann/{path}", timeout=120_000)
    expect(page).not_to_have_url(RESETTING)
    expect(page.locator(".jp-CodeCell .cm-content").first).to_be_visible()


def run_and_save(page: Page, session: RunningSession, notebook: Path) -> None:
    """Run the cells, see the widgets, save; then the kernel ends."""
    open_at(page, session, f"lab/tree/{notebook.name}?reset")
    until(session.kernel_listens, "the kernel listens", 60)
    for number in range(len(CELLS)):
        run_cell(page, number)
    expect(page.locator(LIVE)).to_have_count(2)
    expect(page.locator(LIVE).first).to_contain_text("80.0 of 200 GPU-hours used, 120 left")
    expect(page.locator(".jp-OutputArea-output")).to_have_count(2)
    expect(page.get_by_text("As of")).to_have_count(0)  # these are now's
    save(page, lambda: notebook.read_text().count("text/html") == 2)
    page.goto("about:blank")
    for one in json.loads(session.get("api/sessions")[1]):
        session.get(f"api/sessions/{one['id']}", method="DELETE")


def test_a_clusters_widget_fits_where_it_is_shown(chromium: Page, session: RunningSession) -> None:
    notebook = a_notebook(session, ("from fabric_lab import DaskCluster\nDaskCluster(name='one', n_workers=1)",))
    open_at(chromium, session, f"lab/tree/{notebook.name}?reset")
    until(session.kernel_listens, "the kernel listens", 60)
    run_cell(chromium, 0)
    tab = chromium.locator(".jp-OutputArea-output .widget-tab-contents")
    expect(tab).to_contain_text("Total threads:")
    assert tab.evaluate("tab => [tab.scrollWidth > tab.clientWidth, tab.scrollHeight > tab.clientHeight]") == [
        False,
        False,
    ]
    session.get("fabric/clusters/one", method="POST", body={"verb": "close"})


@pytest.mark.parametrize("path", ["lab/tree/quota.ipynb?reset", "notebooks/quota.ipynb"])
def test_a_widget_whose_kernel_has_ended_is_shown_as_it_was_saved_and_run_again_it_lives(
    chromium: Page, session: RunningSession, notebook: Path, path: str
) -> None:
    run_and_save(chromium, session, notebook)
    open_at(chromium, session, path)
    outputs = chromium.locator(".jp-OutputArea-output")
    expect(outputs.first).to_contain_text("80.0 of 200 GPU-hours used, 120 left")
    expect(outputs.first).to_contain_text(re.compile(r"As of \d\d \w+ \d\d:\d\d [A-Z]+\. Run the cell again"))
    expect(outputs.nth(1)).to_contain_text("Digital Twin")
    until(session.kernel_listens, "a new kernel is there, which does not know these widgets", 60)
    expect(chromium.get_by_text("model not found")).to_have_count(0)
    expect(outputs.first).to_contain_text("80.0 of 200 GPU-hours used, 120 left")
    expect(chromium.locator(LIVE)).to_have_count(0)

    run_cell(chromium, 0, chromium.locator(LIVE).count)
    expect(chromium.locator(LIVE)).to_have_count(1)
    expect(outputs.first).not_to_contain_text("As of")
