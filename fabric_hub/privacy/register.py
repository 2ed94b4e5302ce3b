"""The register of every personal field: where it stands, what it is for, how long it is kept, how it is erased. Pure.

A new table: its module beside this one has a :class:`.model.Table` with one line for each column, and ``TABLES`` its
name. A new column: one line. A new JSON document: a :class:`.model.Document` in :mod:`.documents`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fabric_hub.config.privacy import PrivacySettings
from fabric_hub.messages.text import Text, verbatim
from fabric_hub.messages.texts import privacy as texts

from . import catalogue_tables, documents, hub_tables, record_tables
from .model import Line, Place, Purpose, Store, Table, lines

TABLES: Final[Mapping[Store, tuple[Table, ...]]] = {
    Store.SESSIONS: record_tables.TABLES,
    Store.JUPYTERHUB: hub_tables.TABLES,
    Store.CATALOGUE: catalogue_tables.TABLES,
    Store.LEDGER: hub_tables.LEDGER_TABLES,
}
PLACES: Final[tuple[Place, ...]] = (
    *(table for tables in TABLES.values() for table in tables),
    *documents.DOCUMENTS,
    *documents.FILES,
)


def basis_of(purpose: Purpose, settings: PrivacySettings | None) -> Text:
    """The legal basis of a purpose, as the site's file states it."""
    stated = settings.basis.get(purpose.value) if settings else None
    return verbatim(stated) if stated else texts.BASIS_OF_SITE()


def register() -> Iterator[Line]:
    """Every personal field, by place."""
    return lines(PLACES)


def as_json(settings: PrivacySettings | None) -> list[dict[str, Any]]:
    """The register as programs read it; sentences are in the reader's language."""
    return [
        {
            "store": line.store.value,
            "place": line.where,
            "field": line.field,
            "what": line.what.say(),
            "purpose": line.purpose.value,
            "purpose_said": line.purpose.said.say(),
            "basis": basis_of(line.purpose, settings).say(),
            "kept": line.keep.say(),
            "erasure": line.erasure.act.value,
            "erasure_said": line.erasure.said.say(),
        }
        for line in register()
    ]
