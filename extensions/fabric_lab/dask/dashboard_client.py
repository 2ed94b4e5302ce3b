"""Where a cluster's pages answer, and the key that they ask for. Nothing of distributed is loaded.

Only clusters of this session can be named, and where their pages are is what their own directories say, which only
the session's user can write; whoever answers there must hold the cluster's key, too.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from . import session, tls
from .daemon import State
from .start import clusters, running

PLACE = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z](?:[0-9A-Za-z.-]{0,252}[0-9A-Za-z])?):[1-9][0-9]{0,4}")
CONTROL = "/fabric/cluster"
LIMIT_S = 30.0
LARGEST_ANSWER = 4 << 20  # bytes; a cluster's status has a few hundred for each worker
AT_ONCE = 8

_contexts: dict[Path, tuple[tuple[int, int], ssl.SSLContext]] = {}


class NoClusterError(Exception):
    """There is no such cluster in this session, or it does not answer; the message is a sentence."""


class SilentClusterError(NoClusterError):
    """It is there, but nobody with its key answers."""


class Door(NamedTuple):
    """``place`` is host and port; ``context`` holds the key."""

    place: str
    context: ssl.SSLContext


def find(name: str) -> Door:
    """The door of one cluster.

    :raises NoClusterError: it is not there.
    """
    directory = session.clusters_directory() / name
    try:
        if not session.NAME.fullmatch(name) or not running(directory):
            raise FileNotFoundError
        place = State.read(directory).dashboard
        context = _context(directory)
    except (OSError, ValueError, TypeError):
        raise NoClusterError(f"There is no cluster {name} in this session, or it is just starting.") from None
    if not isinstance(place, str) or not PLACE.fullmatch(place):
        raise NoClusterError(f"Cluster {name} does not say where its pages are.")
    return Door(place, context)


def tell(name: str, words: Mapping[str, Any], limit_s: float = LIMIT_S) -> dict[str, Any]:
    """What a cluster answers to a verb (:class:`.pages.ControlPage`), within so many seconds in all.

    :raises NoClusterError: it is not there, does not answer, or refuses.
    """
    door, end = find(name), time.monotonic() + limit_s
    try:
        connection = http.client.HTTPSConnection(door.place, timeout=limit_s, context=door.context)
        try:
            connection.request("POST", CONTROL, json.dumps(dict(words)), {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(_read(connection, response, end))
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SilentClusterError(f"Cluster {name} does not answer: {error}.") from None
    if not isinstance(answer, dict):
        raise SilentClusterError(f"Cluster {name} does not answer.")
    if response.status != 200:
        raise NoClusterError(f"Cluster {name} refuses: {answer.get('error') or f'HTTP {response.status}'}.")
    return answer


def _read(connection: http.client.HTTPSConnection, response: http.client.HTTPResponse, end: float) -> bytes:
    """The body, read until a moment (of the monotonic clock) and up to a size.

    :raises OSError: it is too slow, or too large.
    """
    read = b""
    while chunk := response.read1(1 << 16):
        read += chunk
        left = end - time.monotonic()
        if left <= 0 or len(read) > LARGEST_ANSWER:
            raise OSError("its answer takes too long" if left <= 0 else "its answer is too large")
        if connection.sock is not None:
            connection.sock.settimeout(left)
    return read


def datasets_changed() -> list[str]:
    """Have all clusters of this session open and close on their nodes what the session has since.

    Returns when they have; what went wrong is returned, a sentence each.
    """
    names = clusters()
    if not names:
        return []
    with ThreadPoolExecutor(min(len(names), AT_ONCE)) as hands:
        return [problem for problems in hands.map(_changed, names) for problem in problems]


def _changed(name: str) -> list[str]:
    try:
        told = tell(name, {"verb": "datasets"}).get("problems")
    except NoClusterError as error:
        return [f"{error} Its workers may not have the dataset."]
    return (
        [f"Cluster {name}: {problem}" for problem in told if isinstance(problem, str)] if isinstance(told, list) else []
    )


def _context(directory: Path) -> ssl.SSLContext:
    """The key's context; one per cluster, for making it takes longer than a page."""
    status = (directory / tls.KEY).stat()
    key = (status.st_ino, status.st_mtime_ns)
    kept = _contexts.get(directory)
    if kept is None or kept[0] != key:
        kept = _contexts[directory] = (key, tls.for_reading_pages(directory))
    for old in [old for old in _contexts if not old.exists()]:
        _contexts.pop(old, None)  # another thread may be as quick
    return kept[1]
