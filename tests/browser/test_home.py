"""The page Sessions by keyboard alone: it follows what happens elsewhere, and asks before something would be lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import run_cell, type_into
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image]


def tab_to(page: Page, name: str) -> None:
    """Press the tab key until the control of that name has the focus."""
    focused = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == name:
            return
    raise AssertionError(f"{name!r} is not reached by the tab key")


def test_a_session_comes_and_goes_on_the_page_without_reloading_it_and_by_keyboard_alone(
    visitor: Callable[[str], Visitor],
) -> None:
    student = visitor("student2")
    page = student.page
    page.goto("/hub/home")
    tab_to(page, "New session")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("Träning Run")
    expect(page.get_by_text("Your session will be called traning-run")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/hub/spawn/{student.user}/traning-run")

    page.goto("/hub/home")
    headers = {"Authorization": f"token {student.run.token(student.user)}"}
    wish = {"project": "ml-course", "profile": "cpu"}
    server = f"/hub/api/users/{student.user}/servers/other"
    assert student.context.request.post(server, headers=headers, data=wish).status in (201, 202)
    card = page.locator("[data-server=other][data-word]")
    expect(card.locator(".fabric-state")).to_have_text("Running", timeout=SLOW_MS)
    for told in (
        "Machine learning course",
        "CPU · 2 cores · 4 GB memory",
        "node cpu1",
        "left (until ",
        "CPU-hours so far",
    ):
        expect(card).to_contain_text(told)
    expect(page.locator("#home-said")).to_have_text("other: Running")
    assert violations(page) == []

    tab_to(page, "Stop session other")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Stop other?")
    expect(dialog).to_contain_text("It isn't known whether")  # its Lab was never opened
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Stop session other")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    tab_to(page, "Stop session")
    page.keyboard.press("Enter")
    line = page.locator("#recent [data-server=other]").first
    expect(line).to_contain_text(re.compile(r"Ended \d\d:\d\d · stopped"))
    expect(page.locator("#home-heading")).to_be_focused()
    assert violations(page) == []

    tab_to(page, "Remove session other from this list")
    page.keyboard.press("Enter")
    expect(line).to_be_hidden()
    expect(card).to_have_count(0)
    student.until_no_job()
    assert student.errors == []


@pytest.mark.long
def test_what_runs_and_what_is_unsaved_is_asked_before_a_session_is_stopped(visitor: Callable[[str], Visitor]) -> None:
    student = visitor("student2")
    lab = student.start_form()
    lab.get_by_role("radio", name=re.compile("CPU only")).check()
    lab.get_by_role("button", name="Start").click()
    lab.wait_for_url("**/user/student2/lab**", timeout=SLOW_MS)
    page = student.context.new_page()
    page.goto("/hub/home")
    stop = page.get_by_role("button", name="Stop session default")
    expect(stop).to_have_attribute("data-loses", "[]")  # a tab is open, and nothing is unsaved there
    lab.bring_to_front()
    lab.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
    type_into(lab, lab.locator(".jp-CodeCell .cm-content").first, "import time; print('at work'); time.sleep(3600)")
    # What it printed tells that it runs: a kernel that starts is busy, too, and forgets what is run meanwhile.
    run_cell(lab, 0)
    page.bring_to_front()
    expect(stop).to_have_attribute("data-loses", '["A cell is running.", "1 file has unsaved changes."]')
    stop.click()
    dialog = page.get_by_role("dialog", name="Stop default?")
    for lost in ("A cell is running.", "1 file has unsaved changes."):
        expect(dialog.get_by_text(lost)).to_be_visible()
    dialog.get_by_role("button", name="Keep it").click()
    assert student.jobs() == ["RUNNING"]

    go_on = page.get_by_role("button", name="Continue session default in a new one")
    go_on.click()
    question = page.get_by_role("dialog", name="Continue default in a new session?")
    expect(question.get_by_text("Both sessions are charged until this one ends.")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(go_on).to_be_focused()
    page.keyboard.press("Enter")
    question.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile("/(hub/spawn-pending|user)/student2/session-2"))
    page.goto("/hub/home")
    stop.click()
    dialog.get_by_role("button", name="Stop session").click()
    again = page.get_by_role("link", name="Start again: session default").first
    again.click()
    # of another name where the one that ends still has its own
    page.wait_for_url(re.compile(r"/hub/spawn/student2(/[a-z0-9-]+)?\?.*opt-profile=cpu"))
    until(lambda: len(student.jobs()) <= 1, "the session that was stopped has no job", seen=student.jobs)
