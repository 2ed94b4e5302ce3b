"""An HTTP server in a thread, as tests put one where a real one would be: it answers by a function."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Request:
    """What came.

    :param headers: name to value; names are in lower case.
    :param caller: address and port of the connection; requests on one connection have the same.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    caller: tuple[str, int]

    def json(self) -> Any:
        """The body as JSON; None without one."""
        return json.loads(self.body or b"null")


@dataclass(frozen=True)
class Response:
    """What is answered; a body that is no bytes goes out as JSON.

    :param then: is called when the answer has gone out.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    then: Callable[[], object] = lambda: None

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class HttpServer:
    """Serves on loopback from its making until :meth:`close`, or until a block ends; it keeps connections open.

    :param answer: is asked in the connection's own thread.
    :param port: to listen on; 0 is a free one.
    :param tls: a server's context; the handshake is made in the connection's own thread, too.

    ``answer`` and ``tls`` may be changed while it serves.
    """

    def __init__(
        self, answer: Callable[[Request], Response], *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[Request] = []  # all that came, oldest first
        self.answer, self.tls = answer, tls
        self._server = _Server(("127.0.0.1", port), self)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address, without a final slash."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def respond(self, request: Request) -> Response:
        """Write a request down, and answer it."""
        self.requests.append(request)
        return self.answer(request)

    def close(self) -> None:
        """Listen no longer, and end the connections that clients keep open."""
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], double: HttpServer) -> None:
        self.double = double
        self._connections: list[socket.socket] = []
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.double.tls:
            connection.settimeout(20)
            connection = self.double.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._connections.append(connection)
        return connection, address

    def hang_up(self) -> None:
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *args: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _respond(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        response = self.server.double.respond(Request(self.command, self.path, headers, body, self.client_address))
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        self.wfile.write(response.content)
        response.then()

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def do_DELETE(self) -> None:
        self._respond()

    def log_message(self, *args: Any) -> None:
        """Quiet."""
