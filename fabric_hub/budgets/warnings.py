"""Warnings: which are in force, and that each is told once.

A threshold that a subject has passed is a row. It is told to the site's hook once, and again only after
the subject has been clear of every threshold for a day: a rate that moves about a threshold
tells nobody twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from fabric_hub.sessions.database import Transaction
from fabric_hub.sessions.tables import quota_warnings as table
from fabric_hub.types import Frozen

from .forecast import Threshold
from .schemas import Warned

CLEAR_S = 86400.0
# Nobody is told of what was not looked at for so long.
STALE_S = 900.0
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

    def note(self, passed: Sequence[Threshold], now: float) -> tuple[Warned, ...]:
        """Take down every threshold that is passed now; returns them as people are told, since when they are."""
        subjects = {threshold.subject for threshold in passed}
        with Transaction(self._engine) as connection:
            connection.execute(sa.update(table).values(in_force=False))
            if subjects:
                connection.execute(sa.update(table).where(table.c.subject.in_(subjects)).values(seen_at=now))
            connection.execute(sa.delete(table).where(table.c.seen_at < now - CLEAR_S))
            for threshold in passed:
                words = {"level": threshold.level, "text": threshold.text, "in_force": True, "seen_at": now}
                known = connection.execute(sa.update(table).where(_mine(threshold)).values(**words))
                if known.rowcount == 0:
                    row = {"subject": threshold.subject, "name": threshold.name, "since": now, "tries": 0}
                    connection.execute(sa.insert(table).values(retry_at=now, **row, **words))
        return self.in_force(now)

    def in_force(self, now: float, subjects: Iterable[str] | None = None, user: str = "") -> tuple[Warned, ...]:
        """The warnings in force, worst first.

        :param subjects: only those of these subjects, their storage, and the storage of ``user``; default: all.
        """
        query = sa.select(table).where(table.c.in_force, table.c.seen_at >= now - STALE_S)
        if subjects is not None:
            wanted = list(subjects)
            storage = [table.c.subject.startswith(begin, autoescape=True) for begin in storage_of(user, wanted)]
            query = query.where(sa.or_(table.c.subject.in_(wanted), *storage))
        with Transaction(self._engine) as connection:
            rows = connection.execute(query.order_by(table.c.level, table.c.subject)).all()
        return tuple(
            Warned(id=f"{row.subject}#{row.name}", level=row.level, subject=row.subject, text=row.text, since=row.since)
            for row in rows
        )

    def untold(self, passed: Sequence[Threshold], now: float) -> list[Untold]:
        """Those of which the hook is to be told now."""
        wanted = {threshold.id: threshold for threshold in passed}
        query = sa.select(table).where(table.c.told_at.is_(None), table.c.retry_at <= now, table.c.tries < MOST_TRIES)
        with Transaction(self._engine) as connection:
            rows = [(f"{row.subject}#{row.name}", row.since) for row in connection.execute(query)]
        return [Untold(threshold=wanted[name], since=since) for name, since in rows if name in wanted]

    def told(self, threshold: Threshold, now: float, *, well: bool) -> None:
        """The hook was told, or is to be told later."""
        mine = _mine(threshold)
        with Transaction(self._engine) as connection:
            tries = connection.execute(sa.select(table.c.tries).where(mine)).scalar_one_or_none()
            if tries is None:
                return
            wait = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2**tries)
            values = {"told_at": now} if well else {"tries": tries + 1, "retry_at": now + wait}
            connection.execute(sa.update(table).where(mine).values(**values))


def _mine(threshold: Threshold) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.subject == threshold.subject, table.c.name == threshold.name)


def subjects_of(user: str, projects: Iterable[str]) -> set[str]:
    """The subjects of warnings that concern a user of these projects; storage apart. Pure."""
    names = list(projects)
    return {f"project:{name}" for name in names} | {f"user:{name}/{user}" for name in names}


def storage_of(user: str, subjects: Iterable[str]) -> tuple[str, ...]:
    """How subjects begin that are about the storage of a user, and of the projects among ``subjects``. Pure."""
    return f"storage:{user}:", *(f"{subject}:" for subject in subjects if subject.startswith("project:"))
