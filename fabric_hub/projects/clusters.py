"""What a session may know of Dask clusters: the profiles its workers may have, and how those that wait fare. Pure."""

from __future__ import annotations

from datetime import date

from ..errors import FabricError
from ..model import Frozen, Node, Phase, Snapshot
from ..sessions.store import Session
from ..settings import Profile, Settings, memory_mb
from ..slurm import reasons
from . import policy


class WorkerProfile(Frozen):
    """A profile that a worker may be like; ``memory_mb`` and ``cpus`` are of one worker."""

    name: str
    title: str
    partition: str | None
    qos: str | None
    cpus: int
    memory_mb: int
    gpus: int
    gpu_type: str | None
    default_hours: float
    max_hours: float


class WorkerJob(Frozen):
    """One job of a cluster, or the waiting tasks of its array. ``why`` says in words why it waits."""

    cluster: str
    job_id: int
    array_id: int | None
    tasks: str
    state: str
    phase: Phase
    why: str
    starts_at: float | None  # Slurm's estimate, of one that waits
    started_at: float | None
    ends_at: float | None
    node: str


class ClusterOffer(Frozen):
    """What a session's clusters may ask Slurm for, and what Slurm last said of them.

    ``job_name`` and the cluster's own name make the name that its jobs must have, so that they end with the session.
    """

    job_name: str
    account: str
    profiles: tuple[WorkerProfile, ...]
    jobs: tuple[WorkerJob, ...]
    age_s: float | None
    silent_since: float | None


class Quote(Frozen):
    """What so many workers of a profile would cost and wait for, before they are submitted."""

    profile: str
    workers: int
    gpu_hours_per_hour: float
    cpus: int
    now: int  # so many of them fit on the nodes as they are
    words: str


# Memory of one worker where neither the profile nor Slurm's default is known.
_MEMORY_MB_PER_CPU = 2048


def offer(
    settings: Settings, session: Session, unix_user: str | None, snapshot: Snapshot | None, today: date
) -> ClusterOffer:
    """The session's offer.

    :param unix_user: the session's Unix account: a job of that name that belongs to another account is not shown.
        None: all share one account.
    """
    project = settings.project.get(session.project)
    open_now = project is not None and not policy.closed(project, today)
    profiles = policy.profiles_of(settings, project) if project is not None and open_now else {}
    return ClusterOffer(
        job_name=f"fabric-{settings.hub.id}-{session.id}-dask",
        account=session.account,
        profiles=tuple(_profile(name, profile) for name, profile in profiles.items() if _for_workers(profile)),
        jobs=jobs_of(settings.hub.id, session.id, unix_user, snapshot),
        age_s=snapshot.age_s if snapshot else None,
        silent_since=snapshot.silent_since if snapshot else None,
    )


def _for_workers(profile: Profile) -> bool:
    # shards have no fence between their users: whole GPUs only
    return profile.kind == "slurm" and not profile.shards


def _profile(name: str, profile: Profile) -> WorkerProfile:
    gpus = max(profile.gpus, 1)  # one worker has one GPU: a profile of several is several workers
    memory = memory_mb(profile.memory) if profile.memory else _MEMORY_MB_PER_CPU * profile.cpus
    return WorkerProfile(
        name=name,
        title=profile.title or name,
        partition=profile.partition,
        qos=profile.qos,
        cpus=max(1, profile.cpus // gpus),
        memory_mb=max(1, memory // gpus),
        gpus=min(profile.gpus, 1),
        gpu_type=profile.gpu_type,
        default_hours=profile.default_hours,
        max_hours=profile.max_hours,
    )


def jobs_of(hub: str, session: str, unix_user: str | None, snapshot: Snapshot | None) -> tuple[WorkerJob, ...]:
    """The jobs of a session's clusters, as the latest snapshot has them."""
    if snapshot is None:
        return ()
    found = []
    for job in snapshot.jobs:
        name = job.cluster
        if name is None or name[:2] != (hub, session) or unix_user not in (None, job.user):
            continue
        queued = job.phase is Phase.QUEUED
        found.append(
            WorkerJob(
                cluster=name[2],
                job_id=job.job_id,
                array_id=job.array_id,
                tasks=job.array_tasks,
                state=job.state,
                phase=job.phase,
                why=reasons.explain(job, snapshot) if queued else "",
                starts_at=job.started_at if queued else None,
                started_at=None if queued else job.started_at,
                ends_at=snapshot.end_of(job),
                node=job.node,
            )
        )
    return tuple(found)


def quote(
    settings: Settings, session: Session, profile_name: str, workers: int, snapshot: Snapshot | None, today: date
) -> Quote:
    """What so many workers would cost per hour, and how many of them find a place now.

    :raises FabricError: the session's project has no such profile for workers, or no node could ever hold one.
    """
    project = settings.project.get(session.project)
    profiles = policy.profiles_of(settings, project) if project and not policy.closed(project, today) else {}
    usable = {name: profile for name, profile in profiles.items() if _for_workers(profile)}
    if profile_name not in usable:
        raise FabricError(
            f"Profile {profile_name} is not one of project {session.project} for Dask workers.",
            reason="profile",
            hint=f"It has {', '.join(usable) or 'none'}.",
            status=403,
        )
    worker = _profile(profile_name, usable[profile_name])
    one = usable[profile_name].model_copy(
        update={"cpus": worker.cpus, "gpus": worker.gpus, "memory": f"{worker.memory_mb}M"}
    )
    nodes = snapshot.nodes if snapshot else ()
    if nodes and (why := policy.fit(one, nodes).why):
        raise FabricError(
            f"Workers of profile {profile_name} cannot run here: {why}",
            reason="impossible",
            hint="Choose another profile.",
            status=409,
        )
    now = min(workers, sum(_room(worker, node_free) for node_free in _free(one, nodes)))
    return Quote(
        profile=profile_name,
        workers=workers,
        gpu_hours_per_hour=float(workers * worker.gpus),
        cpus=workers * worker.cpus,
        now=now,
        words=_words(profile_name, workers, worker, now, snapshot),
    )


def _free(profile: Profile, nodes: tuple[Node, ...]) -> list[tuple[int, int, int]]:
    """(CPUs, MiB, GPUs of the type) that are free on each node of the profile's partition that takes jobs."""
    return [
        (
            node.cpus_free,
            node.memory_free_mb,
            node.gpus_free.get(profile.gpu_type, 0) if profile.gpu_type else sum(node.gpus_free.values()),
        )
        for node in nodes
        if node.usable and (profile.partition is None or profile.partition in node.partitions)
    ]


def _room(worker: WorkerProfile, free: tuple[int, int, int]) -> int:
    cpus, memory, gpus = free
    room = min(cpus // worker.cpus, memory // worker.memory_mb)
    return max(0, min(room, gpus // worker.gpus) if worker.gpus else room)


def _words(name: str, workers: int, worker: WorkerProfile, now: int, snapshot: Snapshot | None) -> str:
    cost = f"{workers * worker.gpus} GPU-hours" if worker.gpus else f"{workers * worker.cpus} CPU-hours"
    text = f"{workers} workers like {name} cost {cost} per hour."
    if snapshot is None or snapshot.silent_since is not None:
        return f"{text} Slurm does not answer now, so it is not known when they start."
    if now >= workers:
        return f"{text} There is room for all of them now."
    return f"{text} There is room for {now} of them now; {workers - now} wait in the queue until others end."
