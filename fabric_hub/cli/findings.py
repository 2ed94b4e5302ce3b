"""What a check of `fabric-hub doctor` finds, and how it asks a program."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Literal

from fabric_hub.logs.lines import escaped
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.messages.texts import doctor as texts
from fabric_hub.types import Frozen

_ANSWERS_S = 20


class Finding(Frozen):
    """One line of the report. ``remedy`` is set for a problem, for what a site may choose to do (NOTE), and for what
    this account cannot look at from here (SKIPPED): how it can be checked."""

    state: Literal["OK", "NOTE", "SKIPPED", "PROBLEM"]
    about: Text
    remedy: Text = NOTHING

    def as_json(self) -> dict[str, str]:
        """For programs: the same in every language."""
        return {"state": self.state, "about": str(self.about), "remedy": str(self.remedy)}

    def lines(self) -> tuple[str, ...]:
        """For people. What Slurm, the hub's account or a file has said in it makes no line of its own, and steers no
        terminal."""
        about = f"{self.state:<8} {escaped(self.about.say())}"
        return (about, f"{'':<8} -> {escaped(self.remedy.say())}") if self.remedy else (about,)


def right(about: Text) -> Finding:
    return Finding(state="OK", about=about)


def problem(about: Text, remedy: Text | None = None) -> Finding:
    """What is wrong; its hint is the remedy unless another is given."""
    return Finding(state="PROBLEM", about=about, remedy=remedy or about.hint or NOTHING)


def skipped(what: Text, why: Text, remedy: Text) -> Finding:
    return Finding(state="SKIPPED", about=texts.NOT_CHECKED(what=what, why=why), remedy=remedy)


def exists(path: Path) -> bool | None:
    """Whether a path is there; None when this account may not see it."""
    try:
        path.stat()
    except PermissionError:
        return None
    except OSError:
        return False
    return True


def place(what: str, path: Path, remedy: Text) -> Finding:
    """A file or directory that the site's file names must be there."""
    found = exists(path)
    about = {"what": what, "path": str(path)}
    if found is None:
        return skipped(texts.PLACE(**about), texts.MAY_NOT_LOOK(), texts.AS_ROOT())
    return right(texts.PLACE(**about)) if found else problem(texts.PLACE_MISSING(**about), remedy)


def ask(argv: list[str], conf: Path | None = None) -> tuple[int, str]:
    """A program's exit status and what it said, on both outputs."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    if conf:
        environment["SLURM_CONF"] = str(conf)
    try:
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, errors="replace", timeout=_ANSWERS_S, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, str(texts.NO_ANSWER_WITHIN(seconds=_ANSWERS_S))
    except OSError as error:
        return 127, str(error)
    return done.returncode, (done.stdout + done.stderr).strip()
