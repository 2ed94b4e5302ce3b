"""What only the hub's own account reads: the directory of its Unix sockets, and files with secrets."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import startup

_LONGEST = 107  # bytes of a Unix socket's path (unix(7))


def private_directory(path: Path) -> None:
    """Make a directory for Unix sockets that only this account can enter.

    :raises FabricError: there is something else, or its sockets' paths would be too long.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = path.lstat()
    if status.st_uid != os.geteuid() or not path.is_dir() or path.is_symlink():
        raise FabricError(startup.NOT_HUBS_DIRECTORY(path=str(path)))
    path.chmod(0o700)
    # the longest name in it, while it is made: .proxy-api.sock.PID
    if len(os.fsencode(path)) + len("/.proxy-api.sock.4194304") > _LONGEST:
        raise FabricError(startup.PATH_TOO_LONG(path=str(path), most=_LONGEST - len("/run/.proxy-api.sock.4194304")))


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file, all at once.

    :raises OSError: its directory or its disk does not allow it; what was there before is there still.
    """
    new = path.with_suffix(path.suffix + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def lasting_secret(path: Path) -> str:
    """The secret in a file of ours, made at the first call: 256 bits in hexadecimal digits.

    :raises FabricError: others could have read it, or it is none.
    """
    with suppress(FileNotFoundError):
        status, text = path.stat(), path.read_text().strip()
        if status.st_uid != os.geteuid() or status.st_mode & 0o077 or len(text) < 64:
            raise FabricError(startup.NO_SECRET(path=str(path)))
        return text
    write(path, f"{secrets.token_hex(32)}\n".encode())
    return path.read_text().strip()
