"""Gates and mounts of one node, for real: who reads, who does not, and what is left."""

from __future__ import annotations

import os

import pytest

from fabric_node import kernel
from fabric_node.trust import NodeError
from tests.support.scratch_node import ScratchNode, as_uid

from .conftest import RESEARCHER, STRANGER, STUDENT, names

pytestmark = pytest.mark.root


def test_a_dataset_opens_to_whom_it_is_granted_and_to_nobody_else(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.start_job(8, STRANGER)
    assert node.open(7, RESEARCHER, "wind").opened == [
        {"dataset": "wind", "version": "2", "path": str(node.directory / "data/wind")}
    ]
    refused = node.open(8, STRANGER, "wind", "nothing").refused
    assert [(item["dataset"], item["reason"]) for item in refused] == [("wind", "not-granted"), ("nothing", "unknown")]
    assert node.reads(RESEARCHER, "wind/latest/a.txt") == "wind 2"
    assert node.reads(RESEARCHER, "wind/1/a.txt") == "wind 1"
    assert node.reads(STRANGER, "wind/latest/a.txt") is None
    listing = as_uid(RESEARCHER, "ls", str(node.directory / "data/wind/")).stdout.split()
    assert listing == ["1", "2", "latest"]


def test_a_job_reads_only_what_it_asked_for(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.start_job(8, STUDENT)
    node.open(7, RESEARCHER, "wind", "maps")
    assert node.reads(STUDENT, "maps/latest/a.txt") is None
    node.open(8, STUDENT, "maps")
    assert node.reads(STUDENT, "maps/latest/a.txt") == "maps"


def _on_the_shared_file_system(node: ScratchNode, name: str, *versions: tuple[str, str, str]) -> None:
    """A dataset whose versions (name, digest's letter, directory) are directories where they stand."""
    for _, _, directory in versions:
        (node.directory / "source" / directory).mkdir(exist_ok=True)
        (node.directory / "source" / directory / "a.txt").write_text(directory)
    listed = {
        version: {
            "kind": "directory",
            "path": str(node.directory / "source" / where),
            "sha256": 64 * letter,
            "bytes": 1,
        }
        for version, letter, where in versions
    }
    node.datasets[name] = {"access": "restricted", "latest": versions[-1][0], "versions": listed}


def test_two_directories_that_once_held_the_same_are_two_datasets(node: ScratchNode) -> None:
    _on_the_shared_file_system(node, "one", ("1", "a", "first"))
    _on_the_shared_file_system(node, "two", ("1", "a", "second"))  # the same digest when they were linked
    node.grant("one", RESEARCHER)
    node.grant("two", STUDENT)
    node.publish()
    node.start_job(7, RESEARCHER)
    node.start_job(8, STUDENT)
    assert names(node.open(7, RESEARCHER, "one").opened) == ["one"]
    assert names(node.open(8, STUDENT, "two").opened) == ["two"]
    assert node.reads(RESEARCHER, "one/1/a.txt") == "first"
    assert node.reads(STUDENT, "two/1/a.txt") == "second"


def test_two_versions_of_one_directory_stay_mounted_at_every_look(node: ScratchNode) -> None:
    _on_the_shared_file_system(node, "one", ("1", "a", "first"), ("2", "b", "first"))  # it changed where it stands
    node.grant("one", RESEARCHER)
    node.publish()
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "one")
    inside = [os.open(node.directory / "data/one" / version, os.O_PATH) for version in ("1", "2")]
    where = [os.readlink(f"/proc/self/fd/{handle}") for handle in inside]
    for _ in range(2):
        node.agent().reconcile()
    # of a mount that was taken away the kernel knows no place any more
    assert [os.readlink(f"/proc/self/fd/{handle}") for handle in inside] == where
    for handle in inside:
        os.close(handle)
    assert [node.reads(RESEARCHER, f"one/{version}/a.txt") for version in ("1", "2")] == ["first", "first"]


def test_what_the_kernel_tells_everybody_of_a_mounted_image_has_no_name_in_it(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "wind")
    backing = as_uid(STRANGER, "sh", "-c", "cat /sys/block/loop*/loop/backing_file").stdout
    assert backing
    assert str(node.directory) not in backing


def test_two_jobs_share_one_mount_and_the_last_one_takes_it_away(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.start_job(8, STUDENT, node="gpu2")
    node.open(7, RESEARCHER, "maps")
    node.open(8, STUDENT, "maps")
    assert sum(mount.startswith("run/base/") for mount in node.mounted()) == 1
    node.end_job(7, RESEARCHER)
    assert node.reads(RESEARCHER, "maps/latest/a.txt") is None
    assert node.reads(STUDENT, "maps/latest/a.txt") == "maps"
    node.end_job(8, STUDENT, node="gpu2")
    assert node.mounted() == []
    assert list((node.directory / "data").iterdir()) == []
    assert [event["event"] for event in node.events()] == ["opened", "opened", "closed", "closed"]


def test_of_two_jobs_of_one_user_the_first_end_leaves_the_other_reading(node: ScratchNode) -> None:
    for number in (7, 8):
        node.start_job(number, RESEARCHER)
        node.open(number, RESEARCHER, "maps")
    node.end_job(7, RESEARCHER)
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"


def test_the_same_number_on_another_node_or_of_another_user_is_another_job(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    with pytest.raises(NodeError, match="not a job of yours"):
        node.open(7, STUDENT, "maps")
    with pytest.raises(NodeError, match="not a job of yours"):
        node.open(8, RESEARCHER, "maps")


def test_what_is_closed_no_longer_opens(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps", "wind")
    assert names(node.agent().close(7, RESEARCHER, ["maps"]).opened) == ["wind"]
    assert node.reads(RESEARCHER, "maps/latest/a.txt") is None
    assert node.reads(RESEARCHER, "wind/latest/a.txt") == "wind 2"


def test_a_retired_version_goes_and_a_new_one_comes_while_a_job_reads(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "wind")
    del node.datasets["wind"]["versions"]["1"]
    node.dataset("wind", {"a.txt": "wind 3"}, version="3")
    node.publish()
    node.agent().reconcile()
    assert node.reads(RESEARCHER, "wind/1/a.txt") is None
    assert node.reads(RESEARCHER, "wind/latest/a.txt") == "wind 3"


def test_every_mount_is_read_only_and_runs_nothing(node: ScratchNode) -> None:
    source = node.directory / "source/shared"
    source.mkdir()
    (source / "tool").write_text("#!/bin/sh\necho ran\n")
    (source / "tool").chmod(0o755)
    node.datasets["shared"] = {
        "access": "public",
        "latest": "1",
        "versions": {"1": {"kind": "directory", "path": str(source), "sha256": "cd" * 32, "bytes": 0}},
    }
    node.grants["shared"] = [{"account": None, "uids": None, "until": None}]
    node.publish()
    node.start_job(7, RESEARCHER)
    assert names(node.open(7, RESEARCHER, "shared", "wind").opened) == ["shared", "wind"]
    assert all(mount.safe for mount in kernel.mounts_below(str(node.directory / "run")))
    data = node.directory / "data"
    assert node.reads(RESEARCHER, "shared/latest/tool") == (source / "tool").read_text()
    assert as_uid(RESEARCHER, f"{data}/shared/latest/tool").returncode == 126
    for target in ("shared/latest/new", "wind/latest/new", "wind/new", "new"):
        assert "touch: cannot" in as_uid(RESEARCHER, "touch", str(data / target)).stderr
    with pytest.raises(OSError, match="Read-only"):  # nor root
        (data / "shared/latest/new").write_text("x")
