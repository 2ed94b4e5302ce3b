"""The datasets panel in a real JupyterLab, as a person uses it: with the mouse, with the keyboard, and in the dark."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support import panel_catalogue as catalogue
from tests.support.answering_hub import AnsweringHub
from tests.support.answering_node import AnsweringNode
from tests.support.chromium import faults, from_palette, open_lab
from tests.support.running_session import RunningSession

pytestmark = [pytest.mark.image, pytest.mark.browser, pytest.mark.timeout(600)]

PANEL = ".fabric-Datasets"


@pytest.fixture
def panel(chromium: Page, data_session: RunningSession) -> Locator:
    """The panel, opened in a new JupyterLab."""
    open_lab(chromium, data_session)
    chromium.get_by_role("tab", name="Datasets").click(timeout=90_000)
    shown = chromium.locator(PANEL)
    expect(shown.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()
    return shown


def line(panel: Locator, title: str) -> Locator:
    return panel.locator(".fabric-Dataset-line", has_text=title)


def test_search_and_filters_find_a_dataset(panel: Locator) -> None:
    lines = panel.locator(".fabric-Dataset-line")
    expect(lines).to_have_count(5)
    expect(lines.first).to_contain_text(re.compile("Crop trials.*Available.*Public.*1.2 MB"))
    expect(line(panel, "Patients")).to_contain_text(re.compile("Terms to accept.*Restricted"))
    expect(line(panel, "Census")).to_contain_text("Retired")
    panel.get_by_label("Theme").select_option("ENER")
    expect(panel.get_by_role("heading", name="2 of 5")).to_be_visible()
    panel.get_by_label("Access").select_option("non-public")
    expect(lines).to_have_text([re.compile("Faults of a power grid")])
    panel.get_by_label("Search").fill("census")
    expect(panel).to_contain_text("Nothing matches")
    panel.get_by_role("button", name="Clear search").click()
    expect(lines).to_have_count(5)
    expect(panel.get_by_label("Search")).to_have_value("")


def test_a_dataset_is_added_inserted_and_dropped_without_a_restart(
    chromium: Page, panel: Locator, hub: AnsweringHub, node: AnsweringNode
) -> None:
    place = f"{node.data}/wind-farm/1"
    line(panel, "Wind farm").click()
    details = panel.get_by_role("region", name="Details of Wind farm")
    for told in ("Institute of Examples", "CC BY 4.0", "Energy, Environment", "Generated for this test.", "2 files"):
        expect(details).to_contain_text(told)
    expect(details.get_by_role("link", name="CC BY 4.0")).to_have_attribute(
        "href", "https://creativecommons.org/licenses/by/4.0/"
    )
    panel.get_by_role("button", name="Add wind-farm to this session").click()
    expect(panel.get_by_role("status")).to_have_text(f"Added to this session · {place}")
    expect(line(panel, "Wind farm")).to_contain_text("In this session")

    panel.get_by_role("button", name="Insert path of wind-farm").click()
    expect(panel.get_by_role("status")).to_contain_text("Click into a notebook cell, a console or a file first")
    chromium.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
    cell = chromium.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click()
    panel.get_by_role("button", name="Insert path of wind-farm").click()
    expect(cell).to_have_text(json.dumps(place))
    chromium.keyboard.press("Control+A")
    panel.get_by_label("Load as").select_option("GeoJSON with pandas")
    panel.get_by_role("button", name="Insert loading code of wind-farm").click()
    expect(cell).to_contain_text("sites.geojson")
    expect(cell).not_to_contain_text(json.dumps(place))

    panel.get_by_role("button", name="Remove wind-farm from this session").click()
    expect(panel.get_by_role("status")).to_have_text("wind-farm is no longer open in this session.")
    expect(line(panel, "Wind farm")).to_contain_text("Available")
    assert node.opened == set()
    assert [told[:2] for told in hub.datasets_told] == [("POST", "wind-farm"), ("DELETE", "wind-farm")]


def test_a_card_leads_to_a_notebook_that_loads_the_demo_data(chromium: Page, panel: Locator) -> None:
    expect(panel.locator(".fabric-Datasets-card")).to_have_count(2)
    panel.get_by_role("button", name="Try it: Wind farm, hourly output in a new notebook").click()
    cell = chromium.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    expect(cell).to_contain_text("pd.read_csv(DATA / 'output-2.csv')")
    expect(panel.get_by_role("status")).to_contain_text("wind-farm added. wind-farm.ipynb loads it.")
    # it runs by itself, and what came of it is saved
    outputs = chromium.locator(".jp-NotebookPanel .jp-OutputArea-output")
    expect(outputs.first).to_contain_text("megawatt")
    expect(outputs.locator("img")).to_be_visible()
    expect(chromium.get_by_role("tab", name="wind-farm.ipynb")).to_be_visible()


def test_access_is_requested_and_terms_are_accepted_at_the_hub(panel: Locator, hub: AnsweringHub) -> None:
    line(panel, "Faults of a power grid").click()
    expect(panel).to_contain_text("Project twin has no grant for grid-faults. Ask for it here.")
    panel.get_by_label("Reason (optional)").fill("Faults in wet weather")
    panel.get_by_role("button", name="Request access to grid-faults").click()
    expect(panel.get_by_role("status")).to_have_text("Access to grid-faults is requested for twin.")
    expect(line(panel, "Faults of a power grid")).to_contain_text("Access requested")
    assert hub.datasets_told == [("POST", "grid-faults/request", {"why": "Faults in wet weather"})]

    line(panel, "Patients").click()
    expect(panel).to_contain_text("You have not accepted version 3 of its agreement.")
    link = panel.get_by_role("link", name="Review terms")
    expect(link).to_have_attribute("href", "/hub/datasets/patients?project=twin")


def test_what_is_wrong_is_said_in_words(
    panel: Locator, chromium: Page, hub: AnsweringHub, node: AnsweringNode, data_session: RunningSession
) -> None:
    line(panel, "Wind farm").click()
    node.says = b"nonsense"
    panel.get_by_role("button", name="Add wind-farm to this session").click()
    unreadable = "The node's dataset service gave an answer that cannot be read. Its log says more."
    expect(panel.get_by_role("status")).to_have_text(unreadable)
    node.says, node.enforced = None, False
    panel.get_by_role("button", name="Refresh the datasets").click()
    expect(panel.locator(".fabric-Panel-notice")).to_have_text(
        ["Access is not enforced here: datasets are shown from directories that others may read too."]
    )
    hub.datasets = {}
    panel.get_by_role("button", name="Refresh the datasets").click()
    expect(panel).to_contain_text("No datasets are available to your project yet.")
    expect(panel).to_contain_text("This site has none.")
    data_session.process.terminate()
    data_session.process.wait(30)
    panel.get_by_role("button", name="Refresh the datasets").click()
    expect(panel).to_contain_text("This session does not answer: it has ended, or the connection is down.")


def test_the_keyboard_alone_is_enough_and_so_is_the_palette(
    chromium: Page, panel: Locator, node: AnsweringNode
) -> None:
    panel.get_by_label("Search").focus()
    chromium.keyboard.type("wind")
    line(panel, "Wind farm").focus()
    chromium.keyboard.press("Enter")
    expect(line(panel, "Wind farm")).to_have_attribute("aria-expanded", "true")
    chromium.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Add wind-farm to this session")).to_be_focused()
    chromium.keyboard.press("Space")
    expect(line(panel, "Wind farm")).to_contain_text("In this session")
    # the button that was pressed is gone: the keyboard stays where it was
    expect(panel.get_by_role("button", name="Insert path of wind-farm")).to_be_focused()
    from_palette(chromium, "Remove Dataset", "Remove Dataset: wind-farm")
    expect(line(panel, "Wind farm")).to_contain_text("Available")
    assert node.opened == set()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_wrong_in_light_and_dark(
    chromium: Page, panel: Locator, hub: AnsweringHub, theme: str
) -> None:
    if theme == "JupyterLab Dark":
        chromium.get_by_role("menuitem", name="Settings").click()
        chromium.get_by_text("Theme", exact=True).first.hover()
        chromium.get_by_role("menuitem", name=theme, exact=True).click()
        expect(chromium.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    hub.datasets["enforced"] = False
    panel.get_by_role("button", name="Refresh the datasets").click()
    expect(panel.locator(".fabric-Panel-notice")).to_be_visible()
    for title in ("Wind farm", "Patients", "Faults of a power grid"):
        line(panel, title).click()
        expect(line(panel, title)).to_have_attribute("aria-expanded", "true")
        assert faults(chromium, PANEL) == []
    line(panel, "Wind farm").click()
    panel.get_by_role("button", name="Add wind-farm to this session").click()
    expect(panel.get_by_role("button", name="Insert path of wind-farm")).to_be_visible()
    assert faults(chromium, PANEL) == []
    if place := os.environ.get("FABRIC_PANEL_PICTURES"):
        chromium.screenshot(path=Path(place) / f"{theme}.png", animations="disabled")


def test_text_of_others_is_shown_as_text(chromium: Page, data_session: RunningSession, hub: AnsweringHub) -> None:
    bad = "<img src=x onerror=document.title='owned'>"
    hub.datasets = catalogue.told(
        catalogue.entry(
            "bad", bad, description=bad, licence="javascript:alert(1)", page="javascript:alert(1)", themes=[bad]
        )
    )
    open_lab(chromium, data_session)
    chromium.get_by_role("tab", name="Datasets").click(timeout=90_000)
    panel = chromium.locator(PANEL)
    line(panel, "<img").click()
    expect(panel.get_by_role("region", name=f"Details of {bad}")).to_contain_text("javascript:alert(1)")
    assert panel.locator("img").count() == 0
    assert panel.locator("a[href^=javascript]").count() == 0
    assert chromium.title() != "owned"


def test_nothing_is_asked_while_the_panel_is_not_in_view(
    chromium: Page, data_session: RunningSession, node: AnsweringNode
) -> None:
    asked = open_lab(chromium, data_session)
    expect(chromium.get_by_role("button", name=re.compile("^This session:"))).to_be_visible()
    assert [url for url in asked if "fabric/datasets" in url] == []
    assert node.asked == []
