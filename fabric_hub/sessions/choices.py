"""What each person started last, and the choices that they saved under a name, in the sessions' database.

Options are kept as they were given and checked anew when they are used: what a person may start changes. What is kept
of one person is bounded in number and size, and goes with the person.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import starts as texts

from .database import Transaction
from .tables import start_choices

MOST_SAVED = 8
LONGEST_NAME = 40  # characters
_MOST_BYTES = 8192
_LAST = ""  # the name of what was started last


class StartChoices:
    """Choices by person. It may be used from several threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, user: str) -> tuple[Mapping[str, Any] | None, dict[str, Mapping[str, Any]]]:
        """(the options of a person's last start, or None; those that they saved, by name).

        :raises FabricError: the database cannot be used.
        """
        rows = sa.select(start_choices.c.name, start_choices.c.options).where(start_choices.c.user == user)
        with Transaction(self._engine) as connection:
            found = {row.name: row.options for row in connection.execute(rows.order_by(start_choices.c.name))}
        return found.pop(_LAST, None), found

    def remember(self, user: str, options: Mapping[str, Any]) -> None:
        """Keep the options of a person's start as their last.

        :raises FabricError: the database cannot be used.
        """
        if _fits(options):
            with Transaction(self._engine) as connection:
                _put(connection, user, _LAST, options)

    def save(self, user: str, name: str, options: Mapping[str, Any]) -> None:
        """Save a person's choice under a name; one of that name gives way.

        :raises FabricError: the name is none, there are too many, or the database cannot be used.
        """
        name = name.strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise FabricError(texts.PRESET_NAME(most=LONGEST_NAME))
        if not _fits(options):
            raise FabricError(texts.PRESET_TOO_LARGE())
        with Transaction(self._engine) as connection:
            _put(connection, user, name, options)
            mine = sa.select(sa.func.count()).where(start_choices.c.user == user, start_choices.c.name != _LAST)
            if connection.execute(mine).scalar_one() > MOST_SAVED:
                raise FabricError(texts.PRESETS_MOST(most=MOST_SAVED))

    def remove(self, user: str, name: str) -> None:
        """Remove a saved choice; none of that name is as good.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            mine = (start_choices.c.user == user, start_choices.c.name == name, start_choices.c.name != _LAST)
            connection.execute(sa.delete(start_choices).where(*mine))

    def forget(self, user: str) -> None:
        """Forget all of a person.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            connection.execute(sa.delete(start_choices).where(start_choices.c.user == user))


def _fits(options: Mapping[str, Any]) -> bool:
    return len(json.dumps(options)) <= _MOST_BYTES


def _put(connection: sa.Connection, user: str, name: str, options: Mapping[str, Any]) -> None:
    mine = (start_choices.c.user == user, start_choices.c.name == name)
    connection.execute(sa.delete(start_choices).where(*mine))
    connection.execute(
        sa.insert(start_choices).values(user=user, name=name, options=dict(options), saved_at=time.time())
    )
