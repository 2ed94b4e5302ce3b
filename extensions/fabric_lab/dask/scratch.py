"""A task's own directory on its node's disk: gone with the task, and so is what tasks that were killed have left."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "fabric-dask-"
LOCK = "lock"
# A directory without a lock is that of a task that is just starting, or that was killed then.
STARTING_S = 60.0


@contextmanager
def scratch(parent: str | None = None) -> Iterator[str]:
    """A new directory, locked as long as this process lives.

    :param parent: where; default: the node's directory for temporary files.
    """
    where = Path(parent or tempfile.gettempdir())
    sweep(where)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=where))
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield str(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def sweep(where: Path) -> None:
    """Remove this user's directories whose tasks are gone."""
    for path in where.glob(f"{PREFIX}*"):
        with suppress(OSError):
            status = path.lstat()
            if status.st_uid == os.geteuid() and path.is_dir() and not path.is_symlink() and _is_left(path, status):
                shutil.rmtree(path, ignore_errors=True)


def _is_left(path: Path, status: os.stat_result) -> bool:
    try:
        lock = os.open(path / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return time.time() - status.st_mtime > STARTING_S
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
