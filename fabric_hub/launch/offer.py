"""What a user may start now, for the start form and the REST API, by the job that a start with it makes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from fabric_hub.config.settings import Profile, Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Said, Text, WithTexts, verbatim
from fabric_hub.messages.texts import launch as texts
from fabric_hub.projects import membership
from fabric_hub.slurm.model import Node, Snapshot
from fabric_hub.types import Frozen

from . import choice
from .job_spec import Fit, describe, fit, profile_spec


class OfferedProject(WithTexts):
    """``closed`` says why nothing can start in it today; "" when it is open."""

    name: str
    title: str
    kind: str
    closed: Said
    profiles: tuple[str, ...]
    images: tuple[str, ...]


class OfferedProfile(WithTexts):
    """``state`` says in words whether it can start now; ``never`` that no node here can run it.

    ``request`` is what its job asks for, in words, the site's ``req_*`` settings included where they are known.
    """

    name: str
    title: str
    request: Said
    state: Said
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


class Offer(WithTexts):
    """Everything a user may choose from. ``age_s`` is the age in seconds of what is said about Slurm."""

    projects: tuple[OfferedProject, ...]
    profiles: tuple[OfferedProfile, ...]
    images: tuple[OfferedImage, ...]
    gpus: tuple[FreeGpus, ...]
    age_s: float | None
    unavailable_since: float | None
    problem: Said


def offer(
    settings: Settings,
    user: str,
    snapshot: Snapshot | None,
    today: date,
    *,
    local: bool = True,
    req: Mapping[str, Any] | None = None,
) -> Offer:
    """What a user may start, with what the latest snapshot says about it.

    :param local: whether this hub can run sessions on its own machine.
    :param req: the site's ``req_*`` settings for this user, as :func:`~.job_spec.job_spec` takes them; None where
        they are not known: what they add to a profile is then not in its offer.
    """
    nodes = snapshot.nodes if snapshot else ()
    projects = tuple(
        OfferedProject(
            name=name,
            title=project.title or name,
            kind=project.kind,
            closed=membership.closed(project, today) or NOTHING,
            profiles=tuple(choice.profiles_of(settings, project)),
            images=choice.images_of(settings, project),
        )
        for name, project in membership.projects_of(settings, user).items()
    )
    profiles = {profile for project in projects for profile in project.profiles}
    images = {image for project in projects for image in project.images}
    return Offer(
        projects=projects,
        profiles=tuple(
            _profile(name, profile, nodes, local, req or {})
            for name, profile in settings.profile.items()
            if name in profiles
        ),
        images=tuple(
            OfferedImage(name=name, title=image.title or name, description=image.description)
            for name, image in settings.image.items()
            if name in images
        ),
        gpus=tuple(
            FreeGpus(type=kind or "GPU", free=free, total=total)
            for kind, (free, total) in sorted(free_gpus(nodes).items())
        ),
        age_s=snapshot.age_s if snapshot else None,
        unavailable_since=snapshot.unavailable_since if snapshot else None,
        problem=snapshot.problem if snapshot else NOTHING,
    )


def _profile(name: str, profile: Profile, nodes: Sequence[Node], local: bool, req: Mapping[str, Any]) -> OfferedProfile:
    wrong: Text | None = None
    try:
        spec = profile_spec(profile, req)
    except FabricError as error:  # a start with it is refused in these words
        wrong = error.said if isinstance(error.said, Text) else verbatim(error.message)
        spec = profile_spec(profile, {})
    found = fit(spec, nodes) if nodes and profile.kind == "slurm" else Fit()
    if profile.kind == "local":
        state = texts.ON_HUBS_MACHINE() if local else texts.NOT_ON_THIS_HUB()
    elif wrong:
        state = wrong
    elif not nodes:
        state = texts.NOT_KNOWN_NOW()
    elif found.why:
        state = found.why
    elif found.now:
        state = texts.AVAILABLE_NOW()
    else:
        state = texts.ALL_IN_USE()
    return OfferedProfile(
        name=name,
        title=profile.title or name,
        request=texts.JOB_ASKS(things=describe(spec)),
        state=state,
        never=bool(wrong or found.why) or (profile.kind == "local" and not local),
        default_hours=profile.default_hours,
        max_hours=profile.max_hours,
    )


def free_gpus(nodes: Iterable[Node]) -> dict[str, tuple[int, int]]:
    """Free and total GPUs by type over all nodes that can be used; "" is an untyped GPU."""
    result: dict[str, tuple[int, int]] = {}
    for node in nodes:
        for kind, total in node.gpus.items():
            free, whole = result.get(kind, (0, 0))
            result[kind] = (free + (node.gpus_free.get(kind, 0) if node.usable else 0), whole + total)
    return result
