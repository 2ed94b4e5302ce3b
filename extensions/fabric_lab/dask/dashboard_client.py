"""A cluster's pages, read with the cluster's key: its dashboard, status and verbs. Nothing of distributed is loaded.

Only clusters of this session can be named, and where their pages are is what their own directories say, which only
the session's user can write; whoever answers there must hold the cluster's key, too.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import ssl
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from ..common.translation import _, sentences
from . import rendezvous, tls
from .rendezvous import State, clusters, running

PLACE = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z](?:[0-9A-Za-z.-]{0,252}[0-9A-Za-z])?):[1-9][0-9]{0,4}")
CONTROL = "/fabric/cluster"
LIMIT_S = 30.0
LARGEST_ANSWER = 4 << 20  # bytes; a cluster's status has a few hundred for each worker
LARGEST_PAGE = 64 << 20
AT_ONCE = 8
# The next look comes in ten seconds, and whoever clicks "I am still here" waits for this one.
WORK_LIMIT_S = 2.0
# Of a connection, not of a page (RFC 9110, 7.6.1); and what the session's own server says itself.
_NOT_PASSED = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"),
        *("proxy-authenticate", "proxy-authorization", "authorization", "cookie", "set-cookie", "origin"),
        "x-xsrftoken",
    }
)

_contexts: dict[Path, tuple[tuple[int, int], ssl.SSLContext]] = {}


class NoClusterError(Exception):
    """There is no such cluster in this session, or it does not answer; the message is a sentence."""


class ClusterUnavailableError(NoClusterError):
    """It is there, but nobody with its key answers."""


class Dashboard(NamedTuple):
    """``place`` is host and port; ``context`` holds the key."""

    place: str
    context: ssl.SSLContext


def unavailable(name: str, error: Exception | None = None) -> ClusterUnavailableError:
    """Cluster ``name`` does not answer, and ``error`` says why."""
    said = _("Cluster {name} does not answer.") if error is None else _("Cluster {name} does not answer: {error}.")
    return ClusterUnavailableError(said.format(name=name, error=error))


def find(name: str) -> Dashboard:
    """The pages of one cluster.

    :raises NoClusterError: it is not there.
    """
    directory = rendezvous.clusters_directory() / name
    try:
        if not rendezvous.NAME.fullmatch(name) or not running(directory):
            raise FileNotFoundError
        place = State.read(directory).dashboard
        context = _context(directory)
    except (OSError, ValueError, TypeError):
        raise NoClusterError(
            _("There is no cluster {name} in this session, or it is just starting.").format(name=name)
        ) from None
    if not isinstance(place, str) or not PLACE.fullmatch(place):
        raise NoClusterError(_("Cluster {name} does not say where its pages are.").format(name=name))
    return Dashboard(place, context)


def send(name: str, words: Mapping[str, Any], limit_s: float = LIMIT_S) -> dict[str, Any]:
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
        raise unavailable(name, error) from None
    if not isinstance(answer, dict):
        raise unavailable(name)
    if response.status != 200:
        why = answer.get("error") or f"HTTP {response.status}"
        raise NoClusterError(_("Cluster {name} refuses: {why}.").format(name=name, why=why))
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
            raise OSError(_("its answer takes too long") if left <= 0 else _("its answer is too large"))
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
        problems = send(name, {"verb": "datasets"}).get("problems")
    except NoClusterError as error:
        return [sentences(str(error), _("Its workers may not have the dataset."))]
    return (
        [
            _("Cluster {name}: {problem}").format(name=name, problem=problem)
            for problem in problems
            if isinstance(problem, str)
        ]
        if isinstance(problems, list)
        else []
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


class Pages:
    """The pages of one cluster.

    :raises NoClusterError: it is not there.
    """

    def __init__(self, name: str) -> None:
        self._place, self._context = find(name)
        self._name = name

    async def fetch(
        self, path: str, headers: HTTPHeaders | None = None, method: str = "GET", body: bytes | None = None
    ) -> HTTPResponse:
        """One page, whatever its status.

        :param path: from its first slash on, with the query.
        :raises ClusterUnavailableError: nobody with the cluster's key answers.
        """
        client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=LARGEST_PAGE, max_clients=1)
        try:
            return await client.fetch(
                HTTPRequest(
                    f"https://{self._place}{path}",
                    method=method,
                    body=body,
                    headers=passed(headers or HTTPHeaders()),
                    ssl_options=self._context,
                    follow_redirects=False,
                    decompress_response=False,
                    connect_timeout=LIMIT_S,
                    request_timeout=LIMIT_S,
                ),
                raise_error=False,
            )
        except (OSError, HTTPClientError) as error:  # also TLS's own, and a stream that ended too soon
            raise unavailable(self._name, error) from None
        finally:
            client.close()

    async def connect(self, path: str, subprotocols: Sequence[str]) -> WebSocketClientConnection:
        """A websocket of the dashboard's.

        :raises ClusterUnavailableError: it does not answer, or not so.
        """
        request = HTTPRequest(f"wss://{self._place}{path}", ssl_options=self._context, connect_timeout=LIMIT_S)
        try:
            return await websocket_connect(
                request, subprotocols=list(subprotocols) or None, max_message_size=LARGEST_PAGE
            )
        except Exception as error:  # tornado raises its own, the socket's and TLS's
            said = _("The dashboard of cluster {name} does not answer: {error}.")
            raise ClusterUnavailableError(said.format(name=self._name, error=error)) from None

    async def send(self, words: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The cluster's status, or what it answers to a verb (:class:`.pages.ControlPage`).

        :raises ClusterUnavailableError: it does not answer.
        """
        body = None if words is None else json.dumps(words).encode()
        response = await self.fetch(CONTROL, method="GET" if body is None else "POST", body=body)
        try:
            answer = json.loads(response.body)
        except (TypeError, ValueError):
            answer = None
        if not isinstance(answer, dict):
            raise unavailable(self._name)
        return answer


def passed(headers: HTTPHeaders) -> HTTPHeaders:
    """The headers without those of the connection, and without what is meant for the session's server alone."""
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    kept = HTTPHeaders()
    for name, value in headers.get_all():
        if name.lower() not in _NOT_PASSED and name.lower() not in named:
            kept.add(name, value)
    return kept


async def all_clusters() -> list[dict[str, Any]]:
    """Every cluster of the session with its status, or with ``problem``."""

    async def one(name: str) -> dict[str, Any]:
        try:
            pages = await asyncio.to_thread(Pages, name)
            return {**await pages.send(), "name": name, "problem": ""}
        except NoClusterError as error:
            return {"name": name, "problem": str(error)}

    return list(await asyncio.gather(*(one(name) for name in await asyncio.to_thread(clusters))))


async def create(words: Mapping[str, Any]) -> dict[str, Any]:
    """Start a cluster; ``{"name"}``, or ``{"error"}`` with a sentence."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "fabric_lab.dask.create",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    outputs = await process.communicate(json.dumps(dict(words)).encode())
    try:
        answer = json.loads(outputs[0])
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return {"error": _("The cluster did not start; the session's log says why.")}
    return answer


async def at_work(limit_s: float = WORK_LIMIT_S) -> bool:
    """Whether the workers of any cluster have tasks to do. A cluster that does not say within so many seconds has.

    A task that waits for workers to come is none: nothing computes.
    """
    if not rendezvous.clusters_place().is_dir():
        return False
    try:
        names = await asyncio.to_thread(clusters)
    except OSError:
        return True  # what cannot be read is not held against the session
    return any(await asyncio.gather(*(_works(name, limit_s) for name in names)))


async def _works(name: str, limit_s: float) -> bool:
    async def asked() -> bool:
        pages = await asyncio.to_thread(Pages, name)
        return (await pages.send({"verb": "working"})).get("tasks") != 0

    try:
        return await asyncio.wait_for(asked(), limit_s)
    except (TimeoutError, NoClusterError):
        return True
