"""The catalogue service's part beside its tables: the audit log, the uids that are kept, and word to the nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from fabric_hub.catalogue import tables
from fabric_hub.catalogue.audit.log import AuditLog, Entry, audit_directory
from fabric_hub.catalogue.audit.reading import Reading
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.publish import forget_uid, publish
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.unix import state_lock

from . import databases, rows
from .model import Act, Store
from .person import Person
from .register import TABLES

# What of a record that names somebody else is about the person, too.
_SHARED = ("event", "time", "project", "dataset", "version", "seq")


def records(settings: Settings, person: Person) -> list[dict[str, Any]]:
    """What the audit log has of a person: of a record that is somebody else's only what is theirs.

    :raises FabricError: the audit log is not whole.
    """
    assert settings.catalogue is not None
    return [told for record in _read(settings) if (told := about(record, person)) is not None]


def _read(settings: Settings) -> Iterator[dict[str, Any]]:
    assert settings.catalogue is not None
    directory = audit_directory(settings.catalogue)
    if directory.is_dir():
        yield from Reading(directory).records()


def about(record: dict[str, Any], person: Person) -> dict[str, Any] | None:
    """What a record says of a person; None: nothing. Pure."""
    mine = record.get("user") == person.name
    is_by, is_responsible = record.get("by") in person.authors, person.name in record.get("responsible", ())
    if not (mine or is_by or is_responsible):
        return None
    others = {"by", "responsible", "digest", "prev"}
    told = {name: value for name, value in record.items() if (name not in others if mine else name in _SHARED)}
    if is_by:
        told["by"] = record["by"]
    if is_responsible:
        told["responsible"] = [person.name]
    return told


def note(settings: Settings, by: str, pseudonym: str, counts: list[tuple[str, str, int]]) -> None:
    """Put on record that a person is erased: by whom, and what; never whose.

    :raises FabricError: it cannot be written: then nothing may be erased.
    """
    assert settings.catalogue is not None
    state_lock.hold(settings.catalogue.state_dir)
    deleted = sum(n for _, act, n in counts if act == Act.DELETE)
    changed = sum(n for _, act, n in counts if act != Act.DELETE)
    why = f"{pseudonym}: {deleted} records deleted, {changed} without the person"
    AuditLog(audit_directory(settings.catalogue)).append(Entry(event="erased", by=by, why=why))


def erased(settings: Settings, person: Person, pseudonym: str) -> dict[str, Any]:
    """Erase a person from the catalogue's database, from the uids that are kept, and from what the nodes are told."""
    assert settings.catalogue is not None
    state_lock.hold(settings.catalogue.state_dir)
    engine = open_catalogue(settings.catalogue)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            # first, as every change of the catalogue: writers go one at a time, and readers see that it is another
            connection.execute(sa.update(tables.counter).values(serial=tables.counter.c.serial + 1))
            found = rows.find(connection, TABLES[Store.CATALOGUE], person)
            told = rows.erase(connection, found, pseudonym)
        forget_uid(settings.catalogue, person.name)
        publish(settings, CatalogueStore(engine))
    finally:
        engine.dispose()
    with databases.opened(str(engine.url.render_as_string(hide_password=False))) as alone:
        if alone is not None:
            databases.compact(alone)
    return {"rows": [(f"{Store.CATALOGUE.value}.{table}", act.value, n) for (table, act), n in told.items()]}
