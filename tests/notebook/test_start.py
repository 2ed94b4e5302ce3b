"""What a session begins with in JupyterLab: a welcome, cards in the launcher, and where to find help."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.answering_hub import AnsweringHub
from tests.support.chromium import open_lab
from tests.support.running_session import RunningSession

pytestmark = [
    pytest.mark.image,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("usage_known"),
]


def test_a_first_session_shows_around_and_its_launcher_and_help_lead_on(
    chromium: Page, data_session: RunningSession, hub: AnsweringHub
) -> None:
    hub.session = {**hub.session, "site": {**hub.session["site"], "welcome": True}}
    open_lab(chromium, data_session)
    expect(chromium.get_by_role("tab", name="Welcome.ipynb")).to_be_visible()
    expect(chromium.locator(".jp-NotebookPanel")).to_contain_text("Welcome to Example AI Factory")
    assert data_session.get("fabric/welcome", method="POST") == (200, '{"path": ""}'), "never a second time"

    chromium.get_by_role("menuitem", name="Help", exact=True).click()
    for entry in ("Help of Example AI Factory", "Documentation", "Write to support"):
        expect(chromium.get_by_role("menuitem", name=entry, exact=True)).to_be_visible()
    chromium.keyboard.press("Escape")

    chromium.get_by_role("button", name="New Launcher", exact=True).first.click()
    cards = chromium.locator(".jp-LauncherCard[data-category=Fabric]:visible")
    expect(cards).to_have_text(["Try a dataset", "Dask cluster", "Usage", "Help of Example AI Factory"])
    cards.first.click()
    expect(chromium.locator("#fabric-datasets:focus-within")).to_be_visible()
