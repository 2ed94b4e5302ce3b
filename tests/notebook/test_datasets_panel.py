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
from tests.support.chromium import faint_edges, faults, from_palette, open_lab
from tests.support.running_session import RunningSession

pytestmark = [pytest.mark.image, pytest.mark.browser, pytest.mark.timeout(600)]

PANEL, TAB = "#fabric-datasets", ".fabric-Dataset-tab"


@pytest.fixture
def panel(chromium: Page, data_session: RunningSession) -> Locator:
    """The panel, opened in a new JupyterLab."""
    open_lab(chromium, data_session)
    chromium.get_by_role("tab", name="Datasets").click(timeout=90_000)
    shown = chromium.locator(PANEL)
    expect(shown.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()
    return shown


# What is wider than its place, apart from what scrolls by itself.
CUT = """place => [...document.querySelectorAll(`${place}, ${place} *`)]
  .filter(one => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1)
  .filter(one => !one.matches('.fabric-Dataset-scroll, .fabric-Panel-unseen'))
  .map(one => `${one.tagName} ${one.className}: ${one.textContent.slice(0, 80)}`)"""


def make_narrow(page: Page) -> None:
    """As at 320 px: the tab is as wide as a phone; the panel is narrower by itself."""
    page.add_style_tag(content=f"{TAB} {{ box-sizing: border-box; max-width: 320px !important; }}")
    expect(page.locator(f"{TAB}:visible")).to_have_js_property("offsetWidth", 320)


def line(panel: Locator, title: str) -> Locator:
    return panel.locator(".fabric-Dataset-line", has_text=title)


def tab_of(page: Page, title: str) -> Locator:
    """The tab of a dataset in the main area."""
    return page.get_by_role("article", name=title, exact=True)


def test_search_and_filters_find_a_dataset(panel: Locator) -> None:
    lines = panel.locator(".fabric-Dataset-line")
    expect(lines).to_have_count(5)
    expect(lines.first).to_contain_text(re.compile("Crop trials.*Available.*Public.*1.2 MB"))
    expect(line(panel, "Patients")).to_contain_text(re.compile("Terms to accept.*Restricted"))
    expect(line(panel, "Census")).to_contain_text("Retired")
    panel.get_by_label("Theme").select_option("ENER")
    expect(panel.get_by_role("heading", name="2 datasets")).to_be_visible()
    panel.get_by_role("combobox", name="Access").select_option("non-public")
    expect(lines).to_have_text([re.compile("Faults of a power grid")])
    panel.get_by_label("Search datasets").fill("zebra")
    expect(panel.get_by_role("heading", name="No matches")).to_be_visible()
    expect(panel).to_contain_text('Nothing matches "zebra". Clear search')
    panel.get_by_role("button", name="Clear search").click()
    expect(panel.get_by_role("heading", name="5 datasets")).to_be_visible()
    expect(panel.get_by_label("Search datasets")).to_have_value("")
    panel.get_by_role("button", name="In session").click()
    expect(panel).to_contain_text("Nothing is added to this session yet.")
    panel.get_by_role("button", name="Available", exact=True).click()
    expect(lines).to_have_count(3)


def test_a_dataset_is_added_inserted_and_dropped_without_a_restart(
    chromium: Page, panel: Locator, hub: AnsweringHub, node: AnsweringNode
) -> None:
    place = f"{node.data}/wind-farm/1"
    chromium.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
    cell = chromium.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click()
    panel.get_by_role("button", name="Add wind-farm to this session").click()
    expect(line(panel, "Wind farm")).to_contain_text("In this session")
    item = panel.locator(".fabric-Dataset", has_text="Wind farm")
    expect(item).to_contain_text(f"Added to this session · {place} Insert code")
    panel.get_by_role("button", name="Insert code that loads wind-farm").click()
    expect(cell).to_contain_text("pd.read_csv(DATA / 'output-2.csv')")

    line(panel, "Wind farm").click()
    details = tab_of(chromium, "Wind farm, hourly output")
    for told in ("Institute of Examples", "CC BY 4.0", "Energy, Environment", "Generated for this test.", "2 files"):
        expect(details).to_contain_text(told)
    expect(details.get_by_role("link", name="CC BY 4.0")).to_have_attribute(
        "href", "https://creativecommons.org/licenses/by/4.0/"
    )
    # from the tab it goes into the notebook that was worked in last
    details.get_by_role("button", name="Insert path of wind-farm").click()
    expect(cell).to_contain_text(json.dumps(place))
    chromium.keyboard.press("Control+A")
    line(panel, "Wind farm").click()
    details.get_by_label("Load as").select_option("GeoJSON with pandas")
    details.get_by_role("button", name="Insert loading code of wind-farm").click()
    expect(cell).to_contain_text("sites.geojson")
    expect(cell).not_to_contain_text(json.dumps(place))

    line(panel, "Wind farm").click()
    details.get_by_role("button", name="Remove wind-farm from this session").click()
    expect(details).to_contain_text("wind-farm is no longer open in this session.")
    expect(line(panel, "Wind farm")).to_contain_text("Available")
    assert node.opened == set()
    assert [told[:2] for told in hub.datasets_told] == [("POST", "wind-farm"), ("DELETE", "wind-farm")]


def test_a_tab_shows_the_files_and_the_first_rows_and_gives_the_keyboard_back(
    chromium: Page, panel: Locator, node: AnsweringNode
) -> None:
    (node.data / "wind-farm" / "1" / "output.csv").write_text("hour,megawatt\n0,1.5\n1,<b>\n")
    panel.get_by_role("button", name="Add wind-farm to this session").click()
    expect(line(panel, "Wind farm")).to_contain_text("In this session")
    line(panel, "Wind farm").focus()
    chromium.keyboard.press("Enter")
    details = tab_of(chromium, "Wind farm, hourly output")
    expect(details.get_by_role("heading", name="Wind farm, hourly output")).to_be_focused()
    details.get_by_role("combobox", name="File").select_option("output.csv")
    rows = details.get_by_role("region", name="First rows")
    expect(rows.get_by_role("columnheader")).to_have_text(["hour integer", "megawatt text"])
    expect(rows.get_by_role("cell")).to_have_text(["0", "1.5", "1", "<b>"])
    expect(details).to_contain_text("2 rows.")
    expect(details.get_by_role("region", name="Files")).to_contain_text("sites.geojson")
    assert faults(chromium, TAB) == []

    details.get_by_role("button", name="Back to the list").press("Enter")
    expect(line(panel, "Wind farm")).to_be_focused()
    chromium.keyboard.press("Enter")
    expect(details.get_by_role("heading", name="Wind farm, hourly output")).to_be_focused()
    chromium.keyboard.press("Alt+w")
    expect(details).to_have_count(0)
    expect(line(panel, "Wind farm")).to_be_focused()


def test_a_card_leads_to_a_notebook_that_loads_the_demo_data(chromium: Page, panel: Locator) -> None:
    expect(panel.locator(".fabric-Datasets-card")).to_have_count(2)
    panel.get_by_text("1 more to try").click()
    panel.get_by_role("button", name="Try it: Wind farm, hourly output in a new notebook").click()
    cell = chromium.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    expect(cell).to_contain_text("pd.read_csv(DATA / 'output-2.csv')")
    expect(panel.get_by_role("status")).to_contain_text("wind-farm added. wind-farm.ipynb loads it.")
    # it runs by itself, and what came of it is saved
    outputs = chromium.locator(".jp-NotebookPanel .jp-OutputArea-output")
    expect(outputs.first).to_contain_text("megawatt")
    expect(outputs.locator("img")).to_be_visible()
    expect(chromium.get_by_role("tab", name="wind-farm.ipynb")).to_be_visible()


def test_access_is_requested_and_terms_are_accepted_at_the_hub(
    chromium: Page, panel: Locator, hub: AnsweringHub
) -> None:
    panel.get_by_role("button", name="Request access to grid-faults").click()
    expect(panel).to_contain_text("Project twin has no grant for grid-faults. Ask for it here.")
    panel.get_by_label("Reason (optional)").fill("Faults in wet weather")
    panel.get_by_role("button", name="Send the request for grid-faults").click()
    asked = "Requested 29 Nov by you. You'll see the decision here."
    expect(panel.get_by_role("status").first).to_have_text(asked)
    expect(line(panel, "Faults of a power grid")).to_contain_text("Access requested")
    expect(panel.locator(".fabric-Dataset-told")).to_have_text([asked])
    expect(panel.get_by_role("button", name="Request access to grid-faults")).to_have_count(0)
    assert hub.datasets_told == [("POST", "grid-faults/request", {"why": "Faults in wet weather"})]
    line(panel, "Faults of a power grid").click()
    expect(tab_of(chromium, "Faults of a power grid")).to_contain_text(asked)

    link = panel.get_by_role("link", name="Review terms of patients")
    expect(link).to_have_attribute("href", "/hub/datasets/patients?project=twin")
    line(panel, "Patients").click()
    details = tab_of(chromium, "Patients of a ward (synthetic)")
    expect(details).to_contain_text("You have not accepted version 3 of its agreement.")
    expect(details.get_by_role("region", name="Terms, version 3")).to_contain_text("Do no harm.")


def test_the_answer_to_a_request_is_shown_and_what_waits_is_not_to_be_requested(
    chromium: Page, data_session: RunningSession, hub: AnsweringHub
) -> None:
    shut = {"state": "not-granted", "may_request": False}
    no = "Access was refused 29 Nov: “Not for courses.” You can ask again."
    hub.datasets = catalogue.told(
        catalogue.entry("held", "Held", **shut, waits=True, why="It must be confirmed."),
        catalogue.entry("no", "No", **{**shut, "may_request": True}, refused=True, told=no),
    )
    open_lab(chromium, data_session)
    chromium.get_by_role("tab", name="Datasets").click(timeout=90_000)
    panel = chromium.locator(PANEL)
    expect(line(panel, "Held")).to_contain_text("Waits for the steward")
    expect(panel.locator(".fabric-Dataset-told")).to_have_text([no])
    expect(panel.get_by_role("button", name=re.compile("^Request access"))).to_have_count(1)
    line(panel, "Held").click()
    details = tab_of(chromium, "Held")
    expect(details).to_contain_text("It must be confirmed.")
    expect(details.get_by_role("form")).to_have_count(0)


def test_what_is_wrong_is_said_in_words(
    panel: Locator, chromium: Page, hub: AnsweringHub, node: AnsweringNode, data_session: RunningSession
) -> None:
    node.says = b"nonsense"
    panel.get_by_role("button", name="Add wind-farm to this session").click()
    unreadable = "The node's dataset service gave an answer that cannot be read. Its log says more."
    expect(panel.locator(".fabric-Panel-said")).to_have_text([unreadable])
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
    from_palette(chromium, "Show Datasets", "Show Datasets")
    expect(panel.get_by_label("Search datasets")).to_be_focused()
    chromium.keyboard.type("wind")
    line(panel, "Wind farm").focus()
    chromium.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Add wind-farm to this session")).to_be_focused()
    chromium.keyboard.press("Space")
    expect(line(panel, "Wind farm")).to_contain_text("In this session")
    # the button that was pressed is gone: the keyboard stays where it was
    expect(panel.get_by_role("button", name="Insert loading code of wind-farm")).to_be_focused()
    line(panel, "Wind farm").press("Enter")
    expect(tab_of(chromium, "Wind farm, hourly output").get_by_role("heading", level=2)).to_be_focused()
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
    panel.get_by_role("button", name="Request access to grid-faults").click()
    expect(panel.get_by_label("Reason (optional)")).to_be_visible()
    panel.get_by_role("button", name="Add wind-farm to this session").click()
    expect(panel.locator(".fabric-Panel-notice")).to_be_visible()  # what was added makes it ask the hub anew
    expect(panel.get_by_role("button", name="Insert loading code of wind-farm")).to_be_visible()
    assert faults(chromium, PANEL) == []
    assert faint_edges(chromium, PANEL) == []
    for title in ("Patients of a ward (synthetic)", "Faults of a power grid", "Wind farm, hourly output"):
        line(panel, title).click()
        expect(tab_of(chromium, title)).to_be_visible()
        assert faults(chromium, TAB) == []
    expect(tab_of(chromium, "Wind farm, hourly output")).to_contain_text("1 row.")
    assert faint_edges(chromium, TAB) == []
    if place := os.environ.get("FABRIC_PANEL_PICTURES"):
        chromium.screenshot(path=Path(place) / f"{theme}.png", animations="disabled")
    make_narrow(chromium)
    for place_of in (PANEL, TAB):
        assert chromium.evaluate(CUT, place_of) == []
        assert faults(chromium, place_of) == []


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
    details = tab_of(chromium, bad)
    expect(details).to_contain_text("javascript:alert(1)")
    assert chromium.locator(".fabric-Datasets img").count() == 0
    assert chromium.locator(".fabric-Datasets a[href^=javascript]").count() == 0
    assert chromium.title() != "owned"


def test_nothing_is_asked_while_the_panel_is_not_in_view(
    chromium: Page, data_session: RunningSession, node: AnsweringNode
) -> None:
    asked = open_lab(chromium, data_session)
    expect(chromium.get_by_role("button", name=re.compile("^This session:"))).to_be_visible()
    assert [url for url in asked if "fabric/datasets" in url] == []
    assert node.asked == []
