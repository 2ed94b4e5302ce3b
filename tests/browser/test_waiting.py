"""The page of a start that waits in Slurm's queue: what it says, what it offers, and how it is given up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.embedded_run import EmbeddedRun

from .conftest import SLOW_MS, Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image]


def _waits(student: Visitor) -> Page:
    """The page of a session that waits for a GPU; its clock can be moved on."""
    page = student.page
    page.clock.install()
    page.clock.resume()
    student.start_form()
    page.get_by_role("radio", name=re.compile("One GPU")).check()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Waiting for a GPU")).to_be_visible(timeout=SLOW_MS)
    return page


def test_who_waits_sees_their_place_and_may_take_what_starts_sooner(
    visitor: Callable[[str], Visitor], filled: None
) -> None:
    student = visitor("student1")
    page = _waits(student)
    expect(page).to_have_title(re.compile("Waiting for a GPU"))
    steps = page.get_by_role("list", name="Steps").get_by_role("listitem")
    assert [steps.nth(index).get_attribute("data-state") for index in range(4)] == ["done", "now", "later", "later"]
    expect(page.locator("#progress-message")).to_contain_text(re.compile("You're next|ahead of you"), timeout=SLOW_MS)
    page.get_by_text("Slurm details").click()
    expect(page.locator("[data-slurm=partition]")).to_have_text("gpu")
    expect(page.locator("[data-slurm=reason]")).to_have_text(re.compile("Resources|Priority"))
    sooner = page.get_by_role("group", name="Sooner:").get_by_role("button", name=re.compile("CPU"))
    expect(sooner).to_be_visible(timeout=SLOW_MS)
    assert violations(page) == []

    other = student.context.new_page()
    streams: list[str] = []
    other.on("request", lambda asked: streams.append(asked.url) if "/progress" in asked.url else None)
    other.goto(f"/hub/spawn-pending/{student.user}")
    expect(other.get_by_role("heading", name="Waiting for a GPU")).to_be_visible(timeout=SLOW_MS)
    assert streams == [], "a second tab hears of it from the first"

    page.clock.fast_forward(120_000)
    sooner.click()
    dialog = page.get_by_role("dialog", name="Give up your place?")
    expect(dialog).to_contain_text(re.compile(r"have waited 2 min"))
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(sooner).to_be_focused()
    assert student.jobs() == ["PENDING"], "Escape gives up nothing"

    sooner.click()
    dialog.get_by_role("button", name="Cancel the start").click()
    expect(page.get_by_role("heading", name="New session")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator('input[name="profile"][value="cpu"]')).to_be_checked()
    student.until_no_job()
    # what was waited for is gone, in all tabs
    expect(other.get_by_role("heading", name=re.compile("did not start|isn't running"))).to_be_visible(timeout=SLOW_MS)
    assert student.errors == []


@pytest.fixture
def maintenance(embedded_hub: EmbeddedRun) -> Iterator[None]:
    """All nodes are kept free for maintenance that begins in fifty-five minutes."""
    embedded_hub.slurm(
        "scontrol", "create", "reservation", "ReservationName=spring", "StartTime=now+55minutes", "Duration=120",
        "Nodes=ALL", "Flags=MAINT", "Users=root",
    )  # fmt: skip
    yield
    embedded_hub.slurm("scontrol", "delete", "ReservationName=spring")


@pytest.mark.long
def test_before_a_maintenance_the_hours_that_fit_are_offered(
    visitor: Callable[[str], Visitor], maintenance: None
) -> None:
    student = visitor("student2")
    page = student.page
    page.goto(f"/hub/spawn/{student.user}?opt-profile=cpu&opt-hours=2")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="Waiting until the maintenance is over")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("#progress-message")).to_contain_text(
        re.compile(r"Until \d\d:\d\d up to \d+ minutes is possible")
    )
    page.get_by_role("button", name=re.compile("minutes only: ends before the maintenance")).click()
    expect(page.get_by_role("heading", name="New session")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_label("Hours")).to_have_value(re.compile(r"0\.(5|75)"))
    student.until_no_job()
