"""The page on which somebody asks for a project, or for more of theirs (``/hub/request-project``).

The catalogue service keeps the request and decides whether it is taken; nobody is given anything by asking.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.config.settings import Project
from fabric_hub.errors import FabricError
from fabric_hub.projects.membership import roles_of
from fabric_hub.projects.requests import LONGEST_PURPOSE

from .known_requests import asks_here, asks_more
from .operate import refused_in_words
from .projects import PATH as PROJECTS
from .projects import ProjectPages
from .request_forms import asked_for, number_in

log = logging.getLogger(__name__)

PATH: Final = "/request-project"


class RequestProject(ProjectPages):
    """``/hub/request-project``: a form; with ``?project=NAME`` the one for more of a project, for its owners.

    A GET changes nothing. A POST sends a request (``do`` project or more) or takes one back (withdraw), and leads to
    My projects, where its state stands.
    """

    @web.authenticated
    async def get(self) -> None:
        """Show the form."""
        with refused_in_words():
            name = self.get_query_argument("project", "")
            await self._show({"project": name} if name else {})

    @web.authenticated
    async def post(self) -> None:
        """Send it."""
        with refused_in_words():
            fields, viewer = self.fields(), self.current_user
            try:
                service = self.in_person()
                if fields.get("do") == "withdraw":
                    await service.withdraw_request(viewer.name, number_in(fields))
                    done = "withdrawn"
                else:
                    number = await service.ask_for_project(viewer.name, asked_for(fields))
                    log.info("%s made request %d", viewer.name, number)
                    done = "sent"
            except FabricError as error:
                self.log.info("Refused a request of %s: %s", viewer.name, error)
                if fields.get("do") == "withdraw":
                    raise
                self.set_status(error.status)
                await self._show(fields, problem=error)
                return
            self.redirect(url_path_join(self.hub.base_url, PROJECTS) + f"?request={done}", status=303)

    async def _show(self, typed: Mapping[str, str], problem: FabricError | None = None) -> None:
        settings = self.shared.settings
        name = typed.get("project", "")
        project = self._owned(name) if name else None
        if project is not None and not asks_more(settings, project):
            raise web.HTTPError(404)
        await self.show(
            "request_project.html",
            of=name,
            project=project,
            asks=asks_here(settings) or project is not None,
            typed=typed,
            problem=problem,
            longest_purpose=LONGEST_PURPOSE,
        )

    def _owned(self, name: str) -> Project:
        project = self.shared.settings.project.get(name)
        if project is None or "owner" not in roles_of(project, self.current_user.name):
            raise web.HTTPError(404)  # nobody learns another project's name
        return project


def pages() -> list[tuple[Any, ...]]:
    """The page, for JupyterHub's list of pages."""
    return [(PATH, RequestProject)]
