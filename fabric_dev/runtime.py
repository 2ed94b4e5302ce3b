"""Which Python, proxy and configuration the run's daemons use.

The hub and the gateway run as accounts of their own, which must be able to read the code. Where the
checkout or its environment lies below a directory that they cannot enter (root's home), a copy is
made in the run's own directory.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import site
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fabric_hub.unix.proxy_program import SCRIPT, find_proxy

from .layout import Layout

CODE = Path(__file__).resolve().parents[1]  # where our packages are: a checkout, or an environment's own
PACKAGES = ("fabric_hub", "fabric_dev", "fabric_node")


@dataclass(frozen=True)
class Runtime:
    """How to start our Python programs. ``environment`` is added to theirs."""

    python: Path
    proxy_command: tuple[str, ...]
    config: Path
    environment: dict[str, str]


def readable_by_others(path: Path) -> bool:
    """Whether any account can reach and read a file or directory: every directory above lets others through."""
    path = path.resolve()
    if not path.exists() or not path.stat().st_mode & stat.S_IROTH:
        return False
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def _environment_prefix() -> Path:
    return Path(sys.prefix)


def _site_packages() -> Path:
    return Path(site.getsitepackages()[0])


def find_config(prefix: Path, code: Path) -> Path:
    """jupyterhub_config.py: beside the packages in a checkout, else where setup.cfg installs it."""
    beside = code / "jupyterhub_config.py"
    return beside if beside.is_file() else prefix / "share" / "fabric-hub" / "jupyterhub_config.py"


def current(layout: Layout, say: Callable[[str], None]) -> Runtime:
    """The runtime for this start; copied into the run's directory when other accounts cannot read ours."""
    prefix, packages = _environment_prefix(), _site_packages()
    ours = Runtime(Path(sys.executable), find_proxy(prefix, packages), find_config(prefix, CODE), {})
    needed = [ours.python, packages, CODE / "fabric_hub" / "errors.py", ours.config, *map(Path, ours.proxy_command)]
    if os.geteuid() != 0 or all(readable_by_others(path) for path in needed if path.exists()):
        if packages != CODE:
            ours.environment["PYTHONPATH"] = str(CODE)
        return ours
    return _copy(layout, ours, prefix, packages, say)


def _copy(layout: Layout, ours: Runtime, prefix: Path, packages: Path, say: Callable[[str], None]) -> Runtime:
    """A copy of the installed libraries (when they changed) and of our own code (always, it is small)."""
    home, stamp = layout.python, layout.python / "stamp"
    wanted = _fingerprint(packages, prefix / SCRIPT)
    if not stamp.is_file() or stamp.read_text() != wanted:
        say(f"Copying the Python environment to {home}, where the hub's and the gateway's accounts can read it ...")
        shutil.rmtree(home, ignore_errors=True)
        # the whole environment: JupyterHub's pages are in its share/, and compiled modules start faster
        shutil.copytree(prefix, home, symlinks=True, ignore=shutil.ignore_patterns("*.pth"))
        stamp.write_text(wanted)
    code = home / "code"
    shutil.rmtree(code, ignore_errors=True)
    for package in PACKAGES:
        shutil.copytree(CODE / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
    if ours.config.is_file():
        shutil.copy(ours.config, code / ours.config.name)
    _let_others_read(home)
    proxy_command = find_proxy(home, home / packages.relative_to(prefix)) or ours.proxy_command
    return Runtime(home / "bin" / "python3", proxy_command, code / ours.config.name, {"PYTHONPATH": str(code)})


def _fingerprint(packages: Path, proxy: Path) -> str:
    """Changes when a library is installed, removed or replaced: its metadata directory is then another."""
    parts = sorted(f"{path.name} {path.stat().st_mtime_ns}" for path in packages.glob("*.dist-info"))
    parts.append(str(proxy.stat().st_mtime_ns) if proxy.is_file() else "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _let_others_read(top: Path) -> None:
    """A strict umask must not leave the copy unreadable."""
    for directory, _, files in os.walk(top):
        os.chmod(directory, 0o755)
        for name in files:
            path = Path(directory, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.stat().st_mode & 0o100 else 0))
