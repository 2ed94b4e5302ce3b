"""Time and budgets on the hub's pages. Reads memory and our own record only; what fails is left off a page.

As in :mod:`.sessions`: JupyterHub calls each once per page with the user who looks at it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from fabric_hub.budgets.schemas import Balance, DayUse, Warned
from fabric_hub.budgets.warnings import WarningBook, subjects_of
from fabric_hub.config.settings import Project
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import HubRuntime, runtime
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import home as texts
from fabric_hub.projects.membership import projects_of, warned_to
from fabric_hub.service.tasks.review import with_forecast
from fabric_hub.service.usage_service import TREND_DAYS

from .sessions import badge, called

log = logging.getLogger(__name__)


def warnings(viewer: Any) -> tuple[Warned, ...]:
    """The warnings in force that concern who has logged in."""
    if viewer is None:
        return ()
    shared = runtime()
    projects = projects_of(shared.settings, viewer.name)
    try:
        found = WarningBook(shared.store.engine).in_force(time.time(), subjects_of(viewer.name, projects), viewer.name)
    except FabricError as error:
        log.warning("No warnings on a page: %s", error)
        return ()
    return tuple(
        one.model_copy(update={"text": warned_to(viewer.name, shared.settings, one.subject, one.text)}) for one in found
    )


@dataclass(frozen=True)
class ProjectLine:
    """A project of a person: what is left of its GPU-hours, for how long, and what it used by day.

    ``trend`` has a bar for each day that is known, and ``told`` says the same in words.
    """

    name: str
    title: str
    badge: str
    kind: str
    left: Text
    lasts: Text | None
    balance: Balance | None
    trend: tuple[Bar, ...]
    told: Text


class Bar(NamedTuple):
    """A day of a trend, in units of the picture: where it begins from the left, and how high it is, 0 to 1."""

    x: int
    height: float


def of_viewer(viewer: Any) -> Callable[[], list[ProjectLine]]:
    """The template's function () -> the projects of who has logged in."""
    return lambda: projects(viewer.name) if viewer else []


def projects(user: str) -> list[ProjectLine]:
    """A person's projects, in the order of the site's file."""
    shared, now = runtime(), time.time()
    return [line_of(shared, name, project, now) for name, project in projects_of(shared.settings, user).items()]


def line_of(shared: HubRuntime, name: str, project: Project, now: float) -> ProjectLine:
    """What is left of a project and what it used, from memory and our own record."""
    if shared.settings.slurm is not None:
        shared.limits.follow()
        shared.interest()
    today = datetime.fromtimestamp(now).astimezone().date()
    try:
        days = shared.usage.trend(name)
        known = shared.usage.usage(name, "").project if shared.settings.slurm is not None else None
        told = with_forecast(shared.usage, name, known, today, now)
    except FabricError as error:
        log.warning("No history of project %s on a page: %s", name, error)
        days, told = (), None
    return ProjectLine(
        name=name,
        title=called(name, shared.settings.project),
        badge=badge(project.kind),
        kind=project.kind,
        left=left_of(told),
        lasts=lasts(told, now),
        balance=told,
        trend=bars(days, today),
        told=in_words(days),
    )


def left_of(balance: Balance | None) -> Text:
    """What is left of a project's GPU-hours. Pure."""
    if balance is None or balance.left is None:
        return texts.NO_LIMIT()
    if balance.limit is None or balance.limited_by != balance.of:
        return texts.HOURS_LEFT_OF(left=balance.left, whose=balance.limited_by)
    return texts.HOURS_LEFT(left=balance.left, limit=balance.limit)


def lasts(balance: Balance | None, now: float) -> Text | None:
    """Until when that is enough at the present rate; None: nobody knows, or for very long. Pure."""
    if balance is None or balance.left is None or balance.lasts_until is None:
        return None
    return texts.USED_UP() if balance.lasts_until <= now else texts.LASTS(at=balance.lasts_until)


def bars(days: Sequence[DayUse], today: date) -> tuple[Bar, ...]:
    """A trend as bars, the highest of them 1 high; none where nothing was used. Pure."""
    most = max((day.gpu_hours for day in days), default=0.0)
    if most <= 0:
        return ()
    first = today - timedelta(days=TREND_DAYS)
    return tuple(
        Bar((day.day - first).days, day.gpu_hours / most) for day in days if day.gpu_hours > 0 and day.day >= first
    )


def in_words(days: Sequence[DayUse]) -> Text:
    """What a trend shows, for who does not see it. Pure."""
    highest = max(days, key=lambda day: day.gpu_hours, default=None)
    if highest is None or highest.gpu_hours <= 0:
        return texts.TREND_NONE()
    total = sum(day.gpu_hours for day in days)
    return texts.TREND(total=total, most=highest.gpu_hours, day=highest.day.isoformat())
