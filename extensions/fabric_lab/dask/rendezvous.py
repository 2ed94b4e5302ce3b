"""Where a cluster is found: its directory, who holds its lock, its state, and its scheduler's address.

A cluster's first jobs are submitted while its daemon still starts (:func:`.remote.presubmit`), so a task may be there
first. It waits for the address. That file is made with the cluster's directory and written in place: a network file
system shows who opens a file that it knows what is in it now, but may hide for a minute that there is a new one
(nfs(5), "Directory entry caching").
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ..common.translation import _
from . import tls

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
ADDRESS, STATE, LOCK = "scheduler", "cluster.json", "lock"
START_S = 60.0
LOOK_S = 0.02
LONGEST_LOOK_S = 0.5


def clusters_place(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the directories of clusters are; nothing need be there yet."""
    own = environment.get("FABRIC_SESSION_DIR")
    return (Path(own) if own else Path.home() / ".fabric-hub") / "clusters"


def clusters_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory that holds one directory per cluster, private to the user; made when it is missing."""
    path = clusters_place(environment)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def server_pid(start: int | None = None) -> int | None:
    """The session's notebook server among this process's ancestors, or None outside a session."""
    pid = os.getppid() if start is None else start
    while pid > 1:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        if b"fabric_lab.launch" in words:
            return pid
        pid = int(stat.rpartition(")")[2].split()[1])
    return None


class ClusterError(Exception):
    """A cluster could not be started or found; the message says why and what to do."""


def new_name() -> str:
    """A name for a cluster that was given none."""
    return f"dask-{secrets.token_hex(3)}"


def running(directory: Path) -> bool:
    """Whether a cluster's daemon lives: it holds a lock on its directory's ``lock`` as long as it does."""
    try:
        # whatever stands there under that name: nobody waits for it
        lock = os.open(directory / LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(lock, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def until_gone(directory: Path) -> None:
    """Wait for a cluster's daemon to end, however it does."""
    with suppress(OSError), (directory / LOCK).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


def last_words(directory: Path, lines: int = 5) -> str:
    """The end of a daemon's log."""
    with suppress(OSError):
        return "\n".join((directory / "log").read_text(errors="replace").splitlines()[-lines:])
    return ""


def claim(directory: Path) -> None:
    """Make a new cluster's directory with its key; only its user may enter.

    :raises ClusterError: there is a cluster of this name.
    """
    with suppress(FileExistsError):
        _make(directory)
        return
    if running(directory):
        said = _("There is a cluster {name} already. Connect to it with {code}, or choose another name.")
        raise ClusterError(said.format(name=directory.name, code=f"DaskCluster.connect({directory.name!r})"))
    shutil.rmtree(directory)  # of a daemon that was killed
    _make(directory)


def _make(directory: Path) -> None:
    directory.mkdir(mode=0o700)
    for name in ("orders", "logs"):
        (directory / name).mkdir(mode=0o700)
    make_address(directory)
    tls.create(directory)


def clusters() -> list[str]:
    """Names of this session's clusters."""
    return sorted(path.name for path in clusters_directory().iterdir() if running(path))


@dataclass(frozen=True)
class State:
    """What others need to reach the cluster; no secret is in it.

    ``started_at`` is in Unix seconds; ``ip`` is where its scheduler listens.
    """

    name: str
    pid: int
    address: str
    dashboard: str
    started_at: float
    ip: str

    def write(self, directory: Path) -> None:
        new = directory / f"{STATE}.new"
        new.write_text(json.dumps(asdict(self)))
        new.replace(directory / STATE)

    @classmethod
    def read(cls, directory: Path) -> State:
        return cls(**json.loads((directory / STATE).read_text()))


def make_address(directory: Path) -> None:
    """Make the empty file, readable by the user only."""
    os.close(os.open(directory / ADDRESS, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def write_address(directory: Path, address: str) -> None:
    """Tell the tasks that wait, and those to come."""
    with (directory / ADDRESS).open("r+") as file:
        file.write(f"{address}\n")


def read_address(directory: Path) -> str:
    """The address; "" while it is not known.

    :raises FileNotFoundError: the cluster is gone.
    """
    text = (directory / ADDRESS).read_text()
    return text.splitlines()[0] if "\n" in text else ""


async def until_address(directory: Path, limit_s: float) -> str:
    """The address, as soon as it is known.

    :raises FileNotFoundError: the cluster is gone.
    :raises TimeoutError: it is not known within so many seconds.
    """
    end, wait = time.monotonic() + limit_s, LOOK_S
    while not (address := read_address(directory)):
        if time.monotonic() >= end:
            raise TimeoutError(_("it did not start within {seconds} s").format(seconds=f"{limit_s:g}"))
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_LOOK_S)
    return address
