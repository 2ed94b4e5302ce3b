"""The catalogue service's database: every column of every table, and what it is of a person. Pure.

A column is one line: :class:`.model.Personal`, or None where it says nothing of a person.
"""

from __future__ import annotations

from typing import Final

from fabric_hub.messages.texts import privacy as texts

from .model import DIGEST, NULL, NUMBER, ROLE, SUM, Link, Personal, Purpose, Store, Table, Whose, kept
from .project_tables import INVITATIONS, INVITED, LEASED_ACCOUNTS, PROJECT_PEOPLE, PROJECT_REQUESTS, PROJECTS, STARTERS

_BY: Final = Link("by", Whose.AUTHOR, only=("dataset", "project", "by", "at"), rows=False)
_NAME: Final = Personal(texts.NAME())
_DATASET: Final = Personal(texts.DATASET())
_PROJECT: Final = Personal(texts.ROLE())
_WHEN: Final = Personal(texts.WHEN())
_WORDS: Final = Personal(texts.WORDS())
_DECISION: Final = Personal(texts.DECISION())
_DECIDER: Final = Personal(texts.NAME(), ROLE)
# A number and all that leads to it, by any name that stands beside it.
_NUMBER: Final = (("hub_names", "person", "name"),)
_THEIRS: Final = (Link("person", Whose.KNOWN, _NUMBER),)
_OF_NUMBER: Final = Personal(texts.PERSON_NUMBER())
_KEPT_NUMBER: Final = kept(texts.KEPT_NUMBER())
_SAID: Final = Personal(texts.IDENTITY())

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

REVIEWS: Final = Table(
    Store.CATALOGUE,
    "reviews",
    Purpose.ACCESS,
    texts.UNTIL_STEWARD(),
    links=(_BY,),
    columns={
        "dataset": None,
        "project": None,
        "at": Personal(texts.WHEN(), SUM),
        "by": Personal(texts.NAME(), NUMBER),
    },
)

PERSONS: Final = Table(
    Store.CATALOGUE,
    "persons",
    Purpose.PROOF,
    texts.WHILE_AUDIT(),
    links=(Link("number", Whose.KNOWN, _NUMBER, rows=False),),
    columns={
        "number": Personal(texts.PERSON_NUMBER(), _KEPT_NUMBER),
        "created_at": Personal(texts.WHEN(), _KEPT_NUMBER),
        "known_by": None,
    },
)

IDENTITIES: Final = Table(
    Store.CATALOGUE,
    "identities",
    Purpose.LOGIN,
    texts.UNTIL_ERASED(),
    links=_THEIRS,
    columns={
        "issuer": _SAID,
        "subject": _SAID,
        "person": _OF_NUMBER,
        "provider": _SAID,
        "first_at": _WHEN,
        "last_at": _WHEN,
        "display_name": _SAID,
        "mail": _SAID,
        "organisation": _SAID,
        "assurance": _SAID,
        "acr": _SAID,
        "auth_time": _WHEN,
    },
)

HUB_NAMES: Final = Table(
    Store.CATALOGUE,
    "hub_names",
    Purpose.LOGIN,
    texts.UNTIL_ERASED(),
    links=(Link("person", Whose.KNOWN, _NUMBER, rows=False),),
    columns={
        "key": Personal(texts.NAME(), DIGEST),
        "shape": Personal(texts.NAME(), DIGEST),
        "name": Personal(texts.NAME(), NULL),
        "person": Personal(texts.PERSON_NUMBER(), _KEPT_NUMBER),
        "at": Personal(texts.WHEN(), _KEPT_NUMBER),
    },
)

ACCOUNTS: Final = Table(
    Store.CATALOGUE,
    "accounts",
    Purpose.LOGIN,
    texts.UNTIL_ERASED(),
    links=_THEIRS,
    columns={
        "person": _OF_NUMBER,
        "name": _NAME,
        "unix_account": Personal(texts.UNIX()),
        "uid": Personal(texts.UNIX()),
        "mapped_by": None,
        "at": _WHEN,
    },
)

LOGIN_ENDS: Final = Table(
    Store.CATALOGUE,
    "login_ends",
    Purpose.LOGIN,
    texts.UNTIL_ERASED(),
    links=_THEIRS,
    columns={"person": _OF_NUMBER, "at": _WHEN, "why": Personal(texts.DECISION()), "serial": None},
)

# Who a number is: erased by the people's own store, as ``fabric-hub people forget`` does it.
PEOPLE: Final = (IDENTITIES, ACCOUNTS, HUB_NAMES, LOGIN_ENDS, PERSONS)

# In the order of an erasure: what is somebody's through another table comes before that one.
TABLES: Final = (
    ACCEPTANCES, DECLINED, REQUESTS, GRANTS, HELD_GRANTS, REVIEWS, COUNTER, DATASETS, VERSIONS, AGREEMENTS, REVOCATIONS,
    INVITED, INVITATIONS, PROJECT_REQUESTS, STARTERS, PROJECT_PEOPLE, PROJECTS, LEASED_ACCOUNTS, *PEOPLE,
)  # fmt: skip
