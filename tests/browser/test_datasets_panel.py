"""The datasets panel in a real session: the demo gallery, opened by the node's own service and closed again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.embedded_run import ROOT, EmbeddedRun

from .conftest import SLOW_MS, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image, pytest.mark.timeout(600)]


def line(panel: Locator, title: str) -> Locator:
    return panel.locator(".fabric-Dataset-line", has_text=title)


def run_first_cell(page: Page) -> Locator:
    """Run the notebook's first cell; its output. What is run before the kernel is connected is forgotten."""
    output, end = page.locator(".jp-OutputArea-output").first, time.monotonic() + 90
    while not output.count():
        assert time.monotonic() < end, "the cell has no output"
        page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(1000)
    return output


def test_a_demo_dataset_is_added_read_in_a_notebook_and_dropped(
    hub: EmbeddedRun, visitor: Callable[[str], Visitor], picture: Callable[..., None]
) -> None:
    student = visitor("student1")
    page = student.start_form()
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/user/student1/lab**", timeout=SLOW_MS)
    page.get_by_role("tab", name="Datasets").click(timeout=SLOW_MS)
    panel = page.locator(".fabric-Datasets")
    energy = line(panel, "A year of wind, sun and household load")
    expect(energy).to_contain_text(re.compile("Available.*Public"), timeout=SLOW_MS)
    assert hub.settings.datasets
    place = hub.settings.datasets.data_dir / "energy-year"

    def readable() -> bool:
        return hub.as_user("student1", "ls", f"{place}/").returncode == 0

    if ROOT:
        assert not readable()
    panel.get_by_role("button", name="Try it: A year of wind, sun and household load in a new notebook").click()
    expect(energy).to_contain_text("In this session", timeout=SLOW_MS)
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    expect(cell).to_contain_text(f"DATA = Path('{place}/", timeout=SLOW_MS)
    assert readable()
    expect(run_first_cell(page)).to_contain_text(re.compile("hour|time"))
    energy.click()
    picture(page, "datasets-panel")

    line(panel, "Vibration of a ball bearing").click()
    terms = panel.get_by_role("link", name=re.compile("^Accept them on the hub.s start page$"))
    expect(terms).to_have_attribute("href", re.compile("/hub/spawn/student1"))

    energy.click()
    panel.get_by_role("button", name="Drop energy-year from this session").click()
    expect(energy).to_contain_text("Available", timeout=SLOW_MS)
    if ROOT:
        assert not readable()
    assert student.errors == []
