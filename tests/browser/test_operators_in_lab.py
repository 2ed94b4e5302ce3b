"""What operators order and announce, in a JupyterLab that is open: read in time, and gone when it is taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from fabric_hub.sessions.announcements import AnnouncementBook
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.store import SessionStore
from tests.support.embedded_run import EmbeddedRun

from .conftest import SLOW_MS, Visitor, violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slurm,
    pytest.mark.image,
    pytest.mark.long,
    pytest.mark.timeout(600),
]

# docs/how-to/end-and-announce.md: within half a minute
PROMISED_MS = 30_000
WHY = "Node cpu1 needs a <new> fan."
TEXT = "The file system is slow until noon. Details: https://status.example.org/home"


@pytest.fixture
def lab(visitor: Callable[[str], Visitor]) -> Visitor:
    """A student with JupyterLab open; nothing of it is out of sight."""
    student = visitor("student1")
    page = student.start_form()
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/user/student1/lab**", timeout=SLOW_MS)
    expect(time_left(page)).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".jp-LauncherCard").first).to_be_visible(timeout=SLOW_MS)
    return student


@pytest.fixture
def nothing_announced(embedded_hub: EmbeddedRun) -> Iterator[None]:
    """What a test announces is gone after it, however it ends."""
    yield
    store = SessionStore(database_url(embedded_hub.settings))
    book = AnnouncementBook(store.engine)
    for one in book.all():
        book.delete(one.id)
    store.close()


def time_left(page: Page) -> Locator:
    """The item of the status bar that says how long the session has."""
    return page.get_by_role("button", name=re.compile("^Usage:.* (min|h)"))


def said(page: Page, text: str | re.Pattern[str]) -> Locator:
    """A notification."""
    return page.locator(".Toastify__toast", has_text=text)


def test_an_operators_stop_is_read_in_jupyterlab_with_its_reason_and_the_time_that_is_left_until_it_is_taken_back(
    lab: Visitor, visitor: Callable[[str], Visitor]
) -> None:
    page, operator = lab.page, visitor("operator").page
    expect(time_left(page)).to_have_accessible_name(re.compile(r"\d+ h|[3-9]\d min|\d{3,} min"))
    before = time_left(page).inner_text()
    operator.goto("/hub/operate")
    stop = operator.get_by_role("button", name=f"Stop session default of {lab.user}")
    dialog = operator.get_by_role("dialog", name=f"Stop default of {lab.user}?")
    stop.click()
    dialog.get_by_label("15 minutes").check()
    dialog.get_by_label("Reason").fill(WHY)
    dialog.get_by_role("button", name="Stop session").click()
    expect(operator.get_by_text(re.compile(rf"Session default of {lab.user} ends at \d\d:\d\d"))).to_be_visible()

    told = said(page, re.compile(r"An operator ends this session at \d\d:\d\d.*: 1[45] min left\."))
    expect(told).to_be_visible(timeout=PROMISED_MS)
    banner = page.locator(".fabric-Banner[role=alert]")
    expect(banner).to_have_text(re.compile(rf"An operator ends this session at \d\d:\d\d.*: {re.escape(WHY)}"))
    expect(time_left(page)).to_have_text(re.compile(r"^1[45] min"), timeout=PROMISED_MS)
    page.get_by_role("button", name=re.compile("^Usage:")).click()
    expect(page.locator(".fabric-Usage")).to_contain_text(WHY)
    assert violations(page, leave_out=".jp-NotebookPanel-toolbar") == []
    banner.get_by_role("button", name="Hide").click()
    expect(banner).to_have_count(0)

    stop.click()
    dialog.get_by_role("button", name="Let it go on").click()
    expect(operator.get_by_text(f"Session default of {lab.user} goes on.")).to_be_visible()
    expect(told).to_have_count(0, timeout=PROMISED_MS)
    expect(time_left(page)).to_have_text(re.compile(re.escape(before.split(" ")[0])), timeout=PROMISED_MS)
    expect(page.locator(".fabric-Usage")).not_to_contain_text(WHY)
    assert lab.jobs() == ["RUNNING"]
    assert lab.errors == []


@pytest.mark.usefixtures("nothing_announced")
def test_an_announcement_is_read_in_jupyterlab_until_it_is_ended(
    lab: Visitor, visitor: Callable[[str], Visitor]
) -> None:
    page, operator = lab.page, visitor("operator").page
    operator.goto("/hub/operate/announcements")
    form = operator.get_by_role("form", name="New announcement")
    form.get_by_label("Warning").check()
    form.get_by_label("Text (English)").fill(TEXT)
    form.get_by_role("button", name="Publish").click()
    listed = operator.locator("[data-listed]", has_text=TEXT)
    expect(listed).to_be_visible()

    told = said(page, TEXT)
    expect(told).to_be_visible(timeout=PROMISED_MS)
    expect(told.get_by_role("button", name="Open the link")).to_be_visible()
    expect(page.locator(".fabric-Voice[role=alert]")).to_have_text(TEXT)

    listed.get_by_role("button", name="End now").click()
    expect(listed.get_by_text("Over")).to_be_visible()
    expect(told).to_have_count(0, timeout=PROMISED_MS)
    assert lab.errors == []
