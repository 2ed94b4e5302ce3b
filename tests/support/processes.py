"""A session's processes, and where they listen: proc(5)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LISTENS = "0A"  # state of /proc/net/tcp
ACCEPTS = 1 << 16  # flag of /proc/net/unix


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            number = int(entry.name)
            parents[number] = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _inodes(pids: list[int]) -> set[str]:
    found = set()
    for pid in pids:
        with suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    found.add(os.readlink(descriptor))
    return {link[len("socket:[") : -1] for link in found if link.startswith("socket:[")}


def ports(pids: list[int]) -> list[int]:
    """TCP ports that any of them listens on, on whatever address."""
    return sorted({port for port, inode in _tcp() if inode in _inodes(pids)})


def _tcp() -> Iterator[tuple[int, str]]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENS:
                yield int(fields[1].rpartition(":")[2], 16), fields[9]


def sockets(pids: list[int]) -> list[str]:
    """Paths of the Unix sockets that any of them listens on; an abstract one begins with @."""
    inodes, found = _inodes(pids), set()
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if len(fields) == 8 and int(fields[3], 16) & ACCEPTS and fields[6] in inodes:
            found.add(fields[7])
    return sorted(found)
