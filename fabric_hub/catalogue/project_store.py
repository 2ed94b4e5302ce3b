"""The projects that the catalogue service keeps: a row each, and a row for each role of each person.

Each change is one short transaction, which raises the catalogue's serial first: writers go one at a time, and what a
change is decided by is what stands there. A project's own serial is the catalogue's at its last change.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.config.spelling import ROLES
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import project_changes as texts
from fabric_hub.projects.changes import Change, Create, InvitationChange
from fabric_hub.projects.document import ProjectsDocument
from fabric_hub.projects.live import LiveProjects
from fabric_hub.projects.membership import without
from fabric_hub.sessions.database import Transaction
from fabric_hub.types import Frozen, Slug

from . import invitation_rows
from .audit.log import Entry
from .database import CATALOGUE, reading
from .leases.service_accounts import service_accounts
from .people import login_ends
from .project_edits import (
    EVENTS,
    Recorded,
    created,
    edited,
    entries,
    invitation_entry,
    of_invitation,
    people_of,
    replayed,
)
from .project_policy import Asker, refusal
from .tables import counter, project_people, projects

log = logging.getLogger(__name__)

# What a project's row has as the project itself has it.
FIELDS = (
    "title", "kind", "account", "data", "organisation", "sector", "budget_gpu_hours", "profiles", "images", "start",
    "end", "paused", "asks",
)  # fmt: skip
# Project names in one question: SQLite takes so many values at once.
_AT_ONCE = 500

Record = Callable[[tuple[Entry, ...]], object]


class NothingNewError(Exception):
    """Leaves a change that changes nothing: its transaction is undone, the serial stays."""


class RefusedError(FabricError):
    """Who asked for a change may not make it.

    :param project: as it is; None: there is none of that name.
    """

    def __init__(self, told: Text, project: Project | None) -> None:
        super().__init__(told)
        self.project = project


class Person(Frozen):
    """A role of somebody in a project: since when (Unix seconds), and who gave it."""

    user: str
    role: str
    since: float
    by: str


class KeptProject(Frozen):
    """A project, and what is on record beside it."""

    name: Slug
    project: Project
    people: tuple[Person, ...]
    paused_by: str | None
    created_at: float
    created_by: str
    ended_at: float | None
    serial: int


class ProjectStore:
    """Read and change the projects that are kept; safe to use from several threads.

    :param engine: of :func:`fabric_hub.catalogue.database.open_catalogue`.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._reading_all = threading.Lock()
        self._read = ProjectsDocument()

    # -- reading

    def document(self) -> ProjectsDocument:
        """All of them; of those that are as before the same objects."""
        with self._reading_all, reading(self._engine) as connection:
            serial = _serial(connection)
            while serial != self._read.serial:
                self._read = _all(connection, serial, self._read)
                serial = _serial(connection)  # a change in between: the rows may be of two moments
            return self._read

    def over(self, settings: Settings) -> Settings:
        """Settings of a site's file with the projects that are kept, too; those of the file win."""
        document, found = self.document(), settings.project
        kept, blocked = document.projects, document.blocked
        # what was published may be of before the last change
        of_file = found.of_file if isinstance(found, LiveProjects) else found
        more = {name: project for name, project in kept.items() if name not in of_file}
        if of_file is found and not more and not blocked:
            return settings
        return settings.model_copy(update={"project": without({**of_file, **more}, blocked)})

    def kept(self, name: str) -> KeptProject | None:
        """One of them, with what is on record; None: none of this name is kept."""
        with reading(self._engine) as connection:
            return one(connection, name)

    @contextmanager
    def alone(self) -> Iterator[ProjectsDocument]:
        """All of them, while nobody changes any: for whoever publishes them."""
        with Transaction(self._engine, CATALOGUE) as connection:
            connection.execute(sa.update(counter).values(serial=counter.c.serial))  # writers take this row first
            serial = _serial(connection)
            with self._reading_all:
                if serial != self._read.serial:
                    self._read = _all(connection, serial, self._read)
                found = self._read
            yield found

    # -- changing

    def check(self, settings: Settings, change: Change, asker: Asker) -> None:
        """Refuse what who asks may not change as things stand; :meth:`change` decides.

        :raises RefusedError: they may not.
        """
        _allowed(settings, change, asker, self.kept(change.project))

    def change(self, settings: Settings, change: Change, asker: Asker, record: Record) -> bool:
        """Make a change, if who asks may. False: it stood so already.

        :param settings: of the site's file alone. Names of people are the hub's.
        :param record: is given what goes into the audit log, before the change is final.
        :raises RefusedError: they may not.
        :raises FabricError: it cannot be made: see :mod:`.project_edits`; the audit log cannot be written.
        """
        return self.make(settings, (change,), asker, record)

    def make(
        self,
        settings: Settings,
        changes: Sequence[Change],
        asker: Asker,
        record: Record,
        first: Callable[[sa.Connection], Iterable[Entry]] = lambda _connection: (),
    ) -> bool:
        """Make changes as one, as :meth:`change` makes one: all of them or none.

        :param first: done in the same transaction before them, when no other writer is in between; what it returns is
            recorded before them, too. With something in it, the changes may change nothing.
        """
        with suppress(NothingNewError), Transaction(self._engine, CATALOGUE) as connection:
            serial = raise_serial(connection)
            made = [*first(connection)]
            for change in changes:
                made += _made(connection, settings, change, asker, serial)
            if not made:
                raise NothingNewError
            record(tuple(made))
            return True
        return False

    def take_over(self, name: str, project: Project, by: str, record: Record) -> None:
        """Keep a project of the site's file from now on.

        :raises FabricError: one of this name is kept already; it has no owner; a text in it is too long.
        """
        for field, most in (("title", 200), ("organisation", 100), ("sector", 100), ("paused", 100)):
            text = getattr(project, field)
            if len(text) > most or not text.isprintable():
                raise FabricError(texts.UNFIT(project=name, field=field, most=most))
        if not project.members.owner:
            raise FabricError(texts.NO_OWNER(project=name))
        with Transaction(self._engine, CATALOGUE) as connection:
            serial = raise_serial(connection)
            if one(connection, name) is not None:
                raise FabricError(texts.KEPT_ALREADY(project=name))
            _write(connection, name, None, project, by, serial, time.time())
            as_made = Create(project=name, title=project.title or name, owners=project.members.owner[:20])
            record(entries(as_made, None, project, by))

    def replay(self, records: Iterable[Recorded]) -> None:
        """Bring projects that came from a backup up to what the audit log says of the time since."""
        with Transaction(self._engine, CATALOGUE) as connection:
            serial = raise_serial(connection)
            for record in records:
                row = one(connection, record.project)
                try:
                    after = replayed(row.project if row else None, record)
                except ValidationError:
                    log.exception("a record of project %s cannot be understood, and is left out", record.project)
                    continue
                if after is not None:
                    _write(connection, record.project, row, after, record.by, serial, record.at)


def make(connection: sa.Connection, settings: Settings, change: Change, asker: Asker, record: Record) -> None:
    """Make a change within a transaction: see :meth:`ProjectStore.change`.

    :raises NothingNewError: it stood so already; the transaction is to be undone.
    """
    made = _made(connection, settings, change, asker, raise_serial(connection))
    if not made:
        raise NothingNewError
    record(made)


def _made(
    connection: sa.Connection, settings: Settings, change: Change, asker: Asker, serial: int
) -> tuple[Entry, ...]:
    """Make one change in a transaction; returns what goes into the audit log, nothing where it stood so already."""
    name, now = change.project, time.time()
    row = one(connection, name)
    before = _allowed(settings, change, asker, row)
    by, user = asker.by(before), asker.name if asker.from_hub else None
    if isinstance(change, Create):
        after = created(change, settings, _accounts(connection))
    elif name in settings.project:
        raise FabricError(texts.IN_FILE(project=name))
    elif row is None:
        raise FabricError(texts.NO_SUCH_PROJECT(project=name))
    elif isinstance(change, InvitationChange):
        today = date.fromtimestamp(now)  # noqa: DTZ012 - a last day is a day of this site
        facts = invitation_rows.changed(connection, change, by, now, today)
        return () if facts is None else (invitation_entry(change, row.project, by, user, facts),)
    else:
        after = edited(change, row.project)
        if after == row.project:
            return ()
    withdrawn = _write(connection, name, row, after, by, serial, now)
    gone = (of_invitation(EVENTS["withdraw"], name, after, by, None, {"invitation": id_}) for id_ in withdrawn)
    return (*entries(change, row.project if row else None, after, by, user), *gone)


def _allowed(settings: Settings, change: Change, asker: Asker, row: KeptProject | None) -> Project | None:
    """The project as it is, where who asks may change it so."""
    assert settings.catalogue is not None
    before = settings.project.get(change.project) or (row.project if row else None)
    told = refusal(change, before, asker, settings.catalogue, row.paused_by if row else None)
    if told is not None:
        raise RefusedError(told, before)
    return before


def raise_serial(connection: sa.Connection) -> int:
    """Begin a change: writers go one at a time. The catalogue's new serial."""
    connection.execute(sa.update(counter).values(serial=counter.c.serial + 1))
    return int(connection.execute(sa.select(counter.c.serial)).scalar_one())


def _serial(connection: sa.Connection) -> int:
    of_projects = int(connection.execute(sa.select(sa.func.max(projects.c.serial))).scalar() or 0)
    return max(of_projects, login_ends.serial(connection))


def _accounts(connection: sa.Connection) -> dict[str, str]:
    rows = connection.execute(sa.select(projects.c.name, projects.c.account))
    return {row.name: row.account for row in rows}


def _all(connection: sa.Connection, serial: int, before: ProjectsDocument) -> ProjectsDocument:
    """Every project; only those that changed since ``before`` are read whole."""
    fresh = connection.execute(sa.select(projects).where(projects.c.serial > before.serial)).mappings().all()
    changed = {row["name"]: row for row in fresh}
    found: dict[str, Project] = {}
    people: dict[str, list[Person]] = {}
    names = sorted(changed)
    services = service_accounts(connection) if names else {}
    for begin in range(0, len(names), _AT_ONCE):
        for name, person in _people(connection, names[begin : begin + _AT_ONCE]):
            people.setdefault(name, []).append(person)
    for name in connection.execute(sa.select(projects.c.name).order_by(projects.c.name)).scalars():
        if name in changed:
            found[name] = _project(changed[name], people.get(name, []), services.get(name, ""))
        elif name in before.projects:
            found[name] = before.projects[name]
    ends = login_ends.published(connection)
    return ProjectsDocument.model_construct(serial=serial, projects=found, login_ends=ends)


def one(connection: sa.Connection, name: str) -> KeptProject | None:
    """A project that is kept, with what is on record; None: none of this name is."""
    row = connection.execute(sa.select(projects).where(projects.c.name == name)).mappings().first()
    if row is None:
        return None
    people = [person for _, person in _people(connection, [name])]
    service = service_accounts(connection).get(name, "")
    beside = {field: row[field] for field in ("paused_by", "created_at", "created_by", "ended_at", "serial")}
    return KeptProject.model_construct(
        name=name, project=_project(row, people, service), people=tuple(people), **beside
    )


def _people(connection: sa.Connection, names: list[str]) -> Iterator[tuple[str, Person]]:
    table = project_people
    asked = sa.select(table).where(table.c.project.in_(names)).order_by(table.c.since, table.c.user)
    for row in connection.execute(asked).mappings():
        yield row["project"], Person(user=row["user"], role=row["role"], since=row["since"], by=row["by"])


def _project(row: Mapping[Any, Any], people: list[Person], service_account: str) -> Project:
    members = {role: tuple(one.user for one in people if one.role == role) for role in ROLES}
    fields = {field: row[field] for field in FIELDS}
    return Project(**fields, members=Members(**members), service_account=service_account)


def _write(
    connection: sa.Connection, name: str, before: KeptProject | None, after: Project, by: str, serial: int, now: float
) -> list[str]:
    """Bring the rows of a project up to what it is after a change that was made at ``now`` (Unix seconds).

    :returns: the invitations that this withdrew.
    """
    today = date.fromtimestamp(now)  # noqa: DTZ012 - a last day is a day of this site
    values: dict[str, Any] = {field: getattr(after, field) for field in FIELDS}
    values |= {"profiles": list(after.profiles), "images": list(after.images), "serial": serial}
    values["asks"] = after.asks.model_dump(mode="json") if after.asks else sa.null()
    paused_before = before.project.paused if before else ""
    kept_by = before.paused_by if before else None
    values["paused_by"] = None if not after.paused else kept_by if after.paused == paused_before else by
    over = after.end is not None and after.end < today
    values["ended_at"] = ((before.ended_at if before else None) or now) if over else None
    if before is None:
        connection.execute(sa.insert(projects).values(name=name, created_at=now, created_by=by, **values))
    else:
        connection.execute(sa.update(projects).where(projects.c.name == name).values(**values))
    was, now_in = people_of(before.project if before else None), people_of(after)
    table = project_people
    for user, role in was - now_in:
        connection.execute(sa.delete(table).where(table.c.project == name, table.c.user == user, table.c.role == role))
    added = [
        {"project": name, "user": user, "role": role, "since": now, "by": by} for user, role in sorted(now_in - was)
    ]
    if added:
        connection.execute(sa.insert(table), added)
    for user, role in sorted(now_in - was):
        invitation_rows.came(connection, name, user, role)
    withdrawn: list[str] = []
    for user in sorted({user for user, _ in was - now_in}):
        lost, has = ({role for one_of, role in people if one_of == user} for people in (was - now_in, now_in))
        withdrawn += invitation_rows.left(connection, name, user, lost, has, now)
    return withdrawn
