"""The hub's line for each request, and whose address stands in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import httpx
import pytest
from tornado import web

from fabric_hub.hub import access_log
from fabric_hub.hub.patches.web_server import PatientServer
from fabric_hub.logs.forwarded import networks

SITE = networks(["10.1.0.0/24"])


class _Page(web.RequestHandler):
    def get(self) -> None:
        if self.get_query_argument("to", ""):
            self.redirect(self.get_query_argument("to"))
            return
        self.set_status(int(self.get_query_argument("status", "200")))

    def get_current_user(self) -> dict[str, str]:
        return {"name": "jan"}


class Requests:
    """A server like the hub's, and the fields of what it logs."""

    def __init__(self, url: str, records: list[logging.LogRecord]) -> None:
        self.url, self.records = url, records

    async def get(self, path: str, **headers: str) -> dict[str, object]:
        before = len(self.records)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(self.url + path, headers=sent)
        [record] = self.records[before:]
        found: dict[str, object] = record.__dict__["fields"]
        return {**found, "level": record.levelname}

    async def raw(self, path: str) -> dict[str, object]:
        """Ask for a path that no client of good manners sends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.url.rpartition(":")[2]))
        writer.write(f"GET {path}?token=secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        await reader.read()
        writer.close()
        found: dict[str, object] = self.records[-1].__dict__["fields"]
        return found


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    found: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record)

    logger, handler = logging.getLogger("tornado.access"), Keep()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
async def requests(records: list[logging.LogRecord]) -> AsyncIterator[Requests]:
    # as JupyterHub does: Tornado takes X-Forwarded-For and X-Real-Ip from anybody then
    server = PatientServer(web.Application([(r"/.*", _Page)], log_function=access_log.log_request), xheaders=True)
    before, PatientServer.trusted_proxies = PatientServer.trusted_proxies, SITE
    server.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    yield Requests(f"http://127.0.0.1:{port}", records)
    PatientServer.trusted_proxies = before
    server.stop()
    await server.close_all_connections()


async def test_a_line_says_who_asked_for_what_from_where_and_how_it_was_answered(requests: Requests) -> None:
    told = await requests.get("/hub/home?status=404&token=secret", X_Forwarded_For="192.0.2.7, 10.1.0.4")
    assert told.pop("ms") is not None
    assert told == {
        "method": "GET", "path": "/hub/home", "status": 404, "user": "jan", "client": "192.0.2.7", "level": "WARNING"
    }  # fmt: skip


async def test_a_redirect_says_where_to_without_the_query(requests: Requests) -> None:
    told = await requests.get("/hub/?to=%2Fhub%2Flogin%3Fnext%3Dx%26token%3Dsecret")
    assert (told["to"], told["status"], told["level"]) == ("/hub/login", 302, "INFO")


@pytest.mark.parametrize("path", ["//[", "//[x]/hub/login", "//elsewhere/hub/login"])
async def test_no_path_keeps_a_request_out_of_the_log_or_passes_for_another_one(requests: Requests, path: str) -> None:
    told = await requests.raw(path)
    assert (told["path"], told["status"]) == (path, 200)
    told = await requests.raw(f"/hub/?to={quote(path)}")
    assert told["status"] == 302
    assert "secret" not in str(told)


@pytest.mark.parametrize("header", ["X_Real_Ip", "X_Forwarded_For"])
async def test_a_visitor_cannot_say_that_they_are_somebody_else(requests: Requests, header: str) -> None:
    forged = {"X_Forwarded_For": "203.0.113.9, 192.0.2.7, 10.1.0.4"}
    forged[header] = "203.0.113.9" if header == "X_Real_Ip" else forged["X_Forwarded_For"]
    assert (await requests.get("/hub/home", **forged))["client"] == "192.0.2.7"


async def test_who_calls_without_the_proxy_has_the_address_of_the_connection(requests: Requests) -> None:
    assert (await requests.get("/hub/home", X_Real_Ip="203.0.113.9"))["client"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("status", "took_ms", "plain", "level"),
    [(200, 3, False, "INFO"), (200, 3, True, "DEBUG"), (304, 3, False, "DEBUG"), (200, 2000, True, "INFO"),
     (302, 3, True, "INFO"), (404, 3, True, "WARNING"), (503, 3, False, "ERROR")],
)  # fmt: skip
def test_files_and_health_checks_are_quiet(status: int, took_ms: float, plain: bool, level: str) -> None:
    assert logging.getLevelName(access_log.level(status, took_ms, plain)) == level
