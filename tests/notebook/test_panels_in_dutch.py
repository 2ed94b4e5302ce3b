"""The panels in English and Dutch, light and dark, as pictures: no page mixes languages without saying so."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.make_messages import DOMAINS, ROOT, lab_place
from tests.support import panel_catalogue as catalogue
from tests.support import pictures
from tests.support.answering_hub import AnsweringHub
from tests.support.answering_node import AnsweringNode
from tests.support.chromium import dark_from_the_start, faint_edges, faults, open_lab, until_theme
from tests.support.running_session import RunningSession, session_environment

from .conftest import with_datasets

pytestmark = [
    pytest.mark.image,
    pytest.mark.browser,
    pytest.mark.usefixtures("usage_known"),
    pytest.mark.timeout(600),
]

PICTURES = ROOT / "build" / "pictures"
CLUSTERS = ".fabric-Clusters"
RUNNING = {"en": "1 running", "nl": "1 actief"}
PANELS = {
    "#fabric-datasets": ("Datasets", "Datasets"),
    CLUSTERS: ("Dask clusters", "Dask-clusters"),
    ".fabric-Usage": ("Usage", "Verbruik"),
}
SETTINGS = ("Fabric Hub session", "Usage panel"), ("Sessie van Fabric Hub", "Paneel Verbruik")
# What the site, Slurm or a file says stays in its own words, and these are the same in both languages.
SAME = 12


SEEN = [
    pytest.param((language, theme), id=f"{language}-{theme}", marks=[pytest.mark.long] if theme == "dark" else [])
    for theme in ("light", "dark")
    for language in ("en", "nl")
]


@pytest.fixture(params=SEEN)
def speaking(
    request: pytest.FixtureRequest, python: Path, hub: AnsweringHub, node: AnsweringNode, tmp_path: Path
) -> Iterator[tuple[str, str, RunningSession]]:
    """A language and a theme, and a session of a person who has chosen both."""
    language, theme = request.param
    hub.datasets = catalogue.told()
    environment = session_environment(hub.url, **with_datasets(node), FABRIC_LANGUAGE=language)
    with RunningSession(python, tmp_path, environment) as session:
        if theme == "dark":
            dark_from_the_start(session.home)
        session.announced_by(hub)
        yield language, theme, session


def test_every_panel_speaks_the_language_that_was_chosen_on_the_hub(
    chromium: Page, speaking: tuple[str, str, RunningSession]
) -> None:
    language, theme, session = speaking
    assert session.get("fabric/clusters", method="POST", body={"name": "study", "n_workers": 1})[0] == 201
    open_lab(chromium, session)
    until_theme(chromium, theme)
    PICTURES.mkdir(parents=True, exist_ok=True)
    look_at_the_launcher(chromium, language, theme)
    english = _english_only()
    for place, names in PANELS.items():
        name = names[language == "nl"]
        chromium.get_by_role("tab", name=name, exact=True).click(timeout=90_000)
        panel = chromium.locator(place)
        expect(panel.get_by_role("heading", name=name, exact=True)).to_be_visible()
        expect(panel).not_to_contain_text(re.compile(" …$"))
        if place == CLUSTERS:
            expect(panel.locator(".fabric-Cluster-states")).to_have_text(RUNNING[language])
        shown = f"panel-{place[len('.fabric-') :].lower()}"
        panel.screenshot(path=PICTURES / f"{shown}-{language}-{theme}.png")
        if pictures.wanted(shown):
            pictures.keep(panel, shown, language, theme)
        assert faults(chromium, place) == []
        assert faint_edges(chromium, place) == []
        said = panel.inner_text()
        if language == "nl":
            assert [text for text in english if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", said)] == []
    usage = chromium.locator(".fabric-Usage")
    if language == "nl":
        expect(usage).to_contain_text("80,0 van 200 GPU-uur gebruikt, nog 120 over")
        expect(usage).to_contain_text("De menu's van JupyterLab zelf zijn in een andere taal.")
        expect(chromium.locator("#jp-bottom-panel")).to_contain_text(re.compile(r"5\d min · 120 GPU-uur"))
    else:
        expect(usage).to_contain_text("80.0 of 200 GPU-hours used, 120 left")
        expect(usage).not_to_contain_text("The menus of JupyterLab itself")
    if theme == "light":
        look_at_the_settings(chromium, language)


def look_at_the_launcher(page: Page, language: str, theme: str) -> None:
    """The launcher has our section, in the language of the panels."""
    cards = page.locator(".jp-LauncherCard[data-category=Fabric]")
    expect(cards.first).to_be_visible()
    expect(cards.filter(has_text=("Usage", "Verbruik")[language == "nl"])).to_have_count(1)
    launcher = page.locator(".jp-Launcher")
    launcher.screenshot(path=PICTURES / f"launcher-{language}-{theme}.png")
    if pictures.wanted("panel-launcher"):
        pictures.keep(launcher, "panel-launcher", language, theme)
    assert faults(page, ".jp-LauncherCard[data-category=Fabric]") == []


def look_at_the_settings(page: Page, language: str) -> None:
    """The settings editor shows our settings in the language of the panels, whatever JupyterLab's own is."""
    page.locator(".jp-LauncherCard").first.wait_for()
    page.keyboard.press("Control+,")
    plugin, panel = SETTINGS[language == "nl"]
    page.locator(".jp-PluginList-entry", has_text=plugin).click()
    expect(page.get_by_label(panel)).to_be_checked()
    shown = page.locator(".jp-SettingsForm").filter(has=page.get_by_label(panel))
    page.screenshot(path=PICTURES / f"settings-{language}.png")
    if language == "nl":
        said = shown.inner_text()
        assert [text for text in _english_only() if text in said] == []


def test_jupyterlab_finds_our_texts_where_its_own_dutch_is_installed(python: Path) -> None:
    """It adds them to those of a language pack, by the language's name and the country."""
    program = "import json\nfrom jupyterlab_server.translation_utils import get_installed_packages_locale as find\n"
    program += "print(json.dumps(find('nl_NL')[0]['fabric_lab']['Available']))"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["Beschikbaar"]


def _english_only() -> list[str]:
    """Sentences that Dutch says in another way, long enough that no name is taken for one; without parameters."""
    domain = next(domain for domain in DOMAINS if domain.name == "fabric_lab")
    texts = json.loads(lab_place(domain, "nl").read_bytes())
    return [
        english
        for english, dutch in ((key.rpartition("\x04")[2], dutch) for key, dutch in texts.items())
        if english and "%" not in english and "{" not in english and len(english) >= SAME and english not in dutch
    ]
