"""JupyterHub as it is installed, in this process: its own database, handlers and users; its proxy is a dictionary."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from jupyterhub.app import JupyterHub
from jupyterhub.proxy import Proxy
from jupyterhub.spawner import Spawner
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets.config import Config

USER = "ann"


class RoutesInMemory(Proxy):  # type: ignore[misc]
    """A proxy that nobody can reach."""

    should_start = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.routes: dict[str, Any] = {}

    async def add_route(self, routespec: str, target: str, data: Any) -> None:
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        self.routes.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, Any]:
        return self.routes


class PlainSpawner(Spawner):  # type: ignore[misc]
    """Starts nothing. What it answers to JupyterHub is its subclass's."""

    over: int | None = None
    where = ("127.0.0.1", 1)
    stops: list[bool]

    async def start(self) -> Any:
        """The address of a server that is there already."""
        return self.where

    async def poll(self) -> int | None:
        return self.over

    async def stop(self, now: bool = False) -> None:
        type(self).stops.append(now)


class PlainHub:
    """A running hub, and ``ann`` at it.

    :ivar app: JupyterHub; ``client`` asks it as ann does in a browser, once :meth:`login` was called.
    """

    def __init__(self, app: Any, client: httpx.AsyncClient) -> None:
        self.app, self.client = app, client

    @property
    def ann(self) -> Any:
        return self.app.users[USER]

    @property
    def servers(self) -> set[str]:
        """Names on ann's list."""
        self.app.db.expire_all()
        return set(self.ann.orm_spawners)

    async def rest(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call JupyterHub's API with a token of ann's."""
        headers = {"Authorization": f"token {self.ann.new_api_token()}"}
        return await self.client.request(method, f"/hub/api{path}", headers=headers, **options)

    async def login(self) -> None:
        await self.client.get("/hub/login")
        await self.post("/hub/login", username=USER, password="-")

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the hub's."""
        return await self.client.post(path, data={**fields, "_xsrf": self.client.cookies["_xsrf"]})


@asynccontextmanager
async def plain_hub(directory: Path, spawner: type[PlainSpawner], **settings: Any) -> AsyncIterator[PlainHub]:
    """A JupyterHub that serves until the block ends; its servers are left as they are.

    :param directory: of its database, which a second one continues.
    :param settings: more of ``c.JupyterHub``.
    """
    (directory / "empty.py").touch()
    c = Config()
    c.JupyterHub.db_url = f"sqlite:///{directory / 'jupyterhub.sqlite'}"
    c.JupyterHub.cookie_secret = b"s" * 32
    c.JupyterHub.authenticator_class = "dummy"
    c.JupyterHub.spawner_class = spawner
    c.JupyterHub.proxy_class = RoutesInMemory
    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.upgrade_db = True
    c.Authenticator.allowed_users = {USER}
    for name, value in settings.items():
        c.JupyterHub[name] = value
    spawner.stops = []
    JupyterHub.clear_instance()
    app = JupyterHub(config=c, config_file=str(directory / "empty.py"))
    await app.initialize([])
    server = HTTPServer(app.tornado_application)
    sockets = bind_sockets(0, "127.0.0.1")
    address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    server.add_sockets(sockets)
    try:
        async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
            yield PlainHub(app, client)
    finally:
        server.stop()
        await server.close_all_connections()
        app.db.close()
        app.db.get_bind().dispose()


@asynccontextmanager
async def answering() -> AsyncIterator[tuple[str, int]]:
    """The address of a server that says yes to everything."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        yield server.sockets[0].getsockname()
