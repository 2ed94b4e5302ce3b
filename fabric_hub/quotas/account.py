"""What a project and a user in it have used of their GPU-hours, and what is left. Pure.

Slurm adds the use of running jobs to an association only now and then (``PriorityCalcPeriod``, 5 minutes by default),
and that of an ended job at once. What is missing is known exactly all the same: with every round Slurm takes as much
off ``GrpTRESRunMins``, which holds what the running jobs may still take by their time limits. So at the moment that
Slurm was asked::

    use = GrpTRESMins + GrpTRESRunMins - (what these jobs really have left by their time limits)

and from then on every running job adds its own time. Both of Slurm's numbers are whole minutes, cut off: the sum
is at most two GPU-minutes low.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from ..model import Frozen, Job, Phase, Snapshot
from ..slurm.limits import GPU, Association, Limit, Limits
from .told import Balance

MINUTES = 60.0


class Spent(Frozen):
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


def chain(limits: Limits, account: str, user: str = "", partition: str = "") -> tuple[Association, ...]:
    """The associations whose limits a job meets: the user's (of the partition, if there is one), then account to root.

    Empty when Slurm knows no such association.
    """
    known = {(found.account, found.user, found.partition): found for found in limits.associations}
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


def accounts_below(limits: Limits, account: str) -> frozenset[str]:
    """An account and all accounts under it: their use counts towards its limits."""
    children: dict[str, list[str]] = {}
    for known in limits.associations:
        if not known.user:
            children.setdefault(known.parent, []).append(known.account)
    found, todo = {account}, [account]
    while todo:
        for child in children.get(todo.pop(), ()):
            if child not in found:
                found.add(child)
                todo.append(child)
    return frozenset(found)


def tres_of(job: Job) -> Mapping[str, int]:
    """What a job has of each countable TRES, from Slurm's ``cpu=4,mem=8G,gres/gpu=1,gres/gpu:h200=1``."""
    return _tres(job.tres)


@lru_cache(maxsize=4096)  # a cluster's jobs ask for few different things
def _tres(text: str) -> Mapping[str, int]:
    found = {name: int(count) for name, count in re.findall(r"(?:^|,)([^=,]+)=(\d+)(?=,|$)", text)}
    typed = sum(count for name, count in found.items() if name.startswith(f"{GPU}:"))
    return found if GPU in found or not typed else {**found, GPU: typed}


def jobs_of(limits: Limits, association: Association, snapshot: Snapshot | None) -> Iterator[Job]:
    """The jobs that count towards an association."""
    below = accounts_below(limits, association.account) if not association.user else {association.account}
    for job in snapshot.jobs if snapshot else ():
        if job.account not in below or association.user not in ("", job.user):
            continue
        if not association.partition or job.partition == association.partition:
            yield job


def spent(
    limits: Limits,
    jobs: Iterable[Job],
    minutes: Mapping[str, Limit],
    run_minutes: Mapping[str, Limit],
    now: float,
    tres: str = GPU,
) -> Spent:
    """Use of a TRES now: Slurm's own account of it, and what its jobs took since.

    :param minutes: ``grp_tres_mins`` of an association or a QOS, ``run_minutes`` its ``grp_tres_run_mins``.
    :param jobs: the jobs that count towards it, ended ones of the last minutes too.
    """
    base, committed = minutes.get(tres, Limit()), run_minutes.get(tres, Limit()).used
    at = now if limits.at is None else min(limits.at, now)
    factors = {qos.name: qos.usage_factor for qos in limits.qos}
    unspent = elapsed = after = to_come = 0.0
    running = 0
    for job in jobs:
        count = tres_of(job).get(tres, 0)
        if not count or job.started_at is None or job.phase is Phase.QUEUED:
            continue
        over = job.phase in (Phase.ENDED, Phase.ENDING)
        end = min(job.ends_at, now) if over and job.ends_at is not None else now
        weight = count * factors.get(job.qos, 1.0)
        running += 0 if over else count
        to_come += 0.0 if over or job.ends_at is None else weight * max(0.0, job.ends_at - now)
        after += weight * max(0.0, end - max(job.started_at, at))
        if job.limit_s is not None and job.started_at <= at < (end if over else now + 1):
            unspent += weight * max(0.0, job.started_at + job.limit_s - at)
            elapsed += weight * (at - job.started_at)
    # never more than these jobs have run: one of them may be missing here that Slurm has counted
    missing = min(max(0.0, committed - unspent / MINUTES), elapsed / MINUTES)
    used = base.used + missing + after / MINUTES
    return Spent(limit=base.limit, used=used, running=running, to_come=to_come / MINUTES)


def of_association(
    limits: Limits, association: Association, snapshot: Snapshot | None, now: float, tres: str = GPU
) -> Spent:
    """Use of a TRES by an association now."""
    jobs = jobs_of(limits, association, snapshot)
    return spent(limits, jobs, association.grp_tres_mins, association.grp_tres_run_mins, now, tres)


def balance(
    limits: Limits | None, snapshot: Snapshot | None, account: str, user: str = "", *, now: float
) -> Balance | None:
    """GPU-hours of an account, or of a user in it; None when Slurm knows no such association (yet).

    ``left`` is what the tightest limit leaves, the account's own or one above it; ``limited_by`` names whose.

    :param user: the Unix account.
    :param now: Unix seconds.
    """
    above = chain(limits, account, user) if limits else ()
    if not above or limits is None:
        return None
    all_of = [(found, of_association(limits, found, snapshot, now)) for found in above]
    own = all_of[0][1]
    bounded = [(found, use) for found, use in all_of if use.left is not None]
    tightest = min(bounded, key=_left_of, default=None)
    return Balance(
        limit=None if own.limit is None else own.limit / MINUTES,
        used=own.used / MINUTES,
        left=None if tightest is None else _left_of(tightest) / MINUTES,
        running=own.running,
        to_come=own.to_come / MINUTES,
        limited_by="" if tightest is None else name_of(tightest[0]),
    )


def _left_of(pair: tuple[Association, Spent]) -> float:
    return pair[1].left or 0.0


def name_of(association: Association) -> str:
    """How people call an association: ``account lab``, ``ann in account lab``."""
    account = f"account {association.account}"
    return f"{association.user} in {account}" if association.user else account
