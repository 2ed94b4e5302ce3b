"""Reading a configuration file: run it in a process of its own, under a time limit, or only look at its text.

It is the operator's own Python, and it is run as whoever calls, with the caller's environment: a file that a hub reads
may read files and variables itself. Root does not run what somebody else can change: a file of another account is run
as that account, one that others can write, or put another in the place of, is only looked at.
"""

from __future__ import annotations

import getpass
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import moving as texts

from . import static
from .model import Fault, OldFile, Recorded, Unrun

PROGRAM = Path(__file__).with_name("recorder.py")
LIMIT_S = 60
_PASSED = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH")
_LOOK_S = 60
_MOST_BYTES = 16 << 20


def read(path: Path, *, run: bool = True, limit_s: float = LIMIT_S, in_place_of_root: int | None = None) -> OldFile:
    """What a configuration file sets, where, and what it needs.

    :param run: run it; False: only look at its text.
    :param limit_s: how long it may take; one that takes longer is only looked at.
    :param in_place_of_root: the uid as which one is run that else would be run as root.
    :raises FabricError: it cannot be read.
    """
    path = Path(os.path.abspath(path))
    if os.geteuid() == 0:
        path = Path(os.path.realpath(path))  # what is looked at is what is run, wherever a link leads by then
    try:
        text = path.read_text(encoding="utf-8")
        account = _account(path, in_place_of_root) if run else None
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "") if isinstance(error, OSError) else "it is not UTF-8"
        raise FabricError(texts.UNREADABLE(path=str(path), why=why)) from error
    seen = tuple(static.settings(text, str(path)))
    unrun = Unrun.ASKED if not run else Unrun.NOT_OURS if account is None else None
    answer: Recorded | None = None
    if account is not None:
        answer, unrun = _ask([str(path)], account, limit_s)
    if answer is None:
        # the classes are ours to look up, whoever owns the file
        sections = sorted({one.section for one in seen})
        looked, _ = _ask(["--look", str(path), *sections], os.geteuid(), _LOOK_S)
        answer = (looked or Recorded()).model_copy(update={"fault": _fault(text)})
    ran = answer.settings
    places = {(one.key, one.line) for one in ran}
    rest = [one for one in seen if (one.key, one.line) not in places]
    return OldFile(
        path=str(path),
        text=text,
        settings=tuple(sorted((*ran, *rest), key=lambda one: (one.file != str(path), one.line))),
        classes=answer.classes,
        unloadable=answer.unloadable,
        missing=answer.missing,
        fault=answer.fault,
        unrun=unrun,
        ran_as=_name(account) if unrun is None and account is not None else "",
    )


def _fault(text: str) -> Fault | None:
    try:
        compile(text, "", "exec", dont_inherit=True)
    except SyntaxError as error:
        return Fault(line=error.lineno or 0, error=f"SyntaxError: {error.msg}")
    except ValueError as error:
        return Fault(line=0, error=f"ValueError: {error}")
    return None


def _account(path: Path, in_place_of_root: int | None) -> int | None:
    """As which uid a file is run; None: as none.

    :raises OSError: it is not there, or may not be looked at.
    """
    own, owner = os.geteuid(), path.lstat().st_uid
    if own != 0:
        return own
    for place in (path, *path.parents):
        status = place.lstat()
        others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
        if others or status.st_uid not in (0, owner):
            return None
    return owner or in_place_of_root or 0


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return getpass.getuser() if uid == os.geteuid() else str(uid)


def _ask(argv: list[str], uid: int, limit_s: float) -> tuple[Recorded | None, Unrun | None]:
    """Run the recorder; its answer, or why there is none. Nothing that it started is left."""
    with tempfile.TemporaryFile() as answer:
        command = [sys.executable, "-P", str(PROGRAM), str(answer.fileno()), str(int(limit_s) + 5), *argv]
        become: dict[str, Any] = {}
        if uid != os.geteuid():
            account = pwd.getpwuid(uid)
            become = {
                "user": uid,
                "group": account.pw_gid,
                "extra_groups": os.getgrouplist(account.pw_name, account.pw_gid),
                # root's own variables are nobody else's
                "env": {**{name: os.environ[name] for name in _PASSED if name in os.environ}, "HOME": account.pw_dir},
            }
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[answer.fileno()],
                start_new_session=True,
                **become,
            )
        except (OSError, subprocess.SubprocessError):
            return None, Unrun.DIED
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return None, Unrun.TOO_LONG
        finally:
            _end(process)
        answer.seek(0)
        try:
            return Recorded.model_validate_json(answer.read(_MOST_BYTES)), None
        except ValidationError:  # it ended before its answer, or wrote something else
            return None, Unrun.DIED


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process and what it started in its group, which is its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
