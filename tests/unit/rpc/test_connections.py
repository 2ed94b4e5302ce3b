"""What strangers hold: hub and service close who sends no whole request, and are never out of descriptors."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from tornado import web

from fabric_hub.hub.patches.web_server import PatientServer
from fabric_hub.rpc import connections
from fabric_hub.rpc.connections import Connections, Listener, track
from fabric_hub.service.web_server import out_of_descriptors, watched_by

Address = tuple[str, int]
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"


def bound() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(2048)
    made.setblocking(False)
    return made


class _Page(web.RequestHandler):
    def get(self) -> None:
        self.write("ok")

    def post(self) -> None:
        self.write("ok")


@asynccontextmanager
async def hub() -> AsyncIterator[tuple[Address, Connections]]:
    server = PatientServer(web.Application([("/", _Page)]), body_timeout=connections.REQUEST_S, max_body_size=1000)
    listener = bound()
    address = listener.getsockname()
    server.add_sockets([listener])
    yield address, server.counted
    server.stop()
    await server.close_all_connections()


@asynccontextmanager
async def service() -> AsyncIterator[tuple[Address, Connections]]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while scope["type"] == "http":
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    counted = Connections()
    config = uvicorn.Config(app, http=watched_by(counted), lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    listener = Listener(bound(), out_of_descriptors(counted), track(counted))
    address = listener.getsockname()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield address, counted
    server.should_exit = True
    await serving


Serving = Callable[[], Any]
both = pytest.mark.parametrize("serving", [hub, service])


async def sent(address: Address, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(data)
    return reader, writer


async def hang_up(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other end closes."""
    try:
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionResetError:
        return b""


async def answered(address: Address) -> None:
    reader, writer = await sent(address, REQUEST)
    assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 200")
    await hang_up(writer)


@both
@pytest.mark.parametrize("said", [b"", b"GET / HT", UPLOAD, UPLOAD + b"slowly"])
async def test_who_sends_no_whole_request_in_time_is_closed(
    serving: Serving, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.3)
    async with serving() as (address, counted):
        reader, writer = await sent(address, said)
        assert b"200" not in await closed(reader)
        await hang_up(writer)
        await answered(address)
    assert len(counted) == 0


@both
async def test_one_that_speaks_all_the_time_gets_no_longer(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.5)
    async with serving() as (address, _):
        reader, writer = await sent(address, UPLOAD)

        async def dribble() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.02)

        dribbling = asyncio.create_task(dribble())
        assert b"200" not in await closed(reader)
        dribbling.cancel()
        await hang_up(writer)


@both
async def test_more_than_there_may_be_close_those_that_waited_longest(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connections, "most", staticmethod(lambda: 5))
    async with serving() as (address, counted):
        talking = await sent(address, REQUEST)
        assert await asyncio.wait_for(talking[0].readline(), 20)
        waiting = [await sent(address, b"") for _ in range(12)]
        await answered(address)
        assert len(counted) <= 5
        assert await closed(waiting[0][0]) == b""
        await hang_up(*(writer for _, writer in [talking, *waiting]))


async def test_a_large_body_is_refused_before_it_is_kept() -> None:
    async with hub() as (address, _):
        reader, writer = await sent(address, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
        assert b"200" not in await closed(reader)
        await hang_up(writer)


@both
async def test_a_server_without_descriptors_waits_and_says_so_once(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "PAUSE_S", 0.2)
    monkeypatch.setattr("asyncio.constants.ACCEPT_RETRY_DELAY", 0.2)
    monkeypatch.setattr("fabric_hub.hub.patches.web_server.PAUSE_S", 0.2)
    tries = 0
    accept = socket.socket.accept

    def full(self: socket.socket) -> Any:
        nonlocal tries
        tries += 1
        if tries <= 3:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", full)
    async with serving() as (address, _):
        await answered(address)
    assert tries <= 3 + 2, "it does not try again all the time"
    assert caplog.text.count("No descriptors are left") == 1
    assert len(caplog.text) < 5000


async def test_busy_ones_go_last() -> None:
    gone: list[str] = []
    open_ = Connections()
    for name in ("first", "second", "third"):
        open_.opened(name, lambda name=name: gone.append(name))  # type: ignore[misc]
    open_.busy("first")
    while open_.shed():
        pass
    assert gone == ["second", "third", "first"]
    assert len(open_) == 0
