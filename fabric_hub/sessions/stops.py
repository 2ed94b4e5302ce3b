"""Sessions that an operator ends, or the hub because their person has left the project.

The orders are kept in the sessions' database until they are carried out and after.

An order has a moment and a reason, which the session's person reads. It is for one session: it cannot outlive that,
and a later session of the same name has none. The hub writes orders, the service carries them out when they are due,
one that fell due while nobody ran as soon as it runs again. Orders stay on record as what they are: who, when, whom,
why, and whether it was withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import stops as texts
from fabric_hub.types import Frozen

from .database import Transaction
from .tables import session_stops, sessions

# What the page offers, in minutes; 0 is at once.
NOTICES = (0, 5, 15, 60)
LONGEST_NOTICE_S = 24 * 3600.0
LONGEST_REASON = 300  # characters
# So long an order stays on record after it was given.
KEPT_S = 400 * 24 * 3600.0
# Who orders where nobody does: the session's person is no longer in its project. No name of anybody's has brackets.
LEFT = "(left the project)"


class Stop(Frozen):
    """An order: ``operator`` ends ``session`` at ``due_at`` because of ``reason``. Times are Unix seconds.

    Where ``operator`` is :data:`LEFT`, ``reason`` is the project. ``withdrawn_at``: somebody took it back then, or put
    another one in its place.
    """

    session: str
    operator: str
    reason: str
    ordered_at: float
    due_at: float
    withdrawn_at: float | None = None
    withdrawn_by: str | None = None

    @property
    def by_leaving(self) -> bool:
        """Whether it is given because the session's person has left its project."""
        return self.operator == LEFT

    @property
    def announced(self) -> Text:
        """What the session's person reads before it is carried out."""
        if self.by_leaving:
            return texts.ENDS_BY_LEAVING(at=self.due_at, project=self.reason)
        return texts.ENDS_BY_OPERATOR(at=self.due_at, why=self.reason)

    @property
    def carried_out(self) -> Text:
        """What is on record of the session afterwards, for its person."""
        if self.by_leaving:
            return texts.ENDED_BY_LEAVING(project=self.reason)
        return texts.ENDED_BY_OPERATOR(why=self.reason)

    @property
    def not_extended(self) -> Text:
        """Why there is no more time."""
        return texts.LEFT_NOT_EXTENDED(project=self.reason) if self.by_leaving else texts.NOT_EXTENDED()


def reason_of(typed: str) -> str:
    """A reason as it is kept: one line, without what surrounds it. Pure.

    :raises FabricError: it is none, too long, or not plain text.
    """
    reason = " ".join(typed.split())
    if not reason:
        raise FabricError(texts.NO_REASON())
    if len(reason) > LONGEST_REASON:
        raise FabricError(texts.REASON_TOO_LONG(n=LONGEST_REASON))
    if not reason.isprintable():
        raise FabricError(texts.REASON_NOT_PLAIN())
    return reason


def notice_of(typed: str) -> float:
    """The seconds of a notice that the page offers, from its minutes. Pure.

    :raises FabricError: the page offers no such notice.
    """
    known = {str(minutes): minutes * 60.0 for minutes in NOTICES}
    if typed not in known:
        raise FabricError(texts.NO_SUCH_NOTICE(known=tuple(known)))
    return known[typed]


class StopBook:
    """The orders, in the sessions' database. ``changes`` counts what this process wrote: pages look whether it grew.

    It may be used from several threads.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.changes = 0

    def order(self, session: str, operator: str, reason: str, notice_s: float, now: float) -> Stop:
        """End a live session after so many seconds; an order that stands gives way to this one.

        :param operator: who gives the order, as it stays on record.
        :raises FabricError: the reason is none (:func:`reason_of`), no such session lives, or the database cannot be
            used.
        """
        stop = Stop(session=session, operator=operator, reason=reason_of(reason), ordered_at=now, due_at=now + notice_s)
        alive = sa.select(sessions.c.id).where(sessions.c.id == session, sessions.c.ended_at.is_(None))
        with Transaction(self._engine) as connection:
            connection.execute(sa.delete(session_stops).where(session_stops.c.ordered_at < now - KEPT_S))
            if connection.execute(alive).first() is None:
                raise FabricError(texts.NO_LIVE_SESSION(session=session[:40]))
            _take_back(connection, session, operator, now)
            connection.execute(sa.insert(session_stops).values(**stop.model_dump()))
        self.changes += 1
        return stop

    def withdraw(self, session: str, operator: str, now: float) -> Stop:
        """Take an order back that is not carried out yet; returns it.

        :raises FabricError: none stands, or the database cannot be used.
        """
        stop = self.of([session]).get(session)
        with Transaction(self._engine) as connection:
            if stop is None or not _take_back(connection, session, operator, now):
                raise FabricError(texts.NO_STOP(session=session[:40]))
        self.changes += 1
        return stop

    def of(self, session_ids: Iterable[str]) -> dict[str, Stop]:
        """The orders that stand for these sessions, by session; those that have none, or have ended, are left out.

        :raises FabricError: the database cannot be used.
        """
        wanted = list(session_ids)
        return {stop.session: stop for stop in self._standing(session_stops.c.session.in_(wanted))} if wanted else {}

    def due(self, now: float) -> list[Stop]:
        """The orders that stand and are to be carried out by now, the first one first.

        :raises FabricError: the database cannot be used.
        """
        return self._standing(session_stops.c.due_at <= now)

    def since(self, at: float) -> list[Stop]:
        """Every order that was given after a moment, whatever became of it, the first one first.

        :raises FabricError: the database cannot be used.
        """
        return self._read(sa.select(*_COLUMNS).where(session_stops.c.ordered_at > at).order_by(session_stops.c.number))

    def all(self) -> list[Stop]:
        """Every order on record, the last one first.

        :raises FabricError: the database cannot be used.
        """
        return self._read(sa.select(*_COLUMNS).order_by(session_stops.c.number.desc()))

    def _standing(self, which: sa.ColumnElement[bool]) -> list[Stop]:
        alive = sa.select(*_COLUMNS).join(sessions, sessions.c.id == session_stops.c.session)
        stands = (which, session_stops.c.withdrawn_at.is_(None), sessions.c.ended_at.is_(None))
        return self._read(alive.where(*stands).order_by(session_stops.c.due_at))

    def _read(self, query: sa.Select[tuple[object]]) -> list[Stop]:
        with Transaction(self._engine) as connection:
            return [Stop.model_validate(dict(row)) for row in connection.execute(query).mappings()]


_COLUMNS = [session_stops.c[name] for name in Stop.model_fields]


def _take_back(connection: sa.Connection, session: str, operator: str, now: float) -> bool:
    """Withdraw what stands for a session; whether anything did."""
    standing = session_stops.c.session == session, session_stops.c.withdrawn_at.is_(None)
    taken = sa.update(session_stops).where(*standing).values(withdrawn_at=now, withdrawn_by=operator)
    return bool(connection.execute(taken).rowcount)


def soonest(ends_at: float | None, stop: Stop | None) -> float | None:
    """When a session ends that Slurm ends at one moment (None: not known), and an operator at another one. Pure."""
    if stop is None:
        return ends_at
    return stop.due_at if ends_at is None else min(ends_at, stop.due_at)
