"""Which datasets a node has open its other users do not learn: not by listing, nor from what the kernel tells."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fabric_node import kernel
from tests.support.scratch_node import ScratchNode, as_uid

from .conftest import RESEARCHER, STRANGER, names

pytestmark = pytest.mark.root
NAME = "hearts-of-patients"


@pytest.fixture
def discreet(node: ScratchNode) -> ScratchNode:
    """RESEARCHER's job 7 has a non-public dataset open, an image."""
    node.dataset(NAME, {"a.txt": "whose they are"}, access="non-public")
    node.grant(NAME, RESEARCHER)
    node.publish()
    node.start_job(7, RESEARCHER)
    assert names(node.open(7, RESEARCHER, NAME).opened) == [NAME]
    return node


LOOK = """
ls -laR "$1/data" "$1/run" 2>&1
cat /proc/self/mountinfo /proc/[0-9]*/mountinfo /proc/mounts
cat /sys/block/loop*/loop/backing_file
find "$1/data" "$1/run" "$1/state" 2>&1
"""


def test_another_user_of_the_node_learns_no_name_of_a_dataset_that_is_open_there(discreet: ScratchNode) -> None:
    """Also not from a process of the one who has it, in a mount namespace of its own."""
    holder = ["setpriv", f"--reuid={RESEARCHER}", f"--regid={RESEARCHER}", "--clear-groups", "unshare", "-Urm"]
    with subprocess.Popen([*holder, "sh", "-c", "echo; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as held:
        assert held.stdout
        held.stdout.readline()
        seen = as_uid(STRANGER, "sh", "-c", LOOK, "look", str(discreet.directory)).stdout
        held.communicate(b"\n")
    assert "squashfs" in seen
    assert NAME not in seen
    assert discreet.reads(RESEARCHER, f"{NAME}/latest/a.txt") == "whose they are"
    assert as_uid(RESEARCHER, "ls", str(discreet.directory / "data")).returncode != 0


def test_the_name_of_a_gate_cannot_be_worked_out_and_stays_when_the_agent_starts_anew(discreet: ScratchNode) -> None:
    gate = (discreet.directory / "data" / NAME).readlink()
    key = discreet.directory / "run/names.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert as_uid(STRANGER, "cat", str(key)).returncode != 0
    discreet.agent().reconcile()
    assert (discreet.directory / "data" / NAME).readlink() == gate


def test_gates_of_a_lost_key_are_replaced_and_the_job_reads_on(discreet: ScratchNode) -> None:
    gate = (discreet.directory / "data" / NAME).readlink()
    (discreet.directory / "run/names.key").write_bytes(b"half")
    for _ in range(2):
        discreet.agent().reconcile()
    assert not gate.exists()
    assert discreet.reads(RESEARCHER, f"{NAME}/latest/a.txt") == "whose they are"
    assert len(list((discreet.directory / "run/ds").iterdir())) == 1
    discreet.end_job(7, RESEARCHER)
    assert list((discreet.directory / "data").iterdir()) == []
    assert discreet.mounted() == []


def test_a_gate_that_a_crash_left_without_its_name_lets_nobody_in_and_goes(discreet: ScratchNode) -> None:
    gate = (discreet.directory / "data" / NAME).readlink()
    (gate / ".name").unlink()
    kernel.set_readers(str(gate), frozenset({STRANGER}))
    discreet.agent().reconcile()
    assert discreet.reads(STRANGER, f"{NAME}/latest/a.txt") is None
    assert discreet.reads(RESEARCHER, f"{NAME}/latest/a.txt") == "whose they are"
    assert (Path(gate) / ".name").readlink() == Path(NAME)
