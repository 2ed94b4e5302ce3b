"""A memory cgroup of a test's own, called as Slurm calls that of a job."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .waiting import until

MOUNT = Path("/sys/fs/cgroup")
VERSION_1 = "memory.limit_in_bytes"


def top() -> Path | None:
    """Where memory cgroups can be made here, in version 1 or 2; None: nowhere."""
    for place in (MOUNT / "memory", MOUNT, MOUNT / "unified"):
        controls = place / "cgroup.subtree_control"
        new = controls.is_file() and "memory" in controls.read_text().split()
        if ((place / VERSION_1).is_file() or new) and os.access(place, os.W_OK) and os.geteuid() == 0:
            return place
    return None


class MemoryCgroup:
    """What a test does with one; ``source`` is what the session calls it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._old = (path / VERSION_1).is_file()
        self.source = "cgroup1" if self._old else "cgroup2"

    def limit(self, size: int) -> None:
        """Give it so many bytes, and no swap beside them where that is counted."""
        (self.path / (VERSION_1 if self._old else "memory.max")).write_text(str(size))
        swap = self.path / ("memory.memsw.limit_in_bytes" if self._old else "memory.swap.max")
        if swap.is_file():
            swap.write_text(str(size) if self._old else "0")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What this process begins meanwhile is in it from its first moment."""
        kind = "memory" if self._old else ""
        listed = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        before = next(path for _, controllers, path in listed if kind in controllers.split(","))
        mount = self.path.parents[1]
        (self.path / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            (mount / before.lstrip("/") / "cgroup.procs").write_text(str(os.getpid()))


@contextmanager
def memory_cgroup(job: int) -> Iterator[MemoryCgroup]:
    """A job's cgroup; removed once its last process has ended."""
    place = top()
    assert place, "ask top() first"
    path = place / f"fabric-test-{os.getpid()}" / f"job_{job}"
    path.parent.mkdir()
    if not (place / VERSION_1).is_file():
        (path.parent / "cgroup.subtree_control").write_text("+memory")
    path.mkdir()
    try:
        yield MemoryCgroup(path)
    finally:
        until(lambda: not (path / "cgroup.procs").read_text().split(), "its processes have ended", 60)
        path.rmdir()
        path.parent.rmdir()
