"""A session's private directory, reached as its user (the work itself is in :mod:`.user_helper`)."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.slurm.model import SessionLog
from fabric_hub.unix import command
from fabric_hub.unix.accounts import Account

from . import user_helper

LOG_LINES = 40
# The reason of a refusal because a home directory is full.
FULL = texts.HOME_FULL.label
_SOURCE = Path(user_helper.__file__).read_text(encoding="utf-8")
_FULL = (errno.ENOSPC, errno.EDQUOT)


async def prepare(account: Account, root: str, session: str, files: Mapping[str, str], *, timeout_s: float) -> None:
    """Make the session's directory (0700) and put files (0600) into it.

    :raises FabricError: (409) the directory cannot be made or written, and what to do.
    """
    work = {"verb": "prepare", "root": root, "session": session, "files": dict(files), "home": account.home}
    await _run(account, work, timeout_s)


async def read_log(account: Account, root: str, session: str, *, timeout_s: float) -> tuple[str, ...] | None:
    """The last lines of the session's log, oldest first; none when there is no log, None before its script begins.

    :raises FabricError: it cannot be read.
    """
    work = {"verb": "log", "root": root, "session": session, "lines": LOG_LINES}
    lines = await _run(account, work, timeout_s)
    if lines is None:
        return None
    # the answer comes from a process of the user's: take nothing on trust
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        return ()
    return tuple("".join(c for c in line if c.isprintable())[: user_helper.LINE_CHARS] for line in lines[-LOG_LINES:])


async def find_log(account: Account, roots: Sequence[str], session: str, *, timeout_s: float) -> SessionLog:
    """The session's log in the first of these directories that has one.

    :raises FabricError: it cannot be read.
    """
    begun = True
    for root in roots:
        lines = await read_log(account, root, session, timeout_s=timeout_s)
        if lines:
            return SessionLog(lines=lines, path=f"{root}/{session}/{user_helper.LOG}")
        begun = begun and lines is not None
    return SessionLog(begun=begun, path=f"{roots[0]}/{session}/{user_helper.LOG}")


async def remove(account: Account, root: str, session: str, *, log: bool = False, timeout_s: float) -> None:
    """Remove the session's files; its log stays, unless ``log`` says that it goes too.

    :raises FabricError: something cannot be removed.
    """
    await _run(account, {"verb": "remove", "root": root, "session": session, "log": log}, timeout_s)


async def remove_all(account: Account, roots: Sequence[str], session: str, *, timeout_s: float) -> None:
    """Remove the session's files from all these directories; its log stays in the first only.

    :raises FabricError: something cannot be removed.
    """
    for root in roots:
        await remove(account, root, session, log=root != roots[0], timeout_s=timeout_s)


async def _run(account: Account, work: Mapping[str, Any], timeout_s: float) -> Any:
    where = f"{work['root']}/{work['session']}"
    # the interpreter behind a virtual environment: the environment itself may be closed to users
    python = getattr(sys, "_base_executable", None) or sys.executable
    argv = [python, "-I", "-S", "-c", _SOURCE]
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": account.home}
    try:
        done = await command.run(
            argv, env=env, stdin=json.dumps(work).encode(), timeout_s=timeout_s, account=account, max_output=1 << 20
        )
        answer = json.loads(done.stdout)
    except command.TimedOutError as error:
        raise FabricError(texts.HOME_SLOW(directory=where, seconds=error.limit_s)) from None
    except PermissionError as error:
        text = texts.HELPER_NOT_RUN(program=python, account=account.name, why=error.strerror)
        raise FabricError(text) from None
    except (ValueError, OSError, command.TooMuchOutputError) as error:
        raise FabricError(texts.HOME_UNUSABLE(directory=where, why=type(error).__name__)) from None
    if not isinstance(answer, dict) or "ok" not in answer:
        raise problem(answer, where, account)
    return answer["ok"]


def problem(answer: Any, where: str, account: Account) -> FabricError:
    """The error for what :mod:`.user_helper` reports. Pure; only numbers of the report are believed."""
    number = answer.get("errno") if isinstance(answer, dict) else None
    number = number if isinstance(number, int) else 0
    known: dict[str, Any] = {"directory": where, "home": account.home, "account": account.name}
    known["command"] = "chmod u+rwx"
    if number in _FULL:
        reason = texts.HOME_FULL
    elif number == errno.ENOENT:
        reason = texts.HOME_ABSENT
    elif number == errno.EPERM:
        reason = texts.HOME_SOMEBODY_ELSES
    elif number in (errno.EACCES, errno.EROFS):
        reason = texts.HOME_NOT_WRITABLE
    elif number in (errno.ENOTDIR, errno.ELOOP, errno.EEXIST, errno.EISDIR):
        reason = texts.HOME_IN_THE_WAY
    else:
        reason = texts.HOME_OTHER if number else texts.HOME_WITHOUT_REASON
        known["why"] = os.strerror(number)
    return FabricError(reason(**{name: known[name] for name in reason.fields}))
