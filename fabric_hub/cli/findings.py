"""What a check of `fabric-hub doctor` finds, and how it asks a program."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Literal

from fabric_hub.types import Frozen


class Finding(Frozen):
    """One line of the report. ``remedy`` is set for a problem, for what a site may choose to do (NOTE), and for what
    this account cannot look at from here (SKIPPED): how it can be checked."""

    state: Literal["OK", "NOTE", "SKIPPED", "PROBLEM"]
    about: str
    remedy: str = ""


def right(about: str) -> Finding:
    return Finding(state="OK", about=about)


def problem(about: str, remedy: str) -> Finding:
    return Finding(state="PROBLEM", about=about, remedy=remedy)


def skipped(what: str, why: str, remedy: str) -> Finding:
    return Finding(state="SKIPPED", about=f"{what}: not checked, {why}", remedy=remedy)


def exists(path: Path) -> bool | None:
    """Whether a path is there; None when this account may not see it."""
    try:
        path.stat()
    except PermissionError:
        return None
    except OSError:
        return False
    return True


def place(what: str, path: Path, remedy: str) -> Finding:
    """A file or directory that the site's file names must be there."""
    found = exists(path)
    if found is None:
        return skipped(f"{what} {path}", "this account may not look there", "run it as root")
    return right(f"{what} {path}") if found else problem(f"{what} {path} does not exist", remedy)


def ask(argv: list[str], conf: Path | None = None) -> tuple[int, str]:
    """A program's exit status and what it said, on both outputs."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    if conf:
        environment["SLURM_CONF"] = str(conf)
    try:
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, "no answer within 20 s"
    except OSError as error:
        return 127, str(error)
    return done.returncode, (done.stdout + done.stderr).strip()
