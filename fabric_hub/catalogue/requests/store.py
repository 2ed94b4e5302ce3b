"""Requests as kept: each change is one short transaction, on record before it is final, and so is an approval with the
changes of projects that it makes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from fabric_hub.catalogue.audit.log import Entry
from fabric_hub.catalogue.database import CATALOGUE, reading
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.project_store import ProjectStore, Record
from fabric_hub.catalogue.tables import counter, project_requests
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import project_requests as texts
from fabric_hub.projects.requests import Approval, Ask, AskMore, Request, changes_of
from fabric_hub.sessions.database import Transaction

from .policy import refusal_to_ask

_TABLE = project_requests
OPEN = "open"


class RequestStore:
    """Read and change requests; safe to use from several threads and processes.

    :param engine: of :func:`fabric_hub.catalogue.database.open_catalogue`.
    :param projects: where approvals make their changes; over the same engine.
    """

    def __init__(self, engine: sa.Engine, projects: ProjectStore) -> None:
        self._engine, self._projects = engine, projects

    # -- reading

    def all(self, user: str | None = None, *, only_open: bool = False) -> tuple[Request, ...]:
        """Requests, the oldest first.

        :param user: only theirs.
        """
        asked = sa.select(_TABLE).order_by(_TABLE.c.number)
        if user is not None:
            asked = asked.where(_TABLE.c.user == user)
        if only_open:
            asked = asked.where(_TABLE.c.state == OPEN)
        with reading(self._engine) as connection:
            return tuple(Request(**row) for row in connection.execute(asked).mappings())

    def one(self, number: int) -> Request:
        """A request.

        :raises FabricError: there is none of this number.
        """
        with reading(self._engine) as connection:
            return _one(connection, number)

    # -- changing

    def ask(self, ask: Ask, user: str, settings: Settings, record: Record) -> int:
        """Keep a request; returns its number.

        :param settings: with all projects, as they are now.
        :raises FabricError: they may not ask for that: see :mod:`.policy`.
        """
        today = date.today()  # noqa: DTZ011 - a last day is a day of this site
        name = ask.project if isinstance(ask, AskMore) else None
        project = settings.project.get(name) if name else None
        with Transaction(self._engine, CATALOGUE) as connection:
            _alone(connection)
            open_ = [*connection.execute(sa.select(_TABLE.c.user, _TABLE.c.project).where(_TABLE.c.state == OPEN))]
            of_user = sum(one.user == user for one in open_)
            of_project = name is not None and any(one.project == name for one in open_)
            told = refusal_to_ask(ask, user, settings, project, of_user, of_project, today)
            if told is not None:
                raise FabricError(told)
            number = int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(_TABLE.c.number), 0))).scalar_one())
            title = (project.title or name or "") if isinstance(ask, AskMore) and project else ""
            values: dict[str, Any] = {"title": title, "organisation": "", "sector": "", "data": "public"}
            if isinstance(ask, AskMore) and project:
                values |= {"organisation": project.organisation, "sector": project.sector, "data": project.data}
            values |= {**ask.model_dump(exclude={"do"}), "kind": ask.do, "number": number + 1}
            values |= {"user": user, "at": time.time(), "state": OPEN}
            connection.execute(sa.insert(_TABLE).values(**values))
            owners = project.members.owner if project else ()
            facts = {"number": number + 1, "gpu_hours": ask.gpu_hours, "until": _day(ask.until), "data": values["data"]}
            record((_entry("project-requested", user, facts, project=name, responsible=owners),))
            return number + 1

    def withdraw(self, number: int, user: str, record: Record) -> None:
        """Take an open request back.

        :raises FabricError: it is not theirs, or not open any more.
        """
        with Transaction(self._engine, CATALOGUE) as connection:
            _alone(connection)
            request = _one(connection, number)
            if request.user != user:
                raise FabricError(texts.NO_SUCH_REQUEST(number=number))  # nobody learns of another's
            _close(connection, number, "withdrawn", None)
            record((_entry("request-withdrawn", user, {"number": number}, project=request.project),))

    def decline(self, number: int, why: str, asker: Asker, record: Record) -> Request:
        """Close an open request with nothing given; returns it.

        :raises FabricError: it is not open any more.
        """
        with Transaction(self._engine, CATALOGUE) as connection:
            _alone(connection)
            request = _one(connection, number)
            _close(connection, number, "declined", asker.by(None), why=why)
            about = {"project": request.project, "by": asker.by(None), "why": why}
            record((_entry("request-declined", request.user, {"number": number}, **about),))
            return request

    def approve(self, number: int, approval: Approval, settings: Settings, asker: Asker, record: Record) -> str:
        """Make of an open request what is given; returns the project's name.

        :param settings: of the site's file alone.
        :raises RefusedError: who answers may not make these changes.
        :raises FabricError: it is not open any more, or the changes cannot be made.
        """
        request = self.one(number)
        kept = self._projects.kept(request.project) if request.project else None
        changes = changes_of(request, approval, kept.project if kept else None)
        if not changes:
            raise FabricError(texts.NOTHING_GIVEN())
        name = changes[0].project

        def close(connection: sa.Connection) -> Iterable[Entry]:
            _close(connection, number, "granted", asker.by(None), project=name)
            facts = {"number": number, "gpu_hours": approval.gpu_hours, "end": _day(approval.end)}
            yield _entry("request-granted", request.user, facts, project=name, by=asker.by(None))

        self._projects.make(settings, changes, asker, record, close)
        return name


def _alone(connection: sa.Connection) -> None:
    """Writers go one at a time: what a request is decided by is what stands there."""
    connection.execute(sa.update(counter).values(serial=counter.c.serial))


def _one(connection: sa.Connection, number: int) -> Request:
    row = connection.execute(sa.select(_TABLE).where(_TABLE.c.number == number)).mappings().first()
    if row is None:
        raise FabricError(texts.NO_SUCH_REQUEST(number=number))
    return Request(**row)


def _close(connection: sa.Connection, number: int, state: str, by: str | None, **values: str) -> None:
    closed = {"state": state, "answered_at": time.time(), "answered_by": by, **values}
    still = sa.and_(_TABLE.c.number == number, _TABLE.c.state == OPEN)
    if connection.execute(sa.update(_TABLE).where(still).values(**closed)).rowcount != 1:
        raise FabricError(texts.ANSWERED(number=number))


def _entry(event: str, user: str, facts: dict[str, Any], **about: Any) -> Entry:
    told = {name: value for name, value in facts.items() if value is not None}
    after = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return Entry.model_validate({"event": event, "user": user, "after": after, **about})


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
