"""What is done in a project's folder, done as the project's service account.

This file is not imported by the gateway: its source is given to a bare interpreter (``python -I -S -c SOURCE``) that
already runs as that account, so it uses the standard library only. The work comes as JSON on standard input and the
answer goes as JSON to standard output: ``{"ok": ...}`` or ``{"errno": N}``.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
import time

TYPE_CHECKING = False  # typing takes longer to import than all the work
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
BLOCK = 512  # of st_blocks


def open_top(directory: str, name: str) -> int:
    """A descriptor of the folder's top: a directory of this account's own, in a directory that only root changes."""
    above = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        parent = os.fstat(above)
        if parent.st_uid != 0 or parent.st_mode & 0o022:
            raise OSError(errno.EXDEV, "others may put something in the folder's place", directory)
        top = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    finally:
        os.close(above)
    if os.fstat(top).st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it belongs to somebody else", name)
    return top


def set_gate(work: dict[str, Any]) -> None:
    """Set the ACLs of the top; the gate first, so that nothing is open inside that is not closed at the top."""
    top = open_top(work["directory"], work["name"])
    os.setxattr(top, ACCESS, bytes.fromhex(work["access"]))
    os.setxattr(top, DEFAULT, bytes.fromhex(work["default"]))


def measure(work: dict[str, Any]) -> dict[str, int]:
    """What the folder holds: bytes on the disk, files, and how many of its directories this account may not read."""
    os.nice(19)
    until = time.monotonic() + work["seconds"]
    found = {"bytes": 0, "files": 0, "closed": 0}
    top = open_top(work["directory"], work["name"])
    device, linked = os.fstat(top).st_dev, set[int]()

    def closed(_error: OSError) -> None:
        found["closed"] += 1

    for _, directories, files, here in os.fwalk(".", dir_fd=top, onerror=closed):
        for name in (*directories, *files):
            try:
                status = os.stat(name, dir_fd=here, follow_symlinks=False)
            except FileNotFoundError:
                continue  # gone by now
            if status.st_dev != device or status.st_ino in linked:
                continue
            if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
                linked.add(status.st_ino)
            found["bytes"] += status.st_blocks * BLOCK
            found["files"] += 1
        directories[:] = [name for name in directories if _is_on(device, name, here)]
        if time.monotonic() > until:
            raise OSError(errno.ETIME, "it takes too long")
    return found


def _is_on(device: int, name: str, here: int) -> bool:
    try:
        return os.stat(name, dir_fd=here, follow_symlinks=False).st_dev == device
    except OSError:
        return False


def main() -> None:
    verbs: dict[str, Callable[[dict[str, Any]], object]] = {"gate": set_gate, "measure": measure}
    try:
        work = json.load(sys.stdin)
        answer = {"ok": verbs[work["verb"]](work)}
    except OSError as error:
        answer = {"errno": error.errno or 0}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
