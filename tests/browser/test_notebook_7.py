"""The quota widget in Notebook 7 and in JupyterLab, in a real session; saved, it stays as plain HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.chromium import RESETTING, faults, run_cell, save
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image]

NOTEBOOK = "quota.ipynb"
CELL = "from fabric_lab import quota\nquota(every_s=1)"


@pytest.fixture
def notebook(embedded_hub: EmbeddedRun) -> Iterator[Path]:
    """A notebook of student1 with one cell, which shows the widget."""
    source = {
        "cells": [
            {"cell_type": "code", "id": "a", "source": CELL, "metadata": {}, "outputs": [], "execution_count": None}
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    written = embedded_hub.as_user("student1", "tee", NOTEBOOK, input=json.dumps(source))
    assert written.returncode == 0, written.stderr
    yield embedded_hub.home("student1") / NOTEBOOK
    embedded_hub.as_user(
        "student1", "rm", "-rf", NOTEBOOK, f".ipynb_checkpoints/{Path(NOTEBOOK).stem}-checkpoint.ipynb"
    )


def started(student: Visitor) -> Page:
    page = student.start_form()
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/user/student1/lab**", timeout=SLOW_MS)
    expect(page.get_by_role("button", name=re.compile("^Usage:"))).to_contain_text(" min ", timeout=SLOW_MS)
    return page


def run_first_cell(page: Page) -> Locator:
    """The widget that the cell shows."""
    until(lambda: connected(page), "the page's kernel listens", 90)  # what is run before is forgotten
    run_cell(page, 0)
    return page.locator(".jp-OutputArea-output .widget-html")


def connected(page: Page) -> bool:
    kernels = page.context.request.get("/user/student1/api/kernels").json()
    return [(kernel["execution_state"], kernel["connections"] > 0) for kernel in kernels] == [("idle", True)]


def outputs(notebook: Path) -> list[dict[str, Any]]:
    """What the file holds of the first cell's output; nothing while it is being written."""
    try:
        [cell, *_] = json.loads(notebook.read_text())["cells"]
    except json.JSONDecodeError:
        return []
    return [output["data"] for output in cell["outputs"] if "data" in output]


def test_the_widget_lives_in_notebook_7_and_stays_as_html_when_it_is_saved(
    embedded_hub: EmbeddedRun,
    visitor: Callable[[str], Visitor],
    notebook: Path,
    browser: Browser,
    picture: Callable[..., None],
) -> None:
    student = visitor("student1")
    started(student)
    asked: set[str] = set()
    student.context.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    errors: list[str] = []
    student.context.on("weberror", lambda error: errors.append(error.error.stack or ""))
    page = student.context.new_page()
    page.goto("/user/student1/tree")
    with student.context.expect_page() as opened:
        page.get_by_role("listitem", name=re.compile("quota.ipynb")).dblclick(timeout=SLOW_MS)
    page = opened.value
    page.wait_for_url("**/user/student1/notebooks/quota.ipynb", timeout=SLOW_MS)
    widget = run_first_cell(page)
    expect(widget).to_contain_text(re.compile(r"5\d min left"), timeout=SLOW_MS)
    expect(widget).to_contain_text(re.compile(r"[\d.]+ of 50\.0 GPU-hours used, [\d.]+ left"))
    picture(page, "notebook-7")

    [job] = embedded_hub.slurm("squeue", "-h", "-u", embedded_hub.unix_name("student1"), "-o", "%i").split()
    embedded_hub.slurm("scontrol", "update", f"JobId={job}", "TimeLimit=120")  # an operator gives it an hour more
    expect(widget).to_contain_text(re.compile(r"1 h 5\d min left"), timeout=60_000)  # the kernel asks every 30 s

    [shown] = save(page, lambda: outputs(notebook))
    blank = browser.new_context(java_script_enabled=False)
    try:
        plain = blank.new_page()
        plain.set_content("".join(shown["text/html"]))
        table = plain.get_by_role("table", name="Use and limits")
        expect(table.get_by_role("row", name=re.compile("^Time"))).to_contain_text(re.compile(r"\d+ min left"))
        hours = table.get_by_role("row", name=re.compile("^GPU-hours of Machine learning course"))
        expect(hours).to_contain_text(re.compile(r"[\d.]+ of 50\.0 GPU-hours used, [\d.]+ left"))
        assert re.search(r"[\d.]+ of 50\.0 GPU-hours used", "".join(shown["text/plain"]))
    finally:
        blank.close()
    assert asked == {urlsplit(embedded_hub.address).netloc}, "its pages ask nobody but the hub"
    assert [stack for stack in errors if "fabric-lab" in stack] == []  # its own pages have one of their own


def test_the_widget_lives_in_jupyterlab(
    visitor: Callable[[str], Visitor], notebook: Path, picture: Callable[..., None]
) -> None:
    student = visitor("student1")
    started(student)
    student.page.goto(f"/user/student1/lab/tree/{NOTEBOOK}?reset")
    expect(student.page).not_to_have_url(RESETTING)
    widget = run_first_cell(student.page)
    expect(widget).to_contain_text(re.compile(r"[\d.]+ of 50\.0 GPU-hours used, [\d.]+ left"), timeout=SLOW_MS)
    expect(widget.get_by_role("row", name=re.compile("^Time"))).to_contain_text(re.compile(r"5\d min left"))
    picture(student.page, "notebook-widget")
    assert faults(student.page, ".widget-html") == []
