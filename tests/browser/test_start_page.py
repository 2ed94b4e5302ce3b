"""The start page: what each machine costs, when it is free, what nobody chooses, and two clicks to a session."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor, loading_again, unfold, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm]


def test_a_choice_shows_what_it_costs_and_a_link_fills_it_in_again(visitor: Callable[[str], Visitor]) -> None:
    trainer = visitor("trainer")
    page = trainer.start_form()
    page.locator("#project-ml-course").check()
    page.get_by_role("radio", name=re.compile("Two GPUs")).check()
    page.get_by_role("group", name="Time").get_by_role("button", name="4 h").click()
    expect(page.get_by_label("Hours")).to_have_value("4")
    expect(page.locator("#start-cost")).to_have_text(re.compile(r"^up to 8 GPU-hours of the [\d.]+ left$"))
    expect(page.locator("#start-starts")).to_have_text("now")
    expect(page.locator("#start-ends")).to_have_text(re.compile(r"^about (\d\d \w+ )?\d\d:\d\d$"))
    page.get_by_role("button", name="Copy link").click()
    link = page.locator("#link").input_value()
    assert "_xsrf" not in link
    page.goto("/hub/home")
    page.goto(link)
    expect(page.locator("#project-ml-course")).to_be_checked()
    expect(page.get_by_role("radio", name=re.compile("Two GPUs"))).to_be_checked()
    expect(page.get_by_label("Hours")).to_have_value("4")
    assert trainer.jobs() == []
    assert trainer.errors == []


def test_what_was_started_last_starts_again_with_two_clicks_from_the_login(visitor: Callable[[str], Visitor]) -> None:
    student = visitor("student2")
    page = student.start_form()
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_role("group", name="Time").get_by_role("button", name="2 h").click()
    page.locator("summary", has_text="Save as preset").click()
    page.get_by_label("Name of the preset").fill("Evenings")
    page.get_by_label("Name of the preset").press("Enter")
    again = page.get_by_role("region", name="Again")
    saved = again.get_by_role("button", name=re.compile("^Evenings · CPU only · Machine learning course"))
    expect(saved).to_be_visible()
    expect(page.get_by_label("Hours")).to_have_value("2")  # what was saved is still chosen
    assert violations(page) == []
    saved.click()
    page.wait_for_url("**/user/student2/lab**", timeout=SLOW_MS)
    page.goto(f"/hub/spawn/{student.user}/second")
    last = again.get_by_role("button", name=re.compile(r"^CPU only · Machine learning course.* · 2 hours"))
    expect(last).to_be_visible()
    again.get_by_role("button", name="Remove Evenings").click()
    page.wait_for_url(f"**/hub/spawn/{student.user}/second")
    expect(again.get_by_role("button")).to_have_count(1)
    assert student.errors == []


def test_a_full_machine_says_about_when_and_is_brought_up_to_date_while_one_looks(
    visitor: Callable[[str], Visitor], embedded_hub: EmbeddedRun, filled: None
) -> None:
    student = visitor("student1")
    page = student.start_form_that_says("One GPU", "All in use")
    card = page.locator("label", has_text="One GPU")
    until(
        lambda: re.search(r"about (\d\d \w+ )?\d\d:\d\d", card.text_content() or ""),
        "the card says about when",
        pause=loading_again(page),
        seen=card.text_content,
    )
    page.get_by_role("radio", name=re.compile("One GPU")).check()
    expect(page.locator("#start-starts")).to_have_text(re.compile(r"^about (\d\d \w+ )?\d\d:\d\d$"))
    embedded_hub.slurm("scancel", "-u", embedded_hub.unix_name("staff"))
    expect(card).to_contain_text("4 of 4 free", timeout=SLOW_MS)
    expect(page.locator("#start-starts")).to_have_text("now")
    assert student.errors == []


@pytest.fixture
def used_up(embedded_hub: EmbeddedRun) -> Iterator[None]:
    """The course has one GPU-minute left."""

    def grant(minutes: int) -> None:
        embedded_hub.slurm("sacctmgr", "--immediate", "--quiet", "modify", "account", "ml-course", "set",
                           f"GrpTRESMins=gres/gpu={minutes}")  # fmt: skip

    told = embedded_hub.slurm("sacctmgr", "--noheader", "--parsable2", "show", "assoc", "account=ml-course", "user=",
                              "format=GrpTRESMins")  # fmt: skip
    before = int(re.search(r"gres/gpu=(\d+)", told)[1])  # type: ignore[index]
    grant(1)
    yield
    grant(before)


def test_an_hour_on_a_budget_of_a_minute_cannot_be_chosen(visitor: Callable[[str], Visitor], used_up: None) -> None:
    student = visitor("student1")
    page = student.start_form()
    one_gpu, why = page.get_by_role("radio", name=re.compile("One GPU")), page.locator("#profile-why-gpu-1")
    until(one_gpu.is_disabled, "the hub has heard of the budget", pause=loading_again(page), seen=why.text_content)
    expect(why).to_contain_text("ml-course")
    expect(why).to_contain_text("In project Machine learning course you can have CPU only for up to 8 hours.")
    expect(page.get_by_role("radio", name=re.compile("CPU only"))).to_be_checked()
    assert violations(page) == []
    page.goto("/hub/spawn/student1?opt-profile=gpu-1&opt-hours=1")
    expect(page.get_by_role("alert").first).to_contain_text("ml-course")
    assert student.jobs() == []


@pytest.mark.parametrize("language", ["en-GB", "nl-NL"])
def test_the_page_is_for_everybody_in_light_and_dark_and_on_a_phone(
    embedded_hub: EmbeddedRun, browser: Browser, language: str
) -> None:
    one = Visitor(embedded_hub, browser, "trainer")
    one.context.close()
    one.context = browser.new_context(base_url=embedded_hub.address, locale=language)
    one.context.set_default_timeout(SLOW_MS)
    page = one.page = one.context.new_page()
    page.goto("/hub/login")
    page.locator("#username_input").fill(one.user)
    page.locator("#password_input").fill(embedded_hub.logins[one.user])
    page.locator("#login_submit").click()
    page.wait_for_url("**/hub/**")
    for scheme in ("light", "dark"):
        for width in (1280, 390, 320):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            page.goto("/hub/spawn/trainer?opt-project=proteins&opt-profile=gpu-1")
            page.evaluate("scheme => document.documentElement.setAttribute('data-bs-theme', scheme)", scheme)
            unfold(page)
            assert violations(page) == []
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{wide} at {width}"
    page.set_viewport_size({"width": 390, "height": 700})
    expect(page.locator("#start-session")).to_be_in_viewport()
    one.close()


def _focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_a_session_is_chosen_with_the_keyboard_alone(visitor: Callable[[str], Visitor]) -> None:
    page = visitor("researcher").start_form()
    page.locator("#project input:checked").focus()
    page.keyboard.press("Tab")
    assert _focused(page).startswith("profile-")
    first = _focused(page)
    page.keyboard.press("ArrowDown")
    assert _focused(page) != first
    expect(page.locator(f"#{_focused(page)}")).to_be_checked()
    for _ in range(60):
        page.keyboard.press("Tab")
        if _focused(page) == "start-session":
            break
    assert _focused(page) == "start-session"
