"""Rows of the catalogue's tables as the types of model.py, and what a change of them must hold to."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import sqlalchemy as sa

from fabric_hub.datasets.completeness import missing
from fabric_hub.datasets.model import Acceptance, AccessRequest, Dataset, Grant, HeldGrant, Version
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import dataset_files as file_texts
from fabric_hub.messages.texts import datasets as texts
from fabric_hub.types import Frozen

from . import tables

# Fields of a dataset that the store itself keeps; the rest is its description, written as a whole.
KEPT = frozenset({"name", "versions", "latest", "created_at", "published_at", "retired_at"})

Row = TypeVar("Row", bound=Frozen)


def serial(connection: sa.Connection) -> int:
    """The number of the last change."""
    return int(connection.execute(sa.select(tables.counter.c.serial)).scalar_one())


def all_of(connection: sa.Connection, table: sa.Table, kind: type[Row]) -> list[Row]:
    """Every row of a table whose columns are a type's fields, by primary key."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    return [kind.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def grants(connection: sa.Connection) -> list[Grant]:
    """Every grant, also those whose last day has passed."""
    return all_of(connection, tables.grants, Grant)


def datasets(connection: sa.Connection, name: str | None = None) -> list[Dataset]:
    """Entries with their versions in the order of their making; all, or the one of a name."""
    table, parts = tables.datasets, tables.versions
    by_dataset: dict[str, list[dict[str, Any]]] = {}
    query = sa.select(parts).order_by(parts.c.created_at, parts.c.version)
    if name is not None:
        query = query.where(parts.c.dataset == name)
    for row in connection.execute(query).mappings():
        values = dict(row)
        by_dataset.setdefault(values.pop("dataset"), []).append(values)
    wanted = sa.select(table).order_by(table.c.name)
    if name is not None:
        wanted = wanted.where(table.c.name == name)
    found = []
    for row in connection.execute(wanted).mappings():
        values = dict(row)
        entry = values.pop("entry")
        found.append(Dataset.model_validate({**entry, **values, "versions": by_dataset.get(values["name"], ())}))
    return found


def dataset(connection: sa.Connection, name: str) -> Dataset:
    """One entry, also a draft.

    :raises FabricError: (404) there is none of this name.
    """
    found = datasets(connection, name)
    if not found:
        raise unknown(name)
    return found[0]


def in_use(connection: sa.Connection, name: str) -> Dataset:
    """One published entry that is not retired; a draft is told from nothing by nobody but the operator.

    :raises FabricError: (404) there is none of this name.
    """
    found = dataset(connection, name)
    if not found.published_at or found.retired_at:
        raise unknown(name)
    return found


def unknown(name: str) -> FabricError:
    """There is no such dataset."""
    return FabricError(texts.NO_SUCH_DATASET(dataset=name))


def published(entry: Dataset) -> Dataset:
    """An entry without the versions that were never published."""
    return entry.model_copy(update={"versions": tuple(one for one in entry.versions if one.published_at)})


def description(entry: dict[str, Any]) -> dict[str, Any]:
    """What an entry says of itself, in one form: an older row may lack a field that has a default now."""
    return Dataset.model_validate({"name": "x", **entry}).model_dump(mode="json", exclude=set(KEPT))


def version(entry: Dataset, name: str | None) -> Version:
    """A version by its name; None: the newest that is not retired.

    :raises FabricError: (404) there is none.
    """
    chosen = [one for one in entry.versions if (one.version == name if name else not one.retired_at)]
    if not chosen:
        known = tuple(one.version for one in entry.versions)
        if not known:
            raise FabricError(file_texts.NO_VERSIONS_YET(dataset=entry.name))
        if not name:
            raise FabricError(file_texts.NO_LIVE_VERSION(dataset=entry.name, versions=known))
        raise FabricError(file_texts.NO_VERSION(dataset=entry.name, version=name, versions=known))
    return chosen[-1]


def update_version(connection: sa.Connection, entry: str, name: str, values: dict[str, Any]) -> None:
    """Set when a version was published or retired; nothing else of one ever changes."""
    table = tables.versions
    connection.execute(sa.update(table).where(table.c.dataset == entry, table.c.version == name).values(**values))


def refuse_other_content(entry: str, old: Version, kind: str, sha256: str, path: str | None = None) -> None:
    """Versions never change.

    :param path: of a directory; an image's place follows from its content.
    :raises FabricError: (409) the version that exists has another content.
    """
    same_place = kind == "image" or path is None or old.path == path
    if (old.kind, old.sha256) == (kind, sha256) and same_place:
        return
    raise FabricError(
        file_texts.OTHER_CONTENT(version=old.version, dataset=entry, kind=old.kind, path=old.path, sha256=old.sha256)
    )


def require_complete(entry: Dataset, *, version_too: bool = False) -> None:
    """:raises FabricError: (409) what is published, or is to be, lacks something; every field it lacks."""
    lacks = list(missing(entry))
    if version_too and not entry.versions:
        lacks.append(file_texts.LACKS_VERSION())
    if lacks:
        raise FabricError(file_texts.INCOMPLETE(dataset=entry.name, lacks=tuple(lacks)))


def keep_agreement(connection: sa.Connection, entry: Dataset) -> None:
    """Put an agreement that comes into force on record.

    :raises FabricError: (409) another text was in force under the same version, and people may have accepted it.
    """
    if entry.agreement is None:
        return
    table, agreement = tables.agreements, entry.agreement
    old = connection.execute(
        sa.select(table.c.text).where(table.c.dataset == entry.name, table.c.version == agreement.version)
    ).scalar()
    if old is None:
        values = {"dataset": entry.name, "version": agreement.version, "text": agreement.text, "at": time.time()}
        connection.execute(sa.insert(table).values(**values))
    elif old != agreement.text:
        raise FabricError(file_texts.AGREEMENT_CHANGED(dataset=entry.name, version=agreement.version))


def check_acceptance(entry: Dataset, acceptance: Acceptance) -> None:
    """:raises FabricError: (409) not the agreement in force; (422) not one of the dataset's purposes."""
    if entry.agreement is None or entry.agreement.version != acceptance.agreement:
        if entry.agreement is None:
            raise FabricError(texts.NO_AGREEMENT(accepted=acceptance.agreement, dataset=entry.name))
        raise FabricError(
            texts.NOT_CURRENT_AGREEMENT(
                accepted=acceptance.agreement, dataset=entry.name, version=entry.agreement.version
            )
        )
    if acceptance.purpose not in {purpose.name for purpose in entry.purposes}:
        purposes = tuple(purpose.name for purpose in entry.purposes)
        raise FabricError(texts.NOT_A_PURPOSE(purpose=acceptance.purpose, dataset=entry.name, purposes=purposes))


def forget_requests(connection: sa.Connection, entry: str, project: str) -> tuple[AccessRequest, ...]:
    """Close a project's requests for a dataset; returns them."""
    table = tables.requests
    mine = (table.c.dataset == entry, table.c.project == project)
    found = [
        AccessRequest.model_validate(dict(row)) for row in connection.execute(sa.select(table).where(*mine)).mappings()
    ]
    connection.execute(sa.delete(table).where(*mine))
    return tuple(found)


def forget_declined(connection: sa.Connection, entry: str, project: str, user: str | None = None) -> None:
    """Take away what was said to those who asked for a dataset for a project, or to one of them."""
    table = tables.declined
    mine = [table.c.dataset == entry, table.c.project == project]
    connection.execute(sa.delete(table).where(*mine, *([table.c.user == user] if user else [])))


def forget_held(connection: sa.Connection, entry: str, project: str) -> HeldGrant | None:
    """Take away a project's grant that a restore shut; returns it, or None where there is none."""
    table = tables.held_grants
    mine = (table.c.dataset == entry, table.c.project == project)
    row = connection.execute(sa.select(table).where(*mine)).mappings().first()
    if row is None:
        return None
    connection.execute(sa.delete(table).where(*mine))
    return HeldGrant.model_validate(dict(row))


def replace(connection: sa.Connection, table: sa.Table, row: Frozen) -> None:
    """Put a row in place of the one with the same primary key."""
    values = row.model_dump()
    connection.execute(sa.delete(table).where(*(column == values[column.name] for column in table.primary_key.columns)))
    connection.execute(sa.insert(table).values(**values))
