"""What the API tells a person of the projects that they are in: as much as the projects' own pages show them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import Field

from fabric_hub.config.settings import Project
from fabric_hub.config.spelling import ROLES
from fabric_hub.projects.looking import NAMED, OFF, Looking, State, state_on
from fabric_hub.projects.membership import roles_of
from fabric_hub.types import Frozen

from .people import PersonUse
from .schemas import Balance, DayUse


class ToldPerson(Frozen):
    """Somebody in a project."""

    user: str
    roles: tuple[str, ...]


class ToldProject(Frozen):
    """A project in short. ``roles`` are the caller's own; ``people`` counts those of each role."""

    project: str
    title: str
    kind: str
    state: State
    roles: tuple[str, ...]
    paused: str = Field(default="", description="Why nothing starts in it for now.")
    start: date | None = None
    end: date | None = None
    owners: tuple[str, ...] = ()
    people: dict[str, int] = Field(default_factory=dict)


class ToldProjects(Frozen):
    """The projects that the caller is in, by name."""

    user: str
    projects: tuple[ToldProject, ...]


class WholeProject(ToldProject):
    """A project with what belongs to it, as far as the caller may see that; the rest is empty.

    ``members`` are its people, ``days`` its GPU-hours of the last four weeks, ``by_person`` those of each person, and
    ``users`` how many people that were: None where the site shows nothing of people (``quotas.shown_of_people``).
    """

    account: str = ""
    gpu_hours: Balance | None = None
    members: tuple[ToldPerson, ...] = ()
    days: tuple[DayUse, ...] = ()
    by_person: tuple[PersonUse, ...] = ()
    users: int | None = None


def in_short(name: str, project: Project, looks: Looking, today: date) -> ToldProject:
    """A project as it stands in the list of somebody's."""
    people = {role: len(getattr(project.members, role)) for role in ROLES} if looks.inside else {}
    return ToldProject(
        project=name,
        title=project.title or name,
        kind=project.kind,
        state=state_on(project, today),
        roles=looks.roles,
        paused=project.paused,
        start=project.start,
        end=project.end,
        owners=tuple(sorted(project.members.owner)),
        people={role: number for role, number in people.items() if number},
    )


def as_whole(
    name: str,
    project: Project,
    looks: Looking,
    today: date,
    *,
    shown_of_people: str,
    balance: Balance | None,
    days: Sequence[DayUse],
    used: Sequence[PersonUse],
) -> WholeProject:
    """A project as its page shows it to somebody.

    :param balance: what is left of its budget.
    :param days: its GPU-hours of the last four weeks, oldest first.
    :param used: those of each person.
    """
    short = in_short(name, project, looks, today).model_dump()
    if not looks.inside:
        return WholeProject(**short)
    return WholeProject(
        **short,
        account=project.account,
        gpu_hours=balance,
        members=_members(project) if looks.sees_names(shown_of_people) else (),
        days=tuple(days),
        by_person=tuple(used) if shown_of_people == NAMED else (),
        users=len(used) if shown_of_people != OFF else None,
    )


def _members(project: Project) -> tuple[ToldPerson, ...]:
    everybody: Iterable[str] = dict.fromkeys(user for role in ROLES for user in sorted(getattr(project.members, role)))
    return tuple(ToldPerson(user=user, roles=roles_of(project, user)) for user in everybody)
