"""What the gateway does in a user's own directories, done as that user.

This file is not imported by the gateway: its source is given to a bare
interpreter (``python -I -S -c SOURCE``) that already runs as the user, so it uses
the standard library only. The work comes as JSON on standard input - it may hold
secrets, so it is never an argument and is never logged - and the answer goes as
JSON to standard output: ``{"ok": ...}`` or ``{"errno": N, "at": PATH, "why": TEXT}``.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import sys
import time

TYPE_CHECKING = False  # typing takes longer to import than all the work
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LOG = "session.log"
ENVIRONMENT = "env.json"  # the script's first program reads and removes it
LOG_BYTES = 64 * 1024
LINE_CHARS = 1000
KEEP_LOGS_S = 30 * 24 * 3600
# ANSI: CSI and OSC sequences, then every other escape with its final byte
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?")


class NotYoursError(OSError):
    """A directory that somebody else could have put there."""


def open_root(path: str, make: bool) -> int:
    """A descriptor of the directory that holds the user's sessions.

    A link in its place is followed only when the user (or root) made it.
    """
    if make:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
    if os.lstat(path).st_uid not in (os.geteuid(), 0):
        raise NotYoursError(errno.EPERM, "it belongs to somebody else", path)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return own(fd, path)


def own(fd: int, path: str) -> int:
    """Check that an open directory is the user's, and shut it for everybody else."""
    status = os.fstat(fd)
    if status.st_uid != os.geteuid():
        os.close(fd)
        raise NotYoursError(errno.EPERM, "it belongs to somebody else", path)
    if status.st_mode & 0o077:
        os.fchmod(fd, 0o700)
    return fd


def open_session(root_fd: int, root: str, name: str, make: bool) -> int:
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=root_fd)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    return own(os.open(name, flags, dir_fd=root_fd), os.path.join(root, name))


def write(fd: int, name: str, text: str) -> None:
    """Write a file that only the user can read; it is there whole or not at all."""
    draft = f".{name}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft, dir_fd=fd)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(draft, flags, 0o600, dir_fd=fd), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())  # a full or over-quota file system may say so only here
        os.rename(draft, name, src_dir_fd=fd, dst_dir_fd=fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft, dir_fd=fd)
        raise


def prepare(work: dict[str, Any]) -> None:
    try:
        root_fd = open_root(work["root"], True)
    except PermissionError:
        os.stat(work["home"])  # not to be made in a directory that is not there: say that instead
        raise
    fd = open_session(root_fd, work["root"], work["session"], True)
    try:
        for name, text in work["files"].items():
            write(fd, name, text)
    except OSError:
        # no secret stays behind for a job that will not be, and no empty directory
        with contextlib.suppress(OSError):
            for name in work["files"]:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=fd)
            os.rmdir(work["session"], dir_fd=root_fd)
        raise


def read_log(work: dict[str, Any]) -> list[str] | None:
    """The last lines; None: the job's script has not begun, for what waits for it is there, and no log."""
    fd = -1
    try:
        root_fd = open_root(work["root"], False)
        fd = open_session(root_fd, work["root"], work["session"], False)
        # neither a link nor a pipe: opening must not wait
        log = os.open(LOG, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    except FileNotFoundError:
        return None if fd >= 0 and ENVIRONMENT in os.listdir(fd) else []
    with open(log, "rb") as file:
        if not stat.S_ISREG(os.fstat(log).st_mode):
            return []
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - LOG_BYTES)
        file.seek(start)
        data = file.read(LOG_BYTES)
    if start:
        data = data.partition(b"\n")[2] or data
    return clean(data.decode("utf-8", "replace"))[-work["lines"] :]


def clean(text: str) -> list[str]:
    """Lines without control characters; of a line that was redrawn (a progress bar), what was last seen."""
    lines = []
    for line in _ANSI.sub("", text).split("\n"):
        shown = [part for part in line.split("\r") if part]
        line = "".join(c for c in (shown[-1] if shown else "").replace("\t", "    ") if c.isprintable())
        lines.append(line[:LINE_CHARS].rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return lines


def remove(work: dict[str, Any]) -> None:
    """Remove a session's files but, unless told to, its log, and the logs of sessions long gone."""
    try:
        root_fd = open_root(work["root"], False)
        fd = open_session(root_fd, work["root"], work["session"], False)
    except FileNotFoundError:
        return
    for name in os.listdir(fd):
        if name != LOG or work["log"]:
            remove_tree(fd, name)
    if not os.listdir(fd):
        os.rmdir(work["session"], dir_fd=root_fd)
    remove_old(root_fd, work["root"], time.time() - KEEP_LOGS_S)


def remove_tree(fd: int, name: str) -> None:
    if not stat.S_ISDIR(os.lstat(name, dir_fd=fd).st_mode):
        os.unlink(name, dir_fd=fd)
        return
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    try:
        for entry in os.listdir(inner):
            remove_tree(inner, entry)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=fd)


def remove_old(root_fd: int, root: str, before: float) -> None:
    for name in os.listdir(root_fd):
        if not re.fullmatch("[a-z2-7]{12}", name):
            continue
        try:
            fd = open_session(root_fd, root, name, False)
        except OSError:
            continue
        try:
            if os.listdir(fd) == [LOG] and os.lstat(LOG, dir_fd=fd).st_mtime < before:
                os.unlink(LOG, dir_fd=fd)
                os.rmdir(name, dir_fd=root_fd)
        finally:
            os.close(fd)


def main() -> None:
    verbs: dict[str, Callable[[dict[str, Any]], object]] = {"prepare": prepare, "log": read_log, "remove": remove}
    os.umask(0o077)
    try:
        work = json.load(sys.stdin)
        answer = {"ok": verbs[work["verb"]](work)}
    except OSError as error:
        at = error.filename if isinstance(error.filename, str) else ""
        answer = {"errno": error.errno or 0, "at": at, "why": error.strerror or ""}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
