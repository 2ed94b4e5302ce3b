"""A TLS connection that breaks leaves all others of its thread as they are, in the hub and in a session."""

from __future__ import annotations

import _ssl
import ctypes
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import fabric_lab.tls_sockets
import pytest

import fabric_hub.hub.patches.tls_sockets
from tests.support.certificates import Authority

BROKEN_PIPE = 32
SYSTEM_LIBRARY = 2  # ERR_LIB_SYS of openssl/err.h


@pytest.fixture(params=[fabric_hub.hub.patches.tls_sockets, fabric_lab.tls_sockets], ids=["hub", "session"])
def mended(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """TLS in this process as it is in the hub's, or in a session's."""
    monkeypatch.setattr(ssl.SSLContext, "sslsocket_class", ssl.SSLSocket)
    module: ModuleType = request.param
    module.mend()
    return module


Pair = tuple[ssl.SSLSocket, ssl.SSLSocket]


@pytest.fixture
def connected(tmp_path: Path, mended: ModuleType) -> Iterator[Callable[[], Pair]]:
    """Makes both ends of a connection, which wait for nothing."""
    authority = Authority(tmp_path / "authority")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*authority.issue("server"))
    client = ssl.create_default_context(cafile=str(authority.certificate))
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python has it from 3.13 on
    ends: list[ssl.SSLSocket] = []

    def connect() -> Pair:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            here, (there, _) = socket.create_connection(listener.getsockname()), listener.accept()
        here.setblocking(False)
        there.setblocking(False)
        pair = (
            client.wrap_socket(here, do_handshake_on_connect=False),
            server.wrap_socket(there, server_side=True, do_handshake_on_connect=False),
        )
        ends.extend(pair)
        undone = list(pair)
        while undone:
            for end in list(undone):
                with suppress(ssl.SSLWantReadError):
                    end.do_handshake()
                    undone.remove(end)
        with suppress(ssl.SSLWantReadError):
            pair[0].read(1)  # the server's tickets
        return pair

    yield connect
    for end in ends:
        end.close()


def _read(end: ssl.SSLSocket) -> None:
    end.recv_into(bytearray(1))


def _write(end: ssl.SSLSocket) -> None:
    end.send(b"more")


@pytest.mark.parametrize("and_then", [_read, _write])
def test_an_end_that_went_away_ends_no_other_connection(
    connected: Callable[[], Pair], and_then: Callable[[ssl.SSLSocket], None]
) -> None:
    (broken, gone), (whole, _) = connected(), connected()
    gone.close()
    broken.send(b"nobody reads this")
    with suppress(OSError):
        and_then(broken)
    with pytest.raises(ssl.SSLWantReadError):
        whole.recv(1)


class _AsNewerPythons:
    """Fails as ``_ssl`` of newer Pythons does: with an OSError, and with OpenSSL's own word left in its queue."""

    def _fail(self, *_: Any) -> None:
        openssl = ctypes.CDLL(_ssl.__file__)
        openssl.ERR_new()
        openssl.ERR_set_error(SYSTEM_LIBRARY, BROKEN_PIPE, None)
        raise BrokenPipeError(BROKEN_PIPE, "Broken pipe")

    read = write = do_handshake = shutdown = _fail


@pytest.mark.parametrize(
    "failing",
    [
        _read,
        _write,
        lambda end: end.recv(1),
        lambda end: end.write(b"more"),
        lambda end: end.sendall(b"more"),
        lambda end: end.do_handshake(),
        lambda end: end.unwrap(),
    ],
    ids=["recv_into", "send", "recv", "write", "sendall", "do_handshake", "unwrap"],
)
def test_no_error_stays_in_openssls_queue(
    connected: Callable[[], Pair], failing: Callable[[ssl.SSLSocket], None]
) -> None:
    (broken, _), (whole, _) = connected(), connected()
    broken._sslobj = _AsNewerPythons()  # type: ignore[attr-defined]
    with pytest.raises(BrokenPipeError):
        failing(broken)
    with pytest.raises(ssl.SSLWantReadError):
        whole.recv(1)


@pytest.mark.parametrize(
    "began",
    [
        "from fabric_lab.launch import job; job.prepare(None)",
        "from fabric_lab.dask import tls; tls.create(here); tls.load(here)",
    ],
    ids=["session", "cluster"],
)
def test_a_sessions_server_and_whoever_has_a_clusters_key_are_mended(python: Path, tmp_path: Path, began: str) -> None:
    code = f"import pathlib, ssl, sys; here = pathlib.Path(sys.argv[1]); {began}; print(ssl.SSLContext.sslsocket_class)"
    environment = {"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:0", "JUPYTERHUB_API_TOKEN": "-", "HOME": str(tmp_path)}
    done = subprocess.run(
        [python, "-I", "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "<class 'fabric_lab.tls_sockets.Socket'>"


def test_hub_and_session_have_the_same() -> None:
    theirs = [Path(str(module.__file__)) for module in (fabric_hub.hub.patches.tls_sockets, fabric_lab.tls_sockets)]
    assert theirs[0].read_bytes() == theirs[1].read_bytes()
