"""The web server, TLS and the proxy without our patches."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from certipy import Certipy
from jupyterhub.app import JupyterHub
from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado.httpserver import HTTPServer
from traitlets import TraitError

from fabric_hub.hub.proxy import unix_url
from tests.support.needed import is_needed

# -- the web server


def test_tornado_sets_no_bounds_for_strangers() -> None:
    params = HTTPServer(lambda request: None).conn_params
    is_needed("patient-server", params.body_timeout is None and not hasattr(params, "max_connections"))


def test_a_port_that_is_held_cannot_be_listened_on() -> None:
    server = HTTPServer(lambda request: None)
    with socket.create_server(("127.0.0.1", 0)) as held:
        try:
            server.listen(held.getsockname()[1], "127.0.0.1")
            listens = True
        except OSError:
            listens = False
    server.stop()
    is_needed("held-port", not listens)


@pytest.fixture
def pairs(tmp_path: Path) -> Iterator[list[tuple[ssl.SSLSocket, ssl.SSLSocket]]]:
    """Two connections over TLS, of one thread, that wait for nothing."""
    certipy = Certipy(store_dir=str(tmp_path))
    certipy.create_ca("authority")
    certipy.create_signed_pair("server", "authority", alt_names=["DNS:localhost"])
    files = certipy.store.get_files("server")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(str(files.cert.file_path), str(files.key.file_path))
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    made = [_connected(client, server) for _ in range(2)]
    yield made
    for pair in made:
        for end in pair:
            end.close()


def _connected(client: ssl.SSLContext, server: ssl.SSLContext) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here, (there, _) = socket.create_connection(listener.getsockname()), listener.accept()
    here.setblocking(False)
    there.setblocking(False)
    pair = (
        client.wrap_socket(here, do_handshake_on_connect=False),
        server.wrap_socket(there, server_side=True, do_handshake_on_connect=False),
    )
    undone = list(pair)
    while undone:
        for end in list(undone):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
                undone.remove(end)
    with suppress(ssl.SSLWantReadError):
        pair[0].read(1)  # the server's tickets
    return pair


@pytest.mark.skipif(
    sys.version_info < (3, 13, 2) or ssl.OPENSSL_VERSION_INFO < (3, 4), reason="older ones may be without the fault"
)
def test_a_broken_tls_connection_breaks_another(pairs: list[tuple[ssl.SSLSocket, ssl.SSLSocket]]) -> None:
    (broken, gone), (whole, _) = pairs
    gone.close()
    broken.send(b"nobody reads this")
    with suppress(OSError):
        broken.recv(1)
    try:
        fault = bool(whole.recv(1))
    except ssl.SSLWantReadError:  # it has nothing to read yet
        fault = False
    except OSError:
        fault = True
    is_needed("tls-errors", fault)


# -- the proxy


def test_no_extra_route_leads_to_a_unix_socket() -> None:
    try:
        ConfigurableHTTPProxy(app=JupyterHub(), extra_routes={"/services/s/": unix_url(Path("/run/s.sock"))})
        taken = True
    except (TraitError, ValueError):
        taken = False
    is_needed("proxy-routes", not taken)


@asynccontextmanager
async def proxying(port: int, target: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """configurable-http-proxy as it is installed, in its own process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        api = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("configurable-http-proxy")), "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--api-port={api}", f"--default-target=http://127.0.0.1:{target}"]
    environment = {**os.environ, "CONFIGPROXY_AUTH_TOKEN": "t"}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_the_proxy_takes_no_listening_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        async with proxying(held.getsockname()[1], 1) as process:
            assert process.stdout is not None
            said = b""
            with suppress(TimeoutError):
                async with asyncio.timeout(60):
                    while b"EADDRINUSE" not in said and (line := await process.stdout.readline()):
                        said += line
    is_needed("proxy-port", b"EADDRINUSE" in said)


async def test_the_proxy_logs_in_a_format_of_its_own(unused_tcp_port: int) -> None:
    async with proxying(unused_tcp_port, 1) as process:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            said = await process.stdout.readline()
    is_needed("proxy-log", b"[ConfigProxy]" in said)


async def seen_behind_the_proxy(port: int, request: bytes, *, patience_s: float) -> tuple[bytes, bytes]:
    """What a server behind the proxy reads of a request with the body ``hello``: the head, and what comes after it.

    Both are empty where the proxy answers the request itself; no body is what is not there after some seconds.
    """
    head: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head.set_result(await reader.readuntil(b"\r\n\r\n"))
        with suppress(asyncio.IncompleteReadError):
            body.set_result(await reader.readuntil(b"hello"))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        async with proxying(port, server.sockets[0].getsockname()[1]):
            reader, writer = await _connection(port)
            writer.write(request)
            answer = asyncio.ensure_future(reader.read())
            await asyncio.wait({head, answer}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({body, answer}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            writer.close()
            answer.cancel()
            return head.result() if head.done() else b"", body.result() if body.done() else b""


async def _connection(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(60):
        while True:
            with suppress(ConnectionRefusedError):  # it starts
                return await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.05)


async def test_the_proxy_passes_a_body_on_as_another_request(unused_tcp_port: int) -> None:
    request = b"DELETE /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    head, body = await seen_behind_the_proxy(unused_tcp_port, request, patience_s=60)
    is_needed("proxy-whole-requests", b"content-length: 0" in head.lower() and b"hello" in body)


async def test_the_proxy_passes_an_upgrade_on_without_its_body(unused_tcp_port: int) -> None:
    request = (
        b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello"
    )
    head, body = await seen_behind_the_proxy(unused_tcp_port, request, patience_s=1)
    is_needed("proxy-upgrades", b"content-length: 5" in head.lower() and not body)
