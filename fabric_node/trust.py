"""Opening files that root acts upon: every directory on the way and the file itself belong to who may write them."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
from collections.abc import Iterator

LARGEST_TEXT = 16 << 20  # bytes of a configuration or of the published grants
_LIBC = ctypes.CDLL(None, use_errno=True)


class NodeError(Exception):
    """A refusal in words; ``reason`` is the short label that programs and the audit log get."""

    def __init__(self, message: str, reason: str = "unusable") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


@contextlib.contextmanager
def as_uid(uid: int | None) -> Iterator[None]:
    """Touch files as another uid, in this thread only (setfsuid(2)); None stays who we are.

    A file server with root_squash takes root for nobody; what root may not read there, its owner may.
    """
    if uid is None:
        yield
        return
    before = _LIBC.setfsuid(uid)
    try:
        yield
    finally:
        _LIBC.setfsuid(before)


def _parts(path: str) -> list[str]:
    parts = path.split("/")[1:]
    if not path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise NodeError(f"{path!r} is not a plain absolute path.")
    return parts


def _check(status: os.stat_result, path: str, owners: frozenset[int]) -> None:
    """Refuse what somebody else could have written; a sticky directory keeps others from moving our entries."""
    if status.st_uid not in owners:
        raise NodeError(f"{path} belongs to uid {status.st_uid}, who is not trusted.")
    sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & 0o022 and not sticky:
        raise NodeError(f"{path} can be written by others (mode {stat.S_IMODE(status.st_mode):04o}).")


def open_path(path: str, flags: int, owners: frozenset[int], *, below: str | None = None) -> int:
    """Open ``path`` one directory at a time; no symbolic link is followed anywhere.

    :param owners: uids (root among them) that every directory and the file must belong to; nobody else may write.
    :param below: directories below this one may belong to anybody, as long as not everybody may write to them.
    :returns: a file descriptor.
    :raises NodeError: it is not there, is a link, or somebody else could have put it there.
    """
    parts = _parts(path)
    trusted = len(_parts(below)) if below else len(parts)
    if below and _parts(path)[:trusted] != _parts(below):
        raise NodeError(f"{path} is not below {below}.")
    handle = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    walked = "/"
    try:
        _check(os.fstat(handle), walked, owners)
        for number, part in enumerate(parts, 1):
            last = number == len(parts)
            walked = os.path.join(walked, part)
            how = flags if last else os.O_PATH | os.O_DIRECTORY
            try:
                following = os.open(part, how | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=handle)
            except OSError as error:
                raise NodeError(f"{walked} cannot be opened: {_why(error)}.") from error
            os.close(handle)
            handle = following
            status = os.fstat(handle)
            if number <= trusted:
                _check(status, walked, owners)
            elif status.st_mode & 0o002:
                raise NodeError(f"{walked} can be written by everybody (mode {stat.S_IMODE(status.st_mode):04o}).")
    except BaseException:
        os.close(handle)
        raise
    return handle


def _why(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "it is a symbolic link, or no directory; write the real path"
    return error.strerror or str(error)


def open_for(path: str, flags: int, owners: frozenset[int], *, below: str | None = None) -> int:
    """As :func:`open_path`; what root may not open (NFS with root_squash) is tried as each of the owners."""
    refused: NodeError | None = None
    for uid in (None, *sorted(owners - {0, os.geteuid()})):
        try:
            with as_uid(uid):
                return open_path(path, flags, owners, below=below)
        except NodeError as error:
            refused = refused or error
            if not isinstance(error.__cause__, PermissionError):
                raise
    assert refused is not None
    raise refused


def read_text(path: str, owners: frozenset[int]) -> str:
    """The text of a small regular file that only ``owners`` could have written.

    :raises NodeError: it is not that.
    """
    handle = open_for(path, os.O_RDONLY, owners)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NodeError(f"{path} is not a regular file.")
        try:
            content = file.read(LARGEST_TEXT + 1)
        except OSError as error:
            raise NodeError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST_TEXT:
        raise NodeError(f"{path} is larger than {LARGEST_TEXT} bytes.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise NodeError(f"{path} is not UTF-8 text.") from error
