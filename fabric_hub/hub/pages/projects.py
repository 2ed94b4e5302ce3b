"""A person's projects (``/hub/projects``) and one project's page, where its owners change it.

What a project is comes from ``settings.project``, which follows the catalogue service; a change is asked of that
service, which decides and puts it on record. One that does not exist and one that is somebody else's look alike.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.budgets.schemas import Warned
from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.config.settings import Project
from fabric_hub.config.spelling import ROLES
from fabric_hub.datasets.model import Catalogue
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import HubRuntime, runtime
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import project_pages as texts
from fabric_hub.messages.texts import project_requests as request_texts
from fabric_hub.messages.texts.projects import ITS_OWNER
from fabric_hub.projects.changes import Change, ChangeBody
from fabric_hub.projects.invitations import Invitations, digest_of, new_code
from fabric_hub.projects.live import LiveProjects
from fabric_hub.projects.membership import roles_of

from . import budgets, project_invitations
from .known_requests import asks_here, asks_more, requests_of
from .open_doors import open_doors
from .operate import refused_in_words
from .project_forms import ROLE_NAMES, SECTIONS, wanted
from .project_views import (
    looking_at,
    members,
    running_in,
    usage_of,
    used_in,
    view_of,
    what_is_shown,
)

log = logging.getLogger(__name__)

PATH: Final = "/projects"
NAME: Final = "([a-z0-9-]{1,40})"
# What became of a request that was sent or taken back, by what leads here.
SENT: Final = {"sent": request_texts.SENT(), "withdrawn": request_texts.TAKEN_BACK()}


class ProjectPages(BaseHandler):  # type: ignore[misc]
    """What the pages of projects share."""

    @property
    def shared(self) -> HubRuntime:
        """The hub's runtime."""
        return runtime()

    async def catalogue(self) -> Catalogue | None:
        """The catalogue as the hub knows it."""
        known = await self.shared.datasets()
        return known.catalogue if known else None

    async def show(self, template: str, **told: Any) -> None:
        """Finish with a page, of which no copy is kept: it names people."""
        self.set_header("Cache-Control", "no-store")
        roles = tuple((role, ROLE_NAMES[role]()) for role in ROLES)
        # sync: no template of these waits for anything, and a table of a thousand rows takes half the time
        self.finish(self.render_template(template, sync=True, no_spawner_check=True, role_names=roles, **told))

    def fields(self) -> dict[str, str]:
        """What a form has, but the token against forgery."""
        return {key: self.get_body_argument(key) for key in self.request.body_arguments if key != "_xsrf"}

    def in_person(self) -> CatalogueClient:
        """The catalogue service, for a person who has logged in.

        :raises FabricError: it is a token that asks, or the site has no such service.
        """
        service = self.shared.catalogue_service
        if service is None:
            raise FabricError(texts.NO_CATALOGUE())
        if self.get_auth_token() is not None or getattr(self.current_user, "kind", "") != "user":
            raise FabricError(texts.IN_PERSON())
        return service

    async def change(self, *changes: Change) -> None:
        """Have the catalogue service make changes in the name of who has logged in; then know of them.

        :raises FabricError: it refuses one, or does not answer; those before that are made.
        """
        service = self.in_person()
        try:
            for change in changes:
                await service.change_project(ChangeBody(by=self.current_user.name, change=change))
                log.info("%s: %s of project %s", self.current_user.name, change.do, change.project)
        finally:
            look_anew(self.shared)


class MyProjects(ProjectPages):
    """``GET /hub/projects``: the projects that the viewer is in, in any role, and what became of their requests."""

    @web.authenticated
    async def get(self) -> None:
        """Show them."""
        viewer, now = self.current_user, time.time()
        with refused_in_words():
            mine = {name: one for name, one in self.shared.settings.project.items() if roles_of(one, viewer.name)}
            runs = running_in(self.shared, mine.keys(), now)
        catalogue = await self.catalogue()
        views = [
            view_of(self.shared, mine, name, looking_at(project, viewer), catalogue, runs.get(name, ()), now)
            for name, project in mine.items()
        ]
        # those in which something can start come first
        views.sort(key=lambda one: (one.ended, one.state != "running"))
        requests = await requests_of(self.shared, viewer.name, now)
        asks, done = asks_here(self.shared.settings), SENT.get(self.get_query_argument("request", ""))
        await self.show("projects.html", projects=views, requests=requests, asks=asks, done=done)


class OneProject(ProjectPages):
    """``/hub/projects/NAME``: a project, for who is in it. A GET changes nothing.

    A POST is an owner's form (:mod:`.project_forms`): ``do``, and what belongs to it.
    """

    as_operator = False

    @web.authenticated
    async def get(self, name: str) -> None:
        """Show it."""
        with refused_in_words():
            await self.show_project(name)

    @web.authenticated
    async def post(self, name: str) -> None:
        """Change it."""
        with refused_in_words():
            await self.take(name)

    def found(self, name: str) -> Project:
        """The project, if who has logged in may know of it.

        :raises HTTPError: (404) there is none, or it is somebody else's.
        """
        project = self.shared.settings.project.get(name)
        if project is None or not (self.as_operator or roles_of(project, self.current_user.name)):
            raise web.HTTPError(404)
        return project

    async def take(self, name: str) -> None:
        """Do what a form asks for, and show what became of it."""
        project, fields, viewer = self.found(name), self.fields(), self.current_user
        # only who is shown the link knows the code: the catalogue service is told its digest
        code = new_code() if fields.get("do") == project_invitations.INVITE else ""
        fields["digest"] = digest_of(code)
        try:
            self.may_change(name, project)
            asked = wanted(name, project, fields)
            await self.change(*asked.changes)
        except FabricError as error:
            self.log.info("Refused a change of project %s by %s: %s", name, viewer.name, error)
            self.set_status(error.status)
            await self.show_project(name, problem=error, typed=fields)
            return
        after = self.shared.settings.project.get(name)
        if not self.as_operator and (after is None or not roles_of(after, viewer.name)):
            self.redirect(url_path_join(self.hub.base_url, PATH), status=303)  # they took themselves out
            return
        await self.show_project(name, done=asked.done, typed={"do": fields["do"]}, code=code)

    def may_change(self, name: str, project: Project) -> None:
        """Nothing.

        :raises FabricError: who has logged in is no owner, or the project is not the catalogue service's.
        """
        if not looking_at(project, self.current_user, operator=self.as_operator).answers:
            raise FabricError(texts.ASK_AN_OWNER(whom=ITS_OWNER()))
        kept = self.shared.settings.project
        if not (isinstance(kept, LiveProjects) and kept.is_kept(name)):
            raise FabricError(texts.IN_SITE_FILE())

    async def show_project(
        self,
        name: str,
        *,
        problem: FabricError | None = None,
        done: Text | None = None,
        typed: Mapping[str, str] | None = None,
        code: str = "",
    ) -> None:
        """The page, and on it what became of a form; ``code`` is of an invitation that was just made."""
        project, viewer, now = self.found(name), self.current_user, time.time()
        settings, looking = self.shared.settings, looking_at(project, viewer, operator=self.as_operator)
        runs = running_in(self.shared, {name}, now).get(name, ())
        mine = {other: one for other, one in settings.project.items() if self.as_operator or roles_of(one, viewer.name)}
        view = view_of(self.shared, mine, name, looking, await self.catalogue(), runs, now)
        today, shown = today_at(now), settings.quotas.shown_of_people
        days, people = await asyncio.to_thread(used_in, self.shared, name, today) if looking.inside else ((), ())
        typed, changes = typed or {}, looking.answers and view.kept
        invitations, no_list = Invitations(), None
        if changes and self.shared.catalogue_service is not None:
            asked = project_invitations.of_project(self.shared.catalogue_service, viewer.name, name)
            invitations, no_list = await asked
        await self.show(
            "project.html",
            view=view,
            members=members(project, runs, named=shown == "named") if looking.sees_names(shown) else (),
            usage=usage_of(days, people, today, shown, looking),
            shown_of_people=what_is_shown(settings),
            warnings=warnings_of(viewer, name) if not self.as_operator else (),
            changes=changes,
            asks_more=changes and not self.as_operator and asks_more(settings, project),
            open_doors=open_doors(settings, self.settings.get("cookie_max_age_days", 14)) if changes else (),
            invitations=invitations,
            no_list=no_list,
            came_by=project_invitations.by_person(invitations),
            link=self.link(code) if code else "",
            address=self.address(name),
            problem=problem,
            done=done,
            typed=typed,
            # what has no form on the page is told above all
            section=SECTIONS.get(typed.get("do", ""), "top") if changes else "top",
        )

    def address(self, name: str) -> str:
        """Of this page: where its forms are sent."""
        return str(url_path_join(self.hub.base_url, PATH, name))

    def link(self, code: str) -> str:
        """An invitation's, to be sent to whom it invites."""
        public = self.settings.get("public_url")
        origin = f"{public.scheme}://{public.netloc}" if public else f"{self.request.protocol}://{self.request.host}"
        return f"{origin}{url_path_join(self.hub.base_url, 'invitations', code)}"


def today_at(now: float) -> date:
    """The day of the hub's machine."""
    return datetime.fromtimestamp(now).astimezone().date()


def look_anew(shared: HubRuntime) -> None:
    """Read now what the catalogue service publishes of projects."""
    if isinstance(shared.settings.project, LiveProjects):
        shared.settings.project.look()


def warnings_of(viewer: Any, name: str) -> tuple[Warned, ...]:
    """The warnings in force that are about a project or about the viewer's use of it."""
    subjects = {f"project:{name}", f"user:{name}/{viewer.name}"}
    return tuple(one for one in budgets.warnings(viewer) if one.subject in subjects)


def pages() -> list[tuple[Any, ...]]:
    """The pages of who is in projects, for JupyterHub's list of pages."""
    return [(PATH, MyProjects), (rf"{PATH}/{NAME}", OneProject)]
