"""A server that the hub cannot use is a user's program: looking at it costs the hub neither memory nor time."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner import reach
from fabric_hub.messages.text import Reason
from fabric_hub.messages.texts import starts as texts
from tests.support.silent_port import silent_port

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
            return (await reach.look(url, "gpu1", None)).why

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


def met(*causes: OSError) -> httpx.ConnectError:
    """What httpx makes of these errors of the system, one for each address of a name."""
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = causes[0] if len(causes) == 1 else ExceptionGroup("of several addresses", list(causes))
    return error


def system(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (met(system(errno.ECONNREFUSED)), texts.REFUSED),
        (met(system(errno.ECONNREFUSED), system(errno.ECONNREFUSED)), texts.REFUSED),
        (met(system(errno.ECONNREFUSED), system(errno.ENETUNREACH)), texts.NO_WAY),
        (met(system(errno.EHOSTUNREACH)), texts.NO_WAY),
        (met(system(errno.ENETUNREACH)), texts.NO_WAY),
        (met(system(errno.EPERM)), texts.NO_WAY),  # the hub's own firewall
        (met(system(errno.EMFILE)), texts.NO_WAY),  # the hub itself has no descriptor left
        (met(system(errno.ECONNRESET)), texts.NO_WAY),
        (met(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")), texts.NO_SUCH_NAME),
        (httpx.RemoteProtocolError("illegal status line"), texts.ERROR_ANSWER),
    ],
)
def test_what_keeps_the_hub_from_a_server_is_told_by_the_systems_error(error: Exception, kind: Reason) -> None:
    found, detail = reach.kind_of(error, tls=True)
    assert found is kind
    assert detail


def seen_at(url: str) -> reach.Seen:
    return asyncio.run(reach.look(url, "gpu1", None))


def test_a_refusal_and_an_error_are_the_nodes_word() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    refused = seen_at(f"http://127.0.0.1:{port}/api")
    assert (refused.of_node, refused.answers) == (True, False)
    assert "connection refused" in refused.why.message

    def answering(status: bytes) -> reach.Seen:
        async def answer(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

        async def look() -> reach.Seen:
            async with serving(answer) as url:
                return await reach.look(url, "gpu1", None)

        return asyncio.run(look())

    found = [answering(status) for status in (b"500 Fault", b"503 Busy", b"200 OK", b"403 Forbidden")]
    assert [(one.of_node, one.answers) for one in found] == [(True, False)] * 2 + [(False, True)] * 2


def test_other_tls_is_the_nodes_word() -> None:
    async def look() -> reach.Seen:
        async with await asyncio.start_server(lambda _, writer: writer.write(b"plain\r\n"), "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            return await reach.look(f"https://127.0.0.1:{port}/api", "gpu1", ssl.create_default_context())

    seen = asyncio.run(look())
    assert seen.of_node
    assert "not with the TLS of this hub" in seen.why.message


def test_silence_is_not_the_nodes_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_PATIENCE_S", 0.3)
    with silent_port() as port:
        seen = seen_at(f"http://127.0.0.1:{port}/api")
    assert (seen.of_node, seen.answers) == (False, False)
    assert "it did not answer in time" in seen.why.message
