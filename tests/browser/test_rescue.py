"""A budget that is used up, as a student meets it: the refusal, and the rescue session that it offers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor, loading_again, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image]

ACCOUNT = "bakery"  # nobody else's tests count on it


@pytest.fixture
def used_up(embedded_hub: EmbeddedRun) -> Iterator[None]:
    """The budget of a project is used up while a test runs."""
    modify = ["sacctmgr", "--immediate", "--quiet", "modify", "account", ACCOUNT, "set"]
    embedded_hub.slurm(*modify, "GrpTRESMins=gres/gpu=0")
    yield
    embedded_hub.slurm(*modify, "GrpTRESMins=gres/gpu=1200")


@pytest.fixture
def own_kernel(embedded_hub: EmbeddedRun) -> Iterator[None]:
    """A person with a kernel of their own in the home directory."""
    kernel = ".local/share/jupyter/kernels/mine"
    make = f'mkdir -p {kernel} && echo \'{{"argv": ["x"], "display_name": "Mine"}}\' > {kernel}/kernel.json'
    assert embedded_hub.as_user("staff", "sh", "-c", make).returncode == 0
    yield
    embedded_hub.as_user("staff", "rm", "-r", kernel)


def test_who_has_used_up_the_budget_is_told_so_and_starts_a_rescue_session(
    used_up: None, own_kernel: None, visitor: Callable[[str], Visitor], picture: Callable[..., None]
) -> None:
    staff = visitor("staff")
    until_the_hub_knows(staff.page)
    page = staff.start_form()
    page.locator(f"#project-{ACCOUNT}").check()
    expect(page.get_by_role("radio", name=re.compile("One GPU"))).to_be_disabled()
    expect(page.locator("#profile-why-gpu-1")).to_contain_text(f"The budget of account {ACCOUNT} has run out")
    page.goto(f"/hub/spawn/staff?opt-project={ACCOUNT}&opt-profile=gpu-1")
    refusal = page.get_by_role("alert").filter(has_text=f"The budget of account {ACCOUNT} has run out")
    expect(refusal).to_contain_text('in a rescue session: profile rescue ("Rescue: save and clean up").')
    assert staff.jobs() == []
    page.evaluate("window.scrollTo(0, 0)")
    picture(page, "rescue-offered")
    assert violations(page) == []
    refusal.get_by_role("button", name="Start a rescue session").click()

    page.wait_for_url("**/user/staff/lab**", timeout=SLOW_MS)
    status = page.get_by_role("button", name=re.compile("^This session:"))
    expect(status).to_have_text("Bread forecast for a client · CPU Client", timeout=SLOW_MS)
    status.click()
    known = page.get_by_role("dialog", name="Details of this session")
    for told in ("rescue", "cpu1", "no GPU"):
        expect(known).to_contain_text(told)
    status.click()
    expect(known).to_have_count(0)
    item = page.get_by_role("button", name=re.compile("^Usage:"))
    expect(item).to_contain_text("0.0 GPU-h", timeout=SLOW_MS)
    expect(item).to_have_attribute("data-state", "over")
    expect(page.locator(".jp-LauncherCard").first).to_be_visible(timeout=SLOW_MS)
    notice = page.get_by_role("alert").filter(has_text="A rescue session runs without your own Jupyter settings")
    expect(notice).to_be_visible(timeout=SLOW_MS)
    notice.get_by_role("button", name="Show details").click()
    details = page.get_by_role("dialog").filter(has_text="Left out of this session")
    expect(details).to_contain_text("Start another profile to use them again.")
    details.get_by_role("button", name="Close").click()
    item.click()
    panel = page.locator(".fabric-Usage")
    # said once: by the budget's own line, or by the warning as soon as the hub has looked at all budgets
    said = panel.get_by_text(re.compile(r"Nothing is left: no new session with a GPU can start\.|has run out: "))
    expect(said).to_have_count(1)
    expect(panel).to_contain_text("GPU-hours (no personal limit)")
    picture(page, "rescue-session")
    assert violations(page) == []
    assert staff.jobs() == ["RUNNING"]
    assert staff.errors == []


def until_the_hub_knows(page: Page) -> None:
    """It asks Slurm for limits every ten seconds; its home page tells what it has heard."""
    page.goto("/hub/home")
    budget = page.locator("[data-project=bakery]")
    until(
        lambda: "0.0 of 0.0 GPU-hours left" in budget.inner_text(),
        "nothing is left of the budget",
        60,
        pause=loading_again(page, "/hub/home"),
        seen=budget.inner_text,
    )
