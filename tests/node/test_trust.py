"""What a node opens nothing by: images, grants and a configuration that somebody else could have written."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from fabric_node.config import load
from fabric_node.trust import NodeError
from tests.support.scratch_node import CODE, ScratchNode

from .conftest import RESEARCHER, STRANGER, names

pytestmark = pytest.mark.root


@pytest.mark.parametrize("damage", ["link", "writable", "owner", "short", "no image", "outside", "directory", "gone"])
def test_an_image_that_cannot_be_trusted_is_refused_and_nothing_is_mounted(node: ScratchNode, damage: str) -> None:
    entry = node.datasets["maps"]["versions"]["1"]
    image = Path(entry["path"])
    if damage == "link":
        image.rename(image.with_name("real"))
        image.symlink_to("real")
    elif damage == "writable":
        image.chmod(0o666)
    elif damage == "owner":
        os.chown(image, STRANGER, STRANGER)
    elif damage == "short":
        image.write_bytes(image.read_bytes()[:-4096])
    elif damage == "no image":
        image.write_bytes(b"x" * entry["bytes"])
    elif damage == "outside":
        entry["path"] = str(image.rename(node.directory / "elsewhere.sqfs"))
    elif damage == "directory":
        entry.update(kind="directory", path="/etc")
    else:
        image.unlink()
    node.publish()
    node.start_job(7, RESEARCHER)
    (refused,) = node.open(7, RESEARCHER, "maps").refused
    assert refused["reason"] == "unusable"
    assert "tell the operator" in refused["message"]
    assert node.reads(RESEARCHER, "maps/latest/a.txt") is None
    node.agent().reconcile()
    assert node.mounted() == []


@pytest.mark.parametrize("how", ["writable", "owner", "link", "directory writable", "no JSON"])
def test_grants_that_somebody_else_could_have_written_open_nothing_and_close_nothing(
    node: ScratchNode, how: str
) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps")
    grants = node.directory / "published/grants.json"
    if how == "writable":
        grants.chmod(0o666)
    elif how == "owner":
        os.chown(grants, STRANGER, STRANGER)
    elif how == "link":
        grants.rename(grants.with_name("real"))
        grants.symlink_to("real")
    elif how == "directory writable":
        grants.parent.chmod(0o777)
    else:
        grants.write_text("{")
    (refused,) = node.open(7, RESEARCHER, "wind").refused
    assert refused["reason"] == "unusable"
    node.agent().reconcile()
    assert node.reads(RESEARCHER, "wind/latest/a.txt") is None
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"


@pytest.mark.parametrize("how", ["writable", "owner", "parent", "unknown setting"])
def test_a_configuration_that_others_could_have_written_is_refused_in_words(node: ScratchNode, how: str) -> None:
    path = node.directory / "node.json"
    if how == "writable":
        path.chmod(0o664)
    elif how == "owner":
        os.chown(path, STRANGER, 0)
    elif how == "parent":
        node.directory.chmod(0o777)
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), "owner": 0}))
    with pytest.raises(NodeError, match=r"can be written by others|belongs to uid|no such setting"):
        load(str(path))


def test_an_image_of_a_trusted_owner_is_mounted(node: ScratchNode) -> None:
    entry = node.datasets["maps"]["versions"]["1"]
    os.chown(entry["path"], STRANGER, STRANGER)
    node.configure(owners=[STRANGER])
    node.start_job(7, RESEARCHER)
    assert names(node.open(7, RESEARCHER, "maps").opened) == ["maps"]


def test_where_root_is_nobody_the_agent_reads_and_writes_as_the_owner(node: ScratchNode) -> None:
    """root_squash, as a root without the right to override modes meets it."""
    for path in (*(node.directory / "store").rglob("*"), *(node.directory / "published").rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o400)
        os.chown(path, STRANGER, STRANGER)
    node.configure(owners=[STRANGER])
    code = f"""
from fabric_node.agent import Agent
from fabric_node.config import load
from tests.support.scratch_node import slurm_says
agent = Agent(load({str(node.directory / "node.json")!r}))
agent.make_directories()
agent.register(slurm_says(7, {RESEARCHER}))
print(agent.open(7, {RESEARCHER}, ["maps"]).refused, agent.events.move())
"""
    # what the unit allows, less the rights that a file server would not honour
    rights = "-all,+sys_admin,+sys_chroot,+fowner,+setuid"
    command = [
        "setpriv",
        f"--bounding-set={rights}",
        "--inh-caps=-all",
        "--no-new-privs",
        "/usr/bin/python3",
        "-c",
        code,
    ]
    done = subprocess.run(command, cwd=CODE, capture_output=True, text=True, check=False)
    assert done.stdout == "[] 0\n", done.stderr
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"
    (event,) = (node.directory / "published/events").glob("*.json")
    assert event.stat().st_uid == STRANGER
    backing = [path.read_text() for path in Path("/sys/block").glob("loop*/loop/backing_file")]
    assert backing
    assert not [path for path in backing if str(node.directory) in path], "the image's name shows"
