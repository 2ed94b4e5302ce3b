"""``fabric_lab.datasets`` in a kernel and in a terminal."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import panel_catalogue as catalogue
from tests.support.answering_hub import AnsweringHub
from tests.support.answering_node import AnsweringNode
from tests.support.running_session import session_environment

from .conftest import with_datasets
from .test_widget import run_cells, text_of

pytestmark = pytest.mark.image


@pytest.fixture
def environment(hub: AnsweringHub, node: AnsweringNode) -> dict[str, str]:
    hub.datasets = catalogue.told()
    return {**session_environment(hub.url, **with_datasets(node)), "SLURM_JOB_ID": "7", "PATH": os.defpath}


def terminal(python: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", "fabric_lab.datasets", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_notebook_adds_reads_and_drops_a_dataset(
    python: Path, environment: dict[str, str], hub: AnsweringHub, node: AnsweringNode, tmp_path: Path
) -> None:
    cells = (
        "from fabric_lab import datasets; print(datasets.list())",
        "print(len((datasets.add('wind-farm') / 'output.csv').read_text().split()))",
        "print(datasets.path('wind-farm'), [one.path is not None for one in datasets.list()])",
        "datasets.drop('wind-farm')\ntry:\n    datasets.path('wind-farm')\nexcept datasets.DatasetError as e: print(e)",
    )
    listed, read, place, dropped = map(text_of, run_cells(python, tmp_path, environment, *cells))
    assert "wind-farm                can be added" in listed
    assert "accept its terms on the hub's page Datasets" in listed
    assert read == "3\n"
    assert place == f"{node.data}/wind-farm/1 [True, False, False, False, False]\n"
    assert dropped == ("wind-farm is not open in this session. Add it: fabric_lab.datasets.add('wind-farm')\n")
    assert [told[:2] for told in hub.datasets_told] == [("POST", "wind-farm"), ("DELETE", "wind-farm")]


def test_a_terminal_does_the_same(
    python: Path, environment: dict[str, str], hub: AnsweringHub, node: AnsweringNode
) -> None:
    added = terminal(python, environment, "add", "wind-farm", "crop-trials")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout == f"{node.data}/wind-farm/1\n{node.data}/crop-trials/1\n"
    assert f"{node.data}/crop-trials/1" in terminal(python, environment, "list").stdout
    assert terminal(python, environment, "drop", "wind-farm").returncode == 0
    assert node.opened == {"crop-trials"}
    refused = terminal(python, environment, "add", "grid-faults")
    assert refused.returncode == 1
    assert refused.stderr == "grid-faults was not added. Project twin has no grant for grid-faults.\n"
    wrong = terminal(python, environment, "add", "../etc")
    assert (wrong.returncode, wrong.stderr.startswith("'../etc' is no name of a dataset")) == (1, True)


def test_a_silent_hub_is_said_and_keeps_nobody_from_working(
    python: Path, environment: dict[str, str], hub: AnsweringHub, node: AnsweringNode
) -> None:
    hub.silent = True
    added = terminal(python, environment, "add", "wind-farm")
    assert (added.returncode, added.stdout) == (0, f"{node.data}/wind-farm/1\n")
    assert added.stderr == "The hub did not note this for the session: The hub is restarting.\n"
    listed = terminal(python, environment, "list").stdout
    assert f"{node.data}/wind-farm/1" in listed
    assert "The hub is restarting." in listed


def test_outside_a_session_it_says_so(python: Path) -> None:
    listed = terminal(python, {"PATH": os.defpath}, "list")
    assert listed.returncode == 0
    assert listed.stdout == (
        "No datasets.\nThis kernel was not started by a hub.\n"
        "This session's node opens no datasets: it runs no dataset service.\n"
    )


def test_importing_it_loads_only_the_standard_library(python: Path) -> None:
    code = (
        "import sys; before = set(sys.modules); import fabric_lab.datasets; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['fabric_lab']\n"
