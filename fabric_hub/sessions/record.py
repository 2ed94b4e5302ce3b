"""The record as a whole: in which lines it was written, and how far it is (:mod:`fabric_hub.slurm.records`)."""

from __future__ import annotations

import secrets
import time

import sqlalchemy as sa

from fabric_hub.slurm.records import LINES_MOST, RecordMark

from .database import Transaction
from .tables import record_lines

# Longer than any job lasts: of lines that ended before that nobody asks any more.
_KEEP_S = 400 * 24 * 3600.0

_LAST = sa.select(sa.func.max(record_lines.c.number)).scalar_subquery()
_COUNT = sa.update(record_lines).where(record_lines.c.number == _LAST).values(generation=record_lines.c.generation + 1)


class MarkedTransaction(Transaction):
    """One that writes what the gateway must not know better than the record: it is counted."""

    def __enter__(self) -> sa.Connection:
        connection = super().__enter__()
        connection.execute(_COUNT)
        return connection


def lines_of(connection: sa.Connection, most: int = LINES_MOST) -> tuple[RecordMark, ...]:
    """The marks of a record's lines, its own first."""
    columns = record_lines.c.identity, record_lines.c.generation
    rows = connection.execute(sa.select(*columns).order_by(record_lines.c.number.desc()).limit(most))
    return tuple(RecordMark(identity=identity, generation=generation) for identity, generation in rows)


def begin_line(connection: sa.Connection) -> None:
    """End the record's line where it is, and begin another one there."""
    connection.execute(_COUNT)  # first: from here on nobody else writes in the line that ends
    last = connection.execute(
        sa.select(record_lines.c.number, record_lines.c.generation).where(record_lines.c.number == _LAST)
    ).one()
    now = time.time()
    connection.execute(
        sa.insert(record_lines).values(identity=secrets.token_hex(16), generation=last.generation, began_at=now)
    )
    # a line without a start of its own ended when the next one began
    old = sa.select(sa.func.max(record_lines.c.number)).where(record_lines.c.began_at < now - _KEEP_S).scalar_subquery()
    connection.execute(sa.delete(record_lines).where(record_lines.c.number < old))
