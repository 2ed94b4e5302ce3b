"""What runs as root on nodes: the standard library alone, an old Python, one file, and no belief in what it is told."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_node import kernel
from fabric_node.__main__ import asked_for
from fabric_node.config import parse
from fabric_node.daemon import Allowance, parse_request
from fabric_node.jobs import from_slurm
from fabric_node.slurm import parse_job
from fabric_node.trust import NodeError
from scripts import make_node_program
from tests.support import syntax

NODE = Path(__file__).parents[3] / "fabric_node"
FILES = sorted(NODE.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_node_needs_the_standard_library_and_python_39_only(file: Path) -> None:
    tree = syntax.parse(file.read_text(), feature_version=(3, 9))
    for item in ast.walk(tree):
        if isinstance(item, ast.Import):
            assert all(name.name.split(".")[0] in sys.stdlib_module_names for name in item.names)
        elif isinstance(item, ast.ImportFrom):
            assert item.level == 1 or (
                item.level == 0 and item.module and item.module.split(".")[0] in sys.stdlib_module_names
            )


def test_one_file_is_the_whole_program_and_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "fabric-node", tmp_path / "again"
    make_node_program.make(first)
    make_node_program.make(second)
    assert first.read_bytes() == second.read_bytes()
    done = subprocess.run([first, "--help"], env={}, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "prolog" in done.stdout
    done = subprocess.run([first, "--config", "/nowhere.json", "status"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "fabric-node: /nowhere.json cannot be opened: No such file or directory.\n",
    )


def test_the_example_of_a_configuration_is_valid() -> None:
    text = (NODE.parent / "packaging/node.example.json").read_text()
    config = parse(text.replace('"fabric-catalogue"', "990"))
    assert config.owners == {0, 990}
    assert config.jobs == "/run/fabric/jobs"


GOOD = {"grants": "/srv/p/grants.json", "events": "/srv/p/events", "store": "/srv/d"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grants": "p/grants.json"}, "grants: 'p/grants.json' is not a plain absolute path"),
        ({"store": "/srv/../d"}, "store: '/srv/../d' is not a plain absolute path"),
        ({"store": "/"}, "store: '/' is not a plain absolute path"),
        ({"stores": "/srv/d"}, "stores: no such setting"),
        ({"owners": "fabric-catalogue"}, "owners and directories are lists"),
        ({"owners": ["no-such-account-here"]}, "no account 'no-such-account-here'"),
        ({"owners": [-1]}, "-1 is neither a uid nor an account"),
        ({"min_uid": 0}, "min_uid: 0 is not a number above 0"),
        ({"directories": ["lustre"]}, "'lustre' is not a plain absolute path"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_in_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(NodeError, match=words) as refused:
        parse(json.dumps({**GOOD, **change}))
    assert refused.value.reason == "config"


@pytest.mark.parametrize("missing", list(GOOD))
def test_what_has_no_default_is_required(missing: str) -> None:
    with pytest.raises(NodeError, match=f"{missing}: is required"):
        parse(json.dumps({name: value for name, value in GOOD.items() if name != missing}))


@pytest.mark.parametrize(
    ("comment", "names"),
    [
        ("fabric-datasets=wind,maps", ["wind", "maps"]),
        ("mine; fabric-datasets=wind ; more", ["wind"]),
        ("fabric-datasets=wind,wind,-x,", ["wind"]),
        ("fabric-datasets=../wind", []),
        ("fabric-datasets=wind/1", []),
        ("xfabric-datasets=wind", []),
        ("", []),
    ],
)
def test_of_a_jobs_comment_only_names_are_taken(comment: str, names: list[str]) -> None:
    assert asked_for(comment) == names


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_whatever_a_caller_sends_it_is_refused_in_words(line: bytes) -> None:
    with pytest.raises(NodeError):
        parse_request(line)


@pytest.mark.parametrize(
    ("said", "lives"),
    [
        ((0, "JobId=7 JobState=RUNNING Reason=None"), True),
        ((0, "JobId=7 JobState=COMPLETING Reason=None"), True),
        ((0, "JobId=7 JobState=CANCELLED Reason=None"), False),
        ((1, "slurm_load_jobs error: Invalid job id specified"), False),
        ((1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"), None),
        ((0, ""), None),
        ((124, "timed out"), None),
    ],
)
def test_slurm_has_three_answers(said: tuple[int, str], lives: bool | None) -> None:
    assert parse_job(*said) is lives


@pytest.mark.parametrize("change", [{"SLURM_JOB_ID": "7;x"}, {"SLURM_JOB_UID": ""}, {"SLURMD_NODENAME": "../x"}])
def test_only_slurms_prolog_registers_a_job(change: dict[str, str]) -> None:
    with pytest.raises(NodeError, match="run this from Slurm"):
        from_slurm({"SLURM_JOB_ID": "7", "SLURM_JOB_UID": "1001", "SLURMD_NODENAME": "gpu1", **change}, 1)


def test_a_mount_with_odd_characters_in_its_path_is_read_right() -> None:
    line = r"43 27 7:0 / /run/fab\040ric/ds/\134x ro,nosuid,nodev,noexec,relatime shared:3 - squashfs /dev/loop0 ro"
    mounted = kernel.parse_mount(line)
    assert (mounted.target, mounted.device, mounted.root, mounted.fs_type) == (
        "/run/fab ric/ds/\\x",
        "7:0",
        "/",
        "squashfs",
    )
    assert mounted.safe


def test_who_asks_all_the_time_is_told_to_wait_and_keeps_nobody_else_from_asking() -> None:
    allowance = Allowance()
    assert sum(allowance.take(1001, 5.0) for _ in range(1000)) == 200
    assert allowance.take(1002, 5.0)
    assert not allowance.take(1001, 5.4)
    assert [allowance.take(1001, 6.0) for _ in range(3)] == [True, True, False]
    assert sum(allowance.take(1001, 900.0) for _ in range(1000)) == 200


def test_a_request_for_many_datasets_counts_as_many() -> None:
    allowance = Allowance()
    assert sum(allowance.take(1001, 5.0, 64) for _ in range(1000)) == 3
    assert not allowance.take(1001, 60.0, 200)
    assert allowance.take(1001, 60.0, 64)
