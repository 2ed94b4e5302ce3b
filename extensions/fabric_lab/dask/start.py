"""Starting a cluster's process, finding it again, and knowing that it is gone."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import rendezvous, session, slurm, tls
from .plan import Plan

START_S = 60.0


class ClusterError(Exception):
    """A cluster could not be started or found; the message says why and what to do."""


class Daemon:
    """A cluster's daemon: it imports what it needs while it waits for its plan, and is a child of nobody's.

    :raises ClusterError: it could not be started.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        log = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fabric_lab.dask.daemon", str(directory)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=slurm.clean(os.environ),
                cwd=here(),
            )
            # what has been started has left a child of its own, and ends
            code = self._process.wait(START_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise self._failed(error) from error
        finally:
            os.close(log)
        if code:
            raise self._failed(subprocess.CalledProcessError(code, self._process.args))

    def go(self, plan: Plan, begun: Mapping[str, Any]) -> None:
        """Have it be the cluster.

        :param begun: what was submitted for it already (:mod:`.presubmit`).
        :raises ClusterError: it is gone.
        """
        told = {"plan": asdict(plan), "service": session.access(os.environ), "begun": begun}
        assert self._process.stdin is not None
        try:
            with self._process.stdin as stream:
                stream.write(json.dumps(told).encode())
        except OSError as error:
            raise self._failed(error) from error

    def drop(self) -> None:
        """There shall be no cluster: the daemon is gone afterwards, and so is the directory."""
        if running(self._directory):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
        until_gone(self._directory)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _failed(self, error: Exception) -> ClusterError:
        return ClusterError(f"Cluster {self._directory.name} did not start: {error}. {last_words(self._directory)}")


def here() -> Path:
    """The notebook's directory, where workers run, too, as dask-jobqueue's do; the home where that is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path.home()


def new_name() -> str:
    """A name for a cluster that was given none."""
    return f"dask-{secrets.token_hex(3)}"


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
        _make(directory)
        return
    if running(directory):
        raise ClusterError(
            f"There is a cluster {directory.name} already. "
            f"Connect to it with DaskCluster.connect({directory.name!r}), or choose another name."
        )
    shutil.rmtree(directory)  # of a daemon that was killed
    _make(directory)


def _make(directory: Path) -> None:
    directory.mkdir(mode=0o700)
    for name in ("orders", "logs"):
        (directory / name).mkdir(mode=0o700)
    rendezvous.make(directory)
    tls.create(directory)


def clusters() -> list[str]:
    """Names of this session's clusters."""
    return sorted(path.name for path in session.clusters_directory().iterdir() if running(path))
