"""Settings follow the projects that the catalogue service publishes, and lose none when it is away."""

import os
from pathlib import Path

import pytest

from fabric_hub.config.settings import Members, Project
from fabric_hub.projects.document import FORMAT, ProjectsDocument, as_json, document
from fabric_hub.projects.live import LiveProjects
from tests.support.kept_projects import publish

OF_FILE = {"proteins": Project(account="proteins", members=Members(member=("anna",)))}
KEPT = Project(account="fh-waves", title="Waves", members=Members(owner=("bo",), visitor=("cas",)), budget_gpu_hours=5)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "projects.json"


def live_projects(path: Path, clock: Clock) -> LiveProjects:
    return LiveProjects(OF_FILE, path, frozenset({os.geteuid()}), clock)


def test_a_change_is_read_within_a_second_and_not_before(path: Path, clock: Clock) -> None:
    live = live_projects(path, clock)
    assert list(live) == ["proteins"]
    assert not live.known
    publish(path, 7, waves=KEPT)
    assert list(live) == ["proteins"]
    clock.now += 1.0
    assert (list(live), live.serial, live.known) == (["proteins", "waves"], 7, True)
    assert live["waves"] == KEPT
    assert live.is_kept("waves")
    assert not live.is_kept("proteins")


def test_a_project_of_the_sites_file_wins_over_one_of_the_same_name(path: Path, clock: Clock) -> None:
    publish(path, 1, proteins=KEPT)
    live = live_projects(path, clock)
    assert live["proteins"] == OF_FILE["proteins"]
    assert not live.is_kept("proteins")


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 9, "serial": 1, "projects": {}}', '{"format": 1}'])
def test_a_document_that_cannot_be_used_takes_no_project_away_and_is_told_once(
    path: Path, clock: Clock, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    publish(path, 1, waves=KEPT)
    live = live_projects(path, clock)
    assert "waves" in live
    path.unlink()
    path.write_text(content)
    path.chmod(0o640)
    for _ in range(3):
        clock.now += 1.0
        assert "waves" in live
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_file_that_is_gone_takes_no_project_away(path: Path, clock: Clock) -> None:
    publish(path, 1, waves=KEPT)
    live = live_projects(path, clock)
    assert "waves" in live
    path.unlink()
    clock.now += 1.0
    assert "waves" in live
    assert live.known


def test_a_file_that_others_may_write_is_not_read(path: Path, clock: Clock) -> None:
    publish(path, 1, waves=KEPT)
    path.chmod(0o666)
    live = live_projects(path, clock)
    assert list(live) == ["proteins"]
    assert not live.known


def test_a_link_is_not_followed(path: Path, clock: Clock, tmp_path: Path) -> None:
    publish(tmp_path / "other.json", 1, waves=KEPT)
    path.symlink_to(tmp_path / "other.json")
    assert list(live_projects(path, clock)) == ["proteins"]


def test_somebody_elses_file_is_not_read(path: Path, clock: Clock) -> None:
    publish(path, 1, waves=KEPT)
    live = LiveProjects(OF_FILE, path, frozenset({os.geteuid() + 1}), clock)
    assert list(live) == ["proteins"]


def test_a_document_comes_back_as_it_was_published_and_an_unchanged_project_is_the_same_object() -> None:
    content = {"format": FORMAT, "serial": 2, "projects": {"waves": as_json(KEPT)}}
    first = document(content, ProjectsDocument())
    assert first.projects == {"waves": KEPT}
    again = document({**content, "serial": 3}, first)
    assert again.projects["waves"] is first.projects["waves"]


def test_a_project_that_is_none_is_named() -> None:
    wrong = {"format": FORMAT, "serial": 2, "projects": {"waves": {"account": "a b"}}}
    with pytest.raises(ValueError, match="project waves"):
        document(wrong, ProjectsDocument())
