"""A server that the hub cannot use is a user's program: looking at it costs the hub neither memory nor time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner import reach

CHUNK = b"x" * (1 << 20)
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """A server's URL; each connection is answered so, whatever it asks."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"


def looked_at(answer: Answer) -> FabricError:
    async def look() -> FabricError:
        async with serving(answer) as url:
            return await reach.unreachable(url, "gpu1", None)

    return asyncio.run(look())


def test_an_answer_without_an_end_is_not_read() -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\n\r\n")
        while sent < 256 << 20:
            writer.write(CHUNK)
            await writer.drain()
            sent += len(CHUNK)

    error = looked_at(endless)
    assert "it answers with an error (HTTP 503)" in error.message
    assert sent < 64 << 20  # what the kernel's buffers take


def test_headers_that_trickle_in_take_no_longer_than_any_other_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_PATIENCE_S", 0.5)

    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Busy\r\n")
        for number in range(600):
            writer.write(f"X-{number}: y\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.05)

    assert "it did not answer in time (0.5 s)" in looked_at(trickle).message
