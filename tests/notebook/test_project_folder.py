"""A session's link to its project's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fabric_lab.launch.folder import show


def environment(tmp_path: Path, project: str = "twin") -> dict[str, str]:
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "projects" / "twin").mkdir(parents=True, exist_ok=True)
    return {"FABRIC_FOLDERS_DIR": str(tmp_path / "projects"), "FABRIC_PROJECT": project}


def test_the_folder_is_named_and_linked_to_once_and_again(tmp_path: Path) -> None:
    told = environment(tmp_path)
    for _ in range(2):
        link = show(told, tmp_path / "home")
        assert link == tmp_path / "home" / "projects" / "twin"
        assert link.resolve() == tmp_path / "projects" / "twin"
        assert told["FABRIC_PROJECT_FOLDER"] == str(tmp_path / "projects" / "twin")


def test_what_is_in_the_links_place_stays(tmp_path: Path) -> None:
    told = environment(tmp_path)
    mine = tmp_path / "home" / "projects" / "twin"
    mine.mkdir(parents=True)
    assert show(told, tmp_path / "home") is None
    assert mine.is_dir()
    assert not mine.is_symlink()
    assert told["FABRIC_PROJECT_FOLDER"] == str(tmp_path / "projects" / "twin")


def test_a_home_without_room_for_a_link_keeps_no_session_from_starting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = environment(tmp_path)
    (tmp_path / "home" / "projects").write_text("mine")
    assert show(told, tmp_path / "home") is None
    assert (tmp_path / "home" / "projects").read_text() == "mine"
    assert "cannot be made" in capsys.readouterr().out


@pytest.mark.parametrize("project", ["other", "..", ".", "a/b", ""])
def test_there_is_none_for_a_project_without_a_folder(tmp_path: Path, project: str) -> None:
    told = environment(tmp_path, project)
    assert show(told, tmp_path / "home") is None
    assert "FABRIC_PROJECT_FOLDER" not in told
    assert os.listdir(tmp_path / "home") == []


def test_a_rescue_session_writes_nothing_in_a_home_that_may_be_full(tmp_path: Path) -> None:
    told = environment(tmp_path) | {"FABRIC_RESCUE": "1"}
    assert show(told, tmp_path / "home") is None
    assert os.listdir(tmp_path / "home") == []
