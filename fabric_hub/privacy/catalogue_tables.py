"""The catalogue service's database: every column of every table, and what it is of a person. Pure.

A column is one line: :class:`.model.Personal`, or None where it says nothing of a person.
"""

from __future__ import annotations

from typing import Final

from fabric_hub.messages.texts import privacy as texts

from .model import NUMBER, SUM, Link, Personal, Purpose, Store, Table, Whose, kept

_BY: Final = Link("by", Whose.AUTHOR, only=("dataset", "project", "by", "at"), rows=False)
_NAME: Final = Personal(texts.NAME())
_DATASET: Final = Personal(texts.DATASET())
_PROJECT: Final = Personal(texts.ROLE())
_WHEN: Final = Personal(texts.WHEN())

COUNTER: Final = Table(
    Store.CATALOGUE,
    "counter",
    Purpose.OPERATION,
    texts.UNTIL_ERASED(),
    columns={"id": None, "serial": None},
)

DATASETS: Final = Table(
    Store.CATALOGUE,
    "datasets",
    Purpose.ACCESS,
    texts.UNTIL_STEWARD(),
    columns={
        "name": None,
        "entry": Personal(texts.CONTACT(), kept(texts.KEPT_STEWARD())),
        "latest": None,
        "created_at": None,
        "published_at": None,
        "retired_at": None,
    },
)

VERSIONS: Final = Table(
    Store.CATALOGUE,
    "versions",
    Purpose.ACCESS,
    texts.UNTIL_STEWARD(),
    columns={
        "dataset": None,
        "version": None,
        "kind": None,
        "path": None,
        "sha256": None,
        "bytes": None,
        "files": None,
        "formats": None,
        "created_at": None,
        "published_at": None,
        "retired_at": None,
    },
)

AGREEMENTS: Final = Table(
    Store.CATALOGUE,
    "agreements",
    Purpose.PROOF,
    texts.UNTIL_STEWARD(),
    columns={"dataset": None, "version": None, "text": None, "at": None},
)

GRANTS: Final = Table(
    Store.CATALOGUE,
    "grants",
    Purpose.ACCESS,
    texts.UNTIL_STEWARD(),
    links=(_BY,),
    columns={
        "dataset": None,
        "project": None,
        "until": None,
        "by": Personal(texts.NAME(), NUMBER),
        "at": Personal(texts.WHEN(), SUM),
    },
)

HELD_GRANTS: Final = Table(
    Store.CATALOGUE,
    "held_grants",
    Purpose.ACCESS,
    texts.UNTIL_STEWARD(),
    links=(_BY,),
    columns={
        "dataset": None,
        "project": None,
        "until": None,
        "by": Personal(texts.NAME(), NUMBER),
        "at": Personal(texts.WHEN(), SUM),
        "held_at": None,
    },
)

REVOCATIONS: Final = Table(
    Store.CATALOGUE,
    "revocations",
    Purpose.ACCESS,
    texts.UNTIL_STEWARD(),
    columns={"dataset": None, "project": None, "at": None},
)

ACCEPTANCES: Final = Table(
    Store.CATALOGUE,
    "acceptances",
    Purpose.ACCESS,
    texts.UNTIL_ERASED(),
    links=(Link("user"),),
    columns={
        "user": _NAME,
        "project": _PROJECT,
        "dataset": _DATASET,
        "agreement": _DATASET,
        "purpose": _DATASET,
        "at": _WHEN,
    },
)

DECLINED: Final = Table(
    Store.CATALOGUE,
    "declined",
    Purpose.ACCESS,
    texts.UNTIL_ERASED(),
    links=(Link("user"),),
    columns={
        "user": _NAME,
        "project": _PROJECT,
        "dataset": _DATASET,
        "why": Personal(texts.DECISION()),
        "at": _WHEN,
    },
)

REQUESTS: Final = Table(
    Store.CATALOGUE,
    "requests",
    Purpose.ACCESS,
    texts.UNTIL_ERASED(),
    links=(Link("user"),),
    columns={
        "user": _NAME,
        "project": _PROJECT,
        "dataset": _DATASET,
        "why": Personal(texts.WORDS()),
        "at": _WHEN,
    },
)

# In the order of an erasure: what is somebody's through another table comes before that one.
TABLES: Final = (
    ACCEPTANCES, DECLINED, REQUESTS, GRANTS, HELD_GRANTS, COUNTER, DATASETS, VERSIONS, AGREEMENTS, REVOCATIONS,
)  # fmt: skip
