"""The Jupyter server extension: ``GET <base>/fabric/session``, ``fabric/datasets``, ``fabric/quota`` and more."""

from __future__ import annotations

import asyncio
import os
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from .. import access
from ..answers import Home, Welcome
from ..client import AsyncHubClient
from ..common import facts, translation
from ..common.environment import ASIDE
from ..common.node import DATA
from ..launch import home
from ..pdf import handlers as pdf_handlers
from . import clusters, datasets, usage, welcome
from .base import FabricHandler, Kept

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


class SessionHandler(FabricHandler):
    """What is known of this session, for the status bar."""

    def initialize(self, hub_answer: Kept, models: list[str]) -> None:
        self.hub_answer = hub_answer
        self.models = models

    @authenticated
    @authorized
    async def get(self) -> None:
        hub, problem, _ = await self.hub_answer.get()
        self.respond(facts.combine(os.environ, hub, problem, self.models, self.hub_answer.last))


class HomeHandler(FabricHandler):
    """GET: Jupyter's files in the home directory that this session does without."""

    def initialize(self, server: ServerApp) -> None:
        self.server = server

    @authenticated
    @authorized
    async def get(self) -> None:
        broken = getattr(self.server, "broken_lab_extensions", {})
        found = await asyncio.to_thread(home.left_out, self.server, broken, os.environ)
        directory = os.environ.get("FABRIC_SESSION_DIR")
        log = home.short(f"{directory}/session.log") if directory else ""
        self.respond(Home(left_out=found, log=log))


class WelcomeHandler(FabricHandler):
    """POST: write the notebook that shows around, where this is a person's first session; ``path`` is it, or ""."""

    def initialize(self, hub_answer: Kept) -> None:
        self.hub_answer = hub_answer

    @authenticated
    @authorized
    async def post(self) -> None:
        site = ((await self.hub_answer.get()).body or {}).get("site")
        path = ""
        if isinstance(site, dict) and site.get("welcome") is True:
            root, name = str(getattr(self.contents_manager, "root_dir", "")), site.get("name")
            shown = welcome.notebook(name if isinstance(name, str) else "", datasets=bool(os.environ.get(DATA)))
            path = await asyncio.to_thread(welcome.written, Path.home(), root, shown)
        self.respond(Welcome(path=path))


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Add our endpoints to a Jupyter server."""
    # the environment loses the token once the server is made
    service = AsyncHubClient(os.environ, os.environ.get(access.TOKEN, ""))
    base = url_path_join(server.base_url, "fabric")
    hub_answer = Kept(service)
    arguments = {"hub_answer": hub_answer, "models": facts.gpu_models()}
    routes = [(url_path_join(base, "session"), SessionHandler, arguments), *datasets.routes(base, service)]
    frame = secrets.token_urlsafe()
    routes.append((url_path_join(base, "home"), HomeHandler, {"server": server}))
    routes += clusters.routes(base, service, frame)
    if not (os.environ.get(ASIDE) or os.environ.get("FABRIC_RESCUE")):  # a rescue session adds nothing to the home
        routes.append((url_path_join(base, "welcome"), WelcomeHandler, {"hub_answer": hub_answer}))
    page = server.web_app.settings.setdefault("page_config_data", {})
    page["fabricDatasets"] = bool(os.environ.get(DATA))  # a site without datasets shows no panel
    page["fabricFrame"] = frame
    page.update(translation.for_page())
    page["fabricClusters"] = find_spec("dask_jobqueue") is not None  # nor does an image without Dask
    if service.url:
        routes += usage.install(server, base, service, hub_answer)
    routes += pdf_handlers.routes(server.base_url)
    server.web_app.add_handlers(".*$", routes)
