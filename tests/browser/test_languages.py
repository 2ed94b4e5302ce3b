"""Every page of the hub in every language: a picture of each in build/pages, and no fault in axe-core's judgement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from fabric_hub.messages.reader import Reader, languages, reading
from fabric_hub.messages.translation import gettext
from tests.support.embedded_run import EmbeddedRun

from .conftest import ROOT, SIZE, SLOW_MS, Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm]

PICTURES = ROOT / "build" / "pages"


@pytest.fixture(params=languages())
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """A language; what this test looks for on a page is in it, too."""
    with reading(Reader(request.param)):
        yield request.param


@pytest.fixture
def whole(language: str) -> Callable[[Page, str], None]:
    """``whole(page, "start")``: the page is in the language, without a fault, and a picture of it is kept."""
    directory = PICTURES / language
    directory.mkdir(parents=True, exist_ok=True)

    def look(page: Page, name: str) -> None:
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page).to_have_title(re.compile(r".+ · Fabric Hub$"))
        expect(page.get_by_role("main")).to_have_count(1)
        page.screenshot(path=directory / f"{name}.png", animations="disabled", full_page=True)
        assert violations(page) == [], name

    return look


@pytest.fixture
def student(
    embedded_hub: EmbeddedRun, browser: Browser, language: str, whole: Callable[[Page, str], None]
) -> Iterator[Visitor]:
    """A student whose browser asks for the language, and who came by way of the login page."""
    visitor = Visitor(embedded_hub, browser, "student1")
    visitor.context.close()
    visitor.context = browser.new_context(viewport=SIZE, base_url=embedded_hub.address, locale=language)  # type: ignore[arg-type]
    page = visitor.page = visitor.context.new_page()
    page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    page.goto("/hub/login")
    whole(page, "login")
    for password, name in (("wrong", "login-refused"), (embedded_hub.logins[visitor.user], "home")):
        page.get_by_label(gettext("Username")).fill(visitor.user)
        page.get_by_label(gettext("Password"), exact=True).fill(password)
        page.get_by_role("button", name=gettext("Sign in")).click()
        page.wait_for_load_state("networkidle")
        whole(page, name)
    yield visitor
    assert visitor.errors == []
    visitor.close()


def test_every_page_that_needs_no_session(student: Visitor, whole: Callable[[Page, str], None]) -> None:
    page = student.page
    page.goto("/hub/home")
    expect(page.get_by_text(gettext("You have no sessions yet"))).to_be_visible()
    for path, name in (
        (f"/hub/spawn/{student.user}", "start"),
        (f"/hub/spawn/{student.user}?opt-profile=nonsense", "start-refused"),
        (f"/hub/user/{student.user}/", "not-running"),
        ("/hub/datasets", "datasets"),
        ("/hub/datasets/nosuch", "dataset-unknown"),
        ("/hub/token", "tokens"),
        ("/hub/nosuch", "not-found"),
        ("/hub/language", "error"),
    ):
        page.goto(path)
        whole(page, name)
    page.goto("/hub/token")
    page.get_by_label(gettext("What it is for"), exact=True).fill("A test")
    page.get_by_role("button", name=gettext("Make a token")).click()
    expect(page.locator("#token-result")).to_have_text(re.compile("^[0-9a-zA-Z_-]{20,}$"))
    whole(page, "token-made")
    page.reload()
    page.get_by_role("button", name=re.compile(": A test$")).click()
    expect(page.get_by_role("cell", name="A test", exact=True)).to_have_count(0)
    page.get_by_role("button", name=gettext("Log out")).click()
    whole(page, "logged-out")


def test_every_page_of_a_start(student: Visitor, whole: Callable[[Page, str], None], filled: None) -> None:
    page = student.page
    page.goto(f"/hub/spawn/{student.user}")
    page.locator("#profile-gpu-1").check()
    expect(page.locator("#hours-help")).to_contain_text(gettext("Maximum %(time)s").partition("%")[0].strip())
    page.get_by_role("button", name=gettext("Start"), exact=True).click()
    expect(page.locator("[data-step='20']")).to_have_attribute("aria-current", "step", timeout=SLOW_MS)
    page.get_by_text(gettext("Activity")).click()
    whole(page, "waiting")
    page.goto("/hub/home")
    whole(page, "home-starting")
    page.goto(f"/hub/spawn-pending/{student.user}")
    page.get_by_role("button", name=gettext("Cancel")).click()
    expect(page.get_by_text(gettext("Cancelled. Your job was removed from the queue."))).to_be_visible(timeout=SLOW_MS)
    whole(page, "cancelled")
    student.until_no_job()
    page.locator("#profile-gpu-1").check()
    page.get_by_role("button", name=gettext("Start"), exact=True).click()
    expect(page.locator("[data-step='20']")).to_have_attribute("aria-current", "step", timeout=SLOW_MS)
    student.run.slurm("scancel", "-u", student.run.unix_name(student.user))
    expect(page.get_by_role("heading", name=gettext("The session did not start"))).to_be_visible(timeout=SLOW_MS)
    whole(page, "failed")
    page.reload()
    whole(page, "failed-later")
    page.goto("/hub/home")
    whole(page, "home-ended")


def test_the_switch_is_reached_by_keyboard_and_keeps_the_page(visitor: Callable[[str], Visitor]) -> None:
    page = visitor("student2").page
    page.goto("/hub/token")
    page.keyboard.press("Tab")
    expect(page.locator("#skip")).to_be_focused()
    switch = page.get_by_role("button", name="Nederlands")
    expect(switch).to_have_attribute("lang", "nl")
    switch.focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    expect(page.get_by_role("heading", name="API-tokens")).to_be_visible()
    expect(page.get_by_role("button", name="Nederlands")).to_have_attribute("aria-current", "true")
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert f"fabric-zone={zone}" in page.evaluate("document.cookie")
    page.get_by_role("button", name="English").click()  # the next test's student reads English
    expect(page.locator("html")).to_have_attribute("lang", "en")
