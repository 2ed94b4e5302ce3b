"""What associations and QOS have used of their limits over time, up to this moment. Pure.

Slurm adds the use of running jobs to an association only now and then (``PriorityCalcPeriod``, 5 minutes by default),
and that of an ended job at once. What is missing is known exactly all the same: with every round Slurm takes as much
off ``GrpTRESRunMins``, which holds what the running jobs may still take by their time limits. So at the moment that
Slurm was asked::

    use = GrpTRESMins + GrpTRESRunMins - (what these jobs really have left by their time limits)

and from then on every running job adds its own time. Both of Slurm's numbers are whole minutes, cut off: the sum
is at most two GPU-minutes low.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from fabric_hub.slurm.model import Job, Phase, Snapshot
from fabric_hub.slurm.notation import whole_counts
from fabric_hub.types import Frozen

from .model import GPU, Association, Limit, Limits, PartitionLimits, Qos

MINUTES = 60.0


class TresUsage(Frozen):
    """Use of one TRES over time, in minutes; ``running`` is how many of it are in use now.

    ``to_come`` is what their jobs may still take by their time limits.
    """

    limit: int | None
    used: float
    running: int = 0
    to_come: float = 0.0

    @property
    def left(self) -> float | None:
        return None if self.limit is None else max(0.0, self.limit - self.used)


def tres_of(job: Job) -> Mapping[str, int]:
    """What a job has of each countable TRES, from Slurm's ``cpu=4,mem=8G,gres/gpu=1,gres/gpu:h200=1``."""
    return _tres(job.tres)


@lru_cache(maxsize=4096)  # a cluster's jobs ask for few different things
def _tres(text: str) -> Mapping[str, int]:
    return whole_counts(text)


class _Taken(NamedTuple):
    """A job that has begun, as far as it counts: ``weight`` is what Slurm counts of a TRES for each second."""

    user: str
    partition: str
    number: int
    weight: float
    began: float
    ends: float | None
    limit_s: int | None
    over: bool


class UsageIndex:
    """Associations, and the jobs of a snapshot by whom they count towards: gone through once, whoever asks.

    Use :func:`counted`, which keeps the latest.
    """

    def __init__(self, limits: Limits, snapshot: Snapshot | None) -> None:
        self.limits, self.snapshot = limits, snapshot
        self.associations = {(one.account, one.user, one.partition): one for one in limits.associations}
        self.qos = {one.name: one for one in limits.qos}
        self._below: dict[str, list[str]] = defaultdict(list)
        for one in limits.associations:
            if not one.user:
                self._below[one.parent].append(one.account)
        self._begun = [
            (job, phase is not Phase.RUNNING)
            for job in (snapshot.jobs if snapshot else ())
            if job.started_at is not None and (phase := job.phase) is not Phase.QUEUED
        ]
        self._taken: dict[str, tuple[dict[str, list[_Taken]], dict[str, list[_Taken]]]] = {}
        self._told: dict[tuple[object, str], tuple[float, TresUsage]] = {}

    def chain(self, account: str, user: str = "", partition: str = "") -> tuple[Association, ...]:
        """The associations whose limits a job meets: the user's (of the partition, if there is one), then account to
        root. Empty when Slurm knows no such association."""
        known = self.associations
        found: list[Association] = []
        if user:
            own = known.get((account, user, partition)) or known.get((account, user, ""))
            if own is None:
                return ()
            found.append(own)
        name, seen = account, set[str]()
        while name and name not in seen and (here := known.get((name, "", ""))):
            seen.add(name)
            found.append(here)
            name = here.parent
        return tuple(found)

    def of_association(self, found: Association, now: float, tres: str = GPU) -> TresUsage:
        """Use of a TRES by an association now: by its own jobs and, of an account, by those of all accounts below."""
        key = found.account, found.user, found.partition
        return self._once(found, key, self._jobs_of(found, tres), now, tres)

    def of_qos(self, found: Qos, now: float, tres: str = GPU) -> TresUsage:
        """Use of a TRES by all jobs of a QOS now."""
        return self._once(found, found.name, self._by_whom(tres)[1].get(found.name, ()), now, tres)

    def _once(self, found: Association | Qos, key: object, jobs: Iterable[_Taken], now: float, tres: str) -> TresUsage:
        """Summed up once for all who ask of the same moment."""
        told = self._told.get((key, tres))
        if told is None or told[0] != now:
            minutes, run_minutes = found.grp_tres_mins.get(tres, Limit()), found.grp_tres_run_mins.get(tres, Limit())
            told = self._told[key, tres] = now, _spent(minutes, run_minutes.used, jobs, self.limits.at, now)
        return told[1]

    def _jobs_of(self, found: Association, tres: str) -> Iterator[_Taken]:
        by_account, todo, seen = self._by_whom(tres)[0], [found.account], set[str]()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            jobs = by_account.get(name, ())
            if found.user:
                yield from (job for job in jobs if job.user == found.user and found.partition in ("", job.partition))
            else:
                yield from jobs
                todo += self._below.get(name, ())

    def _by_whom(self, tres: str) -> tuple[dict[str, list[_Taken]], dict[str, list[_Taken]]]:
        """What jobs have of a TRES, by account and by QOS."""
        known = self._taken.get(tres)
        if known is not None:
            return known
        accounts: dict[str, list[_Taken]] = defaultdict(list)
        services: dict[str, list[_Taken]] = defaultdict(list)
        factors = {name: one.usage_factor for name, one in self.qos.items()}
        for job, over in self._begun:
            count = tres_of(job).get(tres, 0)
            if count and job.started_at is not None:
                weight = count * factors.get(job.qos, 1.0)
                one = _Taken(job.user, job.partition, count, weight, job.started_at, job.ends_at, job.limit_s, over)
                accounts[job.account].append(one)
                services[job.qos].append(one)
        self._taken[tres] = dict(accounts), dict(services)
        return self._taken[tres]


def _spent(minutes: Limit, committed: int, jobs: Iterable[_Taken], asked: float | None, now: float) -> TresUsage:
    """Use of a TRES now: Slurm's own account of it, and what its jobs took since.

    :param minutes: its ``grp_tres_mins``, ``committed`` the use of its ``grp_tres_run_mins``.
    :param jobs: the jobs that count towards it, ended ones of the last minutes too.
    :param asked: when Slurm told the two.
    """
    at = now if asked is None else min(asked, now)
    unspent = elapsed = after = to_come = 0.0
    running = 0
    for _, _, number, weight, began, ends, limit_s, over in jobs:
        end = now if not over or ends is None or ends > now else ends
        if not over:
            running += number
            if ends is not None and ends > now:
                to_come += weight * (ends - now)
        since = max(at, began)
        if end > since:
            after += weight * (end - since)
        if limit_s is not None and began <= at and (not over or at < end):
            elapsed += weight * (at - began)
            unspent += weight * max(0.0, began + limit_s - at)
    # never more than these jobs have run: one of them may be missing here that Slurm has counted
    missing = min(max(0.0, committed - unspent / MINUTES), elapsed / MINUTES)
    used = minutes.used + missing + after / MINUTES
    return TresUsage(limit=minutes.limit, used=used, running=running, to_come=to_come / MINUTES)


_latest: UsageIndex | None = None


def counted(limits: Limits, snapshot: Snapshot | None) -> UsageIndex:
    """The jobs of a snapshot by whom they count towards. The latest is kept: all who ask share it."""
    global _latest
    known = _latest
    if known is None or known.limits is not limits or known.snapshot is not snapshot:
        known = _latest = UsageIndex(limits, snapshot)
    return known


def in_order(limits: Limits, partition: PartitionLimits | None, qos: Qos | None) -> tuple[Qos, ...]:
    """The QOS whose limits a job meets before any association's: the partition's and its own, as Slurm asks them."""
    of_partition = next((known for known in limits.qos if partition and known.name == partition.qos), None)
    first, then = (qos, of_partition) if qos and "OverPartQOS" in qos.flags else (of_partition, qos)
    return tuple({known.name: known for known in (first, then) if known}.values())


def partition_of(limits: Limits, name: str) -> PartitionLimits | None:
    """A partition by its name; Slurm's default one for ""."""
    wanted = (known for known in limits.partitions if (known.name == name if name else known.default))
    return next(wanted, None)


def name_of(association: Association) -> str:
    """How people call an association: ``account lab``, ``ann in account lab``."""
    account = f"account {association.account}"
    return f"{association.user} in {account}" if association.user else account
