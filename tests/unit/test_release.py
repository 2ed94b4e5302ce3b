"""A release says one version everywhere, refuses what is not ready, and pushes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import dist, release

CHANGELOG = """# Changelog

## [Unreleased]

## [2.0.0] - 2027-02-01

### Added

- Something new.

## [1.0.0] - 2027-01-01

- All of it.
"""


def git(root: Path, *arguments: str) -> str:
    author = {
        f"GIT_{who}_{what}": "someone@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["git", *arguments], cwd=root, env={**os.environ, **author}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A committed checkout of version 1.0.0 with the files that a release looks at."""
    root = tmp_path / "checkout"
    for name in (*release.REPEATED, "setup.cfg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(dist.ROOT / name, root / name)
    release.set_version(root, "1.0.0")
    (root / "CHANGELOG.md").write_text(CHANGELOG)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Begin")
    return root


def test_every_file_that_repeats_the_version_has_the_one_of_the_hub() -> None:
    version = release.current(dist.ROOT)
    assert release.repeated(dist.ROOT) == {name: [version] * times for name, (_, times) in release.REPEATED.items()}


def test_what_can_read_the_version_does_not_repeat_it() -> None:
    assert "attr: fabric_hub.__version__" in (dist.ROOT / "setup.cfg").read_text()
    project = (dist.ROOT / "extensions/pyproject.toml").read_text()
    assert 'dynamic = ["version"]' in project
    assert 'path = "../fabric_hub/__init__.py"' in project


def test_a_new_version_is_written_to_every_place(checkout: Path) -> None:
    release.set_version(checkout, "2.0.0")
    assert release.current(checkout) == "2.0.0"
    assert {version for versions in release.repeated(checkout).values() for version in versions} == {"2.0.0"}
    packages = (checkout / "extensions/package-lock.json").read_text().count('"2.0.0"')
    assert packages >= 2


def test_a_file_without_its_version_is_named(checkout: Path) -> None:
    (checkout / "extensions/package.json").write_text("{}")
    with pytest.raises(ValueError, match=r"extensions/package\.json names the version in 0 places, not in 1"):
        release.set_version(checkout, "2.0.0")


def test_what_is_ready_has_no_problem(checkout: Path) -> None:
    assert release.problems(checkout, "2.0.0") == []
    assert release.problems(checkout, "1.0.0") == []


@pytest.mark.parametrize("version", ["2.0", "v2.0.0", "2.0.0rc1", "2.0.0; rm", ""])
def test_what_is_no_version_is_refused(checkout: Path, version: str) -> None:
    [said] = release.problems(checkout, version)
    assert "give three numbers" in said


def test_each_thing_that_is_not_ready_is_named(checkout: Path) -> None:
    git(checkout, "tag", "v0.9.0")
    (checkout / "CHANGELOG.md").write_text(CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- Not yet.\n"))
    said = release.problems(checkout, "0.9.0")
    for words in (
        "not committed",
        "The tag v0.9.0 is there",
        "earlier than 1.0.0",
        "says nothing of it",
        "under [Unreleased]",
    ):
        assert sum(words in one for one in said) == 1, words
    assert len(said) == 5


def test_a_section_without_a_date_or_without_words_is_none() -> None:
    assert release.section(CHANGELOG, "2.0.0") == "### Added\n\n- Something new."
    assert release.section(CHANGELOG.replace("2027-02-01", "unreleased"), "2.0.0") is None
    assert release.section("## [2.0.0] - 2027-02-01\n\n## [1.0.0] - 2027-01-01\n\n- All.\n", "2.0.0") == ""
