"""Datasets on the start page: the chosen project's, agreements read and accepted, and a search among many."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.embedded_run import EmbeddedRun, fabric_hub
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor, loading_again, unfold, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm]

DESCRIPTION = """\
title = "{title}"
description = "Ten-minute values, for the test of a page."
licence = "https://creativecommons.org/licenses/by/4.0/"
access = "{access}"
themes = ["ENER"]
keywords = ["{keyword}"]
personal_data = "none"
provenance = "Made for a test."
retention = "Until the test is over."

[publisher]
name = "Example Energy"

[creator]
name = "Example Energy"

[contact]
name = "Data desk"
email = "data@energy.example"
"""
AGREEMENT = """
[agreement]
version = "{version}"
text = \"\"\"{text}\"\"\"

[[purposes]]
name = "research"
text = "Scientific research"

[[purposes]]
name = "teaching"
text = "Teaching"
"""
TERMS = "1. You tell nobody the position of a turbine.\n2. You name the source.\n" + "\n".join(
    f"{number}. A clause that makes the text long." for number in range(3, 40)
)


class Operator:
    """An operator at the command line of the run."""

    def __init__(self, run: EmbeddedRun, directory: Path) -> None:
        self.run, self.directory = run, directory
        self.content = directory / "content"
        self.content.mkdir(mode=0o755)
        (self.content / "values.csv").write_text("time,power\n0,1\n")
        self.offered: list[str] = []

    def does(self, part: str, *arguments: object) -> None:
        done = fabric_hub("datasets", part, *map(str, arguments), "--dir", str(self.run.directory))
        assert done.returncode == 0, done.stdout + done.stderr

    def describes(
        self,
        name: str,
        title: str,
        access: str = "public",
        *,
        keyword: str = "test",
        agreement: tuple[str, str] | None = None,
    ) -> None:
        text = f'name = "{name}"\n' + DESCRIPTION.format(title=title, access=access, keyword=keyword)
        if agreement:
            text += AGREEMENT.format(version=agreement[0], text=agreement[1])
        file = self.directory / f"{name}.toml"
        file.write_text(text)
        self.does("add", file)

    def offers(
        self,
        name: str,
        title: str,
        access: str = "public",
        *,
        keyword: str = "test",
        agreement: tuple[str, str] | None = None,
    ) -> None:
        self.describes(name, title, access, keyword=keyword, agreement=agreement)
        self.does("pack", name, "1", self.content)
        self.does("publish", name)
        self.offered.append(name)


@pytest.fixture
def operator(embedded_hub: EmbeddedRun, tmp_path: Path) -> Iterator[Operator]:
    one = Operator(embedded_hub, tmp_path)
    yield one
    for name in one.offered:
        one.does("retire", name)


def dataset(page: Page, title: str) -> Locator:
    return page.get_by_role("checkbox", name=title, exact=True)


def until_shown(page: Page, where: Locator) -> None:
    """Load the form again until the hub has heard of what is waited for."""
    until(
        where.count,
        f"{where} is on the form",
        pause=loading_again(page),
        seen=page.locator("#fabric-datasets").text_content,
    )
    unfold(page)


def form_with(visitor: Visitor, *titles: str) -> Page:
    page = visitor.start_form()
    for title in titles:
        until_shown(page, page.locator("#fabric-datasets").get_by_text(title, exact=True))
    return page


def test_an_agreement_is_read_accepted_with_a_purpose_and_asked_once(
    operator: Operator, visitor: Callable[[str], Visitor], picture: Callable[[Page, str], None]
) -> None:
    operator.offers("page-wind", "Wind farm Westermeer", "restricted", agreement=("1", TERMS))
    operator.offers("page-weather", "Weather of the coast")
    operator.does("grant", "page-wind", "--project", "ml-course")
    student = visitor("student1")
    page = form_with(student, "Wind farm Westermeer", "Weather of the coast")
    wind = page.locator("[data-dataset=page-wind]")
    expect(wind).to_contain_text(re.compile(r"\d+(\.\d+)? kB · Restricted · Details"))
    accept = wind.get_by_role("checkbox", name=re.compile("^I accept the agreement of Wind farm Westermeer, version 1"))
    purpose = wind.get_by_label("Purpose for Wind farm Westermeer")
    expect(accept).to_be_hidden()
    dataset(page, "Wind farm Westermeer").check()
    expect(accept).to_be_visible()
    expect(wind.get_by_text("The agreement changed")).to_be_hidden()
    expect(wind.get_by_text("You tell nobody the position of a turbine.")).to_be_visible()
    assert violations(page) == []
    purpose.scroll_into_view_if_needed()
    picture(page, "datasets-start")

    # the browser itself holds a start without them
    page.get_by_role("button", name="Start").click()
    expect(page).to_have_url(re.compile("/hub/spawn/student1"))
    assert accept.evaluate("box => box.validity.valueMissing")
    accept.check()
    assert purpose.evaluate("select => select.validity.valueMissing")
    purpose.select_option("Teaching")
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/user/student1/lab**", timeout=SLOW_MS)
    said = student.run.slurm("scontrol", "show", "job")
    assert student.run.unix_name("student1") in said
    assert "page-wind" not in said

    # a second session: nothing is asked again
    page.goto("/hub/spawn/student1/second")
    unfold(page)
    dataset(page, "Wind farm Westermeer").check()
    expect(accept).to_be_hidden()

    # until the agreement is another one
    operator.describes("page-wind", "Wind farm Westermeer", "restricted", agreement=("2", "Be kind."))
    changed = wind.get_by_text("The agreement changed since you accepted it: version 2 is new.")
    until_shown(page, changed)
    dataset(page, "Wind farm Westermeer").check()
    expect(changed).to_be_visible()
    expect(wind.get_by_role("checkbox", name=re.compile("^I accept"))).not_to_be_checked()
    assert violations(page) == []
    assert student.errors == []


def test_what_is_shown_follows_the_chosen_project(operator: Operator, visitor: Callable[[str], Visitor]) -> None:
    operator.offers("page-trial", "Trial of a medicine", "non-public", agreement=("1", "Do no harm."))
    operator.does("grant", "page-trial", "--project", "ml-course")
    trainer = visitor("trainer")
    page = form_with(trainer, "Trial of a medicine")
    page.locator("#project-ml-course").check()
    expect(dataset(page, "Trial of a medicine")).to_be_visible()
    dataset(page, "Trial of a medicine").check()
    page.locator("#project-proteins").check()
    expect(dataset(page, "Trial of a medicine")).to_be_hidden()
    expect(page.locator("#accept-page-trial")).to_be_disabled()
    page.locator("#project-ml-course").check()
    expect(dataset(page, "Trial of a medicine")).not_to_be_checked()
    researcher = visitor("researcher")
    researcher.start_form()
    assert "Trial of a medicine" not in researcher.page.content()
    assert trainer.errors == researcher.errors == []


def test_many_datasets_are_searched_and_what_is_picked_stays_in_sight(
    operator: Operator, visitor: Callable[[str], Visitor]
) -> None:
    titles = [f"Station {number}" for number in range(1, 10)]
    for number, title in enumerate(titles, 1):
        operator.offers(f"page-s{number}", title, keyword=f"coast{number}")
    page = form_with(visitor("researcher"), *titles)
    search = page.get_by_role("searchbox", name="Search datasets")
    dataset(page, "Station 1").check()
    search.fill("coast7")
    expect(dataset(page, "Station 7")).to_be_visible()
    expect(dataset(page, "Station 2")).to_be_hidden()
    expect(dataset(page, "Station 1")).to_be_visible()
    expect(page.locator("#datasets-note")).to_contain_text(re.compile(r"^1 of \d+ match"))
    assert violations(page) == []
    search.press("Enter")
    expect(page).to_have_url(re.compile("/hub/spawn/researcher$"))
