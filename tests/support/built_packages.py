"""Packages of this checkout, and of the same as a later version, for tests that install and upgrade.

``FABRIC_TEST_PACKAGES=DIR`` keeps what is built between runs, by version; without it every run builds its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts import dist, release

LIMIT_S = 1800
_GIT = ("git", "-c", "user.name=A site", "-c", "user.email=packages@hub.example.org")


def build(into: Path, version: str, *options: str) -> Path:
    """Build the Debian packages of a version; the directory that holds them.

    :param into: where that directory is made.
    :param version: the checkout's own, or another that it then has everywhere.
    :param options: more for ``python -m scripts.packages``.
    """
    built = Path(os.environ.get("FABRIC_TEST_PACKAGES") or into) / version
    if built.is_dir() and list(built.glob("*.deb")):
        return built
    checkout = dist.ROOT if version == release.current(dist.ROOT) else _as_version(version, into / f"{version}-sources")
    argv = [sys.executable, "-m", "scripts.packages", f"--into={built}", "--kind=deb", *options]
    done = subprocess.run(argv, cwd=checkout, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return built


def _as_version(version: str, into: Path) -> Path:
    """A checkout of what git knows of here, as a release would make it."""
    dist.stage(dist.ROOT, into)
    release.set_version(into, version)
    for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", f"--message=Release {version}")):
        subprocess.run([*_GIT, *words], cwd=into, check=True)
    return into


def wheels_of_image(name: str, into: Path) -> Path:
    """Fetch what an image's recipe locks, for a machine that reaches no package index; their directory."""
    lock = dist.ROOT / "images" / name / "requirements.lock"
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    argv += [f"--requirement={lock}", f"--dest={into}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return into
