"""The Usage panel of a session with a GPU that can be read, in a client's project: light and dark, wide and narrow."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.answering_hub import SESSION, AnsweringHub
from tests.support.chromium import faults, open_lab
from tests.support.running_session import RunningSession, session_environment
from tests.support.usage_page import panel

from .test_narrow_panels import CUT

pytestmark = [
    pytest.mark.image,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("usage_known"),
]
THEMES = Path(".jupyter/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings")
NARROWEST = {"width": 320, "height": 640}


@pytest.fixture(params=["Light", "Dark"])
def drawn(
    request: pytest.FixtureRequest, python: Path, hub: AnsweringHub, library: Path, tmp_path: Path
) -> Iterator[tuple[str, RunningSession]]:
    """A theme, and a session of a person who has chosen it."""
    hub.session = SESSION | {"project_kind": "client", "ends_at": time.time() + 57.5 * 60}
    asked = {"FABRIC_JOB_CPUS": "4", "FABRIC_JOB_MEMORY_MB": "4096"}
    place = tmp_path / "session"
    place.mkdir()
    with RunningSession(python, place, session_environment(hub.url, **asked), libraries=library) as session:
        session.announced_by(hub)
        chosen = session.home / THEMES
        chosen.parent.mkdir(parents=True)
        chosen.write_text(f'{{"theme": "JupyterLab {request.param}"}}')
        yield request.param, session


def test_gpus_memory_and_time_are_drawn_and_said_in_every_light_and_width(
    chromium: Page, drawn: tuple[str, RunningSession], picture: Callable[..., None]
) -> None:
    theme, session = drawn
    open_lab(chromium, session)
    expect(chromium.locator("body")).to_have_attribute("data-jp-theme-name", f"JupyterLab {theme}")
    bar = chromium.get_by_role("button", name=re.compile("^This session:"))
    expect(bar).to_have_text(re.compile("^Digital Twin · 1 . Test 7% Client$"))
    shown = panel(chromium)
    now = "GPU 0 · Test, last ten minutes: use 7% to 7%, now 7%; memory 25% to 25%"
    expect(shown.get_by_role("img", name=now)).to_be_visible()  # two moments, five seconds apart
    expect(shown).to_contain_text("Read by this session itself every 5 s; never billed.")
    expect(shown).to_contain_text(re.compile(r"\d+ MB of 4 GB in use"))
    expect(shown).to_contain_text(re.compile(r"\d\.\d of 4 CPUs busy"))
    if theme == "Dark":
        picture(chromium, "usage-dark")
    assert faults(chromium, ".fabric-Usage") == []
    bar.click()
    expect(chromium.get_by_role("dialog", name="Details of this session")).to_be_visible()
    assert faults(chromium, "#jp-bottom-panel") == [], "also in the colours of an item that is open"
    bar.click()
    chromium.set_viewport_size(NARROWEST)  # type: ignore[arg-type]
    expect(shown.get_by_role("heading", name="Usage", exact=True)).to_be_visible()
    assert chromium.evaluate(CUT, ".fabric-Usage") == []
    assert faults(chromium, ".fabric-Usage") == []
