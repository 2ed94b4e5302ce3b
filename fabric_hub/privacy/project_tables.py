"""The catalogue service's tables of projects: see :mod:`.catalogue_tables`. Pure."""

from __future__ import annotations

from typing import Final

from fabric_hub.messages.texts import privacy as texts

from .model import NULL, ROLE, Link, Personal, Purpose, Store, Table, Whose, kept

_NAME: Final = Personal(texts.NAME())
_PROJECT: Final = Personal(texts.ROLE())
_WHEN: Final = Personal(texts.WHEN())
_WORDS: Final = Personal(texts.WORDS())
_DECISION: Final = Personal(texts.DECISION())
_DECIDER: Final = Personal(texts.NAME(), ROLE)
_CLAIMED: Final = Personal(texts.CLAIMED())

PROJECTS: Final = Table(
    Store.CATALOGUE,
    "projects",
    Purpose.ACCESS,
    texts.WHILE_MEMBER(),
    links=(
        Link("created_by", Whose.AUTHOR, only=("name", "created_by"), rows=False),
        Link("paused_by", Whose.AUTHOR, only=("name", "paused", "paused_by"), rows=False),
    ),
    columns={
        "name": None,
        "title": None,
        "kind": None,
        "account": None,
        "data": None,
        "organisation": None,
        "sector": None,
        "budget_gpu_hours": None,
        "profiles": None,
        "images": None,
        "start": None,
        "end": None,
        "paused": None,  # what its people read of the project
        "paused_by": _DECIDER,
        "created_at": None,
        "created_by": _DECIDER,
        "ended_at": None,
        "serial": None,
        "asks": None,
    },
)

# Nobody is erased who is in a project: their own rows go when they leave it.
PROJECT_PEOPLE: Final = Table(
    Store.CATALOGUE,
    "project_people",
    Purpose.ACCESS,
    texts.WHILE_MEMBER(),
    links=(Link("user"), Link("by", Whose.AUTHOR, only=("by",), rows=False)),
    columns={"project": _PROJECT, "user": _NAME, "role": _PROJECT, "since": _WHEN, "by": _DECIDER},
)

# A request is who asked's, answered or not; of another's answer only who gave it.
PROJECT_REQUESTS: Final = Table(
    Store.CATALOGUE,
    "project_requests",
    Purpose.ACCESS,
    texts.UNTIL_ERASED(),
    links=(Link("user"), Link("answered_by", Whose.AUTHOR, only=("number", "answered_by"), rows=False)),
    columns={
        "number": None,
        "kind": None,
        "user": _NAME,
        "at": _WHEN,
        "title": _WORDS,
        "purpose": _WORDS,
        "organisation": _WORDS,
        "sector": _WORDS,
        "data": _WORDS,
        "gpu_hours": _WORDS,
        "until": _WORDS,
        "project": _PROJECT,
        "state": _DECISION,
        "answered_at": _WHEN,
        "answered_by": _DECIDER,
        "why": _DECISION,
    },
)

# Nobody's by itself: a digest, which outlives an erasure so that nobody gets a second starter project.
STARTERS: Final = Table(
    Store.CATALOGUE,
    "starters",
    Purpose.ACCESS,
    texts.UNTIL_DATABASE(),
    columns={
        "of": Personal(texts.IDENTITY_DIGEST(), kept(texts.KEPT_STARTER())),
        "project": None,
        "at": None,
    },
)

INVITATIONS: Final = Table(
    Store.CATALOGUE,
    "invitations",
    Purpose.ACCESS,
    texts.WHILE_MEMBER(),
    links=(Link("by", Whose.AUTHOR, only=("id", "project", "role", "by", "at"), rows=False),),
    columns={
        "id": None,
        "digest": None,  # of a code that is nobody's
        "project": None,
        "role": None,
        "uses": None,
        "used": None,
        "until": None,
        "domain": None,  # of an organisation
        "by": _DECIDER,
        "at": None,
        "withdrawn_at": None,
    },
)

# What an institution claims of somebody is there while they wait to be confirmed.
INVITED: Final = Table(
    Store.CATALOGUE,
    "invited",
    Purpose.ACCESS,
    texts.UNTIL_ERASED(),
    links=(Link("user"),),
    columns={
        "invitation": _PROJECT,
        "user": _NAME,
        "state": _PROJECT,
        "at": _WHEN,
        "name": _CLAIMED,
        "organisation": _CLAIMED,
        "mail_domain": _CLAIMED,
    },
)

# For whom an account was lent is forgotten when it was given back and is clean.
LEASED_ACCOUNTS: Final = Table(
    Store.CATALOGUE,
    "leased_accounts",
    Purpose.ACCESS,
    texts.WHILE_MEMBER(),
    links=(Link("person", rows=False),),
    columns={
        "account": None,  # the site's, and nobody's once the person is taken out
        "uid": None,
        "purpose": None,
        "project": None,
        "person": Personal(texts.NAME(), NULL),
        "from": None,
        "until": None,
        "state": None,
        "step": None,
        "round": None,
        "since": None,
        "why": None,
    },
)
