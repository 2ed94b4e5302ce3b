"""Pictures of pages and panels for docs/reference/pages.md, taken anew where FABRIC_SCREENSHOTS is 1."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page

PLACE: Final = Path(__file__).parents[2] / "docs" / "images" / "pages"
# What docs/reference/pages.md shows, in its order.
SHOWN: Final = (
    "login", "home", "home-running", "start", "waiting", "failed", "stopping", "datasets", "dataset-terms",
    "projects", "project", "report", "operate", "operate-projects", "announcements", "month", "reports", "tokens",
    "accessibility", "not-found", "panel-launcher", "panel-datasets", "panel-clusters", "panel-usage",
)  # fmt: skip
_QUALITY: Final = 72


def wanted(name: str) -> bool:
    """Whether a picture by that name is to be taken now."""
    return os.environ.get("FABRIC_SCREENSHOTS") == "1" and name in SHOWN


def keep(seen: Page | Locator, name: str, language: str, theme: str) -> None:
    """Take the picture of what is seen: its top, as large as the window.

    :param theme: ``light`` or ``dark``.
    """
    PLACE.mkdir(parents=True, exist_ok=True)
    path = PLACE / f"{name}-{language}-{theme}.jpeg"
    seen.screenshot(path=path, type="jpeg", quality=_QUALITY, animations="disabled")
