"""Make fabric_hub/hub/pages/accessibility.json of what the tests of tests/browser/test_languages.py wrote.

They leave a file for each look at a page in build/accessibility: run them all, then ``python -m
scripts.make_accessibility``, then ``make docs``. The hub shows the result at /hub/accessibility.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from fabric_hub.hub.pages.accessibility import RESULTS, CheckedPage, Results
from fabric_hub.types import Frozen

LOOKS: Final = Path(__file__).parents[1] / "build" / "accessibility"


class Look(Frozen):
    """What axe-core found on a page in one language, theme and width.

    :ivar page: the test's name for it; ``title`` is what the page calls itself.
    :ivar rules: how many rules applied to it.
    :ivar faults: the rules that it broke.
    """

    page: str
    title: str
    language: str
    theme: str
    width: int
    axe: str
    day: str
    rules: int
    faults: tuple[str, ...] = ()


LIST: Final = TypeAdapter(tuple[Look, ...])


def together(looks: Iterable[Look]) -> Results:
    """The results of all looks, a line for each title in the first language's order. Pure.

    :raises ValueError: there are none.
    """
    every = sorted(looks, key=lambda look: (look.page, look.language, look.theme, -look.width))
    if not every:
        raise ValueError(f"no look at a page is in {LOOKS}: run tests/browser/test_languages.py first")
    titles: dict[str, dict[str, str]] = {}
    for look in every:
        titles.setdefault(look.page, {})[look.language] = look.title
    by_title: dict[str, list[Look]] = {}
    for look in every:
        by_title.setdefault(json.dumps(titles[look.page], sort_keys=True), []).append(look)
    pages = [
        CheckedPage(
            titles=json.loads(names),
            checks=len(found),
            rules=sum(look.rules for look in found),
            faults=tuple(sorted({fault for look in found for fault in look.faults})),
        )
        for names, found in by_title.items()
    ]
    return Results(
        axe=max(look.axe for look in every),
        day=max(look.day for look in every),
        widths=tuple(sorted({look.width for look in every}, reverse=True)),
        pages=tuple(sorted(pages, key=lambda page: next(iter(page.titles.values())).lower())),
    )


def main() -> int:
    """Write the file."""
    looks = [look for path in sorted(LOOKS.glob("*.json")) for look in LIST.validate_json(path.read_bytes())]
    try:
        found = together(looks)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    RESULTS.write_text(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Wrote {RESULTS.name}: {len(found.pages)} pages.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
