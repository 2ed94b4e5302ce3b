"""The service's questions to JupyterHub, over a real connection that stays open."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.service.hub_api import HubApi

KNOWN = {"token of-jan": {"name": "jan", "scopes": ["self"]}}


class _Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections: set[Any]

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        told = KNOWN.get(self.headers["Authorization"])
        broken = self.headers["Authorization"] == "token breaks"
        body = json.dumps(told or {"message": "Missing or invalid credentials."}).encode()
        self.send_response(500 if broken else 200 if told and self.path == "/hub/api/user" else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def connections() -> set[Any]:
    return set()


@pytest.fixture
def address(connections: set[Any]) -> Iterator[str]:
    handler = type("Hub", (_Hub,), {"connections": connections})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hub/api"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_whose_token_it_is_is_asked_with_that_token_on_one_connection_for_all(
    address: str, connections: set[Any]
) -> None:
    hub = HubApi(address, "the service's own", None, most=1)
    try:
        for _ in range(3):
            assert await hub.who("of-jan") == KNOWN["token of-jan"]
            assert await hub.who("nobody's") is None
            assert await hub.who("the service's own") is None
        assert len(connections) == 1
        with pytest.raises(FabricError, match="The hub does not answer"):
            await hub.who("breaks")
    finally:
        await hub.close()
