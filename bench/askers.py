"""``python -m bench.askers ADDRESS PATH PERIOD SECONDS``: many sessions that each ask one path every PERIOD seconds.

A process of its own, like :mod:`bench.probe`, and timed like it: from the moment when a question was due. Reads the
sessions' tokens from standard input, one a line; writes ``[seconds, ...]``, one for each question.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from urllib.parse import urlsplit

from .probe import ASKERS, Timetable


def ask(address: str, path: str, timetable: Timetable, took: list[float]) -> None:
    """Ask question after question on a connection of its own, each as the session whose turn it is."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    while (question := timetable.next()) is not None:
        due, token = question
        connection.request("GET", path, headers={"Authorization": f"token {token}"})
        answer = connection.getresponse()
        body = answer.read()
        took.append(time.monotonic() - due)
        if answer.status != 200:
            raise RuntimeError(f"{path}: HTTP {answer.status} {body[:300]!r}")


def main() -> int:
    address, path, period, seconds = sys.argv[1:]
    tokens = sys.stdin.read().split()
    took: list[float] = []
    timetable, failed = Timetable(tokens, 1 / float(period)), threading.Event()

    def asker() -> None:
        try:
            ask(address, path, timetable, took)
        except BaseException:
            failed.set()
            raise

    askers = [threading.Thread(target=asker) for _ in range(ASKERS)]
    for thread in askers:
        thread.start()
    failed.wait(float(seconds))
    timetable.stopped.set()
    for thread in askers:
        thread.join()
    json.dump(took, sys.stdout)
    return int(failed.is_set())


if __name__ == "__main__":
    sys.exit(main())
