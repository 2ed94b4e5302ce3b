"""Who is in a project, in which role, and on which days it is open. Pure.

The one place that says so: the hub asks before a start, the gateway before it becomes somebody, the catalogue service
before it lets anybody read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR, date, datetime, timedelta

from fabric_hub.config.settings import Project, Settings
from fabric_hub.config.spelling import ROLES
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import projects as texts
from fabric_hub.messages.texts.whom import WHOM_OPERATORS, asking


def people(project: Project) -> tuple[str, ...]:
    """Everybody who may work in a project, each once, its owners first; no visitors."""
    members = project.members
    return tuple(dict.fromkeys(members.owner + members.member + members.trainer + members.steward))


def roles_of(project: Project, user: str) -> tuple[str, ...]:
    """Somebody's roles in a project, in the order owner, member, trainer, steward, visitor; none is a stranger's."""
    return tuple(role for role in ROLES if user in getattr(project.members, role))


def is_member(project: Project, user: str) -> bool:
    """Whether somebody may work in a project: in any role but a visitor's."""
    return user in project.members


def projects_of(settings: Settings, user: str) -> dict[str, Project]:
    """The projects that somebody may work in: those of the site's file first, in its order."""
    return {name: project for name, project in settings.project.items() if is_member(project, user)}


def without(projects: Mapping[str, Project], blocked: frozenset[str]) -> dict[str, Project]:
    """Projects as they are while some people are blocked, who are in none of them; the others stay the same objects."""
    return {name: _without(project, blocked) for name, project in projects.items()} if blocked else dict(projects)


def _without(project: Project, blocked: frozenset[str]) -> Project:
    roles = {role: getattr(project.members, role) for role in ROLES}
    if blocked.isdisjoint(user for named in roles.values() for user in named):
        return project
    left = {role: tuple(user for user in named if user not in blocked) for role, named in roles.items()}
    return project.model_copy(update={"members": project.members.model_copy(update=left)})


def has_no_projects(settings: Settings) -> bool:
    """Whether a site does without projects. One with a catalogue service never does: its projects come and go."""
    return settings.catalogue is None and not settings.project


def is_user(settings: Settings, user: str) -> bool:
    """Whether somebody is in a project; a site without projects has no others."""
    return has_no_projects(settings) or any(is_member(project, user) for project in settings.project.values())


def workers(settings: Settings) -> frozenset[str]:
    """Everybody who may work in a project of the site."""
    return frozenset(user for project in settings.project.values() for user in people(project))


def everybody(settings: Settings) -> frozenset[str]:
    """Everybody who is in a project of the site, visitors with them."""
    return workers(settings).union(*(project.members.visitor for project in settings.project.values()))


def visited(settings: Settings, user: str) -> dict[str, Project]:
    """The projects in which somebody is a visitor and nothing else."""
    return {
        name: project
        for name, project in settings.project.items()
        if user in project.members.visitor and not is_member(project, user)
    }


def responsible(settings: Settings, project: str | None) -> tuple[str, ...]:
    """The owners of a project; nobody where the site's file has none of that name."""
    found = settings.project.get(project) if project else None
    return found.members.owner if found else ()


def accounts(settings: Settings) -> frozenset[str]:
    """The Slurm accounts that pay for the site's projects."""
    return frozenset(project.account for project in settings.project.values())


def closed(project: Project, today: date) -> Text | None:
    """Why nothing can start in a project today, as it stands behind its name; None when it is open."""
    if project.paused:
        return texts.PAUSED(why=project.paused)
    if project.start and today < project.start:
        return texts.STARTS_ON(day=project.start.isoformat())
    if project.end and today > project.end:
        return texts.ENDED_ON(day=project.end.isoformat())
    return None


def people_today(settings: Settings, project: str, today: date) -> tuple[str, ...]:
    """Everybody in a project that is open today; nobody when it is closed or not in the site's file."""
    found = settings.project.get(project)
    return people(found) if found and not closed(found, today) else ()


def end_of(day: date | None) -> float | None:
    """The moment after a day, in this machine's time zone and Unix seconds; None has no end, nor has the year 9999,
    after which there are no days."""
    if day is None or day.year == MAXYEAR:
        return None
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day).astimezone().timestamp()


def said_to(user: str, project: Project | None, text: Text) -> Text:
    """A text that was made for members, as this user is to read it: where it asks the owner (its parameter ``whom``),
    an owner asks the operators.

    :param project: None: it is no longer in the site's file, and nobody is known to be its owner.
    """
    is_owner = project is not None and user in project.members.owner
    return asking(text, WHOM_OPERATORS()) if is_owner else text


def warned_to(user: str, settings: Settings, subject: str, text: Text) -> Text:
    """The text of a warning as this user is to read it.

    :param subject: what the warning is about, as :func:`project_of` takes it.
    """
    return said_to(user, project_of(settings, subject), text)


def project_of(settings: Settings, subject: str) -> Project | None:
    """The project whose budget, or a user's in it, is the subject of a warning; None for storage."""
    kind, _, rest = subject.partition(":")
    return settings.project.get(rest.partition("/")[0]) if kind in ("project", "user") else None
