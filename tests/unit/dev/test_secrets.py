"""The embedded run's secrets, where other accounts may listen on its port or write to its hub's directory."""

from __future__ import annotations

import os
import socket
import socketserver
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_dev import cluster, instance, listener
from fabric_dev.instance import Instance
from fabric_dev.layout import Layout
from fabric_dev.ports import Ports
from fabric_hub.errors import FabricError
from tests.support.embedded_run import fabric_hub
from tests.support.http_server import HttpServer, Response

ME = os.geteuid()
STRANGER = ME + 1
# As /proc/net/tcp and tcp6 print them on x86: port 0x1F40 is 8000
TABLES = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 11 1 0 100 0 0 10 0
   1: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1002        0 12 1 0 100 0 0 10 0
   2: 0200007F:1F42 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1003        0 13 1 0 100 0 0 10 0
   3: 0100007F:1F43 0100007F:8000 01 00000000:00000000 00:00000000 00000000  1004        0 14 1 0 100 0 0 10 0
   4: 00000000:1F44 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1005        0 15 1 0 100 0 0 10 0
  sl  local_address                         remote_address                        st tx_queue rx_queue tr ...
   0: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A 0:0 00:0 0  1006 0 16 1 0
   1: 00000000000000000000000000000000:1F45 00000000000000000000000000000000:0000 0A 0:0 00:0 0  1007 0 17 1 0
   2: 0000000000000000FFFF00000100007F:1F46 00000000000000000000000000000000:0000 0A 0:0 00:0 0  1008 0 18 1 0
"""


@pytest.mark.skipif(sys.byteorder == "big", reason="the sample was taken on a little-endian machine")
@pytest.mark.parametrize(
    ("port", "uids"),
    [
        (8000, {1001}),  # the one on every IPv6 address is not reached
        (8001, {1002}),
        (8002, set()),  # on 127.0.0.2
        (8003, set()),  # a connection, not a listener
        (8004, {1005}),
        (8005, {1007}),
        (8006, {1008}),
        (8007, set()),
    ],
)
def test_the_owner_of_a_listening_socket_is_read_from_the_kernels_table(port: int, uids: set[int]) -> None:
    assert listener.owners(TABLES, port) == uids


@pytest.fixture
def port() -> Iterator[int]:
    """A web server of our own that answers what token it got."""
    with HttpServer(lambda request: Response(body=request.headers["authorization"].encode())) as server:
        yield server.port


@pytest.fixture
def thief() -> Iterator[socket.socket]:
    """A socket that listens; who connects can be accepted at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def test_the_account_that_is_expected_gets_the_token(port: int) -> None:
    assert listener.ask(port, ME, "secret", "/") == (200, b"token secret")


def test_another_accounts_listener_is_not_even_connected_to(thief: socket.socket) -> None:
    port = thief.getsockname()[1]
    with pytest.raises(FabricError, match=f"Port {port} .* uid {ME}, not .*uid {STRANGER}"):
        listener.ask(port, STRANGER, "secret", "/")
    with pytest.raises(BlockingIOError):
        thief.accept()


def test_a_listener_that_changes_while_we_connect_gets_no_token(
    thief: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = thief.getsockname()[1]
    tables = iter([frozenset({STRANGER}), frozenset({ME})])
    monkeypatch.setattr(listener, "owners", lambda *_: next(tables))
    with pytest.raises(FabricError, match="was not sent"):
        listener.ask(port, STRANGER, "secret", "/")
    connection, _ = thief.accept()
    with connection:
        assert connection.recv(1) == b""


def test_nobody_listening_is_no_answer() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        free = server.server_address[1]
    with pytest.raises(ConnectionRefusedError, match=f"nobody listens on 127.0.0.1:{free}"):
        listener.ask(free, ME, "secret", "/")


@pytest.mark.skipif(ME != 0, reason="gives a file to another account")
def test_a_start_ends_when_another_account_took_the_port(tmp_path: Path, thief: socket.socket) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    port = thief.getsockname()[1]
    os.chown(token, STRANGER, -1)
    service = tmp_path / "service.sock"
    answering = socket.socket(socket.AF_UNIX)
    answering.bind(str(service))
    answering.listen()
    with answering, pytest.raises(FabricError, match=f"Port {port} on 127.0.0.1 belongs to uid {ME}"):
        cluster.healthy(port, service, token, STRANGER)


def test_no_token_is_asked_for_while_the_run_is_down(tmp_path: Path, thief: socket.socket) -> None:
    port = thief.getsockname()[1]
    ports = Ports(public=port, hub=1, slurmctld=4, slurmdbd=5, slurmd=(6, 7, 8))
    layout = Layout(tmp_path, tmp_path / "images")
    instance.write_private(layout.instance, Instance(ports=ports, images=layout.images).model_dump_json())
    done = fabric_hub("token", "researcher", "--dir", str(tmp_path))
    assert done.returncode == 1, done.stdout
    assert "Nothing runs in" in done.stderr
    assert "fabric-hub up" in done.stderr
    with pytest.raises(BlockingIOError):
        thief.accept()


def _link(path: Path) -> None:
    path.with_name("target").write_text("another file")
    path.symlink_to(path.with_name("target"))


def _large(path: Path) -> None:
    path.write_bytes(b"x" * 65537)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_link, "is a link"),
        (os.mkfifo, "is not a regular file"),
        (Path.mkdir, "is not a regular file"),
        (_large, "is larger than 65536 bytes"),
        (lambda path: path.write_bytes(b"\xff"), "is not text"),
        (lambda path: None, "cannot be opened: No such file"),
    ],
    ids=["link", "pipe", "directory", "large", "binary", "missing"],
)
def test_what_is_not_a_small_file_is_not_read(tmp_path: Path, make: object, reason: str) -> None:
    path = tmp_path / "embedded-token"
    make(path)  # type: ignore[operator]
    with pytest.raises(FabricError, match=reason):
        instance.read_owned(path, ME)


def test_a_file_is_read_only_when_the_expected_account_owns_it(tmp_path: Path) -> None:
    path = tmp_path / "embedded-token"
    instance.write_private(path, "secret")
    assert instance.read_owned(path, ME) == "secret"
    with pytest.raises(FabricError, match=f"belongs to uid {ME}, not to uid {STRANGER}"):
        instance.read_owned(path, STRANGER)


def test_writing_replaces_a_link_and_leaves_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "embedded-token"
    _link(path)
    instance.write_private(path, "secret", (ME, os.getegid()))
    assert not path.is_symlink()
    assert path.read_text() == "secret"
    assert path.with_name("target").read_text() == "another file"
