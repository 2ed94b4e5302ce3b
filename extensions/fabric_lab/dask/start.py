"""Starting a cluster's process, finding it again, and knowing that it is gone."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from . import session, slurm, tls
from .plan import Plan

START_S = 60.0


class ClusterError(Exception):
    """A cluster could not be started or found; the message says why and what to do."""


def launch(directory: Path, plan: Plan) -> None:
    """Start a cluster's daemon; it is in a process group of its own, and of no kernel."""
    for name in ("orders", "logs"):
        (directory / name).mkdir(mode=0o700)
    environment = slurm.clean(os.environ)
    log = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        subprocess.run(
            [sys.executable, "-P", "-m", "fabric_lab.dask.daemon", str(directory)],
            input=json.dumps({"plan": asdict(plan), "service": session.access(os.environ)}).encode(),
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment,
            cwd=Path.home(),
            check=True,
            timeout=START_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ClusterError(f"Cluster {directory.name} did not start: {error}. {last_words(directory)}") from error
    finally:
        os.close(log)


def running(directory: Path) -> bool:
    """Whether a cluster's daemon lives: it holds a lock on its directory's ``lock`` as long as it does."""
    try:
        # whatever stands there under that name: nobody waits for it
        lock = os.open(directory / "lock", os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(lock, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def until_gone(directory: Path) -> None:
    """Wait for a cluster's daemon to end, however it does."""
    with suppress(OSError), (directory / "lock").open("rb") as file:
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
        directory.mkdir(mode=0o700)
        tls.create(directory)
        return
    if running(directory):
        raise ClusterError(
            f"There is a cluster {directory.name} already. "
            f"Connect to it with DaskCluster.connect({directory.name!r}), or choose another name."
        )
    shutil.rmtree(directory)  # of a daemon that was killed
    directory.mkdir(mode=0o700)
    tls.create(directory)


def clusters() -> list[str]:
    """Names of this session's clusters."""
    return sorted(path.name for path in session.clusters_directory().iterdir() if running(path))
