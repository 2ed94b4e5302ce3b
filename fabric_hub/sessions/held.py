"""Sessions that run and that this hub does not know to be its own: on record for the pages, until somebody decides."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import sqlalchemy as sa

from fabric_hub.types import Frozen

from .database import Transaction
from .tables import held_sessions


class Why(StrEnum):
    """Why nothing is done about a session: its submission is of another record, or from before the gateway kept
    any; or more would end at once than may without a person's word."""

    OTHER_RECORD = "other-record"
    NO_WITNESS = "no-witness"
    MANY = "many"


class Held(Frozen):
    """A session that is left alone. Times are Unix seconds.

    :param user: to the hub; "": it has no user of that Unix account.
    :param openable: the gateway has kept what is needed to take it up again.
    """

    session: str
    user: str
    unix_account: str
    job_id: int
    account: str = ""
    node: str = ""
    started_at: float | None = None
    ends_at: float | None = None
    server_name: str | None = None
    project: str | None = None
    profile: str | None = None
    why: Why
    openable: bool = False
    since: float


class HeldSessions:
    """What is held, in the sessions' database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def replace(self, held: Iterable[Held]) -> None:
        """From now on it is these."""
        rows = [{"session": one.session, "user": one.user, "held": one.model_dump(mode="json")} for one in held]
        with Transaction(self._engine) as connection:
            connection.execute(sa.delete(held_sessions))
            if rows:
                connection.execute(sa.insert(held_sessions), rows)

    def all(self) -> tuple[Held, ...]:
        """All of them, by session."""
        return self._read(sa.select(held_sessions.c.held).order_by(held_sessions.c.session))

    def of(self, user: str) -> tuple[Held, ...]:
        """A user's own."""
        return self._read(sa.select(held_sessions.c.held).where(held_sessions.c.user == user))

    def _read(self, query: sa.Select[tuple[object]]) -> tuple[Held, ...]:
        with Transaction(self._engine) as connection:
            return tuple(Held.model_validate(row) for row in connection.execute(query).scalars())
