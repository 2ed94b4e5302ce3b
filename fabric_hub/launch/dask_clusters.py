"""What a session may know of Dask clusters: the profiles its workers may have, and how those that wait fare. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fabric_hub.config.settings import Profile, Settings
from fabric_hub.messages.text import NOTHING, Said, Text, WithTexts
from fabric_hub.messages.texts import launch as texts
from fabric_hub.projects import membership
from fabric_hub.sessions.store import Session
from fabric_hub.slurm import reasons
from fabric_hub.slurm.model import Job, Node, Phase, Snapshot
from fabric_hub.slurm.notation import memory_mb
from fabric_hub.types import Frozen

from . import choice


class WorkerProfile(Frozen):
    """A profile that a worker may be like; ``memory_mb`` and ``cpus`` are of one worker, ``per_job`` share a job."""

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
    per_job: int


class WorkerJob(WithTexts):
    """One job of a cluster, or the waiting tasks of its array.

    ``why`` says in words why it waits; of one that has ended, what befell its node meanwhile.
    """

    cluster: str
    job_id: int
    array_id: int | None
    tasks: str
    state: str
    phase: Phase
    why: Said
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
    session_ends_at: float | None  # the clusters end with it
    profiles: tuple[WorkerProfile, ...]
    jobs: tuple[WorkerJob, ...]
    age_s: float | None
    unavailable_since: float | None


# Workers that share a job, and their imports, are ready sooner; a larger job waits longer for a place. So at most this
# many share one, and at most half of what the smallest node holds: other jobs are there as well, this session's too.
_CPU_WORKERS_PER_JOB = 8
# Memory of one worker where neither the profile nor Slurm's default is known.
_MEMORY_MB_PER_CPU = 2048


def offer(
    settings: Settings,
    session: Session,
    unix_user: str | None,
    snapshot: Snapshot | None,
    today: date,
    ends_at: float | None = None,
) -> ClusterOffer:
    """The session's offer.

    :param unix_user: the session's Unix account: a job of that name that belongs to another account is not shown.
        None: all share one account.
    :param ends_at: when the session ends, in Unix seconds.
    """
    nodes = snapshot.nodes if snapshot else ()
    return ClusterOffer(
        job_name=f"fabric-{settings.hub.id}-{session.id}-dask",
        account=session.account,
        session_ends_at=ends_at,
        profiles=tuple(
            worker_profile(name, profile, nodes)
            for name, profile in for_workers(settings, session.project, today).items()
        ),
        jobs=jobs_of(settings.hub.id, session.id, unix_user, snapshot),
        age_s=snapshot.age_s if snapshot else None,
        unavailable_since=snapshot.unavailable_since if snapshot else None,
    )


def for_workers(settings: Settings, name: str, today: date) -> dict[str, Profile]:
    """The profiles that workers of a project may be like, by name; none where it is closed or not there.

    The site's rescue profile is for saving files in a session, and none of them. Shards have no fence between their
    users: whole GPUs only.
    """
    project = settings.project.get(name)
    if project is None or membership.closed(project, today):
        return {}
    return {
        name: profile
        for name, profile in choice.profiles_of(settings, project).items()
        if profile.kind == "slurm" and not profile.shards and name != settings.quotas.rescue_profile
    }


def worker_profile(name: str, profile: Profile, nodes: Sequence[Node]) -> WorkerProfile:
    """What one worker of a profile is, and how many share a job on these nodes."""
    gpus = max(profile.gpus, 1)  # one worker has one GPU: a profile of several is several workers
    memory = memory_mb(profile.memory) if profile.memory else _MEMORY_MB_PER_CPU * profile.cpus
    cpus, memory = max(1, profile.cpus // gpus), max(1, memory // gpus)
    return WorkerProfile(
        name=name,
        title=profile.title or name,
        partition=profile.partition,
        qos=profile.qos,
        cpus=cpus,
        memory_mb=memory,
        gpus=min(profile.gpus, 1),
        gpu_type=profile.gpu_type,
        default_hours=profile.default_hours,
        max_hours=profile.max_hours,
        per_job=1 if profile.gpus else _per_job(profile.partition, cpus, memory, nodes),
    )


def _per_job(partition: str | None, cpus: int, memory: int, nodes: Sequence[Node]) -> int:
    held = [
        min(node.cpus // cpus, node.memory_mb // memory)
        for node in nodes
        if partition is None or partition in node.partitions
    ]
    half = min((number for number in held if number), default=2 * _CPU_WORKERS_PER_JOB) // 2
    return max(1, min(_CPU_WORKERS_PER_JOB, half))


def job_size(workers: int, most: int) -> int:
    """How many workers the largest of their jobs has, as the session's extension arranges them: evenly, if it can."""
    jobs = -(-workers // most)
    even = max(share for share in range(1, most + 1) if workers % share == 0)
    return even if 2 * even * jobs >= workers else -(-workers // jobs)


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
                why=reasons.explain(job, snapshot) if queued else _node_lost(job, snapshot),
                starts_at=job.started_at if queued else None,
                started_at=None if queued else job.started_at,
                ends_at=snapshot.end_of(job),
                node=job.node,
            )
        )
    return tuple(found)


def _node_lost(job: Job, snapshot: Snapshot) -> Text:
    """What befell the node of a job that was ended, while the job had it; empty where nothing is known of that."""
    if job.phase is not Phase.ENDED or job.state not in reasons.BY_OTHERS:
        return NOTHING
    for node in snapshot.nodes:
        if node.name == job.node and node.reason and reasons.meanwhile(job, node.reason_since):
            return texts.NODE_LOST(node=node.name, reason=node.reason)
    return NOTHING
