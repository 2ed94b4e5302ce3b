"""Projects: what the caller's pages of them show, for programs. They are changed in person, on the page."""

import asyncio
import time
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path

from fabric_hub.budgets.history import History
from fabric_hub.budgets.people import PersonUse, by_person
from fabric_hub.budgets.project_told import ToldProjects, WholeProject, as_whole, in_short
from fabric_hub.budgets.schemas import DayUse
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import service as texts
from fabric_hub.projects.looking import looking
from fabric_hub.projects.membership import roles_of
from fabric_hub.service.deps import Context, PersonCaller, ServiceContext
from fabric_hub.service.usage_service import TREND_DAYS

router = APIRouter()
Name = Annotated[str, Path(max_length=64)]


def today() -> date:
    """The day of the hub's machine."""
    return datetime.fromtimestamp(time.time()).astimezone().date()


@router.get("/projects")
async def projects(user: PersonCaller, context: Context) -> ToldProjects:
    """The projects that the caller is in, in any role. From memory."""
    day = today()
    found = [
        in_short(name, project, looks, day)
        for name, project in context.settings.project.items()
        if (looks := looking(project, user)).roles
    ]
    return ToldProjects(user=user, projects=tuple(sorted(found, key=lambda one: one.project)))


@router.get("/projects/{project}")
async def one_project(project: Name, user: PersonCaller, context: Context) -> WholeProject:
    """A project that the caller is in, with its people and its use as far as its page shows them to the caller; 404
    for every other, whether there is one or not.
    """
    found = context.settings.project.get(project)
    if found is None or not roles_of(found, user):
        raise FabricError(texts.NO_PROJECT(project=project))
    looks, day = looking(found, user), today()
    days, used = await asyncio.to_thread(_used, context, project, day) if looks.inside else ((), ())
    budgets = context.budgets
    return as_whole(
        project,
        found,
        looks,
        day,
        shown_of_people=context.settings.quotas.shown_of_people,
        balance=budgets.source.usage(project, user).project if budgets else None,
        days=days,
        used=used,
    )


def _used(context: ServiceContext, name: str, day: date) -> tuple[tuple[DayUse, ...], tuple[PersonUse, ...]]:
    history = History(context.store.engine)
    rows = history.rows(name, day - timedelta(days=TREND_DAYS), day)
    return history.daily(name, None, TREND_DAYS), by_person(rows)
