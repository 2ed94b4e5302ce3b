"""Where the time of a run of the tests went, beside where it went before.

The record is a JSON file: seconds of every file of tests and of the slowest tests. That of the last change is
``tests/durations.json``; a run writes its own to ``build/durations.json`` (``make durations`` keeps it as the next one
to compare with). Groups of tests begin in the order of the record, the longest first.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "tests" / "durations.json"
WRITTEN = ROOT / "build" / "durations.json"
SLOWEST = 25


@dataclass
class Durations:
    """Seconds by test: the whole (set-up, call and tear-down), and of it the set-up."""

    whole: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    setup: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, test: str, phase: str, seconds: float) -> None:
        """One phase (``setup``, ``call``, ``teardown``) of a test has ended."""
        self.whole[test] += seconds
        if phase == "setup":
            self.setup[test] += seconds

    def record(self, wall_s: float) -> dict[str, Any]:
        """What is kept in a file. ``wall_s``: what the run took by the clock."""
        return {
            "wall_s": round(wall_s, 1),
            "files": {name: round(seconds, 1) for name, seconds in sorted(_summed(self.whole, _file).items())},
            "slowest": {test: round(self.whole[test], 1) for test in self._slowest()},
        }

    def table(self, wall_s: float, before: Mapping[str, Any]) -> list[str]:
        """The lines that a run prints: time by directory and the slowest tests, each beside what it was.

        :param before: an earlier :meth:`record`; {} when there is none.
        """
        was = _summed(before.get("files", {}), _directory)
        whole, setup = _summed(self.whole, _directory), _summed(self.setup, _directory)
        tests = _summed(dict.fromkeys(self.whole, 1.0), _directory)
        lines = [f"{'directory':<12} {'seconds':>8} {'before':>8} {'set-up':>8} {'tests':>6}"]
        lines += [
            f"{name:<12} {whole[name]:>8.0f} {_seconds(was.get(name)):>8} {setup.get(name, 0.0):>8.0f}"
            f" {tests[name]:>6.0f}"
            for name in sorted(whole, key=lambda name: -whole[name])
        ]
        lines.append(f"{'together':<12} {sum(whole.values()):>8.0f} {_seconds(sum(was.values()) or None):>8}")
        lines.append(f"{'by the clock':<12} {wall_s:>8.0f} {_seconds(before.get('wall_s')):>8}")
        lines += ["", f"The {SLOWEST} slowest tests, in seconds (before):"]
        slowest_before = before.get("slowest", {})
        lines += [
            f"{self.whole[test]:>6.1f} {'(' + _seconds(slowest_before.get(test)) + ')':>7}  {test}"
            for test in self._slowest()
        ]
        return lines

    def _slowest(self) -> list[str]:
        return sorted(self.whole, key=lambda test: -self.whole[test])[:SLOWEST]


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f}"


def _file(test: str) -> str:
    return test.partition("::")[0]


def _directory(test: str) -> str:
    """``tests/hub/test_start.py::…`` is of directory ``hub``."""
    return Path(_file(test)).parent.name


def _summed(values: Mapping[str, float], key: Any) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for name, value in values.items():
        sums[key(name)] += value
    return sums


def kept() -> dict[str, Any]:
    """The record of the last change; {} when there is none."""
    try:
        found: dict[str, Any] = json.loads(KEPT.read_text())
    except FileNotFoundError:
        return {}
    return found


def write(record: Mapping[str, Any]) -> None:
    """Keep a run's record where ``make durations`` and a person find it."""
    WRITTEN.parent.mkdir(exist_ok=True)
    WRITTEN.write_text(json.dumps(record, indent=1) + "\n")
