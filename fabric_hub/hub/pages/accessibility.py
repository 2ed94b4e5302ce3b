"""The hub's statement of accessibility: what the release's own checks of its pages found, in ``accessibility.json``.

The tests of tests/browser/test_languages.py look at every page with axe-core; ``python -m scripts.make_accessibility``
makes the file of what they wrote.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler

from fabric_hub.types import Frozen

PATH: Final = "/accessibility"
RESULTS: Final = Path(__file__).with_name("accessibility.json")


class CheckedPage(Frozen):
    """What was found on one of the hub's pages.

    :ivar titles: what it is called, by language.
    :ivar checks: how often it was looked at, in a language, in light or dark, and on a size of screen.
    :ivar rules: how many rules applied to it in these checks, all together.
    :ivar faults: the rules that it broke, each once.
    """

    titles: dict[str, str]
    checks: int
    rules: int
    faults: tuple[str, ...] = ()

    def title(self, language: str) -> str:
        """What the page is called for a reader."""
        return self.titles.get(language) or next(iter(self.titles.values()))


class Results(Frozen):
    """What the tests found on all pages.

    :ivar axe: the version of axe-core.
    :ivar day: of the last check, as ISO 8601 has it.
    :ivar widths: of the screens, in pixels.
    """

    axe: str
    day: str
    widths: tuple[int, ...]
    pages: tuple[CheckedPage, ...]


@cache
def results() -> Results:
    """What this release's tests found."""
    return Results.model_validate_json(RESULTS.read_text(encoding="utf-8"))


class Statement(BaseHandler):  # type: ignore[misc]
    """``GET /hub/accessibility``: for everybody, as those who cannot log in may be those who need it."""

    async def get(self) -> None:
        self.finish(await self.render_template("accessibility.html", results=results()))


def pages() -> list[tuple[Any, ...]]:
    """The statement, for JupyterHub's list of pages."""
    return [(PATH, Statement)]
