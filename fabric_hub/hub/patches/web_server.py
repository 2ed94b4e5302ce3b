"""JupyterHub's web server: Tornado, on a socket that may be held for it, with an end to what strangers may hold."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterable
from functools import wraps
from http.client import responses
from typing import Any

from tornado import tcpserver
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, ResponseStartLine
from tornado.ioloop import IOLoop
from tornado.netutil import add_accept_handler

from fabric_hub.hub import held_ports
from fabric_hub.logs.forwarded import Network, address, networks, visitor
from fabric_hub.messages.reader import Reader, language_of
from fabric_hub.messages.texts.service import TOO_LARGE
from fabric_hub.rpc.connections import PAUSE_S, REQUEST_S, Connections, Listener

from . import tls_sockets
from .replace import replace

# Forms and API calls of JupyterHub are of a few KiB; Tornado would keep 100 MB in memory before it asks who sends it.
LARGEST_BODY = 256 << 10
# Up to this a body that is too large is read and dropped, so that its sender gets our answer: whoever is still sending
# when the connection is closed hears of nothing else. A larger one is somebody's who does not wait for answers.
LARGEST_DROPPED = 8 << 20
# Between requests a connection may stay: our service keeps a few, each new one costs the hub a TLS handshake.
IDLE_S = 900.0


# The common name of the certificate with which the proxy calls the hub under internal TLS (JupyterHub makes it).
PROXYS_CERTIFICATE = "proxy-client"


def apply(trusted_proxies: Iterable[str] = ()) -> None:
    """Apply all of this module, and let the hub's TLS sockets be ours.

    :param trusted_proxies: addresses and networks of the site's proxies before the hub's own.
    """
    PatientServer.trusted_proxies = networks(trusted_proxies)
    # Tornado's own way to say that HTTPServer is another class
    HTTPServer.configure(
        PatientServer, max_body_size=LARGEST_BODY, body_timeout=REQUEST_S, idle_connection_timeout=IDLE_S
    )
    listen_on_held()
    tls_sockets.mend()


def listen_on_held() -> None:
    """Let JupyterHub, which knows an address and a port only, listen on the socket that is held for it."""
    # tornado.netutil's, but HTTPServer.listen() calls it by this name
    replace(tcpserver, "bind_sockets", _held_or_bound)


def _held_or_bound(bind: Any) -> Any:
    @wraps(bind)
    def listening(port: int, address: str | None = None, *more: Any, **options: Any) -> list[socket.socket]:
        found = held_ports.held(address or "", port)
        return [found] if found else bind(port, address, *more, **options)

    return listening


class PatientServer(HTTPServer):
    """Knows of each connection whether it waits for a request; see :mod:`fabric_hub.rpc.connections`."""

    trusted_proxies: tuple[Network, ...] = ()

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
        return _Watched(super().start_request(server_conn, request_conn), self.counted, server_conn, request_conn)

    def on_close(self, server_conn: Any) -> None:
        self.counted.closed(server_conn)
        super().on_close(server_conn)


class _Watched(HTTPMessageDelegate):
    def __init__(self, inner: HTTPMessageDelegate, counted: Connections, connection: Any, request: Any) -> None:
        self._inner, self._counted, self._connection, self._request = inner, counted, connection, request
        self._too_large: Reader | None = None  # who is told so

    def headers_received(self, start_line: Any, headers: Any) -> Any:
        self._counted.waiting(self._connection)
        say_visitor(headers, self._connection.stream, PatientServer.trusted_proxies)
        length = headers.get("Content-Length", "")
        if length.isdigit() and LARGEST_BODY < int(length) <= LARGEST_DROPPED:
            self._too_large = Reader(language_of(None, headers.get("Accept-Language", "")))
            self._request.set_max_body_size(LARGEST_DROPPED)
            return None
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        return None if self._too_large else self._inner.data_received(chunk)

    def finish(self) -> None:
        self._counted.busy(self._connection)
        if self._too_large:
            self._refuse(self._too_large)
        else:
            self._inner.finish()

    def on_connection_close(self) -> None:
        if not self._too_large:
            self._inner.on_connection_close()

    def _refuse(self, reader: Reader) -> None:
        """Answer as JupyterHub's API does."""
        status = TOO_LARGE.status
        body = json.dumps({"status": status, "message": TOO_LARGE(kib=LARGEST_BODY >> 10).say(reader)}).encode()
        headers = HTTPHeaders({"Content-Type": "application/json", "Content-Length": str(len(body))})
        headers.add("Content-Language", reader.language)
        self._request.write_headers(ResponseStartLine("HTTP/1.1", status, responses[status]), headers, body)
        self._request.finish()


def say_visitor(headers: HTTPHeaders, stream: Any, trusted: Iterable[Network]) -> None:
    """Leave in a request's headers the visitor's own address, or none: what a visitor wrote there is gone.

    :param stream: the connection; only our own proxy's word counts.
    """
    forwarded = headers.get("X-Forwarded-For", "")
    for name in ("X-Forwarded-For", "X-Real-Ip"):
        if name in headers:
            del headers[name]
    if forwarded and _is_proxys(getattr(stream, "socket", None)) and (found := visitor(forwarded, trusted)):
        headers["X-Forwarded-For"] = found


def _is_proxys(connection: Any) -> bool:
    """Whether the hub's proxy is at the other end: by its certificate, or without TLS by being on this machine."""
    try:
        if isinstance(connection, ssl.SSLSocket):
            names = (connection.getpeercert() or {}).get("subject", ())
            return (("commonName", PROXYS_CERTIFICATE),) in names
        if connection.family == socket.AF_UNIX:
            return True
        there, here = (str(name[0]) for name in (connection.getpeername(), connection.getsockname()))
    except (OSError, AttributeError):
        return False
    other = address(there)
    return other is not None and (other.is_loopback or other == address(here))
