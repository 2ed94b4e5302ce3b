"""What JupyterLab's page shows of time and quota, and a notebook in it with a change that is not saved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from .running_session import RunningSession

NOTEBOOK: dict[str, Any] = {
    "cells": [
        {"cell_type": "code", "id": "a", "source": "1 + 1", "metadata": {}, "outputs": [], "execution_count": None},
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}  # fmt: skip


def item(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Usage:"))


def panel(page: Page) -> Locator:
    if not page.locator(".fabric-Usage").is_visible():
        item(page).click(timeout=90_000)
    return page.locator(".fabric-Usage")


def toast(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.locator(".Toastify__toast", has_text=text)


def open_notebook(page: Page, session: RunningSession, name: str = "work.ipynb") -> Path:
    """A notebook with a change that is not saved."""
    file = session.home / name
    file.write_text(json.dumps(NOTEBOOK))
    page.goto(f"http://127.0.0.1:{session.port}/user/ann/lab/tree/{name}?reset", timeout=120_000)
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click(timeout=90_000)
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("  # not saved yet")
    expect(cell).to_contain_text("not saved yet")
    return file


def until_listening(page: Page) -> None:
    """The page has its first answer: from now on it hears of changes."""
    expect(item(page)).to_contain_text("GPU-h left")
