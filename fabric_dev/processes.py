"""Starting processes as another account, and finding again those that a killed run left behind.

A process belongs to a run when its environment carries the run's directory (:data:`MARK`, set for
every daemon; SLURM_CONF with SLURM_JOB_ID, set by Slurm for every job; a home in the directory), when
it is a Slurm daemon with a file of the directory open, or when it runs as an account that the run made.
A number that was reused by another program therefore never gets a signal.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fabric_hub.hub.held_ports import PASSED

MARK = "FABRIC_HUB_EMBEDDED"
_DAEMONS = frozenset({"slurmstepd", "slurmscriptd", "slurmd", "slurmctld", "slurmdbd", "munged", "mariadbd"})


@dataclass(frozen=True)
class Account:
    """A Unix account to run as, and the only capabilities (``setuid``, ...) the process may ever have."""

    uid: int
    gid: int
    capabilities: tuple[str, ...] = ()


def as_account(argv: Sequence[str], account: Account | None) -> list[str]:
    """``argv`` run as an account, without a way to gain further rights (setpriv(1)); None changes nothing."""
    if account is None:
        return list(argv)
    only = ",".join(["-all", *(f"+{name}" for name in account.capabilities)])
    return [
        "/usr/bin/setpriv",
        f"--reuid={account.uid}",
        f"--regid={account.gid}",
        "--clear-groups",
        "--no-new-privs",
        f"--bounding-set={only}",
        f"--inh-caps={only}",
        f"--ambient-caps={only}",
        "--",
        *argv,
    ]


def start(
    argv: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    cwd: Path,
    account: Account | None = None,
    sockets: Sequence[socket.socket] = (),
) -> subprocess.Popen[bytes]:
    """Start a daemon in a session of its own, so that a terminal's Ctrl-C does not reach it.

    :param log: its output is appended here.
    :param environment: all of its environment; nothing of ours leaks.
    :param sockets: listening sockets that it gets.
    """
    passed = [listener.fileno() for listener in sockets]
    told = {PASSED: ",".join(map(str, passed))} if passed else {}
    with log.open("ab") as output:
        return subprocess.Popen(
            as_account(argv, account),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**environment, **told},
            start_new_session=True,
            pass_fds=passed,
        )


def cut(log: Path, most: int) -> bool:
    """Begin a log of more than ``most`` bytes anew; its end is kept beside it, as LOG.1. Who appends to it goes on.

    :returns: whether it was so large.
    """
    try:
        if log.stat().st_size <= most:
            return False
        earlier = log.with_name(f"{log.name}.1")
        earlier.unlink(missing_ok=True)
        with log.open("rb+") as old:
            with contextlib.suppress(OSError), earlier.open("xb") as kept:  # on a full disk nothing is kept
                old.seek(-most, os.SEEK_END)
                shutil.copyfileobj(old, kept)
            old.truncate(0)
    except OSError:
        return False
    return True


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log, or what keeps us from reading it."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 65536))
            return b"\n".join(log.read().splitlines()[-lines:]).decode(errors="replace")
    except OSError as error:
        return f"({path}: {error.strerror})"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # it ended, or is not ours to look into
        return b""


def _opens_below(pid: int, directory: str) -> bool:
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(entry.path).startswith(directory):
                    return True
    return False


def _started_by(pid: int, root: Path) -> bool:
    environment = _read(f"/proc/{pid}/environ").split(b"\0")
    if f"{MARK}={root}".encode() in environment or _at_home(environment, root):
        return True
    # Slurm's programs write their title over the start of their environment: only its end is sure to be there
    slurm_program = _read(f"/proc/{pid}/comm").strip().decode(errors="replace") in _DAEMONS
    if f"SLURM_CONF={root}/etc/slurm.conf".encode() in environment:
        return slurm_program or any(entry.startswith(b"SLURM_JOB_ID=") for entry in environment)
    return slurm_program and _opens_below(pid, f"{root}/")


def _at_home(environment: list[bytes], root: Path) -> bool:
    return any(entry.startswith(f"HOME={root}/homes/".encode()) for entry in environment)


def of_session(pid: int, root: Path) -> bool:
    """Whether a process is a session's, or Slurm's shepherd of a job with its own: those survive the daemons."""
    # the step that stands for all of a job has a "sleep" of its own, with slurmd's environment and no word of the job;
    # when that ends, the job's /tmp goes (Slurm 22.05, job_container/tmpfs)
    if b"slurmstepd" in (_read(f"/proc/{each}/comm").strip() for each in (pid, _parent(pid))):
        return True
    environment = _read(f"/proc/{pid}/environ").split(b"\0")
    return _at_home(environment, root) or any(entry.startswith(b"SLURM_JOB_ID=") for entry in environment)


def leftovers(root: Path, uids: Iterable[int] = ()) -> list[int]:
    """The processes of the run in ``root``, and all of the accounts ``uids``; never ourselves or our ancestors."""
    uids, mine, found = frozenset(uids), ancestors(os.getpid()), []
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal() or (pid := int(entry.name)) in mine:
            continue
        with contextlib.suppress(OSError):
            if _state(pid) != "Z" and (entry.stat().st_uid in uids or _started_by(pid, root)):
                found.append(pid)
    return found


def _stat(pid: int) -> list[str]:
    # the command's name, in brackets, may hold anything: what follows the last bracket is safe to split
    return _read(f"/proc/{pid}/stat").decode(errors="replace").rpartition(")")[2].split()


def _state(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else "Z"


def ancestors(pid: int) -> frozenset[int]:
    """A process and those it descends from, without init."""
    pids = set()
    while pid > 1:
        pids.add(pid)
        pid = _parent(pid)
    return frozenset(pids)


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def end(pids: Iterable[int], *, grace_s: float = 10.0) -> list[int]:
    """Ask processes to end, insist after ``grace_s`` seconds, and wait until they are gone.

    :returns: those that even SIGKILL did not end within five seconds.
    """
    handles: dict[int, int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            handles[pid] = os.pidfd_open(pid)
    try:
        for number, patience in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
            for handle in handles.values():
                with contextlib.suppress(OSError):
                    signal.pidfd_send_signal(handle, number)
                    signal.pidfd_send_signal(handle, signal.SIGCONT)  # a stopped process cannot end
            _await_gone(handles, time.monotonic() + patience)
        return list(handles)
    finally:
        for handle in handles.values():
            os.close(handle)


def _await_gone(handles: dict[int, int], deadline: float) -> None:
    """Drop from ``handles`` (pid to pidfd) every process that is gone before the deadline."""
    poll = select.poll()
    by_handle = {handle: pid for pid, handle in handles.items()}
    for handle in by_handle:
        poll.register(handle, select.POLLIN)
    while handles and (left := deadline - time.monotonic()) > 0:
        for handle, _ in poll.poll(left * 1000):
            poll.unregister(handle)
            os.close(handle)
            del handles[by_handle[handle]]
