"""Who works on a state directory: its daemons and commands, together, or one restore, alone.

The lock is a file of the directory's own, ``.in-use``; the kernel lets go of it when its process ends, however it does.
A restore that was cut short leaves a file beside it, :data:`UNFINISHED`: nobody works on half of a state.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts

LOCK = ".in-use"
UNFINISHED = ".restore-unfinished"

# By directory, of this process: one that asks twice must not let go of the first.
_held: dict[tuple[int, Path], int] = {}


def hold(directory: Path) -> None:
    """From now on, and until this process ends, no restore touches this directory.

    :param directory: a state directory, of this process's account.
    :raises FabricError: a restore is at work on it, or one was cut short, or it cannot be written.
    """
    key = os.getpid(), directory
    if key in _held:
        return
    handle = _open(directory)
    if not _locked(handle, fcntl.LOCK_SH):
        os.close(handle)
        raise FabricError(texts.RESTORE_AT_WORK(directory=str(directory)))
    if (directory / UNFINISHED).exists():
        os.close(handle)
        raise FabricError(texts.RESTORE_UNFINISHED(directory=str(directory)))
    _held[key] = handle


def take(directory: Path) -> None:
    """Have a directory alone until this process ends.

    :raises FabricError: a daemon or a command works on it, or it cannot be written.
    """
    handle = _open(directory)
    if not _locked(handle, fcntl.LOCK_EX):
        os.close(handle)
        raise FabricError(texts.STATE_IN_USE(directory=str(directory)))
    _held[os.getpid(), directory] = handle


def _open(directory: Path) -> int:
    try:
        return os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise FabricError(
            texts.STATE_UNWRITABLE(directory=str(directory), cause=error.strerror or str(error))
        ) from error


def _locked(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
