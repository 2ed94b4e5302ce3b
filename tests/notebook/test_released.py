"""A release of a clone: what it builds, commits and tags there, and that nothing leaves the clone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts import dist, release

NEW = "7.8.9"


def git(root: Path, *arguments: str) -> str:
    argv = ["git", "-c", f"safe.directory={dist.ROOT}/.git", *arguments]
    return subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def make_release(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m scripts.release`` as in a shell: with nothing of this process's Python but the interpreter."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    argv = [sys.executable, "-m", "scripts.release", NEW, *arguments]
    return subprocess.run(argv, cwd=clone, env=kept, capture_output=True, text=True, timeout=1200, check=False)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of a clone of this checkout's HEAD, in which the changelog has a section for the new version."""
    if not (dist.ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is nothing to clone")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Someone")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "someone@example.org")
    git(tmp_path, "clone", "--quiet", "--no-hardlinks", str(dist.ROOT), "origin")
    git(tmp_path, "clone", "--quiet", "origin", "clone")
    changelog = tmp_path / "clone" / "CHANGELOG.md"
    heading = f"## [Unreleased]\n\n## [{NEW}] - 2027-01-01"
    changelog.write_text(re.sub(r"^## \[Unreleased\]$", heading, changelog.read_text(), count=1, flags=re.MULTILINE))
    git(tmp_path / "clone", "commit", "--quiet", "--all", "--message", "Say what is new")
    return tmp_path / "clone"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_release_is_built_committed_and_tagged_in_its_clone_and_nowhere_else(clone: Path) -> None:
    before = git(clone, "rev-parse", "HEAD")
    tried = make_release(clone, "--dry-run")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "Nothing was changed" in tried.stdout
    assert git(clone, "rev-parse", "HEAD") == before
    assert git(clone, "tag", "--list") == git(clone, "status", "--porcelain") == ""

    done = make_release(clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "rev-parse", f"v{NEW}^{{commit}}") == git(clone, "rev-parse", "HEAD")
    assert git(clone, "log", "-1", "--format=%s") == f"Release {NEW}"
    changed = git(clone, "diff", "--name-only", before, "HEAD").splitlines()
    assert set(changed) == {*release.REPEATED, "docs/reference/openapi.json"}
    origin = clone.parent / "origin"
    assert git(origin, "tag", "--list") == ""
    assert git(origin, "rev-parse", "HEAD") == git(clone, "rev-parse", f"{before}^")

    built = clone / "build/dist"
    hub, lab = (f"fabric_{part}-{NEW}-py3-none-any.whl" for part in ("hub", "lab"))
    assert {hub, lab} <= {path.name for path in built.iterdir()}
    with zipfile.ZipFile(built / hub) as archive:
        assert any(name.endswith(f"shipped/{lab}") for name in archive.namelist())
    subprocess.run(["sha256sum", "--check", "--strict", dist.SUMS], cwd=built, check=True, capture_output=True)
    again = make_release(clone)
    assert again.returncode == 1
    assert f"The tag v{NEW} is there already" in again.stdout
