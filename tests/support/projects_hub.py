"""A hub with projects that its catalogue service keeps, beside those of its file: people of each role."""

from __future__ import annotations

import json
import os
import pwd
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from fabric_hub.catalogue.audit.log import audit_directory, files, named
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.invitation_tables import invitations, invited
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.publish import publish_projects
from fabric_hub.catalogue.tables import project_people, project_requests, starters
from fabric_hub.catalogue.tables import projects as table
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Members, Project

from .catalogue_thread import CatalogueThread, settings_of
from .person import Person
from .small_site import PEOPLE, SmallSite
from .waiting import until

OWNER, MEMBER, VISITOR, STRANGER, LEAVER = PEOPLE[:5]


def today() -> date:
    """The day where the tests run."""
    return datetime.now().astimezone().date()


def kept() -> dict[str, Project]:
    """The projects that each test begins with."""
    return {
        "folding": Project(
            title="Protein folding",
            kind="course",
            account="fh-folding",
            members=Members(owner=(OWNER,), member=(MEMBER, LEAVER), visitor=(VISITOR,)),
            budget_gpu_hours=100,
            end=today() + timedelta(days=12),
        ),
        # what is a client's is widened at the command line alone
        "bakery": Project(title="Bakery", kind="client", account="fh-bakery", members=Members(owner=(OWNER,))),
        "bread": Project(title="Bread forecast", account="fh-bread", members=Members(owner=("boss",))),
    }


class ProjectsHub:
    """See the module. ``with`` starts it, and closes it at the end.

    :param directory: one that is not there yet, with a short path.
    :param shown: what people see of each other (``quotas.shown_of_people``).
    :param more: settings of the site's section ``catalogue`` beside its own.
    :param configuration: lines of a jupyterhub_config.py of the site's own.
    :param changes: other sections of the site's file, as :class:`SmallSite` takes them.
    """

    def __init__(
        self,
        directory: Path,
        shown: str,
        more: dict[str, Any] | None = None,
        configuration: str = "",
        **changes: dict[str, Any],
    ) -> None:
        directory.mkdir()
        catalogue: dict[str, Any] = {
            **settings_of(directory),
            "account": pwd.getpwuid(os.getuid()).pw_name,
            "from_hub": ["people", "budgets", "projects"],
            **(more or {}),
        }
        changes = {"quotas": {"shown_of_people": shown}, **changes}
        self.site = SmallSite(directory / "site", configuration, datasets=catalogue, **changes)
        self.catalogue_service = CatalogueThread(directory / "site" / "site.toml", self.site.settings)
        self._before = 0
        self.reset()

    @property
    def settings(self) -> CatalogueSettings:
        """The site's section ``catalogue``."""
        assert self.site.settings.catalogue
        return self.site.settings.catalogue

    def __enter__(self) -> Self:
        try:
            self.catalogue_service.up()
            self.site.up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.catalogue_service.close()
        self.site.close()

    def reset(self) -> None:
        """What one test changed does not reach the next."""
        self.site.reset()
        engine = open_catalogue(self.settings)
        with engine.begin() as connection:
            for others in (invited, invitations, project_requests, starters, project_people):
                connection.execute(sa.delete(others))
            connection.execute(sa.delete(table))
        engine.dispose()
        store = self.catalogue_service.store.projects
        for name, project in kept().items():
            store.take_over(name, project, "root", lambda _entries: None)
        publish_projects(self.settings, store)
        self._before = len(self._records())

    def project(self, name: str = "folding") -> Project:
        """A project as the catalogue service keeps it now."""
        found = self.catalogue_service.store.projects.kept(name)
        assert found
        return found.project

    def audit_log(self) -> list[dict[str, Any]]:
        """What the audit log says since this test began, with the names of people."""
        return self._records()[self._before :]

    def _records(self) -> list[dict[str, Any]]:
        lines = (line for file in files(audit_directory(self.settings)) for line in file.read_text().splitlines())
        names = PeopleStore(self.catalogue_service.store.engine).names()
        return [named(json.loads(line), names) for line in lines]

    def log_in(self, name: str) -> Person:
        """Somebody who has logged in; the hub knows of the projects that they are in."""
        person = self.site.person(name).log_in()
        if name in (OWNER, MEMBER, VISITOR, LEAVER):
            until(lambda: _as_published(person), f"the hub knows that {name} is in it", 10)
        return person


def _as_published(person: Person) -> bool:
    page = person.browser.get("/hub/projects/folding").text
    return 'id="project-state">Active<' in page and "(in 12 days)" in page
