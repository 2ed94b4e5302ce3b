"""The scheduler's web pages, as the session's server reads them for the browser: with the cluster's key.

Imported with the first page that is asked for; nothing of distributed is loaded.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from . import dashboard_client
from .dashboard_client import CONTROL, LIMIT_S, NoClusterError, SilentClusterError
from .start import clusters

__all__ = ["NoClusterError", "Pages", "SilentClusterError", "all_clusters", "create", "passed"]

LARGEST_PAGE = 64 << 20
# Of a connection, not of a page (RFC 9110, 7.6.1); and what the session's own server says itself.
_NOT_PASSED = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"),
        *("proxy-authenticate", "proxy-authorization", "authorization", "cookie", "set-cookie", "origin"),
        "x-xsrftoken",
    }
)


class Pages:
    """The pages of one cluster.

    :raises NoClusterError: it is not there.
    """

    def __init__(self, name: str) -> None:
        self._place, self._context = dashboard_client.find(name)
        self._name = name

    async def fetch(
        self, path: str, headers: HTTPHeaders | None = None, method: str = "GET", body: bytes | None = None
    ) -> HTTPResponse:
        """One page, whatever its status.

        :param path: from its first slash on, with the query.
        :raises SilentClusterError: nobody with the cluster's key answers.
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
            raise SilentClusterError(f"Cluster {self._name} does not answer: {error}.") from None
        finally:
            client.close()

    async def connect(self, path: str, subprotocols: Sequence[str]) -> WebSocketClientConnection:
        """A websocket of the dashboard's.

        :raises SilentClusterError: it does not answer, or not so.
        """
        request = HTTPRequest(f"wss://{self._place}{path}", ssl_options=self._context, connect_timeout=LIMIT_S)
        try:
            return await websocket_connect(
                request, subprotocols=list(subprotocols) or None, max_message_size=LARGEST_PAGE
            )
        except Exception as error:  # tornado raises its own, the socket's and TLS's
            raise SilentClusterError(f"The dashboard of cluster {self._name} does not answer: {error}.") from None

    async def tell(self, words: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The cluster's status, or what it answers to a verb (:class:`.pages.ControlPage`).

        :raises SilentClusterError: it does not answer.
        """
        body = None if words is None else json.dumps(words).encode()
        response = await self.fetch(CONTROL, method="GET" if body is None else "POST", body=body)
        try:
            answer = json.loads(response.body)
        except (TypeError, ValueError):
            answer = None
        if not isinstance(answer, dict):
            raise SilentClusterError(f"Cluster {self._name} does not answer.")
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
            return {**await pages.tell(), "name": name, "problem": ""}
        except NoClusterError as error:
            return {"name": name, "problem": str(error)}

    return list(await asyncio.gather(*(one(name) for name in await asyncio.to_thread(clusters))))


async def create(words: Mapping[str, Any]) -> dict[str, Any]:
    """Start a cluster; ``{"name"}``, or ``{"error"}`` with a sentence."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "fabric_lab.dask.create",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    out, _ = await process.communicate(json.dumps(dict(words)).encode())
    try:
        answer = json.loads(out)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return {"error": "The cluster did not start; the session's log says why."}
    return answer
