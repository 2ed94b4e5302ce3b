"""A person's rows in one database, by the register: found, and erased. The caller's transaction holds them together.

The tables are read from the database itself: one of an earlier release has what it has.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from fabric_hub.messages.text import Text, verbatim

from .model import Act, Link, Table, Whose
from .person import Person

PAST = "erased"  # who somebody was, where not even a random number is to tell rows of one person together
_AT_ONCE = 500  # values in one question
HIDDEN = "(secret)"


def _some(values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    return (values[first : first + _AT_ONCE] for first in range(0, len(values), _AT_ONCE))


@dataclass(frozen=True)
class Rows:
    """The rows of a table that are a person's by one link: those in whose column one of these values stands."""

    table: Table
    link: Link
    there: sa.Table
    values: tuple[Any, ...]

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Conditions that each row fulfils one of."""
        column = self.there.c[self.link.column]
        for some in _some(self.values):
            yield column.in_(some)


def find(connection: sa.Connection, tables: Iterable[Table], person: Person) -> list[Rows]:
    """Where a person's rows are; all is looked up before anything is changed."""
    metadata, names = sa.MetaData(), set(sa.inspect(connection).get_table_names())
    there: dict[str, sa.Table] = {}

    def table_of(name: str) -> sa.Table:
        if name not in there:
            there[name] = sa.Table(name, metadata, autoload_with=connection, resolve_fks=False)
        return there[name]

    def values_of(table: Table, link: Link) -> tuple[Any, ...]:
        column = table_of(table.name).c[link.column]
        if link.whose is Whose.AUTHOR:
            return person.authors
        if link.whose is Whose.SUBJECT:
            every = connection.execute(sa.select(column).distinct()).scalars()
            return tuple(subject for subject in every if person.is_subject(subject))
        values: tuple[Any, ...] = person.known if link.whose is Whose.KNOWN else (person.name,)
        for step, key, named in reversed(link.through):
            other = table_of(step)
            found: dict[Any, None] = {}
            for some in _some(values):
                query = sa.select(other.c[key]).where(other.c[named].in_(some), other.c[key].is_not(None))
                found |= dict.fromkeys(connection.execute(query).scalars())
            values = tuple(found)
        return values

    return [
        Rows(table, link, table_of(table.name), values)
        for table in tables
        if table.name in names
        for link in table.links
        if link.column in table_of(table.name).c
        and {step[0] for step in link.through} <= names
        and (values := values_of(table, link))
    ]


def read(connection: sa.Connection, found: Sequence[Rows]) -> dict[str, list[dict[str, Any]]]:
    """A person's rows by table, as JSON can hold them: only what is about them, and no secret."""
    told: dict[str, list[dict[str, Any]]] = {}
    for rows in found:
        columns = [column for column in rows.there.c if rows.link.only is None or column.name in rows.link.only]
        for condition in rows.conditions():
            for row in connection.execute(sa.select(*columns).where(condition)).mappings():
                told.setdefault(rows.table.name, []).append(
                    {name: _told(rows.table, name, value) for name, value in row.items()}
                )
    return told


def _told(table: Table, name: str, value: Any) -> Any:
    column = table.columns.get(name)
    if column is not None and column.secret and value not in (None, ""):
        return HIDDEN
    return as_json(value)


def as_json(value: Any) -> Any:
    """A value of a database as JSON has it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def count(connection: sa.Connection, found: Sequence[Rows]) -> Counter[tuple[str, Act]]:
    """How many rows an erasure would delete or change, by table and by what is done to them."""
    told: Counter[tuple[str, Act]] = Counter()
    for rows in found:
        if (act := act_of(rows.table, rows.link)) is None:
            continue
        for condition in rows.conditions():
            n = connection.execute(sa.select(sa.func.count()).select_from(rows.there).where(condition)).scalar_one()
            told[rows.table.name, act] += n
    return +told


def act_of(table: Table, link: Link) -> Act | None:
    """What an erasure does to the rows of a link as a whole; None: nothing. Pure."""
    if link.rows:
        return Act.DELETE
    acts = {
        column.erasure.act
        for name, column in table.columns.items()
        if column is not None and column.erasure is not None and (link.only is None or name in link.only)
    }
    if acts <= {Act.KEEP}:
        return None
    return next((act for act in (Act.ROLE, Act.DIGEST) if act in acts), Act.NUMBER)


def erase(connection: sa.Connection, found: Sequence[Rows], pseudonym: str) -> Counter[tuple[str, Act]]:
    """Delete or change a person's rows as the register says; how many, as :func:`count` told."""
    told: Counter[tuple[str, Act]] = Counter()
    # first what stays: what is somebody's by two ways may go by the other
    for rows in sorted(found, key=lambda one: one.link.rows):
        if (act := act_of(rows.table, rows.link)) is None:
            continue
        for condition in rows.conditions():
            if rows.link.rows:
                n = connection.execute(sa.delete(rows.there).where(condition)).rowcount
            elif act is Act.ROLE:
                n = only_roles(connection, rows, condition)
            else:
                only_codes(connection, rows.table, rows.there, condition)
                fresh = erased_values(rows.table, rows.link, pseudonym)
                fresh = {name: value for name, value in fresh.items() if name in rows.there.c}
                n = connection.execute(sa.update(rows.there).where(condition).values(**fresh)).rowcount
            told[rows.table.name, act] += n
    return +told


def erased_values(table: Table, link: Link, pseudonym: str) -> dict[str, Any]:
    """What stands in the columns of a row that stays. Pure."""
    values: dict[str, Any] = {}
    # of a row that two people are in, each has the column that names them
    named = {one.column for one in table.links} - {link.column}
    for name, column in table.columns.items():
        if column is None or column.erasure is None:
            continue
        if (link.only is not None and name not in link.only) or name in named:
            continue
        if column.erasure.act is Act.NUMBER:
            values[name] = pseudonym
        elif column.erasure.act is Act.EMPTY:
            empty = column.erasure.empty
            values[name] = sa.null() if empty is None else empty
    return values


def only_roles(connection: sa.Connection, rows: Rows, condition: sa.ColumnElement[bool]) -> int:
    """Leave of who decided only their role; how many rows it was."""
    target: Any = rows.there
    column = rows.there.c[rows.link.column]
    n = 0
    for by in set(connection.execute(sa.select(column).where(condition)).scalars()):
        change = sa.update(target).where(condition, column == by).values({column.name: only_role(by)})
        n += connection.execute(change).rowcount
    return n


def only_role(by: str) -> str:
    """Who decided, by their role: "owner ada" is "owner erased", which nobody takes for an account. Pure."""
    role, _, name = by.partition(" ")
    return f"{role} {PAST}" if name and not name.startswith("(") else PAST


def only_codes(
    connection: sa.Connection, table: Table, there: sa.FromClause, condition: sa.ColumnElement[bool]
) -> None:
    """Leave of each sentence its code, by which month sheets count.

    :param there: the table with its columns as they are written.
    """
    target: Any = there
    for name, column in table.columns.items():
        if column is None or column.erasure is None or column.erasure.act is not Act.CODE or name not in there.c:
            continue
        sentence = there.c[name]
        for told in set(connection.execute(sa.select(sentence).where(condition, sentence.is_not(None))).scalars()):
            short = only_code(told)
            if short != told:
                connection.execute(sa.update(target).where(condition, sentence == told).values({name: short}))


def only_code(told: str) -> str:
    """A kept sentence with its code and its numbers, and nothing that somebody typed or is named by. Pure."""
    try:
        text = Text.model_validate(json.loads(told) if told.startswith("{") else told)
        bare = Text(code=text.code, params=_numbers(text.params))
        bare.say()
        return bare.model_dump_json()
    except (ValueError, TypeError, KeyError, AttributeError):
        return verbatim("").model_dump_json()


def _numbers(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in params.items()}


def _number(value: Any) -> Any:
    if isinstance(value, Text):
        return Text(code=value.code, params=_numbers(value.params))
    if isinstance(value, tuple):
        return tuple(_number(item) for item in value)
    return "" if isinstance(value, str) else value
