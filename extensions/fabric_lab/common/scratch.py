"""A task's own directory on its node's disk: gone with the task, and so is what tasks that were killed have left.

A directory for temporary files may be shared by nodes whose locks are their own (Lustre with localflock, NFS with
local_lock): one node would take another's lock for free. So a directory has its node's name, and only that node looks.
"""

from __future__ import annotations

import fcntl
import glob
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import current_process
from pathlib import Path

PREFIX = "fabric-dask-"
LOCK = "lock"
# Where Linux has the semaphores that have names (sem_overview(7)).
SEMAPHORES = Path("/dev/shm")
# The path of a Unix socket has at most 107 bytes, of which multiprocessing's own name for one takes these.
LONGEST_FOR_SOCKETS = 107 - len("/listener-xxxxxxxx")
# A directory whose name begins with a dot, or without a lock, is that of a task that is starting, or was killed then.
STARTING_S = 60.0


@contextmanager
def scratch(
    parent: str | None = None,
    kind: str = PREFIX,
    ends: Iterable[signal.Signals] = (signal.SIGTERM, signal.SIGUSR1),
) -> Iterator[str]:
    """A new directory, locked as long as this process lives; a signal that ends the task removes it, too.

    :param parent: where; default: the node's directory for temporary files.
    :param kind: how its name begins.
    :param ends: the signals that end the task.
    """
    where = Path(parent or tempfile.gettempdir())
    sweep(where, kind)
    # until an event loop hears them: by default they end a process on the spot
    before = {number: signal.signal(number, _end) for number in ends}
    path, lock = _make(where, kind)
    try:
        yield str(path)
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # one more must not stop what follows
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)
        for number, handler in before.items():
            signal.signal(number, handler)


def _make(where: Path, kind: str) -> tuple[Path, int]:
    """A directory and the lock in it. It gets its name when it is locked: before, a sweep would take it for left."""
    starting = Path(tempfile.mkdtemp(prefix=f".{prefix(kind)}", dir=where))
    try:
        lock = os.open(starting / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return starting.rename(where / starting.name.removeprefix(".")), lock
    except BaseException:
        shutil.rmtree(starting, ignore_errors=True)
        raise


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def let_multiprocessing_use(directory: str) -> None:
    """Have the sweep find what this process and those that it starts leave of multiprocessing when they are killed.

    Sockets are made in the directory, unless its path is too long for them; semaphores are named after it.

    :param directory: of :func:`scratch`.
    """
    config = current_process()._config  # type: ignore[attr-defined]  # there is no other way to say it
    config["semprefix"] = f"/{Path(directory).name}"
    if len(os.fsencode(directory)) <= LONGEST_FOR_SOCKETS:
        config["tempdir"] = directory


def prefix(kind: str = PREFIX) -> str:
    """How the names of this node's directories begin, and of no other's: no host's name has an underscore."""
    return f"{kind}{re.sub('[^A-Za-z0-9.-]', '-', os.uname().nodename)}_"


def sweep(where: Path, kind: str = PREFIX) -> None:
    """Remove this user's directories whose tasks, of this node, are gone, and the semaphores named after them."""
    named = f"{glob.escape(prefix(kind))}*"
    for path in [*where.glob(named), *where.glob(f".{named}")]:
        with suppress(OSError):
            status = path.lstat()
            ours = status.st_uid == os.geteuid() and path.is_dir() and not path.is_symlink()
            starts = path.name.startswith(".") and time.time() - status.st_mtime <= STARTING_S
            if ours and not starts and _is_left(path, status):
                for semaphore in SEMAPHORES.glob(f"sem.{glob.escape(path.name)}-*"):
                    semaphore.unlink(missing_ok=True)
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
