"""The datasets panel in a real session: the demo datasets, opened by the node's own service and closed again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.chromium import run_first_cell, until_started
from tests.support.embedded_run import ROOT, EmbeddedRun

from .conftest import SLOW_MS, Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image, pytest.mark.timeout(600)]


def line(panel: Locator, title: str) -> Locator:
    return panel.locator(".fabric-Dataset-line", has_text=title)


def panel_of_a_new_session(visitor: Visitor) -> tuple[Page, Locator]:
    page = visitor.start_form()
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(f"**/user/{visitor.user}/lab**", timeout=SLOW_MS)
    until_started(page)
    page.get_by_role("tab", name="Datasets").click(timeout=SLOW_MS)
    return page, page.locator("#fabric-datasets")


def test_a_demo_dataset_is_added_read_in_a_notebook_and_dropped(
    embedded_hub: EmbeddedRun, visitor: Callable[[str], Visitor], picture: Callable[..., None]
) -> None:
    student = visitor("student1")
    page, panel = panel_of_a_new_session(student)
    energy = line(panel, "A year of wind, sun and household load")
    expect(energy).to_contain_text(re.compile("Available.*Public"), timeout=SLOW_MS)
    assert embedded_hub.settings.catalogue
    place = embedded_hub.settings.catalogue.data_dir / "energy-year"

    def readable() -> bool:
        return embedded_hub.as_user("student1", "ls", f"{place}/").returncode == 0

    if ROOT:
        assert not readable()
    panel.get_by_text(re.compile(r"^\d+ more to try$")).click()
    panel.get_by_role("button", name="Try it: A year of wind, sun and household load in a new notebook").click()
    expect(energy).to_contain_text("In this session", timeout=SLOW_MS)
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    expect(cell).to_contain_text(f"DATA = Path('{place}/", timeout=SLOW_MS)
    assert readable()
    expect(run_first_cell(page)).to_contain_text(re.compile("hour|time"))
    picture(page, "datasets-panel")

    energy.click()
    details = page.get_by_role("article", name="A year of wind, sun and household load")
    expect(details.get_by_role("region", name="First rows")).to_contain_text(re.compile("hour|time"))
    expect(details).to_contain_text("The first 20 rows.")
    picture(page, "datasets-tab")
    details.get_by_role("button", name="Remove energy-year from this session").click()
    expect(energy).to_contain_text("Available", timeout=SLOW_MS)
    if ROOT:
        assert not readable()
    assert student.errors == []


def test_terms_are_accepted_at_the_hub_while_the_session_runs_and_the_dataset_is_then_added(
    embedded_hub: EmbeddedRun, visitor: Callable[[str], Visitor], picture: Callable[..., None]
) -> None:
    student = visitor("student2")
    page, panel = panel_of_a_new_session(student)
    bearing = line(panel, "Vibration of a ball bearing")
    expect(bearing).to_contain_text("Terms to accept", timeout=SLOW_MS)
    expect(panel.locator(".fabric-Datasets-card")).to_have_count(2)  # what cannot be tried yet is no card
    with student.context.expect_page() as opened:
        panel.get_by_role("link", name="Review terms of bearing-vibration").click()
    terms = opened.value
    expect(terms).to_have_url(re.compile("/hub/datasets/bearing-vibration[?]project=ml-course$"))
    expect(terms.get_by_role("heading", name="Vibration of a ball bearing with three faults")).to_be_visible()
    expect(terms.get_by_role("region", name=re.compile("^Agreement of"))).to_contain_text("Name the source")
    assert violations(terms) == []
    picture(terms, "datasets-terms")

    # the browser itself holds back what is not filled in
    accept = terms.get_by_role("checkbox", name="I accept the agreement, version 1")
    terms.get_by_role("button", name="Accept").click()
    assert accept.evaluate("box => box.validity.valueMissing")
    accept.check()
    terms.get_by_label("Purpose").select_option("Courses and exercises")
    terms.get_by_role("button", name="Accept").click()
    expect(terms.get_by_role("status")).to_contain_text("Go back to JupyterLab and press Add")
    expect(terms.locator("[data-project=ml-course]")).to_contain_text("Available Courses and exercises")
    assert violations(terms) == []
    terms.close()

    page.evaluate("window.dispatchEvent(new Event('focus'))")  # a browser without a screen tells no page of it
    panel.get_by_role("button", name="Add bearing-vibration to this session").click(timeout=SLOW_MS)
    expect(bearing).to_contain_text("In this session", timeout=SLOW_MS)
    assert embedded_hub.settings.catalogue
    assert (
        embedded_hub.as_user(
            "student2", "ls", f"{embedded_hub.settings.catalogue.data_dir}/bearing-vibration/latest/"
        ).returncode
        == 0
    )
    assert student.errors == []


def test_access_is_requested_on_a_datasets_page_and_all_are_listed(visitor: Callable[[str], Visitor]) -> None:
    student = visitor("student2")
    page = student.start_form()
    page.get_by_role("link", name="Datasets", exact=True).click()
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    expect(page.locator("[data-dataset=energy-year]")).to_contain_text("Machine learning course: Available")
    expect(page.locator("[data-dataset=bakery-sales]")).to_have_count(0)  # another project's secret
    assert violations(page) == []
    page.get_by_role("link", name="A synthetic cohort in the OMOP model").click()
    page.get_by_label("Reason (optional)").fill("For the course on health data")
    assert violations(page) == []
    page.get_by_role("button", name="Request access").click()
    expect(page.get_by_role("status")).to_contain_text("Access is requested for project Machine learning course.")
    expect(page.locator("[data-project=ml-course]")).to_contain_text(
        re.compile(
            "Access requested.*Requested .* by you: “For the course on health data”. You'll see the decision here."
        )
    )
    assert violations(page) == []
    page.goto("/hub/datasets/no-such-one")
    expect(page.get_by_role("alert")).to_contain_text("You don't have access to dataset no-such-one.")
    assert violations(page) == []
    assert student.errors == []
