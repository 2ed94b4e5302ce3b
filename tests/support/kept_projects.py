"""A catalogue service that keeps projects: the real one, with the verb of their changes in a small form of it.

It takes :class:`~fabric_hub.projects.changes.ChangeBody` where the hub's client sends it, and publishes
``projects.json`` beside its socket, as the hub reads it. What it refuses is the test's to say.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.server import create_app
from fabric_hub.catalogue.service import CatalogueService
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.config.spelling import ROLES
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import verbatim
from fabric_hub.projects.changes import (
    AddPerson,
    Change,
    ChangeBody,
    Create,
    Describe,
    Pause,
    RemovePerson,
    Resume,
    SetBudget,
    SetDates,
)
from fabric_hub.projects.document import ProjectsDocument, as_json
from fabric_hub.projects.live import projects_file
from fabric_hub.rpc import server as unix_server

from .catalogue_thread import CatalogueThread


class ProjectsThread(CatalogueThread):
    """Serves the catalogue service of a site, which keeps these projects.

    :ivar asked: every change that came, in order, with who asked for it.
    :ivar refuses: the words with which each change is refused from now on; "": none is.
    """

    def __init__(self, site: Path, settings: Settings, projects: dict[str, Project]) -> None:
        super().__init__(site, settings)
        self.projects = dict(projects)
        self.asked: list[ChangeBody] = []
        self.refuses = ""
        self._serial = 0
        self.publish()

    async def serve(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """As its base, with the verb."""
        service = CatalogueService(self._site, self._settings, CatalogueStore(open_catalogue(self._datasets)))
        app = create_app(service)
        app.router.routes[:] = [one for one in app.router.routes if getattr(one, "path", "") != "/v1/projects/changes"]
        router = APIRouter()
        router.add_api_route("/v1/projects/changes", self.change, methods=["POST"], status_code=204)
        app.include_router(router)
        await unix_server.serve(
            app, self._datasets.socket, stop, who="catalogue service", closing=service.close, ready=ready
        )

    async def change(self, body: ChangeBody) -> None:
        """Take a change down, and make it."""
        self.asked.append(body)
        if self.refuses:
            raise FabricError(verbatim(self.refuses), status=403)
        self._make(body.change)
        self.publish()

    def publish(self) -> None:
        """Write what the hub reads, in one step."""
        self._serial += 1
        path = projects_file(self._datasets)
        content = {
            "format": ProjectsDocument().format,
            "serial": self._serial,
            "projects": {name: as_json(project) for name, project in self.projects.items()},
        }
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(content))
        fresh.chmod(0o640)
        fresh.replace(path)

    def _make(self, change: Change) -> None:
        if isinstance(change, Create):
            told = change.model_dump(exclude={"do", "project", "owners", "account"})
            account = change.account or f"fh-{change.project}"
            self.projects[change.project] = Project(**told, account=account, members=Members(owner=change.owners))
            return
        before = self.projects[change.project]
        self.projects[change.project] = before.model_copy(update=_update(before, change))


def _update(before: Project, change: Any) -> dict[str, Any]:
    match change:
        case AddPerson(user=user, role=role):
            people = (*getattr(before.members, role), user)
            return {"members": before.members.model_copy(update={role: tuple(dict.fromkeys(people))})}
        case RemovePerson(user=user, role=role):
            gone = {
                one: tuple(other for other in getattr(before.members, one) if other != user)
                for one in ROLES
                if role in (None, one)
            }
            return {"members": before.members.model_copy(update=gone)}
        case SetBudget(gpu_hours=hours):
            return {"budget_gpu_hours": hours}
        case SetDates(start=start, end=end):
            return {"start": start, "end": end}
        case Pause(why=why):
            return {"paused": why}
        case Resume():
            return {"paused": ""}
        case Describe():
            told = change.model_dump(exclude={"do", "project"})
            return {name: value for name, value in told.items() if value is not None}
        case _:
            raise AssertionError(change)
