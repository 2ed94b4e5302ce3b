"""All projects, for operators (``/hub/operate/projects``): a table, a form that makes one, and each one's page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.budgets.schemas import Balance
from fabric_hub.config.settings import Project
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import HubRuntime
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import project_pages as texts
from fabric_hub.projects.live import LiveProjects

from .known_requests import open_requests
from .operate import operator_of, refused_in_words
from .project_forms import KINDS, created
from .project_views import day_from, everybody, state_of
from .projects import NAME, OneProject, ProjectPages, today_at
from .sessions import badge

PATH: Final = "/operate/projects"


@dataclass(frozen=True)
class ProjectRow:
    """A project in the table; ``used`` is the part of its budget that is used, None where it has none."""

    name: str
    title: str
    badge: str
    project: Project
    owners: tuple[str, ...]
    people: int
    balance: Balance | None
    used: float | None
    ends: Text | None
    state: str
    word: Text
    kept: bool


def rows_of(shared: HubRuntime, today: date) -> tuple[ProjectRow, ...]:
    """All projects, by title; from memory."""
    settings = shared.settings
    if settings.slurm is not None:
        shared.limits.follow()
        shared.interest()
    kept = settings.project if isinstance(settings.project, LiveProjects) else None
    found = []
    for name, project in settings.project.items():
        balance = shared.usage.usage(name, "").project if settings.slurm is not None else None
        state, word = state_of(project, today)
        found.append(
            ProjectRow(
                name=name,
                title=project.title or name,
                badge=badge(project.kind),
                project=project,
                owners=tuple(sorted(project.members.owner)),
                people=len(everybody(project)),
                balance=balance,
                used=part_used(balance),
                ends=day_from(today, project.end),
                state=state,
                word=word,
                kept=kept is not None and kept.is_kept(name),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.title.casefold(), one.name)))


def part_used(balance: Balance | None) -> float | None:
    """How much of a budget is used, 0 to 1 and above; None without one. Pure."""
    if balance is None or balance.limit is None:
        return None
    return balance.used / balance.limit if balance.limit else 1.0


class Projects(ProjectPages):
    """``/hub/operate/projects``: all projects. A GET changes nothing; a POST makes a project."""

    @web.authenticated
    async def get(self) -> None:
        """Show them."""
        with refused_in_words():
            operator_of(self.current_user)
            await self._show()

    @web.authenticated
    async def post(self) -> None:
        """Make one."""
        with refused_in_words():
            operator_of(self.current_user)
            fields = self.fields()
            try:
                project = created(self.shared.settings.project, fields)
                await self.change(project)
            except FabricError as error:
                self.log.info("Refused to make a project for operator %s: %s", self.current_user.name, error)
                self.set_status(error.status)
                await self._show(problem=error, typed=fields)
            else:
                await self._show(done=texts.CREATED(project=project.title), made=project.project)

    async def _show(self, **told: Any) -> None:
        shared = self.shared
        told = {"typed": {}, "problem": None, "done": None, "made": "", **told}
        await self.show(
            "operate_projects.html",
            rows=rows_of(shared, today_at(time.time())),
            makes=shared.catalogue_service is not None,
            kinds=KINDS,
            requests=await open_requests(shared),
            templates=shared.settings.catalogue.templates if shared.settings.catalogue else {},
            **told,
        )


class AnyProject(OneProject):
    """``/hub/operate/projects/NAME``: any project, as its owners see it, with what only operators change."""

    as_operator = True

    @web.authenticated
    async def get(self, name: str) -> None:
        """Show it."""
        with refused_in_words():
            operator_of(self.current_user)
            await self.show_project(name)

    @web.authenticated
    async def post(self, name: str) -> None:
        """Change it."""
        with refused_in_words():
            operator_of(self.current_user)
            await self.take(name)

    def address(self, name: str) -> str:
        """Of this page: where its forms are sent."""
        return str(url_path_join(self.hub.base_url, PATH, name))


def pages() -> list[tuple[Any, ...]]:
    """The operators' pages of projects, for JupyterHub's list of pages."""
    return [(PATH, Projects), (rf"{PATH}/{NAME}", AnyProject)]
