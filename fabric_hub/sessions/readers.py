"""The language that each person chose, for browsers that do not know it yet, and for their sessions."""

from __future__ import annotations

from collections.abc import Collection
from threading import Lock

import sqlalchemy as sa

from .database import Transaction
from .tables import readers

# People whose choice is kept in memory; a hub with more of them asks the database again.
MOST_KEPT = 20_000


class ReaderBook:
    """Languages by person, in the sessions' database. The hub alone writes them, so that each is read there once.

    A hub has one; it may be used from several threads.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._kept: dict[str, str | None] = {}  # None: has not chosen
        self._lock = Lock()  # what was read before a choice is not kept after it

    def language(self, user: str) -> str | None:
        """What a person chose last; None where they have not chosen.

        :raises FabricError: the database cannot be used.
        """
        with self._lock:
            if user not in self._kept:
                chosen = sa.select(readers.c.language).where(readers.c.user == user)
                with Transaction(self._engine) as connection:
                    language = connection.execute(chosen).scalar()
                if len(self._kept) >= MOST_KEPT:
                    self._kept.clear()
                self._kept[user] = language
            return self._kept[user]

    def forget(self, user: str) -> None:
        """Forget what a person has chosen.

        :raises FabricError: the database cannot be used.
        """
        with self._lock:
            self._kept.pop(user, None)
            with Transaction(self._engine) as connection:
                connection.execute(sa.delete(readers).where(readers.c.user == user))

    def remember(self, user: str, language: str) -> None:
        """Note what a person has chosen.

        :raises FabricError: the database cannot be used.
        """
        with self._lock:
            self._kept.pop(user, None)
            with Transaction(self._engine) as connection:
                connection.execute(sa.delete(readers).where(readers.c.user == user))
                connection.execute(sa.insert(readers).values(user=user, language=language))


def languages_of(engine: sa.Engine, people: Collection[str]) -> dict[str, str]:
    """What people chose last, for a process that remembers nobody; who has not chosen is left out.

    :raises FabricError: the database cannot be used.
    """
    chosen = sa.select(readers.c.user, readers.c.language).where(readers.c.user.in_(people))
    with Transaction(engine) as connection:
        return {row.user: row.language for row in connection.execute(chosen)}
