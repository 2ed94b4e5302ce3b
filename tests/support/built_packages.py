"""Packages and releases of this checkout, and of the same as a later version, for tests that install and upgrade.

``FABRIC_TEST_PACKAGES=DIR`` keeps what is built between runs, by version; without it every run builds its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from fabric_hub.images.wheel import clean_environment
from scripts import dist, release

LIMIT_S = 1800
_GIT = ("git", "-c", "user.name=A site", "-c", "user.email=packages@hub.example.org")


def later(version: str) -> str:
    """The next minor version."""
    major, minor, _ = version.split(".")
    return f"{major}.{int(minor) + 1}.0"


def packages(into: Path, version: str) -> Path:
    """Build the Debian packages of a version; the directory that holds them.

    :param into: where that directory is made.
    :param version: the checkout's own, or another that it then has everywhere.
    """
    return _build(into / "packages" / version, version, "scripts.packages", "--kind=deb")


def files(into: Path, version: str) -> Path:
    """Build what a release of a version holds; see :func:`packages`."""
    return _build(into / "releases" / version, version, "scripts.dist")


def _build(built: Path, version: str, module: str, *options: str) -> Path:
    if kept := os.environ.get("FABRIC_TEST_PACKAGES"):
        built = Path(kept) / module / version
    if not (built / dist.SUMS).is_file():
        own = version == release.current(dist.ROOT)
        checkout = dist.ROOT if own else _as_version(version, built.with_name(f"{version}-sources"))
        argv = [sys.executable, "-m", module, f"--into={built}", *options]
        done = subprocess.run(argv, cwd=checkout, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        if not own:
            shutil.rmtree(checkout)
    return built


def _as_version(version: str, into: Path) -> Path:
    """A checkout of what git knows of here, as a release would make it."""
    dist.stage(dist.ROOT, into)
    release.set_version(into, version)
    for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", f"--message=Release {version}")):
        subprocess.run([*_GIT, *words], cwd=into, check=True)
    return into


def wheels(lock: Path, into: Path) -> Path:
    """Fetch what a lock file names, for a machine that reaches no package index; their directory."""
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    argv += [f"--requirement={lock}", f"--dest={into}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return into


def npm_cache(into: Path, work: Path) -> None:
    """Fill a directory with what npm fetches for the proxy, for a machine that reaches no registry."""
    work.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(dist.ROOT / name, work)
    argv = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", f"--cache={into}"]
    environment = clean_environment(os.environ)
    done = subprocess.run(argv, cwd=work, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
