"""What JupyterLab's page shows of time and quota, and a notebook in it with a change that is not saved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from .chromium import RESETTING, type_into
from .running_session import RunningSession

NOTEBOOK: dict[str, Any] = {
    "cells": [
        {"cell_type": "code", "id": "a", "source": "1 + 1", "metadata": {}, "outputs": [], "execution_count": None},
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}  # fmt: skip

# Where in a home JupyterLab reads that it saves nothing by itself: it does so after two minutes, which on a crowded
# machine is before the end that a test waits for.
AUTOSAVE = Path(".jupyter/lab/user-settings/@jupyterlab/docmanager-extension/plugin.jupyterlab-settings")
NO_AUTOSAVE = '{"autosave": false}'


def item(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Usage:"))


def panel(page: Page) -> Locator:
    if not page.locator(".fabric-Usage").is_visible():
        item(page).click()
    return page.locator(".fabric-Usage")


def toast(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.locator(".Toastify__toast", has_text=text)


def open_notebook(page: Page, session: RunningSession, name: str = "work.ipynb") -> Path:
    """A notebook with a change that is not saved."""
    own = session.home / AUTOSAVE
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(NO_AUTOSAVE)
    file = session.home / name
    file.write_text(json.dumps(NOTEBOOK))
    page.goto(f"http://127.0.0.1:{session.port}/user/ann/lab/tree/{name}?reset", timeout=120_000)
    expect(page).not_to_have_url(RESETTING)  # then it opens the notebook again
    type_into(page, page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first, "  # not saved yet")
    return file


def until_listening(page: Page) -> None:
    """The page has its first answer: from now on it hears of changes."""
    expect(item(page)).to_contain_text("GPU-h")
