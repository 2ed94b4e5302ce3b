"""The notebook that shows a person around: written once, over nothing, and of cells that are Python."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from fabric_lab.common import translation
from fabric_lab.server import welcome

SHOWN = welcome.notebook("Example AI Factory", datasets=True)


def test_it_is_written_once_also_when_it_was_deleted_since(tmp_path: Path) -> None:
    assert welcome.written(tmp_path, str(tmp_path), SHOWN) == "Welcome.ipynb"
    assert json.loads((tmp_path / "Welcome.ipynb").read_text())["nbformat"] == 4
    (tmp_path / "Welcome.ipynb").unlink()
    assert welcome.written(tmp_path, str(tmp_path), SHOWN) == ""
    assert not (tmp_path / "Welcome.ipynb").exists()


def test_no_file_of_a_persons_own_is_replaced_or_followed(tmp_path: Path) -> None:
    mine = tmp_path / "home" / "Welcome.ipynb"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert welcome.written(mine.parent, str(tmp_path), SHOWN) == ""
    assert mine.read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "Welcome.ipynb").symlink_to(tmp_path / "elsewhere")
    assert welcome.written(other, str(other), SHOWN) == ""
    assert not (tmp_path / "elsewhere").exists()


def test_a_home_that_the_server_does_not_show_or_that_takes_nothing_stays_as_it_is(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir()
    root.mkdir()
    assert welcome.written(home, str(root), SHOWN) == ""
    assert list(home.iterdir()) == []
    assert welcome.written(home, str(tmp_path), SHOWN) == "home/Welcome.ipynb"
    (root / ".local").write_text("no directory")
    assert welcome.written(root, str(root), SHOWN) == ""


def test_its_cells_are_python_and_its_words_the_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    for cell in SHOWN["cells"]:
        if cell["cell_type"] == "code":
            ast.parse(cell["source"])
    assert "# Welcome to Example AI Factory" in SHOWN["cells"][0]["source"]
    assert "datasets.list()" in SHOWN["cells"][-2]["source"]
    assert len({cell["id"] for cell in SHOWN["cells"]}) == len(SHOWN["cells"])
    assert len(welcome.notebook("X", datasets=False)["cells"]) == len(SHOWN["cells"]) - 2
    monkeypatch.setenv(translation.LANGUAGE, "nl")
    assert "# Welkom bij X" in welcome.notebook("X", datasets=False)["cells"][0]["source"]
