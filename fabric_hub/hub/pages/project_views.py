"""What the pages of projects show of one, to one who looks: from the hub's memory and record, nothing asked of Slurm.

Who is in a project and what they use is shown to others as far as the site's file says (``quotas.shown_of_people``);
its owners and operators see who is in it, for they answer for that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from fabric_hub.budgets.history import History
from fabric_hub.budgets.people import PersonUse, by_person
from fabric_hub.budgets.schemas import DayUse
from fabric_hub.config.settings import Project, Settings
from fabric_hub.config.spelling import ROLES
from fabric_hub.datasets.model import Catalogue
from fabric_hub.datasets.policy import find
from fabric_hub.hub.spawner.runtime import HubRuntime
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import project_pages as texts
from fabric_hub.projects.live import LiveProjects
from fabric_hub.projects.looking import AGGREGATED, NAMED, OFF, Looking, looking, state_on
from fabric_hub.projects.membership import roles_of
from fabric_hub.service.usage_service import TREND_DAYS
from fabric_hub.sessions.status import standings
from fabric_hub.slurm.model import Snapshot

from . import budgets
from .budgets import Bar, ProjectLine
from .operate_rows import Row, row
from .project_forms import ROLE_NAMES
from .sessions import badge, called, shown

_SHOWN: Final = {OFF: texts.SHOWN_OFF, AGGREGATED: texts.SHOWN_AGGREGATED, NAMED: texts.SHOWN_NAMED}
_STATES: Final = {
    "paused": ("queued", texts.PAUSED),
    "not-started": ("starting", texts.NOT_YET),
    "ended": ("ended", texts.ENDED),
    "active": ("running", texts.ACTIVE),
}
_COUNTS: Final = {
    "owner": texts.OWNERS,
    "member": texts.MEMBERS,
    "trainer": texts.TRAINERS,
    "steward": texts.STEWARDS,
    "visitor": texts.VISITORS,
}


@dataclass(frozen=True)
class Member:
    """Somebody in a project; ``runs`` are their sessions in it, by name where names are shown."""

    user: str
    roles: tuple[str, ...]
    runs: int = 0
    named: tuple[str, ...] = ()

    @property
    def role_names(self) -> tuple[Text, ...]:
        """The roles in words."""
        return tuple(ROLE_NAMES[role]() for role in self.roles)


@dataclass(frozen=True)
class Granted:
    """A dataset that a project may use, until the end of a day."""

    name: str
    title: str
    until: date | None


@dataclass(frozen=True)
class PersonLine:
    """What a person used in 28 days: as bars as high as the most of anybody's days, and in words."""

    use: PersonUse
    bars: tuple[Bar, ...]
    told: Text


@dataclass(frozen=True)
class DayBar:
    """A day of the chart: its GPU-hours, and its bar in units of the picture; ``at`` is its noon in Unix seconds."""

    day: date
    at: float
    gpu_hours: float
    x: int
    height: float


@dataclass(frozen=True)
class ProjectView:
    """A project as somebody sees it; what they do not see is empty."""

    name: str
    title: str
    badge: str
    project: Project
    looking: Looking
    state: str
    word: Text
    kept: bool
    roles: tuple[Text, ...]
    starts: Text | None
    ends: Text | None
    counts: tuple[Text, ...] = ()
    owners: tuple[str, ...] = ()
    line: ProjectLine | None = None
    datasets: tuple[Granted, ...] = ()
    runs: tuple[Row, ...] = ()
    others: int = 0  # sessions whose people are not shown

    @property
    def ended(self) -> bool:
        """Whether its last day is over."""
        return self.state == "ended"


@dataclass(frozen=True)
class UsageView:
    """What a project used in 28 days, as far as it is shown: by day, by person, and how many people that were."""

    days: tuple[DayBar, ...] = ()
    most: float = 0.0
    total: float = 0.0
    people: tuple[PersonLine, ...] = ()
    users: int | None = None
    by_day: tuple[tuple[date, str, float], ...] = field(default=())


def state_of(project: Project, today: date) -> tuple[str, Text]:
    """How a project stands today, as a state's key for the pages' dots and its word. Pure."""
    dot, word = _STATES[state_on(project, today)]
    return dot, word()


def day_from(today: date, day: date | None) -> Text | None:
    """How far a day is: "in 12 days"; None where there is none. Pure."""
    if day is None:
        return None
    days = (day - today).days
    if days == 0:
        return texts.DAY_TODAY()
    return texts.DAY_TO_COME(n=days) if days > 0 else texts.DAY_PAST(n=-days)


def counted(project: Project) -> tuple[Text, ...]:
    """How many people are in a project, by role; roles that nobody has are left out. Pure."""
    found = ((role, len(getattr(project.members, role))) for role in ROLES)
    return tuple(_COUNTS[role](n=number) for role, number in found if number)


def everybody(project: Project) -> tuple[str, ...]:
    """Everybody in a project, visitors too, each once: owners first, and by name. Pure."""
    return tuple(dict.fromkeys(user for role in ROLES for user in sorted(getattr(project.members, role))))


def members(project: Project, runs: Sequence[Row], *, named: bool) -> tuple[Member, ...]:
    """The people of a project with how many sessions of theirs run in it. Pure.

    :param named: whether the sessions' own names are shown.
    """
    numbers = Counter(one.user for one in runs)
    names = {user: tuple(one.name for one in runs if one.user == user) if named else () for user in numbers}
    return tuple(
        Member(user, roles_of(project, user), numbers[user], names.get(user, ())) for user in everybody(project)
    )


def granted(catalogue: Catalogue | None, name: str, today: date) -> tuple[Granted, ...]:
    """The datasets that were granted to a project and that it may use today, by title. Pure."""
    found: dict[str, Granted] = {}
    for grant in catalogue.grants if catalogue else ():
        entry = find(catalogue, grant.dataset) if catalogue and grant.project == name else None
        if entry is not None and (grant.until is None or today <= grant.until):
            before = found.get(grant.dataset)
            until = None if grant.until is None or (before and before.until is None) else grant.until
            until = max(until, before.until) if until and before and before.until else until
            found[grant.dataset] = Granted(grant.dataset, entry.title or grant.dataset, until)
    return tuple(sorted(found.values(), key=lambda one: one.title.casefold()))


def what_is_shown(settings: Settings) -> Text:
    """What the others of a project see of whoever is in it. Pure."""
    return _SHOWN[settings.quotas.shown_of_people]()


def usage_of(
    days: Sequence[DayUse], people: Sequence[PersonUse], today: date, shown_of_people: str, looking: Looking
) -> UsageView:
    """What a project used, as far as it is shown to who looks. Pure.

    :param days: of the project, oldest first.
    """
    if not looking.inside:
        return UsageView()
    first = today - timedelta(days=TREND_DAYS)
    shown_days = [day for day in days if day.day >= first]
    most = max((day.gpu_hours for day in shown_days), default=0.0)
    whole = tuple(
        DayBar(day.day, noon(day.day), day.gpu_hours, (day.day - first).days, day.gpu_hours / most if most else 0.0)
        for day in shown_days
    )
    total = sum(day.gpu_hours for day in shown_days)
    users = len(people) if shown_of_people != OFF else None
    if shown_of_people != NAMED:
        return UsageView(whole, most, total, (), users)
    highest = max((day.gpu_hours for one in people for day in one.days), default=0.0)
    lines = tuple(
        PersonLine(
            one,
            tuple(Bar((day.day - first).days, day.gpu_hours / highest) for day in one.days if day.day >= first),
            budgets.in_words(one.days),
        )
        for one in people
    )
    table = tuple(sorted((day.day, one.user, day.gpu_hours) for one in people for day in one.days))
    return UsageView(whole, most, total, lines, users, table[::-1])


def noon(day: date) -> float:
    """The middle of a day of the hub's machine, in Unix seconds."""
    return datetime(day.year, day.month, day.day, 12).astimezone().timestamp()


# -- from the hub's memory and record


def running_in(shared: HubRuntime, names: Collection[str], now: float) -> dict[str, tuple[Row, ...]]:
    """The live sessions of these projects, by project.

    :raises FabricError: the record cannot be read.
    """
    snapshot: Snapshot | None = None
    if shared.settings.slurm is not None:
        shared.interest()
        snapshot = shared.follower.value
    sessions = {one.id: one for one in shared.store.live_all() if one.project in names}
    known = standings(list(sessions.values()), snapshot)
    found: dict[str, list[Row]] = {}
    for name, session in sorted(sessions.items(), key=lambda item: (item[1].user, item[1].server_name)):
        profile = shared.settings.profile.get(session.profile)
        made = row(shown(session), profile, known[name], snapshot, None, now)
        found.setdefault(session.project, []).append(made)
    return {name: tuple(rows) for name, rows in found.items()}


def view_of(
    shared: HubRuntime,
    projects: Mapping[str, Project],
    name: str,
    looking: Looking,
    catalogue: Catalogue | None,
    runs: Sequence[Row],
    now: float,
) -> ProjectView:
    """A project as somebody sees it.

    :param projects: those among which its title is told from others: of whoever looks.
    """
    settings, project = shared.settings, projects[name]
    today = datetime.fromtimestamp(now).astimezone().date()
    state, word = state_of(project, today)
    seen = [one for one in runs if one.user == looking.user or settings.quotas.shown_of_people == NAMED]
    inside = looking.inside
    return ProjectView(
        name=name,
        title=called(name, projects),
        badge=badge(project.kind),
        project=project,
        looking=looking,
        state=state,
        word=word,
        kept=isinstance(settings.project, LiveProjects) and settings.project.is_kept(name),
        roles=tuple(ROLE_NAMES[role]() for role in looking.roles),
        starts=day_from(today, project.start),
        ends=day_from(today, project.end),
        counts=counted(project) if inside else (),
        owners=tuple(sorted(project.members.owner)),
        line=budgets.line_of(shared, name, project, now) if inside else None,
        datasets=granted(catalogue, name, today) if inside else (),
        runs=tuple(seen) if inside else (),
        others=len(runs) - len(seen) if inside else 0,
    )


def used_in(shared: HubRuntime, name: str, today: date) -> tuple[tuple[DayUse, ...], tuple[PersonUse, ...]]:
    """What was used of a project in 28 days, by day and by person, from our own record.

    :raises FabricError: the record cannot be read.
    """
    history = History(shared.store.engine)
    days = history.daily(name, None, TREND_DAYS)
    return days, by_person(history.rows(name, today - timedelta(days=TREND_DAYS), today))


def looking_at(project: Project, viewer: Any, *, operator: bool = False) -> Looking:
    """Who looks at a project."""
    return looking(project, viewer.name, operator=operator)
