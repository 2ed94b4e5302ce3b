"""What a person sets in JupyterLab's settings editor holds at once, and what cannot be used is said."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support import panel_usage as usage
from tests.support.answering_hub import AnsweringHub
from tests.support.chromium import open_lab
from tests.support.running_session import RunningSession
from tests.support.usage_page import item, toast

pytestmark = [pytest.mark.image, pytest.mark.browser, pytest.mark.usefixtures("usage_known")]


def test_settings_hold_at_once_and_one_that_cannot_be_used_is_said(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    hub.usage["GET /quota"] = usage.quota(minutes=50)
    place = session.home / ".jupyter/lab/user-settings/fabric-lab"
    place.mkdir(parents=True)
    own = place / "settings.jupyterlab-settings"
    own.write_text(json.dumps({"warningMinutes": [55], "refreshSeconds": 1}))
    open_lab(chromium, session)
    expect(toast(chromium, "The setting refreshSeconds must be from 10 to 600. Its default is used.")).to_be_visible()
    expect(toast(chromium, re.compile("This session ends at .*: 4[0-9] min left"))).to_be_visible()
    tab = chromium.locator(".jp-SideBar [data-id=fabric-usage]")
    expect(tab).to_be_visible()
    chromium.locator(".jp-LauncherCard").first.wait_for()
    chromium.keyboard.press("Control+,")
    chromium.locator(".jp-PluginList-entry", has_text="Fabric Hub session").click()
    chromium.get_by_label("Usage panel").uncheck()
    expect(tab).to_have_count(0)
    expect(item(chromium)).to_contain_text(" min ")
    chromium.get_by_label("Usage panel").check()
    expect(tab).to_be_visible()
