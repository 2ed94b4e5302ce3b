"""Time, quota and the end of a session in a real JupyterLab on a real Slurm: nothing is lost, and it goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.chromium import type_into
from tests.support.embedded_run import EmbeddedRun
from tests.support.usage_page import AUTOSAVE, NO_AUTOSAVE

from .conftest import SLOW_MS, Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image, pytest.mark.timeout(600)]

END_MS = 200_000  # Slurm looks at time limits twice a minute
LEAST_LEFT_S = 40  # Slurm counts limits in whole minutes: a session is left with so much, and up to a minute more


def started(student: Visitor) -> Page:
    page = student.start_form()
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/user/student1/lab**", timeout=SLOW_MS)
    expect(page.get_by_role("button", name=re.compile("^Usage:.* min "))).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".jp-LauncherCard").first).to_be_visible(timeout=SLOW_MS)
    return page


@contextmanager
def one_job_at_a_time(embedded_hub: EmbeddedRun, user: str) -> Iterator[None]:
    """While this lasts Slurm lets the next job of a user wait until the one before it has ended."""
    modify = ("sacctmgr", "--immediate", "--quiet", "modify", "user", embedded_hub.unix_name(user), "set")
    embedded_hub.slurm(*modify, "MaxJobs=1")
    try:
        yield
    finally:
        embedded_hub.slurm(*modify, "MaxJobs=-1")


@pytest.fixture
def nothing_saved_by_itself(embedded_hub: EmbeddedRun) -> Iterator[None]:
    """What student1 has not saved stays so until our extension saves it."""
    make = f"mkdir -p '{AUTOSAVE.parent}' && cat > '{AUTOSAVE}'"
    done = embedded_hub.as_user("student1", "sh", "-c", make, input=NO_AUTOSAVE)
    assert done.returncode == 0, done.stderr
    yield
    embedded_hub.as_user("student1", "rm", str(AUTOSAVE))


def new_notebook(page: Page, text: str) -> Locator:
    """A notebook with this in its first cell, which is returned; nobody saves it."""
    page.locator(".jp-LauncherCard[data-category=Notebook]").first.click(timeout=SLOW_MS)
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click(timeout=SLOW_MS)
    type_into(page, cell, text)
    return cell


def test_the_panel_tells_what_is_used_and_left(visitor: Callable[[str], Visitor], picture: Callable[..., None]) -> None:
    student = visitor("student1")
    page = started(student)
    page.get_by_role("button", name=re.compile("^Usage:")).click()
    panel = page.locator(".fabric-Usage")
    expect(panel).to_contain_text("GPU-hours used", timeout=SLOW_MS)
    expect(panel).to_contain_text("This session ends at")
    expect(panel).to_contain_text("Updated ")
    expect(panel).to_contain_text(re.compile(r"\d (MB|GB) of \d+ GB in use"))  # what Slurm says was asked for
    expect(panel).to_contain_text(re.compile(r"\d\.\d of \d+ CPUs busy"))
    expect(panel.get_by_role("button", name="Continue in a new session …")).to_be_visible()
    picture(page, "usage-panel")
    assert violations(page) == []
    assert student.errors == []


@pytest.mark.usefixtures("nothing_saved_by_itself")
def test_a_session_at_its_end_loses_nothing_and_is_continued_with_its_notebook(
    embedded_hub: EmbeddedRun, visitor: Callable[[str], Visitor], picture: Callable[..., None]
) -> None:
    student = visitor("student1")
    page = started(student)
    new_notebook(page, "result = 42  # not saved by anybody")
    notebook = embedded_hub.home("student1") / "Untitled.ipynb"
    assert "not saved by anybody" not in notebook.read_text()
    [job] = embedded_hub.slurm("squeue", "-h", "-u", embedded_hub.unix_name("student1"), "-o", "%i").split()
    minutes = int(embedded_hub.slurm("squeue", "-h", "-j", job, "-o", "%M").split(":")[0]) + 3
    embedded_hub.slurm("scontrol", "update", f"jobid={job}", f"timelimit={minutes}")

    said = page.locator(".Toastify__toast", has_text="Saved before the end: Untitled.ipynb.")
    expect(said).to_be_visible(timeout=END_MS)
    source = json.loads(notebook.read_text())["cells"][0]["source"]
    assert "".join(source) == "result = 42  # not saved by anybody"
    # Slurm's signal may be here before the hub's word on the new end
    last = page.locator(".Toastify__toast", has_text=re.compile(r"[12] min left\. Open documents are being saved\."))
    expect(last).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".Toastify__toast", has_text="This session ends at")).to_have_count(1)
    picture(page, "usage-end")

    last.get_by_role("button", name="Continue …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Untitled.ipynb")
    expect(dialog).to_contain_text("Variables are not kept")
    picture(page, "usage-continue")
    dialog.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Open it").click(timeout=SLOW_MS)
    page.wait_for_url("**/user/student1/session-2/**", timeout=SLOW_MS)
    again = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    expect(again).to_have_text("result = 42  # not saved by anybody", timeout=SLOW_MS)
    expect(page.locator(".Toastify__toast", has_text="of the session before are open again")).to_contain_text(
        "run your cells again"
    )


@pytest.mark.usefixtures("nothing_saved_by_itself")
def test_a_session_that_reaches_its_time_limit_loses_nothing_and_leads_to_the_next_which_had_to_wait_for_it(
    embedded_hub: EmbeddedRun, visitor: Callable[[str], Visitor]
) -> None:
    student = visitor("student1")
    page = started(student)
    user = embedded_hub.unix_name("student1")
    [job] = embedded_hub.slurm("squeue", "-h", "-u", user, "-o", "%i").split()
    cell = new_notebook(page, "result = 42")
    with one_job_at_a_time(embedded_hub, "student1"):
        page.get_by_role("button", name=re.compile("^Usage:")).click()
        page.locator(".fabric-Usage").get_by_role("button", name="Continue in a new session …").click()
        page.get_by_role("dialog").get_by_role("button", name="Continue").click()
        expect(page.locator(".fabric-Usage")).to_contain_text("Session session-2 waits in the queue.", timeout=SLOW_MS)
        assert sorted(student.jobs()) == ["PENDING", "RUNNING"]
        type_into(page, cell, "  # not saved by anybody")
        clock = [
            int(part) for part in re.split("[-:]", embedded_hub.slurm("squeue", "-h", "-j", job, "-o", "%M").strip())
        ]
        elapsed = clock[-1] + 60 * clock[-2]
        embedded_hub.slurm("scontrol", "update", f"jobid={job}", f"timelimit={(elapsed + LEAST_LEFT_S) // 60 + 1}")
        banner = page.locator(".fabric-Banner[role=alert]")
        expect(banner).to_contain_text("The next session starts as soon as there is room for it.", timeout=END_MS)
        with student.context.expect_page() as opened:
            banner.get_by_role("link", name="Go to the next session").click()
        after = opened.value
        after.wait_for_url("**/user/student1/session-2/**", timeout=SLOW_MS)
    assert embedded_hub.slurm("sacct", "-n", "-X", "-j", job, "-o", "State").split() == ["TIMEOUT"]
    again = after.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    expect(again).to_have_text("result = 42  # not saved by anybody", timeout=SLOW_MS)
    assert student.errors == []
