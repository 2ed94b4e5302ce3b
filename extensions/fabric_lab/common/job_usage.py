"""Memory and CPU of the session's job on this node, as the kernel counts them: readers of its files, and no more.

Where Slurm keeps a job in a cgroup, version 2 or 1, the kernel counts the job there, whoever began its processes.
Elsewhere the processes of the job are added up: each one's share of memory (PSS), so that what several of them share
counts once. Sizes are bytes, times seconds.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from .environment import of_job

Source = Literal["cgroup2", "cgroup1", "processes"]
CGROUPS, PROC = Path("/sys/fs/cgroup"), Path("/proc")
# What version 1 says in place of "no limit": so many bytes, rounded down to whole pages.
NO_LIMIT = 1 << 62
STEP_DAEMON = "slurmstepd"
TICKS = os.sysconf("SC_CLK_TCK")


class Place(NamedTuple):
    """Where the kernel counts the job.

    :ivar job: the job's cgroup, with its memory; None: there is none.
    :ivar own: that of this process, at or below ``job``.
    :ivar cpu: the job's cgroup that counts CPU time; None: there is none.
    """

    source: Source
    job: Path | None = None
    own: Path | None = None
    cpu: Path | None = None


class Process(NamedTuple):
    """One process; ``cpu_s`` counts its children that have ended and were waited for, too."""

    pid: int
    parent: int
    name: str
    cpu_s: float


class Asked(NamedTuple):
    """What the job has asked for on this node; None: not known."""

    memory: int | None
    cpus: int | None


class JobReading(NamedTuple):
    """What the job uses; ``cpu_s`` is CPU time since it began. None: not known."""

    source: Source
    memory: int | None
    memory_limit: int | None
    cpu_s: float | None


def asked(environment: Mapping[str, str]) -> Asked:
    """What Slurm says in the job's environment: megabytes of 2**20 bytes, a node's or a CPU's, and CPUs."""
    cpus = _whole(of_job(environment, "SLURM_CPUS_ON_NODE"))
    node = _whole(of_job(environment, "SLURM_MEM_PER_NODE"))
    each = _whole(of_job(environment, "SLURM_MEM_PER_CPU"))
    megabytes = node or (each * cpus if each and cpus else None)
    return Asked(megabytes << 20 if megabytes else None, cpus)


def place(listed: str, job: str, root: Path = CGROUPS) -> Place:
    """Where the job is counted.

    :param listed: what ``/proc/self/cgroup`` says.
    :param job: Slurm's number of it; a cgroup that is not called so counts others, too.
    :param root: where cgroups are mounted.
    """
    if not job.isdigit():
        return Place("processes")
    paths: dict[str, str] = {}
    for line in listed.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        paths.update(dict.fromkeys(controllers.split(","), path))
    for mount in (root, root / "unified"):
        if found := _of_job(mount, paths.get("", ""), job):
            top, own = found
            if (top / "memory.current").is_file():
                return Place("cgroup2", top, own, top if (top / "cpu.stat").is_file() else None)
    cpu = None
    for name in ("cpuacct", "cpu,cpuacct"):
        found = _of_job(root / name, paths.get("cpuacct", ""), job)
        if found and (found[0] / "cpuacct.usage").is_file():
            cpu = found[0]
    found = _of_job(root / "memory", paths.get("memory", ""), job)
    if found and (found[0] / "memory.usage_in_bytes").is_file():
        return Place("cgroup1", *found, cpu)
    return Place("processes", cpu=cpu)


def _of_job(mount: Path, path: str, job: str) -> tuple[Path, Path] | None:
    parts = path.strip("/").split("/")
    if f"job_{job}" not in parts or ".." in parts:
        return None
    return mount.joinpath(*parts[: parts.index(f"job_{job}") + 1]), mount.joinpath(*parts)


def memory(where: Place) -> tuple[int | None, int | None]:
    """Bytes in use in a cgroup and their limit. Files that are kept in memory and can be dropped are not in use."""
    if where.job is None:
        return None, None
    new = where.source == "cgroup2"
    used = _whole(_text(where.job / ("memory.current" if new else "memory.usage_in_bytes")))
    limit = _whole(_text(where.job / ("memory.max" if new else "memory.limit_in_bytes")))
    droppable = _words(where.job / "memory.stat").get("inactive_file" if new else "total_inactive_file", 0)
    return (
        None if used is None else max(0, used - droppable),
        limit if limit is not None and limit < NO_LIMIT else None,
    )


def killed_for_memory(where: Place) -> int | None:
    """How many processes of the job the kernel has killed because its memory was used up.

    None: it does not count, or the job's cgroup has no limit, and whom it kills had used up the node's.
    """
    if where.job is None or where.own is None or memory(where)[1] is None:
        return None
    if where.source == "cgroup2":
        return _words(where.job / "memory.events").get("oom_kill")
    # version 1 counts where the killed process was, and nowhere above
    levels = [where.own, *where.own.parents]
    counts = [_words(one / "memory.oom_control").get("oom_kill") for one in levels[: levels.index(where.job) + 1]]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def killed_on_node(proc: Path = PROC) -> int | None:
    """How many processes of the whole node were killed for memory since it was started."""
    return _words(proc / "vmstat").get("oom_kill")


def cpu_seconds(where: Place) -> float | None:
    """CPU time of the job's cgroup; None: there is none that counts it."""
    if where.cpu is None:
        return None
    if (nanoseconds := _whole(_text(where.cpu / "cpuacct.usage"))) is not None:
        return nanoseconds / 1e9
    microseconds = _words(where.cpu / "cpu.stat").get("usage_usec")
    return None if microseconds is None else microseconds / 1e6


def processes(proc: Path = PROC) -> Iterator[Process]:
    """All that this user may see. One that ends meanwhile is left out."""
    for entry in proc.iterdir():
        if entry.name.isdigit() and (found := process(_text(entry / "stat"))):
            yield found


def process(stat: str) -> Process | None:
    """What ``/proc/PID/stat`` says; a name may hold blanks and brackets. None: it says nothing."""
    before, bracket, after = stat.rpartition(")")
    pid, _, name = before.partition(" (")
    fields = after.split()
    if not bracket or len(fields) < 15 or not pid.isdigit():
        return None
    return Process(int(pid), int(fields[1]), name, sum(map(int, fields[11:15])) / TICKS)


def of_session(listed: Iterable[Process], own: int) -> list[Process]:
    """The processes of the job that process ``own`` is in.

    They are what Slurm's daemon of the job's step has begun and adopted; without one, ``own`` and what it has begun.
    """
    known = {one.pid: one for one in listed}
    top, seen = own, set[int]()
    while (at := known.get(top)) and at.name != STEP_DAEMON and top not in seen:
        seen.add(top)
        top = at.parent
    daemon = known.get(top)
    root = top if daemon and daemon.name == STEP_DAEMON else own
    below: dict[int, list[Process]] = {}
    for one in known.values():
        below.setdefault(one.parent, []).append(one)
    found, waiting = ([known[own]] if root == own and own in known else []), [root]
    while waiting:
        children = [one for one in below.get(waiting.pop(), ()) if one.pid != root]
        found += children
        waiting += [one.pid for one in children]
    return found


def shares(pids: Iterable[int], proc: Path = PROC) -> int | None:
    """Memory of processes, with what they share counted once; None: that of none can be read."""
    sizes = []
    for pid in pids:
        told = _words(proc / str(pid) / "smaps_rollup", "Pss:")
        if "Pss:" in told:
            sizes.append(told["Pss:"] << 10)
    return sum(sizes) if sizes else None


def read(where: Place, wanted: Asked, own: int, proc: Path = PROC) -> JobReading:
    """What the job uses now, by its cgroup or else by its processes, which takes some milliseconds of CPU time.

    :param own: the number of this process.
    """
    used, limit = memory(where)
    cpu_s = cpu_seconds(where)
    if used is None or cpu_s is None:
        mine = of_session(processes(proc), own)
        used = shares((one.pid for one in mine), proc) if used is None else used
        cpu_s = sum(one.cpu_s for one in mine) if cpu_s is None else cpu_s
    return JobReading(where.source, used, limit or wanted.memory, cpu_s)


def _text(file: Path) -> str:
    with contextlib.suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace")
    return ""


def _whole(text: str) -> int | None:
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() else None


def _words(file: Path, only: str = "") -> dict[str, int]:
    """Lines of a name and a number."""
    found = {}
    for line in _text(file).splitlines():
        name, *rest = line.split() or [""]
        if rest and rest[0].isdigit() and only in ("", name):
            found[name] = int(rest[0])
    return found
