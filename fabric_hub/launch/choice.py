"""What a user may start. Pure: settings, options and a date go in; a choice or a refusal comes out."""

from __future__ import annotations

from datetime import date

from fabric_hub.budgets.balance import SubmissionRoute
from fabric_hub.config.settings import Profile, Project, Settings
from fabric_hub.datasets.model import Acceptance
from fabric_hub.datasets.policy import CatalogueView, catalogue_of, may_use_all
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import launch as texts
from fabric_hub.messages.texts import projects as project_texts
from fabric_hub.projects.membership import closed, projects_of, said_to
from fabric_hub.types import Frozen

from .options import UserOptions


class Choice(Frozen):
    """A complete, permitted answer to "what shall be started"."""

    project: str
    account: str
    profile: str
    kind: str
    image: str
    hours: float
    datasets: tuple[str, ...] = ()

    def options(self) -> dict[str, object]:
        """The choice as user options: starting with these gives the same choice."""
        return {
            "project": self.project,
            "profile": self.profile,
            "image": self.image,
            "hours": self.hours,
            "datasets": list(self.datasets),
        }


def profiles_of(settings: Settings, project: Project) -> dict[str, Profile]:
    """The profiles of a project, in its own order (its first is the default); the site's rescue profile comes last."""
    rescue = settings.quotas.rescue_profile
    # a project that the catalogue service keeps may name a profile that the site's file has lost since
    names = [name for name in project.profiles or settings.profile if name != rescue and name in settings.profile]
    if rescue is not None and (names or not project.profiles):
        names.append(rescue)
    return {name: settings.profile[name] for name in names}


def gpu_ways(settings: Settings, project: Project) -> tuple[SubmissionRoute, ...]:
    """How sessions with GPUs are submitted in a project: by which partition and QOS, and with which profiles."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, profile in profiles_of(settings, project).items():
        if profile.kind == "slurm" and profile.gpus:
            found.setdefault((profile.partition or "", profile.qos or ""), []).append(name)
    return tuple(SubmissionRoute(partition, qos, tuple(names)) for (partition, qos), names in found.items())


def as_built(settings: Settings) -> Settings:
    """The settings without the images that wait for their build (``image.NAME.when_built``).

    ``images.dir`` is looked at only where some image asks for it: a hub need not see the nodes' file system.
    """
    waiting = {
        name
        for name, image in settings.image.items()
        if image.when_built and not (settings.images.dir / name / "current").exists()
    }
    if not waiting:
        return settings
    offered = {name: image for name, image in settings.image.items() if name not in waiting}
    return settings.model_copy(update={"image": offered})


def images_of(settings: Settings, project: Project) -> tuple[str, ...]:
    """The images of a project, in its own order (its first is the default)."""
    return tuple(name for name in project.images or settings.image if name in settings.image)


def choose(
    settings: Settings, user: str, options: UserOptions, today: date, known: CatalogueView | None = None
) -> Choice:
    """The complete choice for a user's options; what is left out gets its default.

    The default project is the user's only open one; the default profile and image
    are the project's first; the default time is the profile's.

    :param known: what is known of the datasets; None where the site offers none.
    :raises FabricError: what is refused, why, and what could be asked instead.
    """
    name, project = open_project(settings, user, options.project, today)
    profiles = profiles_of(settings, project)
    if not profiles:
        raise FabricError(texts.PROJECT_NO_PROFILES(project=name))
    profile_name = options.profile or next(iter(profiles))
    if profile_name not in profiles:
        raise FabricError(texts.PROFILE_NOT_OF_PROJECT(profile=profile_name, project=name, profiles=tuple(profiles)))
    profile = profiles[profile_name]
    images = images_of(settings, project)
    if not images:
        raise FabricError(texts.NO_IMAGE())
    image = options.image or images[0]
    if image not in images:
        raise FabricError(texts.IMAGE_NOT_OF_PROJECT(image=image, project=name, images=images))
    hours = options.hours or profile.default_hours
    if hours > profile.max_hours:
        raise FabricError(texts.PROFILE_HOURS(profile=profile_name, n=profile.max_hours, hours=hours))
    acceptances(user, name, options, today, known)
    return Choice(
        project=name,
        account=project.account,
        profile=profile_name,
        kind=profile.kind,
        image=image,
        hours=hours,
        datasets=tuple(dict.fromkeys(options.datasets)),
    )


def acceptances(
    user: str, project: str, options: UserOptions, today: date, known: CatalogueView | None
) -> tuple[Acceptance, ...]:
    """What must be on the catalogue service's record before a start with these options: agreements accepted with it.

    :raises FabricError: a dataset that the user cannot use in this project, or a catalogue service that does not
        answer.
    """
    if not options.datasets and not options.agreements:
        return ()
    names = tuple(dict.fromkeys(options.datasets))
    return may_use_all(catalogue_of(known), names, user, project, today, options.agreements)


def open_project(settings: Settings, user: str, wanted: str | None, today: date) -> tuple[str, Project]:
    """The project that a user means, which they are a member of and which is not over.

    :param wanted: its name; None: the user's only open one.
    :raises FabricError: there is no such project of theirs, it is closed, or it must be said which.
    """
    mine = projects_of(settings, user)
    if not mine:
        raise FabricError(texts.NO_PROJECT(user=user))
    if wanted is not None:
        if wanted not in mine:  # the same words for one that does not exist: names are not to be guessed
            raise FabricError(texts.NOT_A_MEMBER(user=user, project=wanted, projects=tuple(mine)))
        _refuse_closed(user, wanted, mine[wanted], today)
        return wanted, mine[wanted]
    open_ones = {name: project for name, project in mine.items() if not closed(project, today)}
    if len(open_ones) == 1:
        return next(iter(open_ones.items()))
    if not open_ones:
        _refuse_closed(user, *next(iter(mine.items())), today)
    raise FabricError(texts.WHICH_PROJECT(projects=tuple(open_ones)))


_CLOSED = {
    project_texts.STARTS_ON.code: project_texts.PROJECT_STARTS_ON,
    project_texts.ENDED_ON.code: project_texts.PROJECT_ENDED_ON,
    project_texts.PAUSED.code: project_texts.PROJECT_PAUSED,
}


def _refuse_closed(user: str, name: str, project: Project, today: date) -> None:
    why = closed(project, today)
    if why:
        refusal = _CLOSED[why.code](project=name, whom=project_texts.ITS_OWNER(), **why.params)
        raise FabricError(said_to(user, project, refusal))
