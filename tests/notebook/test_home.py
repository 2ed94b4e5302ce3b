"""Jupyter's files in the home that a session does without: its server knows which and why, its page says so once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.answering_hub import AnsweringHub
from tests.support.chromium import faults, open_lab
from tests.support.running_session import RunningSession, session_environment
from tests.support.usage_page import toast

pytestmark = [pytest.mark.image, pytest.mark.browser]

TURNS_ON = {"ServerApp": {"jpserver_extensions": {"of_another_python": True, "json": True, "off": False}}}
FILES = {
    ".jupyter/jupyter_server_config.py": "c.ServerApp.terminals_enabled = 1 / 0\n",
    ".jupyter/jupyter_server_config.d/mine.json": json.dumps(TURNS_ON),
    ".local/share/jupyter/kernels/torn/kernel.json": '{"argv": [',
    ".local/share/jupyter/kernels/good/kernel.json": '{"argv": ["x"], "display_name": "x", "language": "x"}',
    ".local/share/jupyter/labextensions/@mine/torn/package.json": '{"name": "@mine/torn"',
    ".local/share/jupyter/labextensions/good/package.json": json.dumps(
        {"name": "good", "version": "1", "jupyterlab": {"_build": {"load": "static/remoteEntry.js"}}}
    ),
}


def test_what_is_left_out_of_a_home_is_known_with_why_and_said_once_with_what_to_do(
    python: Path, hub: AnsweringHub, tmp_path: Path, chromium: Page
) -> None:
    with RunningSession(python, tmp_path, session_environment(hub.url)) as session:
        for path, text in FILES.items():
            (session.home / path).parent.mkdir(parents=True, exist_ok=True)
            (session.home / path).write_text(text)
        session.announced_by(hub)
        told = json.loads(session.get("fabric/home")[1])
        assert told["log"] == f"{session.private}/session.log"
        known = {(one["kind"], one["name"]): (one["place"], one["why"]) for one in told["left_out"]}
        places = {what: place for what, (place, _) in known.items()}
        assert places == {
            ("settings", "jupyter_server_config.py"): "~/.jupyter/jupyter_server_config.py",
            ("kernel", "torn"): "~/.local/share/jupyter/kernels/torn",
            ("server-extension", "of_another_python"): "~/.jupyter/jupyter_server_config.d/mine.json",
            ("server-extension", "json"): "~/.jupyter/jupyter_server_config.d/mine.json",
            ("lab-extension", "torn"): "~/.local/share/jupyter/labextensions/@mine/torn",
        }
        why = {what: reason for what, (_, reason) in known.items()}
        assert why["settings", "jupyter_server_config.py"] == "ZeroDivisionError: division by zero"
        assert why["kernel", "torn"] == "it is not valid JSON: Expecting value (line 1, column 11)"
        assert why["server-extension", "of_another_python"].startswith(
            "it cannot be imported: No module named 'of_another_python'. "
        )
        status, page = session.get("lab")
        assert status == 200
        assert '"name": "good"' in page, "what is whole is used, beside what is not"

        asked = open_lab(chromium, session)
        said = toast(chromium, "5 of your own Jupyter files are left out of this session.")
        expect(said).to_be_visible()
        expect(chromium.get_by_role("alert").filter(has_text="are left out of this session")).to_be_visible()
        said.get_by_role("button", name="Show details").click()
        details = chromium.get_by_role("dialog")
        expect(details.get_by_role("listitem")).to_have_count(5)
        expect(details).to_contain_text(
            "Kernel tornIt is not valid JSON: Expecting value (line 1, column 11)."
            "Correct or delete ~/.local/share/jupyter/kernels/torn, then reload this page."
        )
        assert faults(chromium, ".jp-Dialog-content") == []
        chromium.keyboard.press("Escape")
        expect(details).to_be_hidden()
        before = len(asked)
        chromium.reload()
        expect(chromium.get_by_role("button", name=re.compile("^This session:"))).to_contain_text("Digital Twin")
        expect(chromium.locator(".jp-LauncherCard").first).to_be_visible()
        assert not [url for url in asked[before:] if url.endswith("/fabric/home")], "it was said in this session"


@pytest.mark.parametrize(
    ("more", "path", "text", "left"),
    [
        (
            {},
            ".jupyter/jupyter_server_config.py",
            "raise SystemExit(3)\n",
            ("everything", "~/.jupyter/jupyter_server_config.py: SystemExit: 3"),
        ),
        ({"FABRIC_RESCUE": "1"}, ".jupyter/jupyter_server_config.json", "{}", ("rescue", "")),
        ({}, ".jupyter/jupyter_server_config.json", "{}", None),
    ],
)
def test_a_session_that_does_without_the_homes_files_knows_it_and_one_that_uses_them_says_nothing(
    python: Path, hub: AnsweringHub, tmp_path: Path, more: dict[str, str], path: str, text: str, left: tuple[str, str]
) -> None:
    with RunningSession(python, tmp_path, session_environment(hub.url, **more)) as session:
        (session.home / path).parent.mkdir(parents=True, exist_ok=True)
        (session.home / path).write_text(text)
        session.announced_by(hub)
        told = json.loads(session.get("fabric/home")[1])["left_out"]
    assert [(one["kind"], one["why"]) for one in told] == ([left] if left else [])
