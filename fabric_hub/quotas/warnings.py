"""Warnings: which are in force, and that each is told once.

A threshold that a subject has passed is a row. It is told to the site's hook once, and again only after
the subject has been clear of every threshold for a day: a rate that moves about a threshold
tells nobody twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ..model import Frozen
from ..sessions.database import Transaction
from ..sessions.tables import quota_warnings as table
from .forecast import Threshold
from .told import Warned

CLEAR_S = 86400.0
FIRST_RETRY_S, LONGEST_RETRY_S = 60.0, 3600.0
# A hook that has failed for about a day is told of this warning no more.
MOST_TRIES = 24


class Untold(Frozen):
    """A warning that the hook is to be told of now."""

    threshold: Threshold
    since: float


class WarningBook:
    """The rows, in the sessions' database.

    :param engine: an open database of this release.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def note(self, passed: Sequence[Threshold], now: float) -> dict[str, float]:
        """Take down every threshold that is passed now; returns since when, by the threshold's id."""
        subjects = {threshold.subject for threshold in passed}
        with Transaction(self._engine) as connection:
            if subjects:
                connection.execute(sa.update(table).where(table.c.subject.in_(subjects)).values(seen_at=now))
            connection.execute(sa.delete(table).where(table.c.seen_at < now - CLEAR_S))
            rows = connection.execute(sa.select(table.c.subject, table.c.name, table.c.since)).all()
            since = {f"{subject}#{name}": at for subject, name, at in rows}
            for threshold in passed:
                if threshold.id not in since:
                    since[threshold.id] = now
                    row = {"since": now, "seen_at": now, "tries": 0, "retry_at": now}
                    connection.execute(sa.insert(table).values(subject=threshold.subject, name=threshold.name, **row))
        return {threshold.id: since[threshold.id] for threshold in passed}

    def untold(self, passed: Sequence[Threshold], now: float) -> list[Untold]:
        """Those of which the hook is to be told now."""
        wanted = {threshold.id: threshold for threshold in passed}
        query = sa.select(table).where(table.c.told_at.is_(None), table.c.retry_at <= now, table.c.tries < MOST_TRIES)
        with Transaction(self._engine) as connection:
            rows = [(f"{row.subject}#{row.name}", row.since) for row in connection.execute(query)]
        return [Untold(threshold=wanted[name], since=since) for name, since in rows if name in wanted]

    def told(self, threshold: Threshold, now: float, *, well: bool) -> None:
        """The hook was told, or is to be told later."""
        mine = sa.and_(table.c.subject == threshold.subject, table.c.name == threshold.name)
        with Transaction(self._engine) as connection:
            tries = connection.execute(sa.select(table.c.tries).where(mine)).scalar_one_or_none()
            if tries is None:
                return
            wait = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2**tries)
            values = {"told_at": now} if well else {"tries": tries + 1, "retry_at": now + wait}
            connection.execute(sa.update(table).where(mine).values(**values))


def warned(threshold: Threshold, since: float) -> Warned:
    """A threshold as people are told of it."""
    return Warned(
        id=threshold.id, level=threshold.level, subject=threshold.subject, text=threshold.text[:200], since=since
    )
