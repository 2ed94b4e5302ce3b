"""The pages of projects in the browser: an owner adds and removes a person by keyboard; each page in each language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from fabric_hub.budgets.history import History, UsageRow
from fabric_hub.messages.reader import Reader, languages, reading
from fabric_hub.messages.translation import gettext
from tests.support.projects_hub import MEMBER, OWNER, STRANGER, ProjectsHub, today

from .conftest import SIZE
from .test_languages import look

pytestmark = [pytest.mark.browser, pytest.mark.hub]

FOLDING = "/hub/projects/folding"


@pytest.fixture(scope="module")
def projects(sandbox: Path) -> Iterator[ProjectsHub]:
    with ProjectsHub(sandbox / "seen", "named") as made:
        rows = [
            (today() - timedelta(days=age), user, 1.5 + (age * (3 if user == OWNER else 2)) % 7)
            for age in range(27)
            for user in (OWNER, MEMBER)
            if (age + len(user)) % 5
        ]
        history = History(made.site.store.engine)
        for day in sorted({day for day, _, _ in rows}):
            used = [
                UsageRow(day=day, project="folding", account="a", user=user, profile="p", gpu_hours=hours,
                         cpu_hours=0, jobs=1)
                for on, user, hours in rows if on == day
            ]  # fmt: skip
            history.replace(day, used, 1.0)
        yield made


class InEachLanguage:
    """Somebody with a browser for each language, who has logged in."""

    def __init__(self, projects: ProjectsHub, browser: Browser, user: str) -> None:
        self.user, self.errors = user, list[str]()
        self.pages: dict[str, Page] = {}
        for language in languages():
            address = projects.site.address
            context = browser.new_context(viewport=SIZE, base_url=address, locale=language)  # type: ignore[arg-type]
            page = self.pages[language] = context.new_page()
            page.on("pageerror", lambda error: self.errors.append(str(error)))
            with reading(Reader(language)):
                page.goto("/hub/login?next=/hub/home")
                page.get_by_label(gettext("Username")).fill(user)
                page.get_by_label(gettext("Password"), exact=True).fill(f"secret of {user}")
                page.get_by_role("button", name=gettext("Sign in")).click()
                expect(page.get_by_role("heading", name=gettext("Sessions"), exact=True)).to_be_visible()

    def each(self) -> Iterator[Page]:
        for language, page in self.pages.items():
            with reading(Reader(language)):
                yield page

    def see(self, address: str, name: str) -> None:
        for page in self.each():
            page.goto(address)
            look(page, name)

    def close(self) -> None:
        for page in self.pages.values():
            page.context.close()
        assert self.errors == []


@pytest.fixture
def people(projects: ProjectsHub, browser: Browser) -> Iterator[list[InEachLanguage]]:
    projects.reset()
    come: list[InEachLanguage] = []
    yield come
    for one in come:
        one.close()


def tab_to(page: Page, target: Locator) -> None:
    """Move the focus there with the Tab key, from where it is."""
    for _ in range(80):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} is not reached by keyboard")


def test_an_owner_adds_and_removes_a_person_by_keyboard_alone(
    projects: ProjectsHub, browser: Browser, people: list[InEachLanguage]
) -> None:
    owner = InEachLanguage(projects, browser, OWNER)
    people.append(owner)
    page = owner.pages["en"]
    page.goto("/hub/projects")
    tab_to(page, page.get_by_role("link", name="Protein folding"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Protein folding")).to_be_visible()
    tab_to(page, page.get_by_label("User name"))
    page.keyboard.type(STRANGER)
    page.keyboard.press("Enter")
    done = page.get_by_text(f"{STRANGER} was added. Role: Member.")
    expect(done).to_be_focused()
    expect(page).to_have_title("Saved: Protein folding (Active) · Fabric Hub")
    row = page.locator(f"tr[data-person={STRANGER}]")
    expect(row).to_be_visible()

    remove = page.get_by_role("button", name=f"Remove {STRANGER}")
    tab_to(page, remove)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=f"Remove {STRANGER} from this project?")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("No session of theirs runs in this project.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(remove).to_be_focused()
    assert STRANGER in projects.project().members.member, "nothing happened before the answer"
    page.keyboard.press("Enter")
    tab_to(page, dialog.get_by_role("button", name="Remove", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{STRANGER} was removed from this project.")).to_be_focused()
    expect(row).to_have_count(0)
    assert STRANGER not in projects.project().members


def test_what_is_refused_has_the_focus_and_what_was_typed_is_kept(
    projects: ProjectsHub, browser: Browser, people: list[InEachLanguage]
) -> None:
    owner = InEachLanguage(projects, browser, OWNER)
    people.append(owner)
    for page in owner.each():
        page.goto(FOLDING)
        field = page.get_by_label(gettext("User name"))
        field.fill("no name!")
        field.press("Enter")
        expect(page.get_by_role("alert").first).to_be_focused()
        expect(field).to_have_value("no name!")
        look(page, "project-refused")


def test_every_page_of_projects_in_each_language(
    projects: ProjectsHub, browser: Browser, people: list[InEachLanguage]
) -> None:
    owner, nobody, admin = (InEachLanguage(projects, browser, user) for user in (OWNER, "boss", "admin"))
    people.extend((owner, nobody, admin))
    owner.see("/hub/projects", "projects")
    owner.see(FOLDING, "project")
    admin.see("/hub/projects", "projects-none")
    nobody.see("/hub/projects/closed-shop", "project-of-site-file")
    admin.see("/hub/operate/projects", "operate-projects")
    admin.see("/hub/operate/projects/folding", "operate-project")
    for page in owner.each():
        page.goto(FOLDING)
        page.locator(f"tr[data-person={MEMBER}] [data-asks=project-remove]").click()
        look(page, "project-remove")


def test_operators_filter_and_sort_projects_by_keyboard(
    projects: ProjectsHub, browser: Browser, people: list[InEachLanguage]
) -> None:
    admin = InEachLanguage(projects, browser, "admin")
    people.append(admin)
    page = admin.pages["en"]
    page.goto("/hub/operate/projects")
    rows = page.locator("#projects-rows tr:visible")
    expect(page.locator("#projects-count")).to_have_text("Projects: 6")
    expect(rows.first).to_contain_text("Bakery")
    tab_to(page, page.get_by_role("button", name="People"))
    page.keyboard.press("Enter")
    expect(page.locator("th[data-column=people]")).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Enter")
    expect(page.locator("th[data-column=people]")).to_have_attribute("aria-sort", "descending")
    expect(rows.first).to_contain_text("90")
    page.get_by_label("Filter").fill("folding")
    expect(page.locator("#projects-count")).to_have_text("Projects: 1 of 6")
    page.get_by_label("Filter").fill("nothing has this name")
    expect(page.locator("#projects-count")).to_have_text('Nothing matches "nothing has this name".')
