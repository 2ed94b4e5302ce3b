"""What more Dask workers would cost, how many of them find a place now, and what keeps the others waiting. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from fabric_hub.budgets.schemas import Balance
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Said, Text, WithTexts, sentences
from fabric_hub.messages.texts import launch as texts
from fabric_hub.projects.membership import said_to
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.limits.amounts import hours_of
from fabric_hub.slurm.limits.chain import RefusedError, limit_chain
from fabric_hub.slurm.limits.check import decide
from fabric_hub.slurm.limits.headroom import Headroom, room
from fabric_hub.slurm.limits.model import GPU, Limits
from fabric_hub.slurm.limits.request import JobRequest
from fabric_hub.slurm.model import JobSpec, Node, Snapshot

from .dask_clusters import WorkerProfile, for_workers, job_size, worker_profile
from .job_spec import fit


class QuoteRequest(NamedTuple):
    """``workers`` of a profile in all. Of these ``have`` run, and ``submitted`` run or wait for their job.

    Up to ``per_job`` share a job; None: as many as the profile says.
    """

    profile: str
    workers: int
    have: int = 0
    submitted: int = 0
    per_job: int | None = None


class QuoteInputs(NamedTuple):
    """What Slurm last said, and the GPU-hours of the project; any of it may be None. ``now`` is in Unix seconds."""

    now: float
    snapshot: Snapshot | None = None
    limits: Limits | None = None
    balance: Balance | None = None


class Quote(WithTexts):
    """What so many workers of a profile would cost and wait for, before they are submitted.

    ``now`` of those that are not there yet find a place as things are; ``held_by`` is the limit of Slurm's that keeps
    others waiting, or empty. ``words`` says all of it.
    """

    profile: str
    workers: int
    gpu_hours_per_hour: float
    cpus: int
    now: int
    held_by: Said
    words: Said


def quote(
    settings: Settings, session: Session, user: str, wish: QuoteRequest, known: QuoteInputs, today: date
) -> Quote:
    """What the workers would cost per hour, and how many of them find a place now.

    :param user: the Unix account that they run as.
    :raises FabricError: the session's project has no such profile for workers, no node could ever hold one, or a
        limit of Slurm's lets them never start.
    """
    nodes = known.snapshot.nodes if known.snapshot else ()
    worker = _worker(settings, session, wish.profile, nodes, today)
    per_job = wish.per_job or worker.per_job
    more = max(0, wish.workers - wish.have)
    together = job_size(more, per_job) if more else 1
    _must_fit(session, worker, together, nodes)
    new = max(0, wish.workers - max(wish.have, wish.submitted))
    if new:
        job = JobRequest.of(_job(session, worker, job_size(new, per_job)), user)
        refused = decide(known.limits, known.snapshot, job, known.now)
        if refused.refused:
            hint = said_to(session.user, settings.project.get(session.project), refused.hint)
            raise refused.model_copy(update={"hint": hint}).error()
    by_limits = _by_limits(session, user, worker, more, per_job, known) if more else Headroom(now=0, submit=0)
    if by_limits.submit < new:
        possible = wish.workers - new + by_limits.submit
        raise _refused(texts.TOO_MANY_TO_SUBMIT(n=wish.workers, possible=possible), by_limits.refused_by)
    # on each node there is room for whole jobs only
    places = sum(_room(worker, free) // together * together for free in _free(worker, nodes))
    on_nodes = min(more, places)
    now = min(on_nodes, by_limits.now)
    held_by = by_limits.held_by if by_limits.now < more else NOTHING
    return Quote(
        profile=wish.profile,
        workers=wish.workers,
        gpu_hours_per_hour=float(wish.workers * worker.gpus),
        cpus=wish.workers * worker.cpus,
        now=now,
        held_by=held_by,
        words=sentences(
            _cost(wish, worker, new, starts=0 < more == now and not wish.have and _answers(known.snapshot)),
            _budget(more, worker, known.balance),
            _places(wish, more, now, known.snapshot),
            held_by if now < more and _answers(known.snapshot) else None,
        ),
    )


def _refused(told: Text, why: Text) -> FabricError:
    """A refusal that says why after it."""
    return FabricError(sentences(told, why), reason=told.reason.label, hint=told.hint, status=told.reason.status)


def _answers(snapshot: Snapshot | None) -> bool:
    return snapshot is not None and snapshot.unavailable_since is None


def _worker(settings: Settings, session: Session, name: str, nodes: Sequence[Node], today: date) -> WorkerProfile:
    """What one worker of a profile is."""
    usable = for_workers(settings, session.project, today)
    if name not in usable:
        asked = {"profile": name, "project": session.project}
        raise FabricError(
            texts.PROFILE_NOT_FOR_WORKERS(**asked, profiles=tuple(usable))
            if usable
            else texts.NO_PROFILE_FOR_WORKERS(**asked)
        )
    return worker_profile(name, usable[name], nodes)


def _must_fit(session: Session, worker: WorkerProfile, together: int, nodes: Sequence[Node]) -> None:
    """Refuse what no node is large enough for: one worker, or so many of them in one job."""
    if not nodes:
        return
    if why := fit(_job(session, worker, 1), nodes).why:
        raise _refused(texts.WORKERS_IMPOSSIBLE(profile=worker.name), why)
    if why := fit(_job(session, worker, together), nodes).why:
        raise _refused(texts.WORKERS_CANNOT_SHARE(number=together, profile=worker.name), why)


def _job(session: Session, worker: WorkerProfile, together: int) -> JobSpec:
    """One job of so many workers. The session submits it, so the hub's ``req_*`` settings are no part of it."""
    kind = f"gpu:{worker.gpu_type}" if worker.gpu_type else "gpu"
    return JobSpec.model_construct(  # it is only asked about: more than any job may have is refused in words
        partition=worker.partition,
        account=session.account,
        qos=worker.qos,
        cpus=worker.cpus * together,
        memory_mb=worker.memory_mb * together,
        gres=(f"{kind}:{worker.gpus * together}",) if worker.gpus else (),
        minutes=max(1, math.ceil(worker.default_hours * 60)),
    )


def _by_limits(
    session: Session, user: str, worker: WorkerProfile, more: int, per_job: int, known: QuoteInputs
) -> Headroom:
    one = JobRequest.of(_job(session, worker, 1), user)
    one = one.model_copy(update={"tres": {name: count for name, count in one.tres.items() if name != "node"}})
    try:
        return room(limit_chain(known.limits, known.snapshot, one, known.now), one, more, per_job)
    except RefusedError as error:  # said above already, of the whole job
        raise error.decision.error() from None


def _free(worker: WorkerProfile, nodes: tuple[Node, ...]) -> list[tuple[int, int, int]]:
    """(CPUs, MiB, GPUs of the type) that are free on each node of the worker's partition that takes jobs."""
    return [
        (
            node.cpus_free,
            node.memory_free_mb,
            node.gpus_free.get(worker.gpu_type, 0) if worker.gpu_type else sum(node.gpus_free.values()),
        )
        for node in nodes
        if node.usable and (worker.partition is None or worker.partition in node.partitions)
    ]


def _room(worker: WorkerProfile, free: tuple[int, int, int]) -> int:
    cpus, memory, gpus = free
    room_here = min(cpus // worker.cpus, memory // worker.memory_mb)
    return max(0, min(room_here, gpus // worker.gpus) if worker.gpus else room_here)


def _cost(wish: QuoteRequest, worker: WorkerProfile, new: int, starts: bool) -> Text:
    """What all of them take per hour, and how much of that those do that are neither there nor submitted.

    :param starts: none of them is there, and all can start now.
    """
    each, tres = (worker.gpus, GPU) if worker.gpus else (worker.cpus, "cpu")
    hours = hours_of(60.0 * wish.workers * each, tres)
    if 0 < new < wish.workers:
        return (texts.COST_ADDED_STARTS if starts else texts.COST_ADDED)(hours=hours, added=new * each)
    return (texts.COST_STARTS if starts else texts.COST)(hours=hours)


def _budget(more: int, worker: WorkerProfile, balance: Balance | None) -> Text | None:
    """How long the project's GPU-hours last with them, where that is less than they may run."""
    if balance is None or balance.left is None or not worker.gpus or not more:
        return None
    lasts_h = balance.left / (balance.running + more * worker.gpus)
    if lasts_h >= worker.default_hours:
        return None
    return texts.BUDGET_LASTS(left=hours_of(60 * balance.left, GPU), lasts=lasts_h * 3600)


def _places(wish: QuoteRequest, more: int, now: int, snapshot: Snapshot | None) -> Text | None:
    """How many of those that are not there yet can start now, and how many wait."""
    if not _answers(snapshot):
        return texts.PLACES_UNKNOWN()
    if not more:
        return None
    wait = more - now
    if wait <= 0:
        return texts.OTHERS_START(number=more) if wish.have else None  # the cost says it
    if now:
        return texts.SOME_START(now=now, wait=wait)
    return texts.NO_OTHER_STARTS(wait=wait) if wish.have else texts.NONE_STARTS(n=wait)
