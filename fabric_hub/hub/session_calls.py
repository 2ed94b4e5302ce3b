"""Under internal TLS sessions call our service at the hub's own port: ``/hub/fabric/api/session...``.

The public address is no place for a session's token: its certificate is that of some authority of the web, or there is
none. The hub's port shows a certificate of the hub's own authority, the only one that a session trusts, and takes only
clients that have one, too. What comes there is handed on to the service's Unix socket, as the proxy does for people.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from tornado import web

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.reader import ZONE_HEADER, reader_of, reading
from fabric_hub.messages.texts import service as texts
from fabric_hub.rpc.problem import Problem

PATH = "/fabric/api"  # below the hub's own prefix
SERVICE = "/services/fabric/api"
# The service's own calls to the hub, such as a start, are within it.
PATIENCE_S = 60.0
MOST = 100
# What of a request and of its answer is the other's to know.
_ASKED = ("Authorization", "Content-Type", "Accept-Language", ZONE_HEADER)
_TOLD = ("Content-Type", "Retry-After", "Cache-Control", "Content-Language", "Vary")


class SessionCall(web.RequestHandler):
    """One call of a session's, handed on with its token; who that is the service asks itself."""

    def initialize(self, client: httpx.AsyncClient) -> None:
        """Keep the way to the service, one for all calls."""
        self._client = client

    def check_xsrf_cookie(self) -> None:
        """No browser calls this, and no cookie is handed on: there is nothing to forge."""

    def _log(self) -> None:
        # the service's own calls are in no log either; a session asks several times a minute
        if self.get_status() >= 500:
            super()._log()

    async def prepare(self) -> None:
        """Hand on, whatever the verb."""
        dots = {".", ".."} & {*unquote(self.request.path).split("/")}
        if dots or "X-Forwarded-For" in self.request.headers:  # what the proxy says of who called it
            self._refuse(FabricError(texts.NO_PAGE()))
            return
        rest = self.request.path.partition(f"{PATH}/")[2]
        query = f"?{self.request.query}" if self.request.query else ""
        headers = {name: self.request.headers[name] for name in _ASKED if name in self.request.headers}
        try:
            answer = await self._client.request(
                str(self.request.method), f"{SERVICE}/{rest}{query}", headers=headers, content=self.request.body
            )
        except httpx.TransportError:
            self._refuse(FabricError(texts.SERVICE_SILENT()))
            return
        self.set_status(answer.status_code)
        for name in _TOLD:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        if answer.status_code == 204:
            self.clear_header("Content-Type")
        self.finish(None if answer.status_code == 204 else answer.content)

    def _refuse(self, error: FabricError) -> None:
        asked = self.request.headers
        reader = reader_of(asked.get("Accept-Language", ""), asked.get(ZONE_HEADER))
        self.set_status(error.status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Language", reader.language)
        with reading(reader):
            self.finish(Problem.of(error).model_dump_json())


def pages(settings: Settings) -> list[tuple[Any, ...]]:
    """The place for sessions' calls at the hub's port, where internal TLS says who calls."""
    if not settings.hub.internal_ssl:
        return []
    return [(rf"{PATH}/session(?:/.*)?", SessionCall, {"client": _client(settings.hub.service_socket)})]


def _client(socket: Path) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=MOST, max_keepalive_connections=8)
    transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=limits, verify=False)
    return httpx.AsyncClient(
        transport=transport, base_url="http://service", timeout=PATIENCE_S, verify=False, trust_env=False
    )


def address(api_url: str) -> str:
    """What a session puts before ``/session``, from JupyterHub's API as the session reaches it."""
    return api_url.rstrip("/").removesuffix("/api") + PATH
