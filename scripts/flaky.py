"""Looks for tests that chance decides: those that wait for a process, 20 times each on a crowded machine.

Groups of tests (:mod:`tests.support.groups`) run side by side, more of them than the machine has cores, each again and
again. A call ends after an hour, and the next one goes on with the groups that have had the fewest turns. The record,
``build/flaky.json``, counts for one commit; a test with a failure in it is flaky: find its cause.

Run as ``python -m scripts.flaky [--minutes N] [--times N] [PATH ...]`` (``make test-flaky``).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import durations
from tests.support.groups import group_of

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "build" / "flaky.json"
PLACE, COUNT = "FABRIC_FLAKY_REPORTS", "FABRIC_FLAKY_COUNT"
CROWD = 3  # groups side by side for each core
SLOWER = 3.0  # about how much longer a test takes then
QUICK_S = 1.0  # a file of unit tests that takes less waits for nobody


@dataclass
class Record:
    """How often each test has passed, and the ends of those that failed, on one commit."""

    commit: str
    passed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def turns(self, tests: Sequence[str]) -> int:
        """How often all of these have run."""
        return min(self.passed.get(test, 0) + len(self.failed.get(test, ())) for test in tests)


# In the processes of pytest, where this module is a plugin: reports go to a file, also when the time is over.


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write down what became of one run of a test."""
    # a worker hands its reports on to the process that has started it, which writes them down once
    place = "" if "PYTEST_XDIST_WORKER" in os.environ else os.environ.get(PLACE)
    if place and (report.outcome == "failed" or (report.when == "call" and report.outcome == "passed")):
        line = {"test": without_count(report.nodeid, int(os.environ[COUNT])), "outcome": report.outcome}
        if report.outcome == "failed":
            line["said"] = report.longreprtext[-3000:]
        with open(place, "a", encoding="utf-8") as reports:
            reports.write(json.dumps(line) + "\n")


def without_count(test: str, count: int) -> str:
    """A test's name as it is without pytest-repeat, which adds ``[2-20]``, or ``-2-20`` to its parameters. Pure.

    :param count: how often every test runs; once, and nothing is added.
    """
    if count == 1:
        return test
    return re.sub(rf"-\d+-{count}\]$", "]", re.sub(rf"\[\d+-{count}\]$", "", test))


def waiting_tests(paths: Sequence[str]) -> dict[str, list[str]]:
    """The tests that wait for a process, by group: all but the quick ones of ``tests/unit``."""
    argv = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "not long", *paths]
    said = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    seconds = durations.kept().get("files", {})
    groups: dict[str, list[str]] = defaultdict(list)
    for test in said.splitlines():
        file = test.partition("::")[0]
        if "::" in test and not (file.startswith("tests/unit/") and seconds.get(file, 0.0) < QUICK_S):
            groups[group_of(test)].append(test)
    return groups


def seconds_of(tests: Sequence[str], files: Mapping[str, float]) -> float:
    """What these take once on a crowded machine, by the record of durations."""
    return SLOWER * sum(files.get(file, 30.0) for file in {test.partition("::")[0] for test in tests})


def batches(groups: Mapping[str, list[str]], record: Record, times: int, end: float) -> Iterator[tuple[list[str], int]]:
    """Groups to run side by side, and how often, until the time (monotonic seconds) is over or all have had theirs."""
    files = durations.kept().get("files", {})
    crowd = CROWD * (os.cpu_count() or 1)
    while time.monotonic() < end:
        waiting = [name for name in groups if record.turns(groups[name]) < times]
        if not waiting:
            return
        chosen = sorted(waiting, key=lambda name: (record.turns(groups[name]), -seconds_of(groups[name], files)))[
            :crowd
        ]
        left = end - time.monotonic()
        most = max(1, int(left / max(seconds_of(groups[name], files) for name in chosen)))
        yield chosen, min(most, *(times - record.turns(groups[name]) for name in chosen))


def run(tests: Sequence[str], workers: int, count: int, record: Record, end: float) -> None:
    """Run tests so often side by side, until the time is over, and add what became of them to the record."""
    with tempfile.TemporaryDirectory(prefix="fabric-flaky-") as directory:
        reports, names = Path(directory, "reports"), Path(directory, "tests")
        names.write_text("\n".join(tests))
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "scripts.flaky", "-n", str(workers),
                "--no-loadscope-reorder", "--count", str(count), "--repeat-scope", "module", f"@{names}"]  # fmt: skip
        told = {**os.environ, PLACE: str(reports), COUNT: str(count)}
        process = subprocess.Popen(argv, cwd=ROOT, env=told, stdout=subprocess.DEVNULL)
        try:
            process.wait(max(1.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # it clears what it has started
            process.wait()
        for line in reports.read_text().splitlines() if reports.exists() else ():
            report = json.loads(line)
            if report["outcome"] == "passed":
                record.passed[report["test"]] += 1
            else:
                record.failed[report["test"]].append(report["said"])


def read(commit: str) -> Record:
    """The record of this commit; a new one where it is another's."""
    if RECORD.exists():
        kept = json.loads(RECORD.read_text())
        if kept["commit"] == commit:
            return Record(commit, defaultdict(int, kept["passed"]), defaultdict(list, kept["failed"]))
    return Record(commit)


def main() -> int:
    """Give groups their turns for a while; 0 when no test has failed."""
    parser = argparse.ArgumentParser(prog="make test-flaky", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="how long to go on (default: 60)")
    parser.add_argument("--times", type=int, default=20, help="how often every test runs (default: 20)")
    parser.add_argument("paths", nargs="*", default=["tests"], metavar="PATH", help="tests (default: all)")
    asked = parser.parse_args()
    end = time.monotonic() + 60 * asked.minutes
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    record = read(head.stdout.strip())
    groups = waiting_tests(asked.paths)
    RECORD.parent.mkdir(exist_ok=True)
    for chosen, count in batches(groups, record, asked.times, end):
        print(f"{count} times: {', '.join(chosen)}", flush=True)
        run([test for name in chosen for test in groups[name]], len(chosen), count, record, end)
        RECORD.write_text(json.dumps(vars(record), indent=1) + "\n")
    tests = [test for own in groups.values() for test in own]
    done = sum(record.turns([test]) >= asked.times for test in tests)
    print(f"{done} of {len(tests)} tests have run {asked.times} times; {sum(record.passed.values())} runs have passed.")
    for test, ends in sorted(record.failed.items()):
        print(f"FLAKY {len(ends)} of {len(ends) + record.passed[test]}: {test}\n{ends[-1]}")
    return 1 if record.failed else 0


if __name__ == "__main__":
    sys.exit(main())
