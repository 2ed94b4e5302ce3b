"""What a user may start now: the start form and the REST API show the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fabric_hub.config.settings import Profile, Settings
from fabric_hub.slurm.model import Node, Snapshot
from fabric_hub.types import Frozen

from . import choice as policy


class OfferedProject(Frozen):
    """``closed`` says why nothing can start in it today; "" when it is open."""

    name: str
    title: str
    kind: str
    closed: str
    profiles: tuple[str, ...]
    images: tuple[str, ...]


class OfferedProfile(Frozen):
    """``state`` says in words whether it can start now; ``never`` that no node here can run it."""

    name: str
    title: str
    request: str
    state: str
    never: bool
    default_hours: float
    max_hours: float


class OfferedImage(Frozen):
    name: str
    title: str
    description: str


class FreeGpus(Frozen):
    type: str
    free: int
    total: int


class Offer(Frozen):
    """Everything a user may choose from. ``age_s`` is the age in seconds of what is said about Slurm."""

    projects: tuple[OfferedProject, ...]
    profiles: tuple[OfferedProfile, ...]
    images: tuple[OfferedImage, ...]
    gpus: tuple[FreeGpus, ...]
    age_s: float | None
    silent_since: float | None
    problem: str


def offer(settings: Settings, user: str, snapshot: Snapshot | None, today: date, *, local: bool = True) -> Offer:
    """What a user may start, with what the latest snapshot says about it.

    :param local: whether this hub can run sessions on its own machine.
    """
    nodes = snapshot.nodes if snapshot else ()
    projects = tuple(
        OfferedProject(
            name=name,
            title=project.title or name,
            kind=project.kind,
            closed=policy.closed(project, today),
            profiles=tuple(policy.profiles_of(settings, project)),
            images=policy.images_of(settings, project),
        )
        for name, project in policy.projects_of(settings, user).items()
    )
    profiles = {profile for project in projects for profile in project.profiles}
    images = {image for project in projects for image in project.images}
    return Offer(
        projects=projects,
        profiles=tuple(
            _profile(name, profile, nodes, local) for name, profile in settings.profile.items() if name in profiles
        ),
        images=tuple(
            OfferedImage(name=name, title=image.title or name, description=image.description)
            for name, image in settings.image.items()
            if name in images
        ),
        gpus=tuple(
            FreeGpus(type=kind or "GPU", free=free, total=total)
            for kind, (free, total) in sorted(policy.free_gpus(nodes).items())
        ),
        age_s=snapshot.age_s if snapshot else None,
        silent_since=snapshot.unavailable_since if snapshot else None,
        problem=snapshot.problem if snapshot else "",
    )


def _profile(name: str, profile: Profile, nodes: Sequence[Node], local: bool) -> OfferedProfile:
    fit = policy.fit(profile, nodes) if nodes else policy.Fit()
    if profile.kind == "local":
        state = "runs on the hub's own machine" if local else "not on this hub, which may not act for its users"
    elif not nodes:
        state = "not known now"
    elif fit.why:
        state = fit.why
    elif fit.now:
        state = f"can start now on {fit.now} node{'s' if fit.now > 1 else ''}"
    else:
        state = "all busy: it waits in the queue"
    return OfferedProfile(
        name=name,
        title=profile.title or name,
        request=describe(profile),
        state=state,
        never=bool(fit.why) or (profile.kind == "local" and not local),
        default_hours=profile.default_hours,
        max_hours=profile.max_hours,
    )


def describe(profile: Profile) -> str:
    """A profile's request in words: "2 h200 GPUs, 8 CPUs, 32G memory"."""
    parts = []
    if profile.gpus:
        kind = f"{profile.gpu_type} " if profile.gpu_type else ""
        parts.append(f"{profile.gpus} {kind}GPU{'s' if profile.gpus > 1 else ''}")
    if profile.shards:
        parts.append(f"{profile.shards} GPU shard{'s' if profile.shards > 1 else ''}")
    parts.append(f"{profile.cpus} CPU{'s' if profile.cpus > 1 else ''}")
    if profile.memory:
        parts.append(f"{profile.memory} memory")
    return ", ".join(parts)
