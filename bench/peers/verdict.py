"""Which of the peers' tests and examples pass, fail, or cannot apply. Pure, no I/O."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """How a test went: ``passed``, ``failed``, ``skipped`` or ``not run``; ``text`` is what it failed with."""

    test: str
    outcome: str
    text: str = ""


@dataclass(frozen=True)
class Named:
    """Why a test (all tests of a file, all parameters of a test) cannot apply.

    ``fails`` is a pattern in what it fails with, so that another failure is not taken for this one; "": it is not run.
    """

    test: str
    why: str
    fails: str = ""

    def names(self, test: str) -> bool:
        """Whether this entry is about a test."""
        return test == self.test or test.startswith((f"{self.test}::", f"{self.test}["))


@dataclass(frozen=True)
class Verdict:
    """``failed`` and ``stale`` hold a sentence each; ``named`` the tests that cannot apply, by their entry's reason."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    named: tuple[tuple[str, str], ...]
    stale: tuple[str, ...]


def judge(outcomes: Iterable[Outcome], table: Sequence[Named]) -> Verdict:
    """Set outcomes beside the table of those that cannot apply.

    What fails or is left out without an entry, or otherwise than its entry says, has failed. An entry is stale when no
    test matches it, or when its test passes. Of several outcomes of one test the worst counts.
    """
    passed, failed, named, stale = [], [], [], []
    matched: set[Named] = set()
    for one in _worst(outcomes):
        entry = next((entry for entry in table if entry.names(one.test)), None)
        if entry is not None:
            matched.add(entry)
        if one.outcome == "passed":
            passed.append(one.test)
            if entry is not None:
                stale.append(f"{entry.test} is said not to apply, and {one.test} passes.")
        elif entry is not None and (
            one.outcome == "failed" and re.search(entry.fails, one.text) if entry.fails else one.outcome == "not run"
        ):
            named.append((one.test, entry.why))
        else:
            failed.append(f"{one.test} {one.outcome}: {one.text or 'nothing says why'}")
    stale += [f"{entry.test} matches no test." for entry in table if entry not in matched]
    return Verdict(tuple(passed), tuple(failed), tuple(named), tuple(stale))


def _worst(outcomes: Iterable[Outcome]) -> list[Outcome]:
    order = ("passed", "not run", "skipped", "failed")
    found: dict[str, Outcome] = {}
    for one in outcomes:
        before = found.get(one.test)
        if before is None or order.index(one.outcome) > order.index(before.outcome):
            found[one.test] = one
    return list(found.values())


def differences(found: Any, expected: Any, where: str = "found", close: float = 1e-6) -> list[str]:
    """Where a result differs from what was expected, a sentence each; both are as JSON has them.

    :param close: how far apart numbers may be, relative to the larger one.
    """
    if isinstance(found, bool) or isinstance(expected, bool):
        same = found is expected
    elif isinstance(found, int | float) and isinstance(expected, int | float):
        same = math.isclose(found, expected, rel_tol=close, abs_tol=1e-12)
    elif isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        return [text for key in found for text in differences(found[key], expected[key], f"{where}[{key!r}]", close)]
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        return [
            text
            for number, pair in enumerate(zip(found, expected, strict=True))
            for text in differences(*pair, f"{where}[{number}]", close)
        ]
    else:
        same = found == expected
    return [] if same else [f"{where} is {found!r}, expected {expected!r}"]
