"""Two sessions of which one is to run: a start that waits, and what may start sooner in its place.

They are linked in the record. Whichever job's script speaks first goes on; that is decided here, in the record, in the
same transaction that ends the other one: it is over before anybody cancels its job, and its token opens nothing any
more. So it does not matter who dies in between, in which order two scripts speak, or how often one of them asks. Whose
job is cancelled late, or began in the same second, is told to end before it runs anything of a person's.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import sessions as texts

from .tables import sessions

# The reason on record of the one that ended because the other one began.
OTHER_STARTED = texts.OTHER_STARTED.label
_NAMED = 12  # in a refusal


class Row(NamedTuple):
    """What of a session decides. ``began_at`` is when its job's script spoke, ``paired_with`` the other one's id."""

    id: str
    server_name: str
    ended_at: float | None = None
    began_at: float | None = None
    paired_with: str | None = None

    @property
    def waits_in_pair(self) -> bool:
        """Whether another one may still start in its place."""
        return self.ended_at is None and self.began_at is None and self.paired_with is not None


class Outcome(NamedTuple):
    """Whether a session whose script has spoken goes on, and the session that ends with that; None: none does."""

    goes_on: bool
    ends: str | None = None


def on_begin(mine: Row | None, other: Row | None) -> Outcome:
    """What follows from a script that says that it begins. Pure.

    :param other: the session that it is paired with, if there is one.
    """
    if mine is None or mine.ended_at is not None:
        return Outcome(False)
    waits = other is not None and other.waits_in_pair and other.paired_with == mine.id
    return Outcome(True, other.id if waits and other else None)


def no_alternative(first: Row | None) -> FabricError | None:
    """Why a session cannot have another one started in its place; None when it can. Pure."""
    if first is None or first.ended_at is not None:
        return FabricError(texts.NOT_WAITING())
    if first.began_at is not None:
        return FabricError(texts.HAS_BEGUN())
    return FabricError(texts.ALREADY_PAIRED()) if first.paired_with is not None else None


def counted(live: Iterable[Row], beside: Iterable[str | None] = ()) -> list[str]:
    """The names of sessions' servers as limits count them: of two that wait for one place, one. Pure.

    :param live: a user's live sessions.
    :param beside: ids of sessions that are left out, with whatever is paired with them.
    """
    left_out, names = set(beside), []
    for one in live:
        if one.id in left_out or (one.waits_in_pair and one.paired_with in left_out):
            continue
        if one.waits_in_pair:
            left_out.add(one.id)
        names.append(one.server_name)
    return names


def refuse_too_many(others: list[str], most: int | None) -> None:
    """Refuse one more session than a user may have.

    :param others: the names of the user's servers that have one, as :func:`counted`.
    :raises FabricError: reason ``too-many-sessions``.
    """
    if most is not None and len(others) >= most:
        named = tuple(name or texts.DEFAULT_NAME() for name in sorted(others)[:_NAMED])
        raise FabricError(texts.TOO_MANY_SESSIONS(n=len(others), most=most, names=named))


# -- in a transaction on the record

_COLUMNS = tuple(sessions.c[name] for name in Row._fields)


def row(connection: sa.Connection, session_id: str | None) -> Row | None:
    """One session."""
    found = connection.execute(sa.select(*_COLUMNS).where(sessions.c.id == session_id)).first()
    return Row(*found) if found else None


def live_rows(connection: sa.Connection, user: str) -> list[Row]:
    """A user's live sessions, the oldest first."""
    mine = sessions.c.user == user, sessions.c.ended_at.is_(None)
    return [
        Row(*found) for found in connection.execute(sa.select(*_COLUMNS).where(*mine).order_by(sessions.c.created_at))
    ]


def begin(connection: sa.Connection, session_id: str) -> Outcome:
    """A script says that it begins: it goes on, and the other one of its pair is over; or it is too late."""
    now, mine = time.time(), row(connection, session_id)
    outcome = on_begin(mine, row(connection, mine.paired_with) if mine and mine.paired_with else None)
    if mine is None or not outcome.goes_on:
        return outcome
    # each statement also says what it rests on: it holds where the database lets two transactions run side by side
    began = sa.func.coalesce(sessions.c.began_at, now)
    mine_lives = sessions.c.id == mine.id, sessions.c.ended_at.is_(None)
    if connection.execute(sa.update(sessions).where(*mine_lives).values(began_at=began)).rowcount != 1:
        return Outcome(False)
    if outcome.ends is not None:
        waits = sessions.c.id == outcome.ends, sessions.c.ended_at.is_(None), sessions.c.began_at.is_(None)
        text: Text = texts.OTHER_STARTED(name=mine.server_name or texts.DEFAULT_NAME())
        told = {"end_reason": OTHER_STARTED, "end_text": text, "end_log": []}
        connection.execute(sa.update(sessions).where(*waits).values(ended_at=now, token=None, **told))
    return outcome


def link(connection: sa.Connection, first: str, second: str) -> None:
    """Link a session with the one that was just made to start in its place.

    :raises FabricError: it ended, began, or got another one meanwhile.
    """
    free = (sessions.c.ended_at.is_(None), sessions.c.began_at.is_(None), sessions.c.paired_with.is_(None))
    linked = sa.update(sessions).where(sessions.c.id == first, *free).values(paired_with=second)
    if connection.execute(linked).rowcount != 1:
        raise no_alternative(row(connection, first)) or FabricError(texts.NOT_WAITING())


def unlink(connection: sa.Connection, ended: str) -> None:
    """A session of a pair is over by itself, or somebody ended it: the other one waits on alone."""
    waits = sessions.c.paired_with == ended, sessions.c.ended_at.is_(None), sessions.c.began_at.is_(None)
    connection.execute(sa.update(sessions).where(*waits).values(paired_with=None))
