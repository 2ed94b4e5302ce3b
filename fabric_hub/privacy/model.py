"""What a register of personal fields is made of. Pure.

A line says of one field what it is of a person and what an erasure does to it; its place (a table, a document or
a file) says what it is for, how long it is kept, and how its rows are somebody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import privacy as texts


class Store(StrEnum):
    """Where something stands, by the account that may read it."""

    SESSIONS = "sessions"  # the record of sessions: the hub's account
    JUPYTERHUB = "jupyterhub"  # JupyterHub's own database: the hub's account
    CATALOGUE = "catalogue"  # the catalogue service's database
    LEDGER = "ledger"  # what the gateway submitted
    FILES = "files"


class Purpose(StrEnum):
    """What something is kept for: the keys of the setting ``privacy.basis``."""

    LOGIN = "login"
    SESSIONS = "sessions"
    USAGE = "usage"
    SUPPORT = "support"
    ACCESS = "access"
    PROOF = "proof"
    COMFORT = "comfort"
    NOTICES = "notices"
    OPERATION = "operation"
    SAFETY = "safety"

    @property
    def said(self) -> Text:
        """In words."""
        return _PURPOSES[self]


_PURPOSES = {
    Purpose.LOGIN: texts.LOGIN(),
    Purpose.SESSIONS: texts.SESSIONS(),
    Purpose.USAGE: texts.USAGE(),
    Purpose.SUPPORT: texts.SUPPORT(),
    Purpose.ACCESS: texts.ACCESS(),
    Purpose.PROOF: texts.PROOF(),
    Purpose.COMFORT: texts.COMFORT(),
    Purpose.NOTICES: texts.NOTICES(),
    Purpose.OPERATION: texts.OPERATION(),
    Purpose.SAFETY: texts.SAFETY(),
}


class Act(StrEnum):
    """What an erasure does."""

    DELETE = "delete"  # the row or the file goes
    EMPTY = "empty"  # the field gets its empty value
    NUMBER = "number"  # the field gets a random pseudonym, the same one in all of a database
    ROLE = "role"  # of who decided only the role stays
    DIGEST = "digest"  # of a name that nobody else may get only a digest stays
    CODE = "code"  # of a sentence only its code stays
    KEEP = "keep"  # an exception, with its reason
    FOLLOW = "follow"  # another process writes it anew without the person


@dataclass(frozen=True)
class Erasure:
    """What an erasure does to a field, as it is said; ``empty`` is the empty value of :attr:`Act.EMPTY`."""

    act: Act
    said: Text
    empty: Any = None


DELETE = Erasure(Act.DELETE, texts.GOES())
NULL = Erasure(Act.EMPTY, texts.EMPTIED())
NO_TEXT = Erasure(Act.EMPTY, texts.EMPTIED(), "")
NO_LIST = Erasure(Act.EMPTY, texts.EMPTIED(), [])
NUMBER = Erasure(Act.NUMBER, texts.NUMBERED())
CODE = Erasure(Act.CODE, texts.ONLY_CODE())
ROLE = Erasure(Act.ROLE, texts.ONLY_ROLE())
DIGEST = Erasure(Act.DIGEST, texts.ONLY_DIGEST())
SUM = Erasure(Act.KEEP, texts.WITHOUT_NAME())
FOLLOW = Erasure(Act.FOLLOW, texts.FOLLOWS())


def kept(reason: Text) -> Erasure:
    """An exception: it stays, and why."""
    return Erasure(Act.KEEP, reason)


@dataclass(frozen=True)
class Personal:
    """One field: what it is of a person, and what an erasure does to it.

    :param erasure: None: the field goes with its row.
    :param secret: an export says that it is there, and leaves its value out.
    """

    what: Text
    erasure: Erasure | None = None
    secret: bool = False


class Whose(StrEnum):
    """How a column names somebody."""

    NAME = "name"  # it is the name at the hub
    AUTHOR = "author"  # the name of who decided: also that of the Unix account, or with words about it
    KNOWN = "known"  # it is a name by which the catalogue service knows them: also of the Unix account
    SUBJECT = "subject"  # the subject of a warning: user:PROJECT/NAME, storage:NAME:...


@dataclass(frozen=True)
class Link:
    """How rows of a table are somebody's.

    :param column: the one that names them.
    :param through: steps to the name where the column names something else: (table, its key, its own column), the
        last column of which is the name.
    :param only: the columns that are about this person; None: all of the row.
    :param rows: whether an erasure deletes the row; else each of those columns by its own way.
    """

    column: str
    whose: Whose = Whose.NAME
    through: tuple[tuple[str, str, str], ...] = ()
    only: tuple[str, ...] | None = None
    rows: bool = True


@dataclass(frozen=True)
class Table:
    """A table of a database. ``columns`` has every one: what it is of a person, or None where it is nothing of one."""

    store: Store
    name: str
    purpose: Purpose
    keep: Text
    columns: Mapping[str, Personal | None]
    links: tuple[Link, ...] = ()

    @property
    def where(self) -> str:
        return self.name


@dataclass(frozen=True)
class Document:
    """A JSON document that we write: ``model`` is the class that describes it, as ``module:Class``.

    ``place`` says where it lies: a column of a table, or a file.
    """

    model: str
    place: str
    purpose: Purpose
    keep: Text
    columns: Mapping[str, Personal | None]
    store: Store = Store.FILES

    @property
    def where(self) -> str:
        return self.place


@dataclass(frozen=True)
class Files:
    """Files that no model describes; ``columns`` has what is in them."""

    place: str
    purpose: Purpose
    keep: Text
    columns: Mapping[str, Personal | None]
    store: Store = field(default=Store.FILES)

    @property
    def where(self) -> str:
        return self.place


Place = Table | Document | Files


@dataclass(frozen=True)
class Line:
    """One line of the register as people read it."""

    store: Store
    where: str
    field: str
    what: Text
    purpose: Purpose
    keep: Text
    erasure: Erasure


def lines(places: tuple[Place, ...]) -> Iterator[Line]:
    """The personal fields of these places, in order."""
    for place in places:
        for name, personal in place.columns.items():
            if personal is not None:
                yield Line(
                    place.store, place.where, name, personal.what, place.purpose, place.keep, personal.erasure or DELETE
                )
