"""The language that each person chose, for browsers that do not know it yet, and for their sessions."""

from __future__ import annotations

import sqlalchemy as sa

from .database import Transaction
from .tables import readers


class ReaderBook:
    """Languages by person, in the sessions' database. The hub alone writes them."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def language(self, user: str) -> str | None:
        """What a person chose last; None where they have not chosen.

        :raises FabricError: the database cannot be used.
        """
        chosen = sa.select(readers.c.language).where(readers.c.user == user)
        with Transaction(self._engine) as connection:
            return connection.execute(chosen).scalar()

    def remember(self, user: str, language: str) -> None:
        """Note what a person has chosen.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            connection.execute(sa.delete(readers).where(readers.c.user == user))
            connection.execute(sa.insert(readers).values(user=user, language=language))
