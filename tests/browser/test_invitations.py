"""From the link of an invitation to a member, in the browser: no login, the login, the offer, accepted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from fabric_hub.messages.reader import Reader, languages, reading
from fabric_hub.messages.translation import gettext
from tests.support.projects_hub import OWNER, ProjectsHub, today

from .conftest import SIZE
from .test_languages import look

pytestmark = [pytest.mark.browser, pytest.mark.hub]

FOLDING = "/hub/projects/folding"
NEWCOMER = "curator"  # has a password, and is in no project


@pytest.fixture(scope="module")
def projects(sandbox: Path) -> Iterator[ProjectsHub]:
    with ProjectsHub(sandbox / "invited-in-browser", "aggregated") as made:
        yield made


def a_page(projects: ProjectsHub, browser: Browser, language: str) -> Page:
    address = projects.site.address
    context = browser.new_context(viewport=SIZE, base_url=address, locale=language)  # type: ignore[arg-type]
    return context.new_page()


def sign_in(page: Page, user: str) -> None:
    page.get_by_label(gettext("Username")).fill(user)
    page.get_by_label(gettext("Password"), exact=True).fill(f"secret of {user}")
    page.get_by_role("button", name=gettext("Sign in")).click()


@pytest.mark.parametrize("language", languages())
def test_from_the_link_to_a_member(projects: ProjectsHub, browser: Browser, language: str) -> None:
    projects.reset()
    owner, guest = (a_page(projects, browser, language) for _ in range(2))
    asked: list[str] = []  # every address and referrer that the guest's browser sent after the link itself
    with reading(Reader(language)):
        owner.goto(f"/hub/login?next={FOLDING}")
        sign_in(owner, OWNER)
        owner.get_by_label(gettext("For how many people")).fill("1")
        owner.get_by_label(gettext("Until the end of")).fill((today() + timedelta(days=3)).isoformat())
        owner.get_by_role("button", name=gettext("Make invitation")).click()
        link = owner.get_by_label(gettext("Link of the new invitation")).input_value()
        look(owner, "project-invitations")

        guest.on("request", lambda one: asked.extend((one.url, one.headers.get("referer", ""))))
        guest.goto(link)
        code = link.rpartition("/")[2]
        assert asked.pop(0) == link
        expect(guest.get_by_label(gettext("Username"))).to_be_visible()
        sign_in(guest, NEWCOMER)
        expect(guest).to_have_url(f"{projects.site.address}/hub/invitations")
        look(guest, "invitation")
        accept = guest.get_by_role("button", name=gettext("Accept"))
        assert NEWCOMER not in projects.project().members.member
        accept.click()
        expect(guest.get_by_role("status").first).to_contain_text(gettext("Member"))
        look(guest, "invitation-accepted")
        assert NEWCOMER in projects.project().members.member
        guest.get_by_role("link", name=gettext("Open the project")).click()
        expect(guest.get_by_role("heading", level=1, name="Protein folding")).to_be_visible()
        assert [one for one in asked if code in one] == []
    for page in (owner, guest):
        page.context.close()
