"""A start that hangs between fork and exec hangs nobody else, and leaves nothing when it comes to life."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fabric_hub.unix import command
from fabric_hub.unix import run_as as spawning
from fabric_hub.unix.accounts import Account
from tests.support.waiting import until_async

QUICK = ["/bin/echo", "here"]
JAN = Account("jan", 4001, 4001, (), "/home/jan", "/bin/bash")


class PopenThatHangs:
    """Starts programs only once it is released, as one does whose child was stopped before its exec."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.started: list[subprocess.Popen[bytes]] = []

    def __call__(self, argv: list[str], **options: Any) -> subprocess.Popen[bytes]:
        for identity in ("user", "group", "extra_groups"):
            options.pop(identity, None)  # who is not root may take no other
        if argv != QUICK:
            self.release.wait()
        started = _POPEN(argv, **options)
        if argv != QUICK:
            self.started.append(started)
        return started


_POPEN = subprocess.Popen


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[PopenThatHangs]:
    double = PopenThatHangs()
    monkeypatch.setattr(subprocess, "Popen", double)
    yield double
    double.release.set()


async def test_others_are_started_while_one_start_hangs(hanging: PopenThatHangs) -> None:
    stuck = asyncio.create_task(command.run(["/bin/sleep", "60"], env={}, timeout_s=0.5))
    done = await command.run(QUICK, env={}, timeout_s=10)
    assert done.stdout == b"here\n"
    with pytest.raises(command.TimedOutError):
        await stuck


async def test_a_program_that_starts_too_late_is_ended(hanging: PopenThatHangs) -> None:
    with pytest.raises(command.TimedOutError):
        await command.run(["/bin/sleep", "60"], env={}, timeout_s=0.2)
    hanging.release.set()
    await until_async(
        lambda: hanging.started and hanging.started[0].poll() is not None, "the program has ended", every_s=0.01
    )
    assert hanging.started[0].returncode == -9


async def test_an_account_whose_starts_hang_gets_no_more_of_them(hanging: PopenThatHangs) -> None:
    for _ in range(3):
        with pytest.raises(command.TimedOutError):
            await command.run(["/bin/sleep", "60"], env={}, timeout_s=0.1, account=JAN)
    began = asyncio.get_running_loop().time()
    with pytest.raises(command.TimedOutError):
        await command.run(["/bin/sleep", "60"], env={}, timeout_s=30, account=JAN)
    assert asyncio.get_running_loop().time() - began < 5
    hanging.release.set()
    await until_async(
        lambda: len(hanging.started) == 3 and not spawning._starts.any(), "no start hangs any more", every_s=0.01
    )
    assert (await command.run(QUICK, env={}, timeout_s=10, account=JAN)).stdout == b"here\n"


@pytest.mark.parametrize("account", [None, JAN])
async def test_a_start_that_was_told_is_none_of_those_that_hang(
    monkeypatch: pytest.MonkeyPatch, hanging: PopenThatHangs, account: Account | None
) -> None:
    """On a crowded machine a thread may be kept waiting just when it has told of its program."""
    tell, kept = spawning._tell, threading.Event()

    def tell_and_wait(*told: Any) -> None:
        tell(*told)
        kept.wait(20)

    monkeypatch.setattr(spawning, "_tell", tell_and_wait)
    try:
        for _ in range(5):
            assert (await command.run(QUICK, env={}, timeout_s=10, account=account)).stdout == b"here\n"
    finally:
        kept.set()


async def test_many_programs_of_our_own_begin_at_once(hanging: PopenThatHangs) -> None:
    many = [asyncio.create_task(command.run(["/bin/true"], env={}, timeout_s=20)) for _ in range(8)]
    await asyncio.sleep(0)
    hanging.release.set()
    assert [done.returncode for done in await asyncio.gather(*many)] == [0] * 8
