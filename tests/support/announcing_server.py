"""A session's server without Jupyter: it serves with the session's certificates and announces its port."""

from __future__ import annotations

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from fabric_hub.slurm.model import SubmitRequest

from .http_server import HttpServer, Request, Response


class AnnouncingServer:
    """What a session's job would run, made from what was submitted for it.

    :param http: how it calls out where it has no certificates.

    :param port: to listen on; 0 is a free one.
    """

    def __init__(self, request: SubmitRequest, http: httpx.Client, port: int = 0) -> None:
        self.request = request
        client = context(request, ssl.Purpose.SERVER_AUTH)
        self.http = httpx.Client(timeout=60, verify=client, trust_env=False) if client else http
        self.token = request.environment["JUPYTERHUB_API_TOKEN"]
        self.service = request.environment["FABRIC_SERVICE_URL"]
        self.server = HttpServer(_its_path, port=port, tls=context(request, ssl.Purpose.CLIENT_AUTH))
        self.port = self.server.port

    def show(self, page: str) -> None:
        """Answer everything with this page from now on."""
        shown = Response(body=page.encode(), headers={"Content-Type": "text/html"})
        self.server.answer = lambda _: shown

    def tell(self, verb: str = "POST", path: str = "/session/ready", **options: Any) -> httpx.Response:
        """Call the hub's service as this session."""
        headers = {"Authorization": f"token {self.token}"}
        return self.http.request(verb, self.service + path, headers=headers, **options)

    def announce(self) -> httpx.Response:
        """Say on which port it listens."""
        return self.tell(json={"port": self.port})

    def close(self) -> None:
        self.server.close()


def _its_path(request: Request) -> Response:
    return Response(body={"path": request.path}, headers={"Content-Type": "application/json"})


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
