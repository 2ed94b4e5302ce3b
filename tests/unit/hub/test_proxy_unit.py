"""What the proxy's own unit takes for an order, and what it does with one that it cannot follow."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.hub import private_files, proxy_unit
from fabric_hub.hub.proxy_unit import Order
from tests.support.proxy_process import ProxyProcess
from tests.support.waiting import until

PORT = 8000
GOOD: dict[str, Any] = {
    "argv": ["proxy", "--port", "8000"],
    "environment": {"CONFIGPROXY_AUTH_TOKEN": "t"},
    "address": "127.0.0.1",
    "port": PORT,
    "api": "/run/api.sock",
}


def test_an_order_is_read_as_it_was_written() -> None:
    order = Order(("proxy", "--port", "8000"), {"CONFIGPROXY_AUTH_TOKEN": "t"}, "127.0.0.1", PORT, "/run/api.sock")
    assert Order.read(order.json()) == order == Order.read(json.dumps(GOOD).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"argv": []},
        {"argv": "proxy"},
        {"argv": ["proxy", 1]},
        {"environment": {"A": 1}},
        {"environment": []},
        {"address": None},
        {"port": "8000"},
        {"api": 1},
        {"more": 1},
    ],
)
def test_what_is_no_order_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="order"):
        Order.read(json.dumps(GOOD | change).encode())


def test_a_hub_whose_proxy_has_no_unit_is_told_what_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(FabricError, match="does not answer") as caught:
        proxy_unit.ask(tmp_path)
    assert "systemctl status fabric-proxy" in str(caught.value.hint)
    assert "proxy_unit = false" in str(caught.value.hint)


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[tuple[ProxyProcess, int]]:
    """A running unit, and the port that is held for it."""
    (tmp_path / "s").mkdir(mode=0o700)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = ProxyProcess(tmp_path / "s", listener, tmp_path / "log")
        try:
            yield process.up(), listener.getsockname()[1]
        finally:
            process.close()


def sleeping(port: int, directory: Path, *more: str) -> Order:
    """An order for a program that does nothing, which is all that the unit itself needs."""
    command = (sys.executable, "-c", "import signal; signal.pause()", *more)
    return Order(command, {"CONFIGPROXY_AUTH_TOKEN": "secret"}, "127.0.0.1", port, str(directory / "api.sock"))


def test_the_same_order_changes_nothing_and_another_one_starts_another_proxy(
    unit: tuple[ProxyProcess, int], tmp_path: Path
) -> None:
    process, port = unit
    first = proxy_unit.ask(process.run_dir, sleeping(port, tmp_path))
    assert proxy_unit.ask(process.run_dir, sleeping(port, tmp_path)) == first == process.proxy
    second = proxy_unit.ask(process.run_dir, sleeping(port, tmp_path, "another"))
    assert second not in (0, first)
    assert not Path(f"/proc/{first}").exists()

    os.kill(second, signal.SIGKILL)
    until(lambda: process.proxy not in (0, second), "the unit starts it again", 30)
    process.kill()  # it waits until the proxy has ended, too
    process.up()
    assert process.proxy, "the order was kept"
    kept = process.run_dir.parent / proxy_unit.ORDER
    assert kept.stat().st_mode & 0o777 == 0o600, "it holds the token of the proxy's API"
    assert b"secret" not in Path(f"/proc/{process.proxy}/cmdline").read_bytes()


def test_an_order_for_a_port_that_is_anothers_is_refused_and_the_proxy_goes_on(
    unit: tuple[ProxyProcess, int], tmp_path: Path
) -> None:
    process, port = unit
    first = proxy_unit.ask(process.run_dir, sleeping(port, tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(FabricError, match="cannot be listened on") as caught:
            proxy_unit.ask(process.run_dir, sleeping(other.getsockname()[1], tmp_path))
        assert "fabric-proxy.socket" in str(caught.value.hint)
    assert process.proxy == first


def test_nonsense_over_the_socket_and_a_spoiled_file_do_not_end_the_unit(
    unit: tuple[ProxyProcess, int], tmp_path: Path
) -> None:
    process, port = unit
    for nonsense in (b"x", b"[]", b"{" * 300_000):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(30)
            line.connect(str(process.run_dir / proxy_unit.SOCKET))
            try:
                line.sendall(nonsense)
                line.shutdown(socket.SHUT_WR)
                assert "problem" in json.loads(line.recv(4096))
            except (BrokenPipeError, ConnectionResetError):
                assert len(nonsense) > 256 * 1024, "it reads no more than an order's length"
    process.close()
    (process.run_dir.parent / proxy_unit.ORDER).write_bytes(b"{")
    assert process.up().proxy == 0
    assert proxy_unit.ask(process.run_dir, sleeping(port, tmp_path))


def test_a_lasting_secret_is_made_once_and_taken_from_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = private_files.lasting_secret(path)
    assert len(made) == 64
    assert private_files.lasting_secret(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(FabricError, match="readable for nobody else"):
        private_files.lasting_secret(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(FabricError, match="hold a secret"):
        private_files.lasting_secret(path)


def test_the_program_says_what_is_wrong_and_ends(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    done = subprocess.run(
        [sys.executable, "-m", "fabric_hub.hub.proxy_unit", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("fabric-proxy: ")
    assert "Traceback" not in done.stderr
