"""``python -m bench.probe ADDRESS PATH...``: ask a hub all the time and time every answer, until standard input closes.

A process of its own: nothing else that a benchmark does may count as the hub's latency.
Reads the API token from the first line of standard input, writes ``{PATH: [seconds, ...]}`` at the end.
"""

from __future__ import annotations

import http.client
import json
import select
import sys
import time
from urllib.parse import urlsplit

PAUSE_S = 0.02


def main() -> None:
    address, *paths = sys.argv[1:]
    token = sys.stdin.readline().strip()
    headers = {"Authorization": f"token {token}"}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    took: dict[str, list[float]] = {path: [] for path in paths}
    while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
        for path in paths:
            began = time.monotonic()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            took[path].append(time.monotonic() - began)
            if answer.status != 200:
                raise SystemExit(f"{path}: HTTP {answer.status}")
    json.dump(took, sys.stdout)


if __name__ == "__main__":
    main()
