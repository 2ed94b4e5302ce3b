"""A session's server without Jupyter: it serves with the session's certificates and announces its port."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from fabric_hub.slurm.model import SubmitRequest


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        page = self.server.page if isinstance(self.server, _Server) else ""
        body = (page or json.dumps({"path": self.path})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if page else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext | None = None
    page = ""

    def __init__(self, *arguments: Any) -> None:
        self._connections: list[socket.socket] = []
        super().__init__(*arguments)

    def get_request(self) -> Any:
        connection, address = super().get_request()
        if self.context is not None:
            connection.settimeout(10)
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._connections.append(connection)
        return connection, address

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *args: Any) -> None:
        """A client that goes away is no news."""


class AnnouncingServer:
    """What a session's job would run, made from what was submitted for it.

    :param http: how it calls out where it has no certificates.

    :param port: to listen on; 0 is a free one.
    """

    def __init__(self, request: SubmitRequest, http: httpx.Client, port: int = 0) -> None:
        self.request = request
        client = context(request, ssl.Purpose.SERVER_AUTH)
        self.http = httpx.Client(timeout=20, verify=client, trust_env=False) if client else http
        self.token = request.environment["JUPYTERHUB_API_TOKEN"]
        self.service = request.environment["FABRIC_SERVICE_URL"]
        self._server = _Server(("127.0.0.1", port), _Answer)
        self._server.context = context(request, ssl.Purpose.CLIENT_AUTH)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def show(self, page: str) -> None:
        """Answer everything with this page from now on."""
        self._server.page = page

    def tell(self, verb: str = "POST", path: str = "/session/ready", **options: Any) -> httpx.Response:
        """Call the hub's service as this session."""
        headers = {"Authorization": f"token {self.token}"}
        return self.http.request(verb, self.service + path, headers=headers, **options)

    def announce(self) -> httpx.Response:
        """Say on which port it listens."""
        return self.tell(json={"port": self.port})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()


def context(request: SubmitRequest, purpose: ssl.Purpose) -> ssl.SSLContext | None:
    """What a session trusts and shows of itself, towards its callers (CLIENT_AUTH) or the hub (SERVER_AUTH)."""
    files = {file.name: file.content for file in request.files}
    if not files:
        return None
    named = {kind: request.environment[f"JUPYTERHUB_SSL_{kind}"] for kind in ("KEYFILE", "CERTFILE", "CLIENT_CA")}
    with TemporaryDirectory() as directory:  # the ssl module takes files only
        for name, content in files.items():
            (Path(directory) / name).write_text(content)
        made = ssl.create_default_context(purpose, cafile=f"{directory}/{named['CLIENT_CA']}")
        made.load_cert_chain(f"{directory}/{named['CERTFILE']}", f"{directory}/{named['KEYFILE']}")
    made.verify_mode = ssl.CERT_REQUIRED
    return made
