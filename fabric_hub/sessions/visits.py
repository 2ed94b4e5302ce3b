"""Which operators opened a session that is not their own: on record with the session, for its person to read."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from fabric_hub.types import Frozen

from .database import Transaction
from .tables import operator_visits


class Visit(Frozen):
    """``operator`` opened it at ``at`` (Unix seconds)."""

    operator: str
    at: float


class VisitBook:
    """All visits, in the sessions' database; they are kept as long as the sessions are."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, session: str, visit: Visit) -> None:
        """Put a visit on record.

        :raises FabricError: the database cannot be used: then nobody may open the session.
        """
        with Transaction(self._engine) as connection:
            connection.execute(sa.insert(operator_visits).values(session=session, **visit.model_dump()))

    def of(self, session_ids: Iterable[str]) -> dict[str, tuple[Visit, ...]]:
        """The visits to these sessions, by session, the first one first; those without are left out.

        :raises FabricError: the database cannot be used.
        """
        wanted = list(session_ids)
        if not wanted:
            return {}
        table = operator_visits
        query = sa.select(table).where(table.c.session.in_(wanted)).order_by(table.c.at)
        found: dict[str, tuple[Visit, ...]] = {}
        with Transaction(self._engine) as connection:
            for row in connection.execute(query).mappings():
                found[row["session"]] = (*found.get(row["session"], ()), Visit(operator=row["operator"], at=row["at"]))
        return found
