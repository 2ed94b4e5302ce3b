"""A daemon tells systemd that it is ready when it is, and nobody else anything."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from fabric_hub.rpc import server, systemd
from fabric_node.daemon import tell_service_manager
from tests.support.waiting import until_async


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket at which systemd listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def said(manager: socket.socket) -> bytes:
    try:
        return manager.recv(4096)
    except BlockingIOError:
        return b""


async def test_a_daemon_is_ready_when_its_socket_has_appeared(manager: socket.socket, tmp_path: Path) -> None:
    stop, path = asyncio.Event(), tmp_path / "daemon.sock"
    asked: list[bytes] = []
    app = FastAPI(on_startup=[lambda: asked.append(said(manager))])
    serving = asyncio.create_task(server.serve(app, path, stop, who="daemon", closing=lambda: None))
    told = await until_async(lambda: said(manager), "systemd is told")
    assert (asked, told) == ([b""], b"READY=1")
    assert path.is_socket()
    stop.set()
    await serving


@pytest.mark.parametrize("tell", [systemd.ready, tell_service_manager])
def test_it_is_said_once_and_no_program_started_later_can_say_it(
    tell: Callable[[], None], manager: socket.socket
) -> None:
    tell()
    assert said(manager) == b"READY=1"
    assert "NOTIFY_SOCKET" not in os.environ
    tell()
    assert said(manager) == b""


@pytest.mark.parametrize("tell", [systemd.ready, tell_service_manager])
def test_a_name_without_a_place_in_the_file_system_is_understood(
    tell: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"fabric-hub-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        tell()
        assert said(listening) == b"READY=1"


@pytest.mark.parametrize("tell", [systemd.ready, tell_service_manager])
def test_a_daemon_goes_on_where_nobody_listens(
    tell: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    tell()
    assert "ready" in caplog.text
