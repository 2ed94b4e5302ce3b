"""Continuing in a next session, from a real JupyterLab, with a hub that answers what a test wants."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import panel_usage as usage
from tests.support.answering_hub import AnsweringHub
from tests.support.chromium import faults, open_lab
from tests.support.running_session import RunningSession, session_environment
from tests.support.usage_page import NOTEBOOK, item, open_notebook, panel, toast, until_listening

pytestmark = [pytest.mark.image, pytest.mark.browser, pytest.mark.usefixtures("usage_known")]


def test_continue_starts_the_next_session_with_the_same_documents(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    status, body = session.get("fabric/clusters", method="POST", body={"name": "mine", "n_workers": 0})
    assert status == 201, body
    file = open_notebook(chromium, session)
    panel(chromium).get_by_role("button", name="Continue in a new session …").click()
    dialog = chromium.get_by_role("dialog")
    expect(dialog).to_contain_text("Dask cluster mine ends with this session")
    expect(dialog).to_contain_text("Variables are not kept")
    expect(dialog).to_contain_text("work.ipynb")
    assert faults(chromium, ".jp-Dialog") == []
    dialog.get_by_role("button", name="Continue").click()
    expect(panel(chromium)).to_contain_text("The next session waits for a node.")
    expect(toast(chromium, "The next session is ready.")).to_be_visible()
    assert ("POST /continue", {"reopen": ["work.ipynb"], "end_this": False}) in hub.usage_told
    assert not [verb for verb, _ in hub.usage_told if verb == "POST /continue/end"]
    assert "not saved yet" in file.read_text()
    chromium.route("**/session-2/**", lambda route: route.fulfill(body="the next session"))
    toast(chromium, "The next session is ready.").get_by_role("button", name="Open it").click()
    chromium.wait_for_url("**/user/ann/session-2/")
    session.get("fabric/clusters/mine", method="POST", body={"verb": "close"})


def proceeding(page: Page, session: RunningSession, hub: AnsweringHub) -> None:
    """Continue in a new session, and hear how that one fares: it is not ready yet."""
    hub.usage["GET /continue"] = usage.successor("starting")
    open_lab(page, session)
    until_listening(page)
    panel(page).get_by_role("button", name="Continue in a new session …").click()
    page.get_by_role("dialog").get_by_role("button", name="Continue").click()
    expect(toast(page, "The next session waits for a node.")).to_be_visible()


def test_a_hub_that_refuses_once_is_asked_again_how_the_next_session_fares(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    proceeding(chromium, session, hub)
    hub.usage["GET /continue"] = {"message": "The hub is restarting.", "reason": "no-answer", "hint": ""}
    refused = toast(chromium, "The hub is restarting. The page of the next one tells how it fares.")
    expect(refused.get_by_role("button", name="Show its page")).to_be_visible()
    hub.usage["GET /continue"] = usage.successor("ready")
    expect(toast(chromium, "The next session is ready.").get_by_role("button", name="Open it")).to_be_visible()
    expect(refused).to_have_count(0)


def test_a_session_that_ends_before_the_next_one_has_a_place_leads_to_it(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    proceeding(chromium, session, hub)
    session.process.terminate()
    session.process.wait(30)
    banner = chromium.locator(".fabric-Banner[role=alert]")
    expect(banner).to_contain_text("The next session starts as soon as there is room for it.")
    link = banner.get_by_role("link", name="Go to the next session")
    expect(link).to_have_attribute("href", f"http://127.0.0.1:{session.port}/user/ann/session-2/")
    expect(toast(chromium, "The page of the next one tells how it fares.")).to_be_visible()
    assert faults(chromium, ".fabric-Banner") == []


def test_the_next_session_opens_the_documents_again_once(
    chromium: Page, python: Path, hub: AnsweringHub, tmp_path: Path
) -> None:
    reopen = json.dumps(["deep/work.ipynb", "gone.ipynb"])
    environment = session_environment(hub.url, FABRIC_REOPEN=reopen, FABRIC_FOLLOWS="zyxwvuts9876")
    with RunningSession(python, tmp_path, environment) as running:
        running.announced_by(hub)
        (running.home / "deep").mkdir()
        (running.home / "deep" / "work.ipynb").write_text(json.dumps(NOTEBOOK))
        open_lab(chromium, running)
        expect(toast(chromium, "1 of 2 documents of the session before are open again.")).to_contain_text(
            "run your cells again"
        )
        expect(chromium.get_by_role("tab", name="work.ipynb")).to_be_visible()
        open_lab(chromium, running)
        expect(item(chromium)).to_contain_text(" min ")
        expect(toast(chromium, "of the session before")).to_have_count(0)


def test_the_documents_are_opened_again_also_beside_a_tab_that_has_the_workspace(
    chromium: Page, python: Path, hub: AnsweringHub, tmp_path: Path
) -> None:
    environment = session_environment(hub.url, FABRIC_REOPEN='["work.ipynb"]', FABRIC_FOLLOWS="zyxwvuts9876")
    with RunningSession(python, tmp_path, environment) as running:
        running.announced_by(hub)
        (running.home / "work.ipynb").write_text(json.dumps(NOTEBOOK))
        open_lab(chromium, running)
        again = "1 of 1 documents of the session before are open again."
        expect(toast(chromium, again)).to_be_visible()
        # as if the tab before were of the session before
        chromium.evaluate("localStorage.removeItem('fabric-lab:reopened:abcdefgh2345')")
        beside = chromium.context.new_page()
        beside.goto(f"http://127.0.0.1:{running.port}/user/ann/lab", timeout=120_000)
        beside.wait_for_url("**/lab/workspaces/auto-*", timeout=90_000)
        expect(toast(beside, again)).to_be_visible()
        expect(beside.get_by_role("tab", name="work.ipynb")).to_be_visible()
