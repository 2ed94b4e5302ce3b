"""Starter projects: who is in no project gets a small one, once, whatever becomes of it.

Who had one is kept as digests, of the name at the hub and of the identities at providers: they outlive an erasure, and
an identity that is linked to somebody else later does not make them new.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from datetime import date, timedelta

import sqlalchemy as sa

from fabric_hub.catalogue.audit.log import Entry, canonical
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.project_store import ProjectStore, Record
from fabric_hub.catalogue.tables import starters
from fabric_hub.config.settings import Settings
from fabric_hub.projects.changes import Create
from fabric_hub.projects.identity import Identity
from fabric_hub.projects.membership import everybody
from fabric_hub.projects.requests import free_name

# Who decides, for the record: no person (see audit.log), but what the site's file says.
BY = Asker("site's starter rule", operator=True, from_hub=False)


class _HasOneError(Exception):
    """Leaves what is begun: they had one already."""


class StarterStore:
    """Gives starter projects; safe to use from several threads and processes.

    :param engine: of :func:`fabric_hub.catalogue.database.open_catalogue`.
    :param projects: over the same engine.
    """

    def __init__(self, engine: sa.Engine, projects: ProjectStore, people: PeopleStore) -> None:
        self._engine, self._projects, self._people = engine, projects, people

    def give(self, user: str, settings: Settings, of_file: Settings, record: Record) -> str | None:
        """Somebody's starter project, made now; None: they are in a project, or had one.

        :param settings: with all projects, as they are now.
        """
        if settings.catalogue is None or settings.catalogue.starter is None:
            return None
        template = settings.catalogue.templates[settings.catalogue.starter]
        assert template.days is not None  # the settings want it
        number = self._people.numbers([user])[user]
        person = self._people.person(number)
        known = [Identity(issuer=one.issuer, subject=one.subject) for one in (person.identities if person else ())]
        whose = {digest_of_name(user), *map(digest, known)}
        in_one = user in everybody(settings)
        name = free_name(f"starter-{number}", settings.project.keys())
        today = date.today()  # noqa: DTZ011 - a last day is a day of this site

        def first(connection: sa.Connection) -> Iterable[Entry]:
            had = set(connection.execute(sa.select(starters.c.of).where(starters.c.of.in_(whose))).scalars())
            if had or in_one:
                raise _HasOneError
            _keep(connection, whose, name)
            return ()

        made = Create(
            project=name,
            title=template.title,
            kind=template.kind,
            owners=(user,),
            budget_gpu_hours=template.budget_gpu_hours,
            profiles=template.profiles,
            images=template.images,
            end=today + timedelta(days=template.days),
        )
        try:
            self._projects.make(of_file, (made,), BY, record, first)
        except _HasOneError:
            self._also(whose)
            return None
        return name

    def _also(self, whose: set[str]) -> None:
        """Whatever else somebody who had one is known by now has had one, too."""
        with self._engine.begin() as connection:
            had = connection.execute(sa.select(starters).where(starters.c.of.in_(whose))).mappings().all()
            missing = whose - {row["of"] for row in had}
            if had and missing:
                _keep(connection, missing, had[0]["project"])


def _keep(connection: sa.Connection, whose: set[str], project: str) -> None:
    rows = [{"of": one, "project": project, "at": time.time()} for one in sorted(whose)]
    connection.execute(sa.insert(starters), rows)


def digest(identity: Identity) -> str:
    """An identity as it is kept here: who knows issuer and subject can tell it, nobody reads them."""
    return hashlib.sha256(canonical(["starter", identity.issuer, identity.subject])).hexdigest()


def digest_of_name(user: str) -> str:
    """A name at the hub as it is kept here."""
    return hashlib.sha256(canonical(["starter", user])).hexdigest()
