"""No page of ours has a fault of serious or critical impact in axe-core's judgement."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.support.embedded_run import EmbeddedRun

from .conftest import SLOW_MS, Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm]


def test_the_login_page(embedded_hub: EmbeddedRun, browser: Browser) -> None:
    page = browser.new_page(base_url=embedded_hub.address)
    page.goto("/hub/login")
    expect(page.get_by_label("Username")).to_be_visible()
    assert violations(page) == []
    page.close()


def test_the_start_form_and_the_hubs_home(visitor: Callable[[str], Visitor]) -> None:
    trainer = visitor("trainer")
    page = trainer.start_form()
    assert violations(page) == []
    page.goto("/hub/spawn/trainer?opt-profile=nonsense")
    expect(page.locator("body")).to_contain_text("Which project? You are a member of several.")
    assert violations(page) == []
    page.goto("/hub/spawn/trainer?opt-project=ml-course&opt-profile=cpu&opt-hours=1.5")
    expect(page.locator("#project-ml-course")).to_be_checked()
    expect(page.locator('input[name="profile"][value="cpu"]')).to_be_checked()
    expect(page.get_by_label("Hours")).to_have_value("1.5")
    assert violations(page) == [], "a link fills the form, and starts nothing"
    page.goto("/hub/home")
    assert violations(page) == []


def test_the_waiting_page_and_the_page_of_a_failure(visitor: Callable[[str], Visitor], filled: None) -> None:
    student = visitor("student1")
    page = student.start_form()
    page.get_by_role("radio", name=re.compile("One GPU")).check()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Waiting for a GPU")).to_be_visible(timeout=SLOW_MS)
    page.get_by_text("Activity").click()
    assert violations(page) == []
    student.run.slurm("scancel", "-u", student.run.unix_name("student1"))
    expect(page.get_by_role("link", name="Try again")).to_be_visible(timeout=SLOW_MS)
    assert violations(page) == []
    page.reload()
    expect(page.get_by_role("heading", name="The session did not start")).to_be_visible()
    assert violations(page) == []
