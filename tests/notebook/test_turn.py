"""Starts of one node take turns, and nobody waits for ever."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fabric_lab.launch.start_slot import StartSlot

EXTENSIONS = Path(__file__).parents[2] / "extensions"


@pytest.fixture
def name() -> str:
    return f"\0fabric-test-{secrets.token_hex(4)}-{{place}}"


def test_as_many_start_as_there_are_places(name: str) -> None:
    first, second = StartSlot(2, 0.0, name), StartSlot(2, 0.0, name)
    third = StartSlot(2, 0.0, name)
    assert (first.held, second.held, third.held) == (True, True, False)
    first.done()
    assert StartSlot(2, 0.0, name).held


def test_whoever_gets_no_place_starts_after_a_bounded_wait(name: str) -> None:
    holder = StartSlot(1, 0.0, name)
    began = time.monotonic()
    assert not StartSlot(1, 0.3, name).held
    assert 0.3 <= time.monotonic() - began < 5
    holder.done()


def test_the_place_of_a_start_that_is_killed_is_free_again(name: str) -> None:
    code = f"""from fabric_lab.launch.start_slot import StartSlot
slot = StartSlot(1, 0.0, {name!r})
print(slot.held, flush=True)
input()"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=EXTENSIONS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not StartSlot(1, 0.0, name).held
        other.kill()
        other.wait()
    assert StartSlot(1, 5.0, name).held
