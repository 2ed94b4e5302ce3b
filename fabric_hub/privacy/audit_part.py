"""The catalogue service's part beside its tables: the audit log, who a number is, the uids, and word to the nodes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fabric_hub.catalogue import tables
from fabric_hub.catalogue.audit.log import AuditLog, Entry, audit_directory
from fabric_hub.catalogue.audit.reading import Reading
from fabric_hub.catalogue.database import database_url, open_catalogue
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.people.tables import hub_names
from fabric_hub.catalogue.publish import forget_uid, publish
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import privacy_commands as texts
from fabric_hub.unix import state_lock

from . import databases, rows
from .catalogue_tables import PEOPLE
from .model import Act, Store
from .person import Person
from .register import TABLES

# What of a record that names somebody else is about the person, too.
_SHARED = ("event", "time", "project", "dataset", "version", "seq")


@dataclass(frozen=True)
class Known:
    """What the catalogue's database knows of a person.

    :param numbers: by which the audit log has them: as a person of the hub, and as an account at its command line.
    :param names: theirs at the hub, the newest first.
    :param projects: those that the catalogue service keeps and that they are in.
    """

    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()


def known(settings: Settings, person: Person) -> Known:
    """What the catalogue's database knows of a person now; it is not changed."""
    assert settings.catalogue is not None
    with databases.opened(database_url(settings.catalogue)) as engine:
        if engine is None:
            return Known()
        with engine.connect() as connection:
            return _known(connection, person)


def _known(connection: sa.Connection, person: Person) -> Known:
    there = set(sa.inspect(connection).get_table_names())  # one of an earlier release has what it has
    numbers: dict[str, int] = {}
    names: list[str] = []
    projects: list[str] = []
    if "hub_names" in there:
        asked = sa.select(hub_names.c.name, hub_names.c.person).where(hub_names.c.name.in_(person.known))
        found = {row.name: row.person for row in connection.execute(asked)}
        numbers = {name: found[name] for name in person.known if name in found}
        theirs = sa.select(hub_names.c.name).where(
            hub_names.c.person == numbers.get(person.name), hub_names.c.name.is_not(None)
        )
        names = list(connection.execute(theirs.order_by(hub_names.c.at.desc(), hub_names.c.name.desc())).scalars())
    if "project_people" in there:
        people = tables.project_people
        mine = sa.select(people.c.project).where(people.c.user == person.name).distinct().order_by(people.c.project)
        projects = list(connection.execute(mine).scalars())
    return Known(tuple(dict.fromkeys(numbers.values())), tuple(names), tuple(projects))


def refuse_known(found: Known, user: str) -> None:
    """Refuse while somebody is in a kept project, or by a name that they had before. Pure.

    :raises FabricError: they are, or it is.
    """
    if found.projects:
        raise FabricError(texts.IN_PROJECTS(user=user, projects=found.projects))
    if found.names and found.names[0] != user:
        raise FabricError(texts.NAME_BEFORE(user=user, name=found.names[0]))


def records(settings: Settings, person: Person) -> list[dict[str, Any]]:
    """What the audit log has of a person: of a record that is somebody else's only what is theirs.

    :raises FabricError: the audit log is not whole.
    """
    numbers = known(settings, person).numbers
    return [told for record in _read(settings) if (told := about(record, person, numbers)) is not None]


def _read(settings: Settings) -> Iterator[dict[str, Any]]:
    assert settings.catalogue is not None
    directory = audit_directory(settings.catalogue)
    if directory.is_dir():
        yield from Reading(directory).records()


def about(record: dict[str, Any], person: Person, numbers: Collection[int] = ()) -> dict[str, Any] | None:
    """What a record says of a person; None: nothing. Pure.

    :param numbers: theirs. Records of earlier releases have names in their place.
    """
    mine = record.get("user") == person.name or record.get("person") in numbers
    # in a record of now, ``by`` is a role or "account", and no name
    old = "by_person" not in record and record.get("by") in person.authors
    is_by = old or record.get("by_person") in numbers
    owners = [number for number in record.get("owners", ()) if number in numbers]
    is_responsible = person.name in record.get("responsible", ())
    if not (mine or is_by or owners or is_responsible):
        return None
    others = {"by", "by_person", "responsible", "owners", "digest", "prev"}
    told = {name: value for name, value in record.items() if (name not in others if mine else name in _SHARED)}
    if is_by:
        told |= {name: record[name] for name in ("by", "by_person") if name in record}
    if is_responsible:
        told["responsible"] = [person.name]
    if owners:
        told["owners"] = owners
    return told


def note(settings: Settings, by: str, person: Person, pseudonym: str, counts: list[tuple[str, str, int]]) -> None:
    """Put on record that a person is erased, by their number: by whom, and what; never whose.

    :raises FabricError: it cannot be written: then nothing may be erased.
    """
    assert settings.catalogue is not None
    state_lock.hold(settings.catalogue.state_dir)
    deleted = sum(n for _, act, n in counts if act == Act.DELETE)
    changed = sum(n for _, act, n in counts if act != Act.DELETE)
    why = f"{pseudonym}: {deleted} records deleted, {changed} without the person"
    engine = open_catalogue(settings.catalogue)
    try:
        store = PeopleStore(engine)
        # without a number at the hub they may have one as an account at the command line
        numbers = (store.number_of(name) for name in person.known)
        number = next((one for one in numbers if one is not None), None)
        log = AuditLog(audit_directory(settings.catalogue), store.numbers)
        log.append(Entry(event="erased", by=by, person=number, why=why))
    finally:
        engine.dispose()


def erased(settings: Settings, person: Person, pseudonym: str) -> dict[str, Any]:
    """Erase a person from the catalogue's database, from the uids that are kept, and from what the nodes are told.

    Who their number is goes last: until then a command that is given again finds it.

    :raises FabricError: they are in a project since the erasure began.
    """
    assert settings.catalogue is not None
    state_lock.hold(settings.catalogue.state_dir)
    engine = open_catalogue(settings.catalogue)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            # first, as every change of the catalogue: writers go one at a time, and readers see that it is another
            connection.execute(sa.update(tables.counter).values(serial=tables.counter.c.serial + 1))
            now = _known(connection, person)
            refuse_known(now, person.name)
            others = [table for table in TABLES[Store.CATALOGUE] if table not in PEOPLE]
            found = rows.find(connection, others, person)
            told = rows.count(connection, rows.find(connection, PEOPLE, person))
            told += rows.erase(connection, found, pseudonym)
        forget_uid(settings.catalogue, person.name)
        publish(settings, CatalogueStore(engine))
        people = PeopleStore(engine)
        for number in now.numbers:
            people.forget(number, lambda _: None)  # it is on record since before anything was erased
    finally:
        engine.dispose()
    with databases.opened(str(engine.url.render_as_string(hide_password=False))) as alone:
        if alone is not None:
            databases.compact(alone)
    return {"rows": [(f"{Store.CATALOGUE.value}.{table}", act.value, n) for (table, act), n in told.items()]}
