"""CPU time of a side's processes, from /proc: what a start costs on a machine that has nothing to spare."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from fabric_dev.processes import leftovers

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


def _stats() -> dict[int, tuple[int, str]]:
    """The account and the status line of every process."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                found[int(entry.name)] = entry.stat().st_uid, Path(entry.path, "stat").read_text(errors="replace")
            except OSError:
                continue  # it has just ended
    return found


def part_of(uid: int, parts: Mapping[int, str], in_hub: bool) -> str:
    """Whose a process is: ``hub``, a part named after its account, or else ``slurm`` (and what Slurm starts)."""
    return "hub" if in_hub else parts.get(uid, "slurm")


def seconds(root: Path, parts: Mapping[int, str], hub: Iterable[int], without: Iterable[int]) -> dict[str, float]:
    """CPU seconds used so far by an embedded run, by part: its Slurm, its sessions and one side's hub.

    A child that ended is counted in the parent that waited for it, so differences of this sum are exact.

    :param root: the run's directory.
    :param parts: which part every account of the run is.
    :param hub: processes of the hub whatever their account; their descendants belong to them.
    :param without: processes of the other side; they and their descendants are left out.
    """
    mine = leftovers(root, parts)
    stats = _stats()
    parents = {pid: int(stat.rpartition(")")[2].split()[1]) for pid, (_, stat) in stats.items()}
    other, of_hub = descendants(parents, without), descendants(parents, hub)
    found: dict[str, float] = defaultdict(float)
    for pid in set(mine) & set(stats) - other:
        uid, stat = stats[pid]
        found[part_of(uid, parts, pid in of_hub)] += spent(stat)
    return found
