"""The top of a project's folder: looked at by this process, changed as the project's service account.

What is looked at is what everybody may see of a directory in one of root's; nothing in a folder is opened here. What
is done in it is done by :mod:`.folder_helper`.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text, verbatim
from fabric_hub.messages.texts import folders as texts
from fabric_hub.unix import acl, command
from fabric_hub.unix.accounts import Account

from . import folder_helper
from .plan import INSIDE, Decision, Seen

# Its owner is asked to set two attributes: more than this is a file system that hangs.
SET_S = 10.0
_SOURCE = Path(folder_helper.__file__).read_text(encoding="utf-8")
_NO_ROOM = (errno.ENOSPC, errno.E2BIG, errno.EDQUOT)


class NoRoomError(Exception):
    """The file system has no room for an ACL of that size."""


def check_parent(directory: Path) -> None:
    """Refuse a directory in which somebody but root could put something in a folder's place. May block.

    :raises FabricError: it is not there, or is open.
    """
    try:
        found = os.stat(directory)
    except OSError as error:
        raise FabricError(texts.PARENT_ABSENT(directory=str(directory), why=error.strerror or "")) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise FabricError(texts.PARENT_OPEN(directory=str(directory)))


def look(directory: Path, project: str, account: Account) -> Seen:
    """A folder's top as it is. May block.

    :param account: the project's service account.
    :raises FabricError: it is not there, no directory, or somebody else's; or its file system has no ACLs.
    """
    path = directory / project
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        raise FabricError(texts.ABSENT(project=project, path=str(path))) from None
    except OSError as error:
        raise FabricError(texts.PARENT_ABSENT(directory=str(directory), why=error.strerror or "")) from error
    if not stat.S_ISDIR(found.st_mode):
        raise FabricError(texts.IN_THE_WAY(project=project, path=str(path)))
    if found.st_uid != account.uid:
        owner, about = name_of(found.st_uid) or str(found.st_uid), {"project": project, "path": str(path)}
        raise FabricError(texts.SOMEBODY_ELSES(owner=owner, account=account.name, **about))
    return Seen(found.st_uid, _attribute(path, acl.ACCESS, account), _attribute(path, acl.DEFAULT, account))


def _attribute(path: Path, name: str, account: Account) -> bytes | None:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.ENODATA:
            return None
        if error.errno == errno.EOPNOTSUPP:
            raise FabricError(texts.NO_ACLS(path=str(path), account=account.name)) from None
        raise FabricError(texts.NOT_SET(account=account.name, path=str(path), why=error.strerror or "")) from error


def name_of(uid: int) -> str:
    """The name of a uid; "" where it has none. May block."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


async def set_gate(directory: Path, project: str, account: Account, wanted: Decision) -> Text | None:
    """Have the folder let in whom it is to let in; what it could not do.

    Where there is no room for everybody, those who are to go are put out all the same.

    :raises FabricError: it cannot be set.
    """
    path = directory / project
    try:
        await _set(path, account, wanted.access)
    except NoRoomError:
        try:
            await _set(path, account, wanted.narrowed)
        except NoRoomError:
            raise FabricError(
                texts.NOT_SET(account=account.name, path=str(path), why=os.strerror(errno.ENOSPC))
            ) from None
        return texts.TOO_MANY(path=str(path), n=len(tuple(acl.users(wanted.access))))
    return None


async def _set(path: Path, account: Account, access: bytes) -> None:
    work = {"verb": "gate", "access": access.hex(), "default": INSIDE.hex()}
    answer = await _run(path, account, work, SET_S)
    if isinstance(answer, int):
        if answer in _NO_ROOM:
            raise NoRoomError
        raise _refused(path, account, answer)


async def measured(path: Path, account: Account, timeout_s: float) -> Mapping[str, int]:
    """What a folder holds: ``bytes``, ``files``, and directories that are ``closed`` to its owner.

    :raises FabricError: that is not known.
    """
    answer = await _run(path, account, {"verb": "measure", "seconds": timeout_s}, timeout_s + SET_S)
    if answer == errno.ETIME:
        raise FabricError(texts.TOO_LARGE())
    fields = ("bytes", "files", "closed")
    if not isinstance(answer, dict) or not all(type(answer.get(name)) is int and answer[name] >= 0 for name in fields):
        why = os.strerror(answer) if isinstance(answer, int) else "?"
        raise FabricError(texts.UNMEASURABLE(why=why))
    return {name: answer[name] for name in fields}


async def _run(path: Path, account: Account, work: Mapping[str, Any], timeout_s: float) -> Any:
    """What the helper answers: the value of ``ok``, or the number of what went wrong.

    :raises FabricError: it did not answer.
    """
    # the interpreter behind a virtual environment: the environment itself may be closed to the account
    python = getattr(sys, "_base_executable", None) or sys.executable
    stdin = json.dumps({**work, "directory": str(path.parent), "name": path.name}).encode()
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    try:
        done = await command.run(
            [python, "-I", "-S", "-c", _SOURCE],
            env=env, stdin=stdin, timeout_s=timeout_s, account=account, max_output=1 << 16,
        )  # fmt: skip
        answer = json.loads(done.stdout)
    except (command.TimedOutError, command.TooMuchOutputError, OSError, ValueError) as error:
        raise FabricError(texts.NOT_SET(account=account.name, path=str(path), why=verbatim(str(error)))) from None
    # it comes from a process of that account's: take nothing on trust
    if isinstance(answer, dict) and "ok" in answer:
        return answer["ok"]
    number = answer.get("errno") if isinstance(answer, dict) else None
    return number if isinstance(number, int) and number > 0 else errno.EIO


def _refused(path: Path, account: Account, number: int) -> FabricError:
    """What the helper found at the top, which may have changed since it was looked at."""
    about = {"project": path.name, "path": str(path)}
    if number == errno.ENOENT:
        return FabricError(texts.ABSENT(**about))
    if number in (errno.ENOTDIR, errno.ELOOP):
        return FabricError(texts.IN_THE_WAY(**about))
    if number == errno.EXDEV:
        return FabricError(texts.PARENT_OPEN(directory=str(path.parent)))
    if number == errno.EOPNOTSUPP:
        return FabricError(texts.NO_ACLS(path=str(path), account=account.name))
    return FabricError(texts.NOT_SET(account=account.name, path=str(path), why=os.strerror(number)))
