"""The agent killed before each of its changes in turn: nobody gets in who may not, and the next look heals all."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.scratch_node import CODE, ScratchNode

from .conftest import RESEARCHER, STRANGER, STUDENT

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


def dies(node: ScratchNode, step: int, *verb: str) -> bool:
    """Do a verb, killed before its step-th change; False when it has fewer."""
    command = [sys.executable, "-S", "-m", "tests.support.crashing", str(node.directory / "node.json"), str(step)]
    done = subprocess.run([*command, *verb], cwd=CODE, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def steps() -> Iterator[int]:
    yield from range(1, 200)
    raise AssertionError("there is no end of changes")


def nobody_else_reads(node: ScratchNode) -> None:
    for path in ("maps/latest/a.txt", "wind/latest/a.txt", "wind/1/a.txt"):
        assert node.reads(STRANGER, path) is None
    assert node.reads(STUDENT, "wind/latest/a.txt") is None


def all_is_well(node: ScratchNode) -> None:
    """RESEARCHER's job 7 reads; STUDENT's job 8, which opened maps before, too."""
    assert node.reads(RESEARCHER, "wind/latest/a.txt") == "wind 2"
    assert node.reads(STUDENT, "maps/latest/a.txt") == "maps"
    nobody_else_reads(node)


def end_all(node: ScratchNode) -> None:
    node.end_job(7, RESEARCHER)
    node.end_job(8, STUDENT)
    assert node.mounted() == []
    assert [*(node.directory / "data").iterdir(), *(node.directory / "run/ds").iterdir()] == []
    assert [*(node.directory / "run/base").iterdir()] == []
    assert not list((node.directory / "run/jobs").glob("*.json"))


@pytest.fixture
def busy(node: ScratchNode) -> ScratchNode:
    """STUDENT's job 8 has maps open."""
    node.start_job(8, STUDENT)
    node.open(8, STUDENT, "maps")
    return node


def test_killed_while_it_opens(busy: ScratchNode) -> None:
    for step in steps():
        busy.start_job(7, RESEARCHER)
        died = dies(busy, step, "open", "7", str(RESEARCHER), "wind", "maps")
        nobody_else_reads(busy)
        assert busy.reads(STUDENT, "maps/latest/a.txt") == "maps"
        busy.agent().reconcile()
        nobody_else_reads(busy)
        assert busy.open(7, RESEARCHER, "wind", "maps").refused == []
        all_is_well(busy)
        busy.end_job(7, RESEARCHER)
        if not died:
            break
    assert step > 12, "there was hardly a step to be killed at"
    end_all(busy)


def test_killed_while_it_closes(busy: ScratchNode) -> None:
    for step in steps():
        busy.start_job(7, RESEARCHER)
        busy.open(7, RESEARCHER, "wind", "maps")
        died = dies(busy, step, "close", "7", str(RESEARCHER), "maps", "wind")
        busy.agent().reconcile()
        # what was not recorded as closed is open again, and can be closed again
        busy.agent().close(7, RESEARCHER, ["maps", "wind"])
        assert busy.reads(RESEARCHER, "wind/latest/a.txt") is None
        assert busy.reads(STUDENT, "maps/latest/a.txt") == "maps"
        busy.end_job(7, RESEARCHER)
        if not died:
            break
    assert step > 8
    end_all(busy)


def test_killed_while_it_revokes(busy: ScratchNode) -> None:
    granted = busy.grants["wind"]
    for step in steps():
        busy.start_job(7, RESEARCHER)
        busy.open(7, RESEARCHER, "wind")
        busy.grants["wind"] = []
        busy.publish()
        died = dies(busy, step, "reconcile", "0", "0")
        busy.agent().reconcile()
        assert busy.reads(RESEARCHER, "wind/latest/a.txt") is None
        assert busy.reads(STUDENT, "maps/latest/a.txt") == "maps"
        busy.end_job(7, RESEARCHER)
        busy.grants["wind"] = granted
        busy.publish()
        if not died:
            break
    assert step > 8
    end_all(busy)


def test_killed_while_a_job_starts_or_ends(busy: ScratchNode) -> None:
    for step in steps():
        started = not dies(busy, step, "prolog", "7", str(RESEARCHER))
        if not started:
            busy.start_job(7, RESEARCHER)
        busy.open(7, RESEARCHER, "wind", "maps")
        all_is_well(busy)
        died = dies(busy, step, "epilog", "7", str(RESEARCHER))
        busy.agent().reconcile()
        assert busy.reads(STUDENT, "maps/latest/a.txt") == "maps"
        assert busy.reads(RESEARCHER, "maps/latest/a.txt") is None
        assert busy.reads(RESEARCHER, "wind/latest/a.txt") is None
        if started and not died:
            break
    assert step > 8
    end_all(busy)
