"""What a revocation reaches of what a job has open already: directories, mounts of its own, and files."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fabric_node import kernel
from tests.support.scratch_node import ScratchNode, as_uid

from .conftest import RESEARCHER, STUDENT

pytestmark = pytest.mark.root

# Holds a version by an open directory, a mount in a namespace of its own, and an open file; then reads as it is told.
HOLDER = """
import os, subprocess, sys
data, mine = sys.argv[1:]
inside = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
subprocess.run(["mount", "--bind", data, mine], check=True)
opened = os.open("large", os.O_RDONLY, dir_fd=inside)
os.pread(opened, 10, 0)
print("holds", flush=True)
for line in sys.stdin:
    way, name = line.split()
    try:
        if way == "file":
            text = os.pread(opened, 10, 8_000_000)
        else:
            where = inside if way == "directory" else os.open(mine, os.O_RDONLY | os.O_DIRECTORY)
            text = os.read(os.open(name, os.O_RDONLY, dir_fd=where), 10)
        print("read", len(text), flush=True)
    except OSError as error:
        print("refused", error.strerror, flush=True)
"""
Reads = Callable[[str, str], bool]


@pytest.fixture
def hearts(node: ScratchNode) -> ScratchNode:
    """RESEARCHER's job 7 has a dataset open, which STUDENT may have, too."""
    files = {"large": "x" * 9_000_000, **{f"{number}.txt": f"patient {number}" for number in range(9)}}
    node.dataset("hearts", files, access="non-public")
    node.grant("hearts", RESEARCHER)
    node.grant("hearts", STUDENT)
    node.publish()
    node.start_job(7, RESEARCHER)
    assert node.open(7, RESEARCHER, "hearts").refused == []
    return node


@contextmanager
def holder(node: ScratchNode) -> Iterator[Reads]:
    mine = node.directory / "mine"
    mine.mkdir()
    os.chown(mine, RESEARCHER, RESEARCHER)
    command = ["setpriv", f"--reuid={RESEARCHER}", f"--regid={RESEARCHER}", "--clear-groups", "unshare", "-Urm",
               "/usr/bin/python3", "-c", HOLDER, str(node.directory / "data/hearts/1"), str(mine)]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "holds\n"

        def reads(way: str, name: str) -> bool:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{way} {name}\n")
            process.stdin.flush()
            said = process.stdout.readline()
            assert said.startswith(("read 9", "read 10", "refused")), said
            return said.startswith("read")

        yield reads
        process.stdin.close()


def revoke(node: ScratchNode, uid: int) -> None:
    node.grants["hearts"] = [grant for grant in node.grants["hearts"] if uid not in grant["uids"]]
    node.publish()
    node.agent().reconcile()


def test_who_loses_a_dataset_reads_no_other_file_of_it_through_what_is_open(hearts: ScratchNode) -> None:
    with holder(hearts) as reads:
        assert reads("directory", "0.txt")
        assert reads("mount", "1.txt")
        revoke(hearts, RESEARCHER)
        assert not reads("directory", "2.txt")
        assert not reads("mount", "3.txt")
        assert not reads("file", "large")
    assert hearts.mounted() == []
    # and who may have it later reads it all
    hearts.start_job(8, STUDENT)
    assert hearts.open(8, STUDENT, "hearts").refused == []
    assert hearts.reads(STUDENT, "hearts/1/2.txt") == "patient 2"


def test_while_somebody_else_on_the_node_has_it_open_what_is_open_stays_and_ends_with_that(hearts: ScratchNode) -> None:
    hearts.start_job(8, STUDENT)
    hearts.open(8, STUDENT, "hearts")
    with holder(hearts) as reads:
        revoke(hearts, RESEARCHER)
        assert hearts.reads(RESEARCHER, "hearts/1/0.txt") is None
        assert hearts.reads(STUDENT, "hearts/1/0.txt") == "patient 0"
        assert reads("directory", "1.txt")
        hearts.end_job(8, STUDENT)
        assert not reads("directory", "2.txt")
        assert not reads("mount", "3.txt")


def test_what_is_open_of_a_dropped_dataset_stays_until_its_grant_is_taken_away(hearts: ScratchNode) -> None:
    with holder(hearts) as reads:
        hearts.agent().close(7, RESEARCHER, ["hearts"])
        hearts.agent().reconcile()
        assert hearts.reads(RESEARCHER, "hearts/1/0.txt") is None
        assert reads("file", "large")
        (hearts.directory / "published/grants.json").rename(hearts.directory / "published/away")
        hearts.agent().reconcile()
        assert reads("directory", "1.txt"), "grants that cannot be read end nothing"
        revoke(hearts, RESEARCHER)
        assert not reads("directory", "2.txt")


def test_what_is_open_of_a_retired_version_stays_until_its_grant_is_taken_away(hearts: ScratchNode) -> None:
    with holder(hearts) as reads:
        hearts.dataset("hearts", {"0.txt": "better"}, access="non-public", version="2")
        hearts.publish()
        hearts.agent().reconcile()
        del hearts.datasets["hearts"]["versions"]["1"]
        hearts.publish()
        hearts.agent().reconcile()
        assert hearts.reads(RESEARCHER, "hearts/latest/0.txt") == "better"
        assert reads("file", "large")
        revoke(hearts, RESEARCHER)
        assert not reads("directory", "1.txt")


def test_nothing_of_a_job_that_is_over_can_be_read_on(hearts: ScratchNode) -> None:
    with holder(hearts) as reads:
        hearts.end_job(7, RESEARCHER)
        assert not reads("directory", "1.txt")
    assert hearts.mounted() == []


def test_an_image_that_was_cut_off_by_an_agent_that_died_is_mounted_anew(hearts: ScratchNode) -> None:
    (base,) = (mount for mount in kernel.mounts_below(str(hearts.directory / "run/base")))
    device = kernel.device_of(base)
    assert device is not None
    kernel.cut_off(device)
    os.close(device)
    assert kernel.is_cut_off(base)
    assert as_uid(RESEARCHER, "cat", str(hearts.directory / "data/hearts/1/1.txt")).returncode != 0
    hearts.agent().reconcile()
    assert hearts.reads(RESEARCHER, "hearts/1/1.txt") == "patient 1"


def test_a_file_server_that_hangs_holds_up_nobody_and_what_is_open_is_cut_off_when_it_answers(
    hearts: ScratchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, cut_off = threading.Event(), kernel.cut_off

    def cut_off_late(device: int) -> None:  # the kernel first lets end what is being read
        answers.wait()
        cut_off(device)
        done.set()

    done = threading.Event()
    monkeypatch.setattr(kernel, "cut_off", cut_off_late)
    with holder(hearts) as reads:
        revoke(hearts, RESEARCHER)
        assert hearts.mounted() == []
        assert hearts.reads(RESEARCHER, "hearts/1/0.txt") is None
        hearts.start_job(8, STUDENT)
        assert hearts.open(8, STUDENT, "hearts").refused == []
        answers.set()
        assert done.wait(30)
        assert not reads("directory", "1.txt")
        assert hearts.reads(STUDENT, "hearts/1/1.txt") == "patient 1"
