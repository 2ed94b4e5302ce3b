"""Runs the tests marked ``long``; ``build/long-passed`` says which commit they have passed on, and how long each took.

Run as ``python -m scripts.long_trials`` (``make test-long``).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PASSED = ROOT / "build" / "long-passed"


class Recorder:
    """What became of each test: its outcome, and its seconds with set-up and tear-down."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome


def commit() -> str:
    """The commit of this checkout, with ``+`` where files differ from it."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def main() -> int:
    """Run them side by side; 0 when all have passed."""
    recorder, began = Recorder(), time.time()
    arguments = ["-m", "long", "-n", "4", "--no-loadscope-reorder", *sys.argv[1:]]
    status = pytest.main(arguments, plugins=[recorder])
    if status == pytest.ExitCode.OK:
        tests = {
            name: {"outcome": outcome, "seconds": round(recorder.seconds[name], 1)}
            for name, outcome in sorted(recorder.outcomes.items())
        }
        PASSED.parent.mkdir(exist_ok=True)
        said = {"commit": commit(), "ended_at": round(time.time()), "wall_s": round(time.time() - began, 1)}
        PASSED.write_text(json.dumps({**said, "tests": tests}, indent=1) + "\n")
        print(f"All have passed: {PASSED.relative_to(ROOT)}")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
