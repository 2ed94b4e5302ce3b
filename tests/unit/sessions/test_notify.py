from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.sessions.notify import listen, notify, notify_path
from tests.support.builders import SESSION

# how many datagrams Linux keeps for one socket
QUEUE = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())


@pytest.fixture
def listener(tmp_path: Path) -> Path:
    return tmp_path / "notify.sock"


async def test_whoever_listens_hears_which_session_has_news(listener: Path) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    transport = await listen(listener, heard.put_nowait)
    try:
        assert await notify(listener, SESSION)
        assert await asyncio.wait_for(heard.get(), 10) == SESSION
    finally:
        transport.close()


def test_nobody_listening_is_no_error(listener: Path) -> None:
    assert not asyncio.run(notify(listener, SESSION))
    listener.write_text("not a socket")
    assert not asyncio.run(notify(listener, SESSION))


async def test_a_bell_left_by_a_hub_that_died_is_replaced(listener: Path) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    left.bind(str(listener))
    left.close()
    assert not await notify(listener, SESSION)
    transport = await listen(listener, lambda _: None)
    try:
        assert await notify(listener, SESSION)
    finally:
        transport.close()


async def test_only_the_hubs_user_can_ring(listener: Path) -> None:
    transport = await listen(listener, lambda _: None)
    try:
        assert stat.S_IMODE(os.stat(listener).st_mode) == 0o600
    finally:
        transport.close()


async def test_noise_at_the_door_is_short_text_and_does_no_harm(listener: Path) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    transport = await listen(listener, heard.put_nowait)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as noisy:
            noisy.sendto(b"\xff\x00" * 1000, str(listener))
        assert len(await asyncio.wait_for(heard.get(), 10)) <= 64
        assert await notify(listener, SESSION)
        assert await asyncio.wait_for(heard.get(), 10) == SESSION
    finally:
        transport.close()


async def test_a_hub_that_is_busy_hears_everybody_who_rang_meanwhile(listener: Path) -> None:
    heard: list[str] = []
    everybody = asyncio.Event()

    def hear(session: str) -> None:
        heard.append(session)
        if len(heard) == len(sessions):
            everybody.set()

    sessions = [f"session{number:05}" for number in range(QUEUE + 50)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as busy:
        busy.bind(str(listener))
        rings = [asyncio.create_task(notify(listener, session, patience_s=60)) for session in sessions]
        done, waiting = await asyncio.wait(rings, return_when=asyncio.FIRST_COMPLETED)
        assert done, "there is room for some"
        assert waiting, "there is no room for all"

        def take() -> None:
            hear(busy.recv(64).decode())

        asyncio.get_running_loop().add_reader(busy, take)
        try:
            async with asyncio.timeout(60):
                await everybody.wait()
        finally:
            asyncio.get_running_loop().remove_reader(busy)
        assert all(await asyncio.gather(*rings))
    assert sorted(heard) == sessions


async def test_ringing_does_not_wait_for_ever_for_a_hub_that_does_not_listen(listener: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(listener))
        assert not all(await asyncio.gather(*(notify(listener, SESSION, patience_s=0.1) for _ in range(QUEUE + 50))))


def test_the_bell_hangs_in_the_hubs_private_directory(site: Settings) -> None:
    assert notify_path(site).parent == site.hub.state_dir
