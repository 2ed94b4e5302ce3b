"""The record as a whole: in which lines it was written, and how far it is (:mod:`fabric_hub.slurm.records`)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from types import TracebackType

import sqlalchemy as sa

from fabric_hub.slurm.records import LINES_MOST, RecordMark

from .database import Transaction
from .tables import record_lines

# Longer than any job lasts: of lines that ended before that nobody asks any more.
_KEEP_S = 400 * 24 * 3600.0

_LAST = sa.select(sa.func.max(record_lines.c.number)).scalar_subquery()
# from here on nobody else writes in the line that ends
_HOLD = sa.update(record_lines).where(record_lines.c.number == _LAST).values(generation=record_lines.c.generation)
_COUNT = sa.update(record_lines).where(record_lines.c.number == _LAST).values(generation=record_lines.c.generation + 1)


class MarkedTransaction(Transaction):
    """One that writes what the gateway must not know better than the record: it is counted.

    :param begins: it begins a line of its own, as the first one of a process must: what the process wrote in the line
        that it found could pass for what was written there after a copy of the record was made.
    :param committed: called when it has.
    """

    def __init__(self, engine: sa.Engine, *, begins: bool, committed: Callable[[], None]) -> None:
        super().__init__(engine)
        self._begins, self._committed = begins, committed

    def __enter__(self) -> sa.Connection:
        connection = super().__enter__()
        try:
            if self._begins:
                _begin_line(connection)
            else:
                connection.execute(_COUNT)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return connection

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, value, trace)
        if kind is None:
            self._committed()


def lines_of(connection: sa.Connection, most: int = LINES_MOST) -> tuple[RecordMark, ...]:
    """The marks of a record's lines, its own first."""
    columns = record_lines.c.identity, record_lines.c.generation
    rows = connection.execute(sa.select(*columns).order_by(record_lines.c.number.desc()).limit(most))
    return tuple(RecordMark(identity=identity, generation=generation) for identity, generation in rows)


def _begin_line(connection: sa.Connection) -> None:
    """End the record's line where it is, and begin another one there, with this write."""
    connection.execute(_HOLD)
    last = connection.execute(
        sa.select(record_lines.c.number, record_lines.c.generation).where(record_lines.c.number == _LAST)
    ).one()
    now = time.time()
    connection.execute(
        sa.insert(record_lines).values(identity=secrets.token_hex(16), generation=last.generation + 1, began_at=now)
    )
    # a line without a start of its own ended when the next one began
    old = sa.select(sa.func.max(record_lines.c.number)).where(record_lines.c.began_at < now - _KEEP_S).scalar_subquery()
    connection.execute(sa.delete(record_lines).where(record_lines.c.number < old))
