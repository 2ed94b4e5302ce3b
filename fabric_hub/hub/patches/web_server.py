"""JupyterHub's web server: Tornado, with an end to what strangers may hold."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate
from tornado.ioloop import IOLoop
from tornado.netutil import add_accept_handler

from fabric_hub.rpc.connections import PAUSE_S, REQUEST_S, Connections, Listener

# Forms and API calls of JupyterHub are of a few KiB; Tornado would keep 100 MB in memory before it asks who sends it.
LARGEST_BODY = 256 << 10
# Between requests a connection may stay: our service keeps a few, each new one costs the hub a TLS handshake.
IDLE_S = 900.0


def limit_connections() -> None:
    """Let JupyterHub's HTTPServer be ours (Tornado's own way to say so)."""
    HTTPServer.configure(
        PatientServer, max_body_size=LARGEST_BODY, body_timeout=REQUEST_S, idle_connection_timeout=IDLE_S
    )


class PatientServer(HTTPServer):
    """Knows of each connection whether it waits for a request; see :mod:`fabric_hub.rpc.connections`."""

    def initialize(self, *arguments: Any, **options: Any) -> None:
        super().initialize(*arguments, **options)
        self.counted = Connections()

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        super().add_sockets([Listener(one, self._pause) for one in sockets])

    def _pause(self, listener: Listener, _error: OSError) -> None:
        self.counted.exhausted()
        number = listener.fileno()
        self._handlers.pop(number)()
        self._handlers[number] = lambda: None  # for a stop meanwhile
        IOLoop.current().call_later(PAUSE_S, self._again, number, listener)

    def _again(self, number: int, listener: Listener) -> None:
        if not self._stopped:
            self._handlers[number] = add_accept_handler(listener, self._handle_connection)

    def start_request(self, server_conn: Any, request_conn: Any) -> HTTPMessageDelegate:
        if self.counted.knows(server_conn):
            self.counted.waiting(server_conn, within_s=float("inf"))  # between requests: Tornado's own time
        else:
            self.counted.opened(server_conn, server_conn.stream.close)
        return _Watched(super().start_request(server_conn, request_conn), self.counted, server_conn)

    def on_close(self, server_conn: Any) -> None:
        self.counted.closed(server_conn)
        super().on_close(server_conn)


class _Watched(HTTPMessageDelegate):
    def __init__(self, inner: HTTPMessageDelegate, counted: Connections, connection: Any) -> None:
        self._inner, self._counted, self._connection = inner, counted, connection

    def headers_received(self, start_line: Any, headers: Any) -> Any:
        self._counted.waiting(self._connection)
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        self._counted.busy(self._connection)
        self._inner.finish()

    def on_connection_close(self) -> None:
        self._inner.on_connection_close()
