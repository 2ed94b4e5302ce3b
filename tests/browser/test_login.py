"""Somebody chooses their institution on the login page, logs in there, and comes back; or reads why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.institutions import HELP, Institutions

from .conftest import WCAG, audit

pytestmark = [pytest.mark.browser, pytest.mark.hub]


@pytest.fixture(scope="module")
def hub(sandbox: Path) -> Iterator[Institutions]:
    with Institutions(sandbox / "login") as made:
        yield made


@pytest.fixture
def page_in(hub: Institutions, browser: Browser) -> Iterator[Callable[[str], Page]]:
    """A page of a browser whose person reads this language."""
    contexts = []

    def made(language: str) -> Page:
        contexts.append(browser.new_context(locale=language, base_url=hub.site.address))
        contexts[-1].set_default_timeout(30_000)
        return contexts[-1].new_page()

    yield made
    for context in contexts:
        context.close()


def at_the_provider(page: Page, hub: Institutions, subject: str) -> None:
    page.wait_for_url(f"{hub.uni.issuer}/**")
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


@pytest.mark.parametrize(
    ("language", "account", "choose", "beside"),
    [
        ("en-GB", "person21", "Sign in with Example University", "Or with a password"),
        ("nl-NL", "person22", "Inloggen met Example University", "Of met een wachtwoord"),
    ],
)
def test_a_person_chooses_their_institution_and_is_in(
    hub: Institutions, page_in: Callable[[str], Page], language: str, account: str, choose: str, beside: str
) -> None:
    hub.uni.person(f"browses-{language}", preferred_username=account, name="Jan")
    page = page_in(language)
    page.goto("/hub/login?next=%2Fhub%2Fdatasets")
    expect(page.get_by_role("heading", name=beside)).to_be_visible()
    assert audit(page, tags=WCAG).faults == []
    page.get_by_role("link", name=choose, exact=True).focus()
    page.keyboard.press("Enter")
    at_the_provider(page, hub, f"browses-{language}")
    page.wait_for_url("**/hub/datasets")
    page.goto("/hub/home")
    assert page.url.endswith("/hub/home")


@pytest.mark.parametrize(
    ("language", "heading", "again", "why"),
    [
        ("en-GB", "Not signed in", "Sign in again", "your account is root, and nobody logs in as root here."),
        ("nl-NL", "Niet ingelogd", "Opnieuw inloggen", "je account root is, en niemand logt hier in als root."),
    ],
)
def test_who_is_refused_reads_why_and_whom_to_write_to(
    hub: Institutions, page_in: Callable[[str], Page], language: str, heading: str, again: str, why: str
) -> None:
    hub.uni.person(f"root-{language}", preferred_username="root")
    page = page_in(language)
    page.goto("/hub/login/uni")
    at_the_provider(page, hub, f"root-{language}")
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.locator("#refusal")).to_contain_text(why)
    expect(page.locator("#contact")).to_have_attribute("href", f"mailto:{HELP}")
    assert audit(page, tags=WCAG).faults == []
    page.get_by_role("link", name=again).click()
    page.wait_for_url("**/hub/login")
