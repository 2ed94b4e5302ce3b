"""CPU time of a side's processes, from /proc: what a start costs on a machine that has nothing to spare."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from fabric_hub.embedded.processes import leftovers

_TICK = os.sysconf("SC_CLK_TCK")


def spent(stat: str) -> float:
    """Seconds that a process has used, and all its children that have ended, from its line in /proc/PID/stat.

    proc(5): utime, stime, cutime and cstime are fields 14 to 17.
    """
    fields = stat.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICK


def descendants(parents: dict[int, int], roots: Iterable[int]) -> set[int]:
    """The roots and all that descend from them.

    :param parents: the parent of every process.
    """
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found


def _stats() -> dict[int, str]:
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                found[int(entry.name)] = Path(entry.path, "stat").read_text(errors="replace")
            except OSError:
                continue  # it has just ended
    return found


def seconds(root: Path, uids: Iterable[int], without: Iterable[int]) -> float:
    """CPU seconds used so far by an embedded run: its Slurm, its jobs and one side's hub.

    A child that ended is counted in the parent that waited for it, so differences of this sum are exact.

    :param root: the run's directory.
    :param uids: the accounts of the run.
    :param without: processes of the other side; they and their descendants are left out.
    """
    mine = leftovers(root, uids)
    stats = _stats()
    parents = {pid: int(stat.rpartition(")")[2].split()[1]) for pid, stat in stats.items()}
    other = descendants(parents, without)
    return sum(spent(stats[pid]) for pid in mine if pid in stats and pid not in other)
