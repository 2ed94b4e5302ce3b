"""Months on record: the pieces of their days, closed sheets, and what nobody but a sheet needs, recorded as it comes.

A sheet is put together from our own database: Slurm is not asked for it. One of a month that cannot change any more is
kept whole when it is first made by the service.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime

import sqlalchemy as sa

from fabric_hub.config.settings import Settings
from fabric_hub.sessions.database import Transaction
from fabric_hub.sessions.store import Session
from fabric_hub.sessions.tables import idle_months, month_days, month_sheets, readiness_hours, sessions, usage_rolls

from .history import HOUR_S, SETTLED_S, bounds
from .month import DayPiece, Idle, MonthSheet, Ready, days_of, sheet_of, span_of

# How far back a service looks for months that it has not closed.
CLOSES_BACK = 3
_AT_ONCE = 500  # ids in one question


class MonthBook:
    """Months in the sessions' database. It may be used from several threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine, self._clock = engine, clock

    def sheet(self, settings: Settings, month: str) -> MonthSheet:
        """The sheet of a month: the kept one, else as it is now.

        :raises FabricError: the database cannot be used.
        """
        return self._kept(month) or self._made(settings, month)

    def close(self, settings: Settings, month: str) -> bool:
        """Keep the sheet of a month that is over and whole; whether it is kept now.

        :raises FabricError: the database cannot be used.
        """
        if self._kept(month) is not None:
            return True
        made = self._made(settings, month)
        if not made.closed:
            return False
        with Transaction(self._engine) as connection:
            row = {"month": month, "made_at": made.made_at, "sheet": made.model_dump(mode="json")}
            connection.execute(sa.insert(month_sheets).values(**row))
        return True

    def open_months(self) -> list[str]:
        """The months before this one that are not kept yet and have days on record, of the last few.

        :raises FabricError: the database cannot be used.
        """
        month = datetime.fromtimestamp(self._clock()).astimezone().date().replace(day=1)
        found = []
        with Transaction(self._engine) as connection:
            kept = set(connection.execute(sa.select(month_sheets.c.month)).scalars())
            first = connection.execute(sa.select(sa.func.min(month_days.c.day))).scalar()
        for _ in range(CLOSES_BACK):
            month = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
            name = f"{month:%Y-%m}"
            if first is not None and name not in kept and name >= f"{first:%Y-%m}":
                found.append(name)
        return found

    def known(self) -> list[str]:
        """The months of which there is anything, the newest first.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            kept = set(connection.execute(sa.select(month_sheets.c.month)).scalars())
            days = connection.execute(sa.select(month_days.c.day)).scalars()
            return sorted(kept | {f"{day:%Y-%m}" for day in days}, reverse=True)

    def without_piece(self, days: list[date]) -> list[date]:
        """Those days of which there is no piece.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            query = sa.select(month_days.c.day).where(month_days.c.day.in_(days))
            there = set(connection.execute(query).scalars())
        return [day for day in days if day not in there]

    def note_readiness(self, *, ready: bool) -> None:
        """Record that somebody looked whether sessions have all that they need now, and whether they have.

        :raises FabricError: the database cannot be used.
        """
        hour, table = int(self._clock() // HOUR_S * HOUR_S), readiness_hours
        more = {"looks": table.c.looks + 1, "ready": table.c.ready + int(ready)}
        with Transaction(self._engine) as connection:
            if not connection.execute(sa.update(table).where(table.c.hour == hour).values(**more)).rowcount:
                connection.execute(sa.insert(table).values(hour=hour, looks=1, ready=int(ready)))

    def note_idle(self, project: str, watched: float, idle: float) -> None:
        """Record GPU-hours of a session of a project: so many there is a word of, so many of them were not used.

        :raises FabricError: the database cannot be used.
        """
        now, table = self._clock(), idle_months
        month = f"{datetime.fromtimestamp(now).astimezone():%Y-%m}"
        mine = (table.c.month == month, table.c.project == project)
        more = {"watched": table.c.watched + watched, "idle": table.c.idle + idle}
        with Transaction(self._engine) as connection:
            if not connection.execute(sa.update(table).where(*mine).values(**more)).rowcount:
                row = {"month": month, "project": project, "watched": watched, "idle": idle, "since": now}
                connection.execute(sa.insert(table).values(**row))

    def _kept(self, month: str) -> MonthSheet | None:
        with Transaction(self._engine) as connection:
            kept = connection.execute(sa.select(month_sheets.c.sheet).where(month_sheets.c.month == month)).scalar()
        return MonthSheet.model_validate(kept) if kept is not None else None

    def _made(self, settings: Settings, month: str) -> MonthSheet:
        now, (begin, after), days = self._clock(), span_of(month), days_of(month)
        within = (month_days.c.day >= days[0], month_days.c.day <= days[-1])
        with Transaction(self._engine) as connection:
            found = connection.execute(sa.select(month_days.c.piece).where(*within)).scalars()
            pieces = [DayPiece.model_validate(piece) for piece in found]
            rolled = {
                row.day: row.rolled_at
                for row in connection.execute(sa.select(usage_rolls.c.day, usage_rolls.c.rolled_at))
            }
            every = _sessions(connection, begin, after, {name for piece in pieces for name in piece.begun})
            ready, idle = _ready(connection, begin, after), _idle(connection, month)
        made = sheet_of(settings, month, pieces, every, ready, idle, now=now)
        final = all(rolled.get(day, 0.0) >= bounds(day)[1] + SETTLED_S for day in days)
        whole = final and len(pieces) == len(days) and not made.starts.waiting
        return made.model_copy(update={"closed": whole})


def hours_not_used(gpu_percent: tuple[float, ...], below: float, seconds: float) -> tuple[float, float]:
    """(GPU-hours that a report speaks of, those of them in which a GPU was used less than ``below`` percent). Pure."""
    share = seconds / HOUR_S
    return len(gpu_percent) * share, sum(percent < below for percent in gpu_percent) * share


def _sessions(connection: sa.Connection, begin: float, after: float, others: set[str]) -> list[Session]:
    rows: dict[str, Mapping[str, object]] = {}
    made = sa.select(sessions).where(sessions.c.created_at >= begin, sessions.c.created_at < after)
    for row in connection.execute(made).mappings():
        rows[row["id"]] = dict(row)
    rest = sorted(others - rows.keys())
    for number in range(0, len(rest), _AT_ONCE):
        query = sa.select(sessions).where(sessions.c.id.in_(rest[number : number + _AT_ONCE]))
        for row in connection.execute(query).mappings():
            rows[row["id"]] = dict(row)
    return [Session.model_validate(row) for row in rows.values()]


def _ready(connection: sa.Connection, begin: float, after: float) -> Ready:
    table = readiness_hours
    since = connection.execute(sa.select(sa.func.min(table.c.hour))).scalar()
    within = (table.c.hour >= begin, table.c.hour < after)
    looks, ready = connection.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(table.c.looks), 0), sa.func.coalesce(sa.func.sum(table.c.ready), 0)
        ).where(*within)
    ).one()
    return Ready(since=since, looks=looks, ready=ready)


def _idle(connection: sa.Connection, month: str) -> Idle:
    table = idle_months
    since = connection.execute(sa.select(sa.func.min(table.c.since))).scalar()
    sums = (sa.func.coalesce(sa.func.sum(column), 0.0) for column in (table.c.watched, table.c.idle))
    watched, idle = connection.execute(sa.select(*sums).where(table.c.month == month)).one()
    return Idle(since=since, watched=watched, idle=idle)
