"""The launcher opens the session's datasets before Jupyter starts, and no dataset keeps a session from starting."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from fabric_lab.common.node import LONGEST_ANSWER, NodeAnswer, Opened, chosen, lines, open_chosen

from tests.support.answering_hub import AnsweringHub
from tests.support.answering_node import AnsweringNode
from tests.support.running_session import RunningSession, session_environment

from .conftest import with_datasets


@pytest.mark.image
def test_the_chosen_datasets_are_open_before_the_server_is(
    python: Path, hub: AnsweringHub, node: AnsweringNode, tmp_path: Path
) -> None:
    environment = session_environment(hub.url, **with_datasets(node, "wind-farm,grid-faults"))
    with RunningSession(python, tmp_path, environment) as session:
        session.announced_by(hub)
    [asked] = node.asked
    assert asked == {"verb": "open", "job": 4711, "datasets": ["wind-farm", "grid-faults"], "uid": asked["uid"]}
    assert node.opened == {"wind-farm"}
    lines = session.log.splitlines()
    assert f"Dataset wind-farm is open: {node.data}/wind-farm/1" in lines
    assert "Dataset grid-faults is not open. Project twin has no grant for grid-faults." in lines
    phases = hub.announcements[0].body["phases"]
    assert list(phases) == ["data", "imported", "bound", "ready"]
    assert 0 <= phases["data"] < phases["imported"]
    assert session.log.index("Dataset wind-farm") < session.log.index('"imported"')


@pytest.mark.image
@pytest.mark.parametrize("wrong", ["absent", "gone", "nonsense", "an error", "closing at once"])
def test_a_node_that_is_of_no_use_ends_no_session(
    python: Path, hub: AnsweringHub, node: AnsweringNode, tmp_path: Path, wrong: str
) -> None:
    told = with_datasets(node, "wind-farm")
    if wrong == "absent":
        del told["FABRIC_NODE_SOCKET"], told["FABRIC_DATA_DIR"]
    if wrong == "gone":
        told["FABRIC_NODE_SOCKET"] = str(tmp_path / "nobody.sock")
    error = {"error": {"reason": "unknown-job", "message": "Job 4711 is not on this node.\nAnd a second line."}}
    node.says = {"nonsense": b"\xff[", "an error": json.dumps(error).encode(), "closing at once": b""}.get(wrong)
    with RunningSession(python, tmp_path, session_environment(hub.url, **told)) as session:
        session.announced_by(hub)
    [line] = [line for line in session.log.splitlines() if "wind-farm" in line]
    why = {
        "absent": "This session's node opens no datasets: it runs no dataset service.",
        "gone": "The dataset service of gpu1 cannot be reached at",
        "nonsense": "The node's dataset service gave an answer that cannot be read.",
        "an error": "Job 4711 is not on this node. And a second line.",
        "closing at once": "The node's dataset service gave an answer that cannot be read.",
    }[wrong]
    assert line.startswith(f"Dataset wind-farm is not open. {why}")
    assert "Traceback" not in session.log


@pytest.mark.image
def test_a_session_without_datasets_imports_nothing_for_them(python: Path) -> None:
    code = "import sys, fabric_lab.launch.job; print([m for m in sys.modules if m.startswith('fabric_lab.')])"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert "fabric_lab.launch.job" in done.stdout
    assert "fabric_lab.common.node" not in done.stdout
    assert "fabric_lab.common.node" not in done.stdout


def test_a_node_that_says_nothing_is_waited_for_no_longer_than_said(
    node: AnsweringNode,
) -> None:
    node.silent = True
    said: list[str] = []
    environment = {**with_datasets(node, "wind-farm"), "SLURM_JOB_ID": "7"}
    open_chosen(environment, said.append, timeout_s=0.2)
    [line] = said
    assert line.startswith("Dataset wind-farm is not open. The dataset service of this node cannot be reached")
    assert "it gave no answer in time" in line


def test_an_answer_without_an_end_is_not_read_to_its_end(node: AnsweringNode) -> None:
    node.says = b" " * (LONGEST_ANSWER + 1)
    said: list[str] = []
    open_chosen({**with_datasets(node, "wind-farm"), "SLURM_JOB_ID": "7"}, said.append, timeout_s=5)
    [line] = said
    assert line.startswith(
        "Dataset wind-farm is not open. The node's dataset service gave an answer that cannot be read"
    )


def test_only_names_of_datasets_are_asked_for_each_once() -> None:
    names = chosen({"FABRIC_DATASETS": "wind-farm, ../etc,crop-trials,wind-farm,,Nope"})
    assert names == ["wind-farm", "crop-trials"]
    assert chosen({}) == []


def test_that_nothing_is_enforced_is_said() -> None:
    answer = NodeAnswer((Opened("a", "1", "/data/a"),), (), False)
    assert lines(["a", "b"], answer) == [
        "Dataset a is open: /data/a/1",
        "Dataset b is not open. The node's dataset service did not say why.",
        "On this cluster nothing but good manners keeps others from reading these datasets.",
    ]
