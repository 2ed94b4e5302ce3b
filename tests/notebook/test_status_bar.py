"""The status bar item in a real browser."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.support.answering_hub import SESSION, AnsweringHub
from tests.support.chromium import open_lab
from tests.support.running_session import RunningSession

pytestmark = [pytest.mark.image, pytest.mark.browser]


def test_the_status_bar_tells_where_this_runs_and_for_how_long(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    hub.session = SESSION | {"ends_at": time.time() + 57 * 60 + 30}
    asked = open_lab(chromium, session)
    item = chromium.get_by_role("button", name=re.compile("^This session:"))
    expect(item).to_have_text("Digital Twin · 1 GPU")
    item.click()
    details = chromium.get_by_role("dialog", name="Details of this session")
    expect(details).to_contain_text("Digital Twin (twin)")
    expect(details).to_contain_text("twin-acc")
    expect(details).to_contain_text(re.compile("5[0-7] min left"))
    expect(details).to_contain_text("4711")
    own = ("data:", "blob:", f"http://127.0.0.1:{session.port}/user/ann/")
    assert asked
    assert [url for url in asked if not url.startswith(own)] == []


def test_the_status_bar_says_in_words_that_the_hub_does_not_answer(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    hub.silent = True
    open_lab(chromium, session)
    item = chromium.get_by_role("button", name=re.compile("^This session:"))
    expect(item).to_have_text("twin · 1 GPU · hub not answering")
    item.click()
    details = chromium.get_by_role("dialog", name="Details of this session")
    expect(details).to_contain_text("The hub does not answer (HTTP 503). Your notebook and kernels are not affected.")


def test_a_session_that_ends_soon_says_what_to_do(chromium: Page, session: RunningSession, hub: AnsweringHub) -> None:
    hub.session = SESSION | {"ends_at": time.time() + 9 * 60 + 30, "slurm_unavailable_since": time.time() - 180}
    open_lab(chromium, session)
    item = chromium.get_by_role("button", name=re.compile("^This session:"))
    expect(item).to_have_text("Digital Twin · 1 GPU · Slurm not answering")
    item.click()
    details = chromium.get_by_role("dialog", name="Details of this session")
    expect(details).to_contain_text(re.compile("Slurm has not answered the hub for [3-9] min[.]"))
    expect(details).to_contain_text(re.compile("Save your work: [1-9] min left[.]"))
