"""The Jupyter server extension: ``GET <base>/fabric/session``."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.web import authenticated

from . import facts

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

KEEP_S = 10.0


class HubAnswer:
    """The service's word on this session, asked at most once in ``KEEP_S`` seconds for all browser tabs."""

    def __init__(self, url: str, token: str, ca_file: str | None = None) -> None:
        self._url = url
        self._token = token
        self._ca_file = ca_file
        self._until = 0.0
        self._kept: tuple[dict[str, Any] | None, str] = (None, "")
        self._lock = asyncio.Lock()

    async def get(self) -> tuple[dict[str, Any] | None, str]:
        """The answer, or None with a sentence that says why."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._kept = await self._ask()
                self._until = time.monotonic() + KEEP_S
            return self._kept

    async def _ask(self) -> tuple[dict[str, Any] | None, str]:
        if not self._url:
            return None, "This server was not started by a hub."
        request = HTTPRequest(
            self._url,
            headers={"Authorization": f"token {self._token}"},
            ca_certs=self._ca_file,
            connect_timeout=3.0,
            request_timeout=8.0,
            follow_redirects=False,
        )
        try:
            response = await AsyncHTTPClient().fetch(request)
            answer = json.loads(response.body)
        except HTTPClientError as error:
            if error.code in (401, 403):
                return None, "The hub no longer knows this session; save your work and start a new one from the hub."
            return None, f"The hub does not answer (HTTP {error.code}). Your notebook and kernels are not affected."
        except OSError:
            return None, "The hub cannot be reached. Your notebook and kernels are not affected."
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            return None, "The hub's answer could not be read. Your notebook and kernels are not affected."
        return answer, ""


class SessionHandler(APIHandler):
    """What is known of this session, for the status bar."""

    auth_resource = "fabric"

    def initialize(self, hub_answer: HubAnswer, models: list[str]) -> None:
        self.hub_answer = hub_answer
        self.models = models

    @authenticated
    @authorized
    async def get(self) -> None:
        hub, problem = await self.hub_answer.get()
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(facts.combine(os.environ, hub, problem, self.models)))


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Add our endpoints to a Jupyter server."""
    answer = HubAnswer(
        facts.service_url(os.environ),
        os.environ.get("JUPYTERHUB_API_TOKEN", ""),
        os.environ.get("FABRIC_CA_FILE") or None,
    )
    route = url_path_join(server.base_url, "fabric", "session")
    arguments = {"hub_answer": answer, "models": facts.gpu_models()}
    server.web_app.add_handlers(".*$", [(route, SessionHandler, arguments)])  # type: ignore[no-untyped-call]
