"""``python -m bench.askers ADDRESS PATH PERIOD SECONDS [CERTIFICATE KEY AUTHORITIES]``: many sessions that each ask one
path every PERIOD seconds; over internal TLS on a new connection each time, as a session does.

A process of its own, like :mod:`bench.probe`, and timed like it: from the moment when a question was due. Reads the
sessions' tokens from standard input, one a line; writes ``[seconds, ...]``, one for each question.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

from .probe import ASKERS, Timetable


def ask(address: str, path: str, timetable: Timetable, took: list[float], trust: ssl.SSLContext | None) -> None:
    """Ask question after question on a connection of its own, each as the session whose turn it is."""
    host = urlsplit(address).netloc
    connection = http.client.HTTPConnection(host, timeout=120)
    while (question := timetable.next()) is not None:
        due, token = question
        if trust is not None:
            connection.close()
            connection = http.client.HTTPSConnection(host, timeout=120, context=trust)
        connection.request("GET", path, headers={"Authorization": f"token {token}"})
        answer = connection.getresponse()
        body = answer.read()
        took.append(time.monotonic() - due)
        if answer.status != 200:
            raise RuntimeError(f"{path}: HTTP {answer.status} {body[:300]!r}")


def main() -> int:
    address, path, period, seconds, *files = sys.argv[1:]
    trust = None
    if files:
        certificate, key, authorities = files
        trust = ssl.create_default_context(cafile=authorities)
        trust.load_cert_chain(certificate, key)
    tokens = sys.stdin.read().split()
    took: list[float] = []
    timetable, failed = Timetable(tokens, 1 / float(period)), threading.Event()

    def asker() -> None:
        try:
            ask(address, path, timetable, took, trust)
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
