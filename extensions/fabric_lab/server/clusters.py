"""Dask clusters in the session's server: ``<base>/fabric/dask/NAME/...`` is a cluster's dashboard, and
``<base>/fabric/clusters`` what the panel of JupyterLab shows and does.

Nothing of :mod:`..dask` is imported before somebody asks.

A page in a frame shows the cookies of its path to whatever page of the same host frames it, and where the hub has no
host for every user, that may be another user's. So JupyterHub lets nobody frame a session's pages, and a dashboard may
be framed only when its address has this session's own word for it, which only its own JupyterLab knows.
"""

from __future__ import annotations

import asyncio
import secrets
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..client import AsyncHubClient
from ..common.translation import _, language
from .base import FabricHandler, Kept

if TYPE_CHECKING:
    from tornado.websocket import WebSocketClientConnection

FRAME = "fabric-frame"
NAME = "([a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)"  # as session.NAME of .dask
# All tabs have the hub asked for profiles once in this time, in seconds.
OFFER_S = 5.0
# What may be asked of a new cluster, with the types of its words.
NEW: dict[str, tuple[type, ...]] = {"name": (str,), "profile": (str,), "n_workers": (int,), "hours": (int, float)}


_STOPPED = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>{heading}</title></head>
<body><main><h1>{heading}</h1><p>{said}</p></main></body></html>
"""


class DashboardHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """A page or a websocket of a cluster's dashboard, read with the cluster's key. Only reading."""

    auth_resource = "fabric"

    def initialize(self, frame: str) -> None:
        self._frame = frame

    @property
    def content_security_policy(self) -> str:
        """Who may frame this page: nobody, or this session's own JupyterLab."""
        if self._knows_the_word(str(self.request.query)):
            return "frame-ancestors 'self'"
        return str(super().content_security_policy)

    def _knows_the_word(self, query: str) -> bool:
        return any(secrets.compare_digest(word, self._frame) for word in parse_qs(query).get(FRAME, []))

    def set_default_headers(self) -> None:
        """A page's come below; a websocket has none."""

    def get_compression_options(self) -> dict[str, Any] | None:
        return self.settings.get("websocket_compression_options", None)

    async def get(self, name: str, path: str) -> None:
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            await self._socket(name, path)
        else:
            await ensure_async(self._page(name, path))

    async def head(self, name: str, path: str) -> None:
        await ensure_async(self._page(name, path))

    @authenticated
    @authorized
    async def _page(self, name: str, path: str) -> None:
        from ..dask import dashboard_client

        if not path:
            self.redirect(f"{self.request.path.rstrip('/')}/status")
            return
        if self.request.headers.get("Sec-Fetch-Dest") == "iframe" and FRAME not in self.request.query:
            came_from = urlsplit(self.request.headers.get("Referer", ""))
            if came_from.netloc == self.request.host and self._knows_the_word(came_from.query):
                self.redirect(f"{self.request.path}?{FRAME}={self._frame}")  # a link in a page that may be framed
                return
        try:
            pages = await asyncio.to_thread(dashboard_client.Pages, name)
            response = await pages.fetch(self._rest(name), self.request.headers, str(self.request.method))
        except dashboard_client.ClusterUnavailableError as error:
            raise HTTPError(502, str(error)) from None
        except dashboard_client.NoClusterError:
            self._say_stopped(name)
            return
        self.set_status(response.code)
        passed = dashboard_client.passed(response.headers)
        for header in passed:
            self.clear_header(header)  # what tornado says of its own pages: their type, the date
        for header, value in passed.get_all():
            below = header == "Location" and value.startswith("/")
            self.add_header(header, f"{self.base_url}fabric/dask/{name}{value}" if below else value)
        self.set_header("Content-Security-Policy", self.content_security_policy)
        self.finish(response.body or None)  # to a browser that has the file already (304) not even nothing may be said

    def _say_stopped(self, name: str) -> None:
        """A page in place of one of a cluster that is not there (any more); also in a frame, so as plain as can be."""
        self.set_status(404)
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Content-Security-Policy", self.content_security_policy)
        heading = _("Cluster stopped")
        said = _("Cluster {name} isn't running in this session. Start one in the Dask clusters panel.")
        self.finish(_STOPPED.format(language=language(), heading=escape(heading), said=escape(said.format(name=name))))

    @ws_authenticated
    @authorized
    async def _socket(self, name: str, path: str) -> None:
        from ..dask import dashboard_client

        asked = self.request.headers.get("Sec-WebSocket-Protocol", "")
        subprotocols = [word.strip() for word in asked.split(",") if word.strip()]
        try:
            pages = await asyncio.to_thread(dashboard_client.Pages, name)
            self._upstream = await pages.connect(self._rest(name), subprotocols)
        except dashboard_client.NoClusterError as error:
            raise HTTPError(
                502 if isinstance(error, dashboard_client.ClusterUnavailableError) else 404, str(error)
            ) from None
        await super().get()

    def _rest(self, name: str) -> str:
        """The address below the cluster's, as the browser wrote it."""
        return f"/{str(self.request.uri).partition(f'/fabric/dask/{name}/')[2]}"

    _upstream: WebSocketClientConnection | None = None
    _reading: asyncio.Task[None] | None = None

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return self._upstream.selected_subprotocol if self._upstream else None

    def open(self, *args: str, **kwargs: str) -> None:
        super().open(*args, **kwargs)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._upstream is not None
        try:
            while (message := await self._upstream.read_message()) is not None:
                await self.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError:
            return
        self.close()

    async def on_message(self, message: str | bytes) -> None:
        if self._upstream is not None:
            try:
                await self._upstream.write_message(message, binary=isinstance(message, bytes))
            except WebSocketClosedError:
                self.close()

    def on_close(self) -> None:
        super().on_close()
        if self._reading:
            self._reading.cancel()
        if self._upstream:
            self._upstream.close()


class ClustersHandler(FabricHandler):
    """GET: clusters and profiles for new ones. POST ``{"profile", "n_workers", ...}``: start one."""

    def initialize(self, offer: Kept) -> None:
        self.offer = offer

    @authenticated
    @authorized
    async def get(self) -> None:
        from ..dask import dashboard_client

        found, offer = await asyncio.gather(dashboard_client.all_clusters(), self.offer.get())
        body = offer.body or {}
        self.respond({"clusters": found, "profiles": body.get("profiles", []), "problem": offer.problem})

    @authenticated
    @authorized
    async def post(self) -> None:
        from ..dask import dashboard_client

        words = self.body()
        for name, value in words.items():
            if name not in NEW or not isinstance(value, NEW[name]) or isinstance(value, bool):
                message = _("A cluster takes no {name} like {value}.").format(name=name, value=repr(value))
                self.respond({"message": message}, 400)
                return
        answer = await dashboard_client.create(words)
        self.respond({"message": answer["error"]} if "error" in answer else answer, 409 if "error" in answer else 201)


class RunningClustersHandler(FabricHandler):
    """GET: the names of the clusters that are there, as the session's own directories say; no scheduler is asked."""

    @authenticated
    @authorized
    async def get(self) -> None:
        from ..dask import rendezvous

        self.respond({"names": await asyncio.to_thread(rendezvous.clusters)})


class ClusterHandler(FabricHandler):
    """POST ``{"verb": "scale" | "adapt" | "close", ...}`` to one cluster."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        from ..dask import dashboard_client

        try:
            pages = await asyncio.to_thread(dashboard_client.Pages, name)
            answer = await pages.send(self.body())
        except dashboard_client.NoClusterError as error:
            self.respond(
                {"message": str(error)}, 502 if isinstance(error, dashboard_client.ClusterUnavailableError) else 404
            )
            return
        self.respond(
            {"message": answer["error"]} if answer.get("error") else answer, 409 if answer.get("error") else 200
        )


class QuoteHandler(FabricHandler):
    """GET ``?profile=&workers=``: what so many workers cost and wait for."""

    def initialize(self, service: AsyncHubClient) -> None:
        self.service = service

    @authenticated
    @authorized
    async def get(self) -> None:
        profile, workers = self.get_query_argument("profile"), self.get_query_argument("workers")
        if not workers.isdecimal() or not profile.replace("-", "").isalnum():
            said = _("{name} and {number} must be a name and a number.")
            raise HTTPError(400, said.format(name="profile", number="workers"))
        answer = await self.service.ask(f"/clusters/quote?profile={profile}&workers={int(workers)}")
        self.respond(answer.body if answer.body is not None else {"message": answer.problem}, answer.status)


def routes(base: str, service: AsyncHubClient, frame: str) -> list[tuple[str, type[JupyterHandler], dict[str, Any]]]:
    """The handlers with their addresses below ``<base>``; ``frame`` is the word for pages in frames."""
    clusters = url_path_join(base, "clusters")
    offer, dashboards = Kept(service, "/clusters", OFFER_S), {"frame": frame}
    return [
        (url_path_join(base, "dask", NAME) + "/?()", DashboardHandler, dashboards),
        (url_path_join(base, "dask", NAME) + "/(.+)", DashboardHandler, dashboards),
        (clusters, ClustersHandler, {"offer": offer}),
        (url_path_join(base, "running-clusters"), RunningClustersHandler, {}),
        (url_path_join(clusters, "quote"), QuoteHandler, {"service": service}),
        (url_path_join(clusters, NAME), ClusterHandler, {}),
    ]
