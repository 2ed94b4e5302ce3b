"""``python -m bench.probe ADDRESS PATH...``: ask a hub at a steady rate until standard input closes.

A process of its own: nothing else that a benchmark does may count as the hub's latency.
Questions are due on a fixed timetable, and the time counts from the moment when one was due:
a hub that holds everybody up for a second is met by a second's worth of questions, not by one.

Reads the API token from the first line of standard input, writes ``{PATH: [seconds, ...]}`` at the end.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

# Of each path, per second; together about what somebody who asks one question after the other gets to ask.
RATE = 25.0
# How many questions may be open at once; those that find none free are late, and that counts as well.
ASKERS = 32


class Timetable:
    """Hands out the questions, each with the moment when it is due, until stopped."""

    def __init__(self, paths: list[str], rate: float) -> None:
        self._due = self._all(paths, rate)
        self._lock = threading.Lock()
        self.stopped = threading.Event()

    @staticmethod
    def _all(paths: list[str], rate: float) -> Iterator[tuple[float, str]]:
        began, asked = time.monotonic(), 0
        while True:
            yield began + asked / (rate * len(paths)), paths[asked % len(paths)]
            asked += 1

    def next(self) -> tuple[float, str] | None:
        """The next question once it is due; None when there are no more."""
        with self._lock:
            due, path = next(self._due)
        return None if self.stopped.wait(max(0.0, due - time.monotonic())) else (due, path)


def ask(address: str, token: str, timetable: Timetable, took: dict[str, list[float]]) -> None:
    """Ask question after question on a connection of its own."""
    headers = {"Authorization": f"token {token}"}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    while (question := timetable.next()) is not None:
        due, path = question
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        took[path].append(time.monotonic() - due)
        if answer.status != 200:
            raise RuntimeError(f"{path}: HTTP {answer.status}")


def main() -> int:
    address, *paths = sys.argv[1:]
    token = sys.stdin.readline().strip()
    took: dict[str, list[float]] = {path: [] for path in paths}
    timetable, failed = Timetable(paths, RATE), threading.Event()

    def asker() -> None:
        try:
            ask(address, token, timetable, took)
        except BaseException:
            failed.set()
            raise

    askers = [threading.Thread(target=asker) for _ in range(ASKERS)]
    for thread in askers:
        thread.start()
    sys.stdin.read()
    timetable.stopped.set()
    for thread in askers:
        thread.join()
    json.dump(took, sys.stdout)
    return int(failed.is_set())


if __name__ == "__main__":
    sys.exit(main())
