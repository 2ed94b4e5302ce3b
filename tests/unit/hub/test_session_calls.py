"""A session's call at the hub's own port is handed on with whom it answers, and refused in their language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets, bind_unix_socket
from tornado.web import Application, RequestHandler

from fabric_hub.hub.session_calls import PATH, pages
from fabric_hub.messages.reader import Reader
from fabric_hub.messages.texts import service
from tests.support.builders import a_site

DUTCH = {"Accept-Language": "nl", "X-Time-Zone": "Europe/Amsterdam"}


class Heard(RequestHandler):
    """The service: it answers with what it was asked with."""

    async def get(self) -> None:
        self.set_header("Content-Language", "nl")
        self.set_header("Vary", "Accept-Language")
        self.finish({name: self.request.headers.get(name, "") for name in (*DUTCH, "Cookie")})


@asynccontextmanager
async def hub(directory: Path, *, answering: bool) -> AsyncIterator[httpx.AsyncClient]:
    """The hub's own port, with the service behind it or none."""
    site = a_site(directory)
    site = site.model_copy(update={"hub": site.hub.model_copy(update={"internal_ssl": True})})
    calls = pages(site)
    servers = [HTTPServer(Application(calls))]
    sockets = bind_sockets(0, "127.0.0.1")
    servers[0].add_sockets(sockets)
    if answering:
        site.hub.service_socket.parent.mkdir(parents=True, exist_ok=True)
        servers.append(HTTPServer(Application([(r".*", Heard)])))
        servers[1].add_socket(bind_unix_socket(str(site.hub.service_socket)))
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}{PATH}"
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield client
    finally:
        await calls[0][2]["client"].aclose()
        for server in servers:
            server.stop()
            await server.close_all_connections()


async def test_the_service_is_told_who_reads_and_its_language_comes_back(sandbox: Path) -> None:
    async with hub(sandbox, answering=True) as client:
        answer = await client.get("/session/quota", headers={**DUTCH, "Cookie": "secret=1"})
    assert answer.json() == {**DUTCH, "Cookie": ""}
    assert (answer.headers["Content-Language"], answer.headers["Vary"]) == ("nl", "Accept-Language")


@pytest.mark.parametrize("language", ["en", "nl"])
async def test_what_the_hub_refuses_itself_is_said_in_the_readers_language(sandbox: Path, language: str) -> None:
    headers, reader = {"Accept-Language": language}, Reader(language)
    async with hub(sandbox, answering=False) as client:
        silent = await client.get("/session/quota", headers=headers)
        proxied = await client.get("/session/quota", headers={**headers, "X-Forwarded-For": "192.0.2.1"})
    assert (silent.status_code, silent.json()["message"]) == (503, service.SERVICE_SILENT().say(reader))
    assert (proxied.status_code, proxied.json()["message"]) == (404, service.NO_PAGE().say(reader))
    assert silent.json()["said"]["code"] == "service-silent"
    assert proxied.json()["said"]["code"] == "no-such-page"
    assert {silent.headers["Content-Language"], proxied.headers["Content-Language"]} == {language}
