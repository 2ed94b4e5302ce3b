"""Empties a leased account's home, as that account.

This file is not imported by the gateway: its source is given to a bare interpreter (``python -I -S -c SOURCE HOME``)
that already runs as the account, so it uses the standard library only. No link is followed and no mount entered; what
it may not remove, as the account, stays. The answer goes as JSON to standard output: ``{"left": N, "why": TEXT,
"found": N}``, the last of what it removed.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import sys
import uuid

DEEPEST = 100  # directories open at once; what lies deeper is moved up first


def mounts() -> set[str]:
    """Where something is mounted."""
    with open("/proc/self/mountinfo", "rb") as file:
        return {os.fsdecode(re.sub(rb"\\([0-7]{3})", _byte, line.split(b" ", 5)[4])) for line in file}


def _byte(octal: re.Match[bytes]) -> bytes:
    return bytes([int(octal[1], 8) & 0xFF])


class Emptier:
    """Counts what it removes and what it cannot remove, and keeps why the first of that."""

    def __init__(self, device: int, mounted: set[str]) -> None:
        self.device, self.mounted = device, mounted
        self.left, self.why, self.found = 0, "", 0

    def keep(self, why: str) -> None:
        self.left += 1
        self.why = self.why or why

    def empty(self, handle: int, path: str, top: int, depth: int) -> bool:
        """Empty an open directory; whether all is gone."""
        with contextlib.suppress(OSError):
            if stat.S_IMODE(os.fstat(handle).st_mode) & 0o700 != 0o700:
                os.fchmod(handle, 0o700)
        done = True
        for name in os.listdir(handle):
            try:
                done = self.remove(handle, f"{path}/{name}", name, top, depth) and done
            except FileNotFoundError:
                continue
            except OSError as error:
                self.keep(error.strerror or "an error")
                done = False
        return done

    def remove(self, handle: int, path: str, name: str, top: int, depth: int) -> bool:
        status = os.lstat(name, dir_fd=handle)
        if not stat.S_ISDIR(status.st_mode):
            os.unlink(name, dir_fd=handle)
            self.found += 1
            return True
        if status.st_dev != self.device or path in self.mounted:
            self.keep("something is mounted in it")
            return False
        if depth >= DEEPEST:
            os.rename(name, f".fabric-{uuid.uuid4().hex}", src_dir_fd=handle, dst_dir_fd=top)
            return True
        if status.st_mode & 0o700 != 0o700:
            # one that is somebody else's is opened as it is, or not
            with contextlib.suppress(OSError):
                os.chmod(
                    name, 0o700, dir_fd=handle, follow_symlinks=False
                ) if os.chmod in os.supports_follow_symlinks else os.chmod(name, 0o700, dir_fd=handle)
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
        try:
            done = self.empty(inner, path, top, depth + 1)
        finally:
            os.close(inner)
        if done:
            os.rmdir(name, dir_fd=handle)
            self.found += 1
        return done


def main() -> None:
    home = sys.argv[1]
    try:
        status = os.lstat(home)
    except FileNotFoundError:
        json.dump({"left": 0, "why": "", "found": 0}, sys.stdout)
        return
    if not stat.S_ISDIR(status.st_mode):
        json.dump({"left": 1, "why": "it is a link, or no directory", "found": 0}, sys.stdout)
        return
    if status.st_uid != os.geteuid():
        json.dump({"left": 1, "why": "it is somebody else's", "found": 0}, sys.stdout)
        return
    os.chmod(home, 0o700)
    top = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    emptier = Emptier(os.fstat(top).st_dev, mounts())
    for name in ("system.posix_acl_access", "system.posix_acl_default"):  # else others get what is made here next
        try:
            os.removexattr(top, name)
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.EOPNOTSUPP):
                emptier.keep("its ACL stays")
    os.fchmod(top, 0o700)
    while emptier.empty(top, home, top, 0) and os.listdir(top):
        pass  # what came up from below
    json.dump({"left": emptier.left, "why": emptier.why, "found": emptier.found}, sys.stdout)


if __name__ == "__main__":
    main()
