"""The extension's wheel, which every image holds: built from a checkout's sources, or brought along by a release."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import images as texts

from . import recipe

Say = Callable[[Text], None]
SHIPPED = "shipped"  # what a release adds to the sources; setup.cfg installs it
VERSION = "fabric_hub/__init__.py"  # extensions/pyproject.toml reads the version there
_STAMP = "sources.sha256"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; the kernel lets go of it when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for tools: nothing of the caller's Python, our own tools first on PATH.

    Where a machine tells only pip of a directory of wheels, uv is told too.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith("PYTHON") and name not in ("VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    }
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    if environment.get("PIP_FIND_LINKS"):
        kept.setdefault("UV_FIND_LINKS", environment["PIP_FIND_LINKS"])
    return kept


def run(
    argv: list[str], *, doing: Text, cwd: Path, environment: Mapping[str, str] | None = None, timeout_s: float = 3600
) -> str:
    """Run one step of a build and return what it printed.

    :param doing: what the step is for, as a noun in an error: "installing the packages of base".
    :raises FabricError: it failed; holds the last lines of its output.
    """
    try:
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=dict(clean_environment(os.environ) if environment is None else environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
            umask=0o022,
        )
    except FileNotFoundError as error:
        raise FabricError(texts.PROGRAM_MISSING(program=argv[0], doing=doing)) from error
    except subprocess.TimeoutExpired as error:
        raise FabricError(texts.NOT_ENDED(seconds=f"{timeout_s:g}", doing=doing)) from error
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-15:])
        if "No space left on device" in done.stdout or "Disk quota exceeded" in done.stdout:
            raise FabricError(texts.DISK_FULL(doing=doing, last=last))
        raise FabricError(texts.STEP_FAILED(doing=doing, status=done.returncode, last=last))
    return done.stdout


def digest(root: Path) -> str:
    """What identifies the extension below ``root``: its sources with their version, else the wheel that is there."""
    extensions = root / "extensions"
    if extensions.is_dir():
        checks = extensions / "dev"  # linters and tests: nothing of the wheel
        sources = [one for one in recipe.source_files(extensions) if checks not in one.parents]
        sources.append(root / VERSION)
        return recipe.digest_of_files(root, sources)
    return recipe.digest([_shipped(root).read_bytes()])


def extension_wheel(root: Path, say: Say) -> Path:
    """The wheel to install into an image: a checkout's own, made when its sources changed, or a release's.

    :param root: :func:`.recipe.source_root`.
    :param say: takes one line of progress at a time.
    :raises FabricError: there is none, or making it failed.
    """
    return build_wheel(root, say) if (root / "extensions").is_dir() else _shipped(root)


def _shipped(root: Path) -> Path:
    wheels = sorted((root / SHIPPED).glob("fabric_lab-*.whl"))
    if len(wheels) != 1:
        raise FabricError(texts.WHEELS(path=str(root / SHIPPED), number=len(wheels)))
    return wheels[0]


def build_wheel(root: Path, say: Say) -> Path:
    """The wheel of the sources as they are now; built only when they changed.

    :param root: the checkout.
    :param say: takes one line of progress at a time.
    :returns: its path, in ``extensions/dist``.
    :raises FabricError: Node.js or a build tool is missing, or a step failed.
    """
    extensions = root / "extensions"
    dist = extensions / "dist"
    wanted = digest(root)
    with locked(dist / ".lock"):
        stamp = dist / _STAMP
        wheels = sorted(dist.glob("fabric_lab-*.whl"))
        if len(wheels) == 1 and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return wheels[0]
        stamp.unlink(missing_ok=True)
        for old in wheels:
            old.unlink()
        _build_front_end(extensions, say)
        say(texts.SAY_BUILDING_WHEEL())
        run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)],
            doing=texts.BUILDING_WHEEL(),
            cwd=extensions,
        )
        [built] = dist.glob("fabric_lab-*.whl")
        stamp.write_text(wanted, encoding="utf-8")
        return built


def _build_front_end(extensions: Path, say: Say) -> None:
    """npm's exact packages (again only when the lock file changed), then TypeScript to a prebuilt extension."""
    lock = extensions / "package-lock.json"
    modules = extensions / "node_modules"
    stamp = modules / ".fabric-lock"
    wanted = recipe.digest([lock.read_bytes()])
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        say(texts.SAY_FETCHING())
        # not "npm ci": that refuses a lock file without the native parts for other systems, of which a
        # registry inside a cluster has none; this takes the locked packages too, and leaves the lock file alone
        install = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
        run(install, doing=texts.FETCHING(), cwd=extensions)
        stamp.write_text(wanted, encoding="utf-8")
    say(texts.SAY_BUILDING_FRONT_END())
    run(["npm", "run", "build"], doing=texts.BUILDING_FRONT_END(), cwd=extensions)
