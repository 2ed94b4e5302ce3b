"""A start that hangs between fork and exec hangs nobody else, and leaves nothing when it comes to life."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fabric_hub.slurm import command, spawning

QUICK = ["/bin/echo", "here"]


class PopenThatHangs:
    """Starts programs only once it is released, as one does whose child was stopped before its exec."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.started: list[subprocess.Popen[bytes]] = []

    def __call__(self, argv: list[str], **options: Any) -> subprocess.Popen[bytes]:
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


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a process that dies sets no event of ours
            await asyncio.sleep(0.01)


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
    await until(lambda: hanging.started and hanging.started[0].poll() is not None)
    assert hanging.started[0].returncode == -9


async def test_an_account_whose_starts_hang_gets_no_more_of_them(hanging: PopenThatHangs) -> None:
    for _ in range(3):
        with pytest.raises(command.TimedOutError):
            await command.run(["/bin/sleep", "60"], env={}, timeout_s=0.1)
    began = asyncio.get_running_loop().time()
    with pytest.raises(command.TimedOutError):
        await command.run(["/bin/sleep", "60"], env={}, timeout_s=30)
    assert asyncio.get_running_loop().time() - began < 5
    hanging.release.set()
    await until(lambda: len(hanging.started) == 3 and not any(spawning._hanging.values()))
    assert (await command.run(QUICK, env={}, timeout_s=10)).stdout == b"here\n"
