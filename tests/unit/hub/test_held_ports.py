"""Sockets that the hub is started with, and ports that nobody else can take meanwhile."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import tornado.tcpserver
import yarl

from fabric_dev.listener import verify
from fabric_dev.ports import Claims
from fabric_hub.errors import FabricError
from fabric_hub.hub import held_ports
from fabric_hub.hub.patches import web_server
from fabric_hub.hub.proxy import unix_url
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    received: list[socket.socket] = []
    monkeypatch.setattr(held_ports, "_held", received)
    yield
    for each in received:
        each.close()


@pytest.fixture
def given() -> Iterator[socket.socket]:
    """A listening socket as a parent leaves one open, under a number of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def _passed(server: socket.socket) -> dict[str, str]:
    return {held_ports.PASSED: str(os.dup(server.fileno())), "HOME": "/"}


def test_a_socket_that_was_passed_is_the_one_that_jupyterhub_listens_on(given: socket.socket) -> None:
    port = given.getsockname()[1]
    environment = _passed(given)
    held_ports.receive({"hub.hub_ip": ("127.0.0.1", port)}, environment)
    assert environment == {"HOME": "/"}, "no child takes it for its own"
    web_server.listen_on_held()
    web_server.listen_on_held()
    (found,) = vars(tornado.tcpserver)["bind_sockets"](port, "127.0.0.1")
    with found, socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        assert not found.get_inheritable()
        connection, address = found.accept()
        connection.close()
        assert address == client.getsockname()


def test_what_nobody_holds_is_bound_as_ever() -> None:
    web_server.listen_on_held()
    (found,) = vars(tornado.tcpserver)["bind_sockets"](0, "127.0.0.1")
    with found, held_ports.listen("127.0.0.1", 0) as other:
        assert found.getsockname() != other.getsockname()


def test_systemds_sockets_are_taken_only_by_the_process_that_they_are_meant_for(given: socket.socket) -> None:
    at = {"hub.bind_url": given.getsockname()}
    held_ports.receive(at, {"LISTEN_PID": str(os.getppid()), "LISTEN_FDS": "1"})
    assert held_ports.held(*at["hub.bind_url"]) is None
    assert held_ports._passed({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2"}) == [3, 4]


_HUB = """
import sys
from fabric_hub.hub import held_ports
port = int(sys.argv[1])
held_ports.receive({"hub.bind_url": ("127.0.0.1", port)})
held = held_ports.held("127.0.0.1", port)
held.setblocking(True)
connection, _ = held.accept()
connection.sendall(b"held")
"""


def test_a_program_that_systemd_starts_has_its_socket() -> None:
    if not (activate := shutil.which("systemd-socket-activate")):
        pytest.skip("systemd-socket-activate is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [activate, f"--listen=127.0.0.1:{port}", "--setenv=PYTHONPATH", sys.executable, "-c", _HUB, str(port)]
    environment = {**os.environ, "PYTHONPATH": str(Path(held_ports.__file__).parents[2])}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as hub:
        try:
            assert until(lambda: _answer(port), "the hub answers on it") == b"held"
        finally:
            hub.kill()


def _answer(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            return client.recv(10)
    except ConnectionRefusedError:  # not yet
        return b""


def test_a_socket_that_the_sites_file_does_not_name_stops_the_start(given: socket.socket) -> None:
    port = given.getsockname()[1]
    with pytest.raises(FabricError, match=f"a socket on 127.0.0.1:{port}; .*hub.bind_url = 10.0.0.1:{port}") as caught:
        held_ports.receive({"hub.bind_url": ("10.0.0.1", port)}, _passed(given))
    assert "fabric-hub.socket" in caught.value.hint


def test_every_address_is_every_address() -> None:
    with held_ports.listen("", 0) as server:
        port = server.getsockname()[1]
        held_ports.receive({"hub.bind_url": ("0.0.0.0", port)}, _passed(server))
        for host in ("", "*", "::", "0.0.0.0"):
            found = held_ports.held(host, port)
            assert found is not None
            found.close()
        assert held_ports.held("127.0.0.1", port) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a socket to another account")
def test_a_runs_ports_are_in_the_kernels_table_as_the_hubs_and_nobodys_to_bind() -> None:
    with Claims() as claims:
        port = claims.listen(0, (4711, 4711)).getsockname()[1]
        verify(port, 4711)
        for options in ((), (socket.SO_REUSEADDR,), (socket.SO_REUSEPORT,)):
            for address in ("127.0.0.1", "0.0.0.0"):
                with socket.socket() as thief:
                    for option in options:
                        thief.setsockopt(socket.SOL_SOCKET, option, 1)
                    with pytest.raises(OSError, match="in use"):
                        thief.bind((address, port))


def test_the_path_of_a_socket_survives_clients_that_take_it_for_a_host() -> None:
    path = Path("/srv/Hub, état/run/service.sock")
    host = yarl.URL(f"{unix_url(path)}/api/routes").host
    assert host is not None
    assert unquote(host) == unquote(urlsplit(unix_url(path)).netloc) == str(path)
