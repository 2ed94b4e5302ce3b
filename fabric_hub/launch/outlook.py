"""When a job could start: how many fit now, and about when the next one does. Pure.

Everything is from the snapshot that is there anyway: what is free on each node, when the jobs on it end at the latest,
who waits before, and when reservations and maintenance take nodes away. It is an estimate: jobs end before their time,
and Slurm weighs those that wait by more than the order in which they came.

Of a job Slurm tells the first node only. What other jobs of several nodes have on their further nodes is taken to end
with the last of them; what nobody is known to have is never given back. So an estimate is late rather than early.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from fabric_hub.slurm.gpus import free_shared
from fabric_hub.slurm.model import Job, JobSpec, Node, Phase, Reservation, Snapshot
from fabric_hub.slurm.notation import hostnames, tres_counts

from .job_spec import gres_of

# Jobs that wait for a node; others wait for something that says nothing about nodes (a limit, a day, another job).
_AHEAD = frozenset({"", "Priority", "Resources", "None"})
# More than so many (jobs that wait, times nodes) are not planned: it would take longer than the answer is worth.
_MOST_PLANNED = 400
_GPU = "gres/gpu"
# A job that should have ended, and has not, ends any moment.
_ANY_MOMENT_S = 30.0


class Outlook(NamedTuple):
    """``free`` of ``places`` such jobs could start now; if none, the first could ``at`` (Unix seconds; None: unknown).

    ``for_s``: none can start now for as long as asked, but one for so many seconds can, before its node is taken away
    for a reservation, which is one for ``maintenance`` or not.
    """

    free: int
    places: int
    at: float | None = None
    for_s: float | None = None
    maintenance: bool = False


class Need(NamedTuple):
    """What a job takes of one node; GPUs by type, "" for any."""

    cpus: int
    memory_mb: int
    gpus: Mapping[str, int]
    shards: int = 0


class _Taken(NamedTuple):
    """What is taken of a node from one moment to another; None: for ever."""

    start: float
    end: float
    need: Need
    running: bool = False


class _Window(NamedTuple):
    """A time in which a node, or ``part`` of it, is not to be had."""

    start: float
    end: float
    maintenance: bool
    part: Need | None = None


@dataclass
class _Line:
    """One node over time."""

    node: Node
    gpus_used: Mapping[str, int]  # whole ones, now
    blocked: tuple[_Window, ...] = ()
    only: tuple[_Window, ...] = ()  # it is to be had in these alone
    taken: list[_Taken] = field(default_factory=list)

    def free_at(self, at: float) -> Need:
        """What is free at a moment."""
        node, now_running = self.node, [one for one in self.taken if one.running]
        cpus, memory = node.cpus, node.memory_mb
        shards, gpus = 0, dict(self.gpus_used)
        ended_any = 0
        for one in now_running:
            if one.end > at:
                cpus, memory, shards = cpus - one.need.cpus, memory - one.need.memory_mb, shards + one.need.shards
                continue
            for kind, number in one.need.gpus.items():
                if kind in gpus:
                    gpus[kind] = max(0, gpus[kind] - number)
                else:
                    ended_any += number
        # of which type GPUs are that were counted untyped is known where no other type has so many in use
        if ended_any:
            still = {kind: self._untyped(kind) for kind in gpus}
            for kind in gpus:
                others = sum(number for name, number in still.items() if name != kind)
                gpus[kind] = max(0, gpus[kind] - max(0, min(still[kind], ended_any - others)))
        planned = [one for one in self.taken if not one.running and one.start <= at < one.end]
        for one in planned:
            cpus, memory, shards = cpus - one.need.cpus, memory - one.need.memory_mb, shards + one.need.shards
            for kind, number in one.need.gpus.items():
                gpus[kind] = gpus.get(kind, 0) + number
        gpus_free, shards_free = free_shared(node.gpus, gpus, node.shards, shards)
        return Need(cpus, memory, gpus_free, shards_free)

    def _untyped(self, kind: str) -> int:
        """How many GPUs of a type are in use by jobs of which it is not known."""
        known = sum(one.need.gpus.get(kind, 0) for one in self.taken if one.running)
        return max(0, self.gpus_used[kind] - known)

    def fits(self, need: Need, start: float, length: float) -> int:
        """How many such jobs have a place from a moment on, for so many seconds."""
        end = start + length
        if any(window.start < end and start < window.end for window in self.blocked):
            return 0
        if self.only and not any(window.start <= start and end <= window.end for window in self.only):
            return 0
        moments = [start, *(one.start for one in self.taken if start < one.start < end)]
        return min(_times(need, self.free_at(moment)) for moment in moments)

    def moments(self, now: float) -> Iterator[float]:
        """When something changes on it, from now on."""
        yield now
        yield from (one.end for one in self.taken if now < one.end < math.inf)
        yield from (window.end for window in self.blocked if window.end > now)
        yield from (window.start for window in self.only if window.start > now)


def need_of(spec: JobSpec) -> Need:
    """What a session's job takes of its node."""
    return Need(spec.cpus, spec.memory_mb or 0, gres_of(spec, "gpu"), sum(gres_of(spec, "shard").values()))


def outlook(spec: JobSpec, snapshot: Snapshot, now: float, partition: str = "") -> Outlook:
    """When a job could start.

    :param now: Unix seconds.
    :param partition: that a job gets which names none.
    """
    where, need, length = spec.partition or partition, need_of(spec), 60.0 * (spec.minutes or 60)
    nodes = [node for node in snapshot.nodes if not where or where in node.partitions]
    large = [node for node in nodes if _times(need, _whole(node))]
    suited = [line for line in _lines(spec, snapshot, large, now) if _times(need, _whole(line.node))]
    places = sum(_times(need, _whole(line.node)) for line in suited)
    if not suited:
        return Outlook(0, 0)
    planned = _plan_those_ahead(snapshot, suited, now)
    free = sum(line.fits(need, now, length) for line in suited)
    if free:
        return Outlook(free, places)
    sooner = [window for line in suited if (window := _until_taken_away(line, need, now, length))]
    until = max(sooner, key=lambda window: window.start, default=None)
    return Outlook(
        0,
        places,
        at=_earliest(suited, need, length, now) if planned else None,
        for_s=until.start - now if until else None,
        maintenance=bool(until and until.maintenance),
    )


def _until_taken_away(line: _Line, need: Need, now: float, length: float) -> _Window | None:
    """The reservation alone that keeps a node from being had now for as long as asked."""
    coming = [window for window in line.blocked if now < window.start < now + length]
    first = min(coming, key=lambda window: window.start, default=None)
    return first if first and line.fits(need, now, first.start - now) else None


def _earliest(lines: Sequence[_Line], need: Need, length: float, now: float) -> float | None:
    best = math.inf
    for line in lines:
        for moment in sorted(set(line.moments(now))):
            if moment >= best:
                break
            if line.fits(need, moment, length):
                best = moment
    return best if best < math.inf else None


def _plan_those_ahead(snapshot: Snapshot, lines: Sequence[_Line], now: float) -> bool:
    """Give each job that waits for one of these nodes its place, in the order in which they came; False: too many."""
    partitions = {name for line in lines for name in line.node.partitions}
    ahead = [job for job in snapshot.jobs if _waits_for(job, partitions)]
    count = sum(_tasks(job) for job in ahead)
    if count * len(lines) > _MOST_PLANNED:
        return False
    for job in sorted(ahead, key=lambda job: (job.submitted_at or now, job.job_id)):
        need, nodes = _share(job)
        mine = [line for line in lines if set(job.partition.split(",")) & set(line.node.partitions)]
        length = float(job.limit_s or 86400)
        for _ in range(_tasks(job) * nodes):
            at, line = min(
                ((at, number) for number, one in enumerate(mine) if (at := _earliest([one], need, length, now))),
                default=(None, None),
            )
            if at is None or line is None:
                break  # it waits for what these nodes do not have
            begins = max(at, job.started_at or at)
            mine[line].taken.append(_Taken(begins, begins + length, need))
    return True


def _waits_for(job: Job, partitions: Iterable[str]) -> bool:
    waits = job.state == "PENDING" and job.reason in _AHEAD and not job.reservation
    return waits and not set(job.partition.split(",")).isdisjoint(partitions)


def _tasks(job: Job) -> int:
    """How many jobs one record of the queue is."""
    spans = re.findall(r"(\d+)(?:-(\d+))?", job.array_tasks)
    return sum(int(last) - int(first) + 1 if last else 1 for first, last in spans) or 1


@lru_cache(maxsize=4096)  # a cluster's jobs ask for few different things
def _tres(text: str) -> Mapping[str, int]:
    return tres_counts(text)


def _share(job: Job) -> tuple[Need, int]:
    """What a job takes of each of its nodes, and how many those are."""
    tres = _tres(job.tres)
    nodes = max(1, tres.get("node", 1))
    typed = {name.removeprefix(f"{_GPU}:"): count for name, count in tres.items() if name.startswith(f"{_GPU}:")}
    untyped = tres.get(_GPU, 0) - sum(typed.values())
    gpus = {kind: -(-count // nodes) for kind, count in {**typed, "": max(0, untyped)}.items() if count}
    shards = sum(count for name, count in tres.items() if name == "gres/shard")
    need = Need(-(-tres.get("cpu", 0) // nodes), -(-tres.get("mem", 0) // nodes), gpus, -(-shards // nodes))
    return need, nodes


def _lines(spec: JobSpec, snapshot: Snapshot, nodes: Sequence[Node], now: float) -> Iterator[_Line]:
    """Each of the nodes that can be had, now or later, with what is taken of it and until when."""
    windows: dict[str, list[tuple[str, _Window]]] = {}
    for one in snapshot.reservations:
        if one.ends_at > now:
            names = hostnames(one.nodes)
            shares = _shares(one, names, snapshot)
            for name in names:
                window = _Window(one.starts_at, one.ends_at, one.maintenance, shares.get(name))
                windows.setdefault(name, []).append((one.name, window))
    running = [job for job in snapshot.jobs if job.phase in (Phase.RUNNING, Phase.ENDING)]
    by_node: dict[str, list[Job]] = {}
    for job in running:
        by_node.setdefault(job.node, []).append(job)
    of_several = [job for job in running if _tres(job.tres).get("node", 1) > 1]
    for node in nodes:
        reserved = windows.get(node.name, [])
        in_maintenance = any(window.start <= now and window.maintenance for _, window in reserved)
        if not node.usable and not in_maintenance:
            continue
        others = tuple(window for name, window in reserved if name != spec.reservation)
        if node.state.startswith("reserved") and not spec.reservation and not any(w.start <= now for w in others):
            continue  # whose it is, and until when, is not known
        only = tuple(window for name, window in reserved if name == spec.reservation)
        if spec.reservation and not only:
            continue
        here = by_node.get(node.name, [])
        if parts := [window.part for window in only if window.part is not None]:
            # a part of a node is a node of its own, with the jobs that are in it
            jobs = [job for job in here if job.reservation == spec.reservation]
            part = _part_of(node, parts[0], jobs)
            yield _line(part, jobs, [], _Line(part, {}, (), only), snapshot, now)
            continue
        blocked = tuple(window for window in others if window.part is None)
        line = _line(node, here, of_several, _Line(node, {}, blocked, only), snapshot, now)
        for name, window in reserved:
            if window.part is not None and name != spec.reservation:
                line.taken += _kept(window, window.part, [job for job in here if job.reservation == name], snapshot)
        yield line


def _shares(reservation: Reservation, names: Sequence[str], snapshot: Snapshot) -> dict[str, Need]:
    """What a reservation has of each of its nodes, where it does not have them whole.

    Slurm seldom says which cores those are: they are taken to be spread evenly.
    """
    whole = sum(node.cpus for node in snapshot.nodes if node.name in names)
    if reservation.maintenance or not 0 < reservation.cpus < whole:
        return {}
    listed, gpus = dict(reservation.parts), reservation.gpus // len(names)
    even = -(-reservation.cpus // len(names))
    return {name: Need(listed.get(name, even), 0, {"": gpus} if gpus else {}) for name in names}


def _kept(window: _Window, part: Need, jobs: Sequence[Job], snapshot: Snapshot) -> list[_Taken]:
    """What a reservation takes of a node beside its own jobs there, and what of theirs when they have ended."""
    needs = [_share(job)[0] for job in jobs]
    cpus = part.cpus - sum(need.cpus for need in needs)
    gpus = sum(part.gpus.values()) - _gpus_in(needs)
    found = [_Taken(window.start, window.end, Need(max(0, cpus), 0, {"": gpus} if gpus > 0 else {}))]
    for job, need in zip(jobs, needs, strict=True):
        ends = snapshot.end_of(job)
        if ends is not None and ends < window.end:
            found.append(_Taken(ends, window.end, Need(need.cpus, 0, need.gpus if part.gpus else {})))
    return found


def _gpus_in(needs: Iterable[Need]) -> int:
    return sum(sum(need.gpus.values()) for need in needs)


def _part_of(node: Node, part: Need, jobs: Sequence[Job]) -> Node:
    """What a reservation has of a node, less what its jobs use of that; GPUs are the node's where it names none."""
    used = [_share(job)[0] for job in jobs]
    gpus = {"": sum(part.gpus.values())} if part.gpus else dict(node.gpus)
    return node.model_copy(
        update={
            "cpus": part.cpus,
            "cpus_free": max(0, part.cpus - sum(need.cpus for need in used)),
            "gpus": gpus,
            "gpus_free": {"": max(0, gpus[""] - _gpus_in(used))} if part.gpus else node.gpus_free,
        }
    )


def _line(
    node: Node, here: Sequence[Job], of_several: Sequence[Job], line: _Line, snapshot: Snapshot, now: float
) -> _Line:
    for job in here:
        ends = now if job.phase is Phase.ENDING else snapshot.end_of(job)
        end = math.inf if ends is None else max(now + _ANY_MOMENT_S, ends)
        need, _ = _share(job)
        if list(node.gpus) != [""] and len(node.gpus) == 1 and "" in need.gpus:
            need = need._replace(gpus={next(iter(node.gpus)): sum(need.gpus.values())})
        elif list(node.gpus) == [""] and need.gpus:
            need = need._replace(gpus={"": sum(need.gpus.values())})
        line.taken.append(_Taken(-math.inf, end, need, running=True))
    shards = sum(one.need.shards for one in line.taken)
    per_gpu = node.shards // sum(node.gpus.values()) if node.gpus else 0
    whole = {kind: total - node.gpus_free.get(kind, 0) for kind, total in node.gpus.items()}
    for _ in range(-(-shards // per_gpu) if per_gpu else 0):  # those that are shared are not given whole
        most = max(whole, key=lambda kind: whole[kind])
        whole[most] = max(0, whole[most] - 1)
    line.gpus_used = whole if node.usable else _of_jobs(node, line.taken)
    if node.usable:
        line.taken += _of_nobody_here(node, line, [job for job in of_several if job not in here], snapshot)
    return line


def _of_jobs(node: Node, taken: Sequence[_Taken]) -> dict[str, int]:
    """GPUs in use on a node that tells none while it is under maintenance."""
    return {kind: sum(one.need.gpus.get(kind, 0) for one in taken) for kind in node.gpus}


def _of_nobody_here(node: Node, line: _Line, others: Sequence[Job], snapshot: Snapshot) -> list[_Taken]:
    """What is in use on a node by no job that is known to be there: by further nodes of others, or by nobody."""
    known = [one.need for one in line.taken]
    gpus = {
        kind: number
        for kind, used in line.gpus_used.items()
        if (number := used - sum(need.gpus.get(kind, 0) + (need.gpus.get("", 0) if kind else 0) for need in known)) > 0
    }
    rest = Need(
        max(0, node.cpus - node.cpus_free - sum(need.cpus for need in known)),
        max(0, node.memory_mb - node.memory_free_mb - sum(need.memory_mb for need in known)),
        gpus,
    )
    if not (rest.cpus or rest.memory_mb or rest.gpus):
        return []
    ends = [
        snapshot.end_of(job) or math.inf
        for job in others
        if not set(job.partition.split(",")).isdisjoint(node.partitions)
    ]
    return [_Taken(-math.inf, max(ends, default=math.inf), rest, running=True)]


def _whole(node: Node) -> Need:
    return Need(node.cpus, node.memory_mb, node.gpus, node.shards)


def _times(need: Need, free: Need) -> int:
    """How often something fits into what is free."""
    counts = [free.cpus // need.cpus if need.cpus else math.inf]
    counts += [free.memory_mb // need.memory_mb] if need.memory_mb else []
    counts += [free.shards // need.shards] if need.shards else []
    for kind, number in need.gpus.items():
        counts.append((free.gpus.get(kind, 0) if kind else sum(free.gpus.values())) // number)
    fewest = min(counts)
    return max(0, int(fewest)) if fewest < math.inf else 0
