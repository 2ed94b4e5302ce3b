"""Which start continues a session: said before it, and taken by it.

A person may ask for it on the page Sessions and in JupyterLab in the same second, which are two processes. The record
lets one of them prepare it.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import sessions as texts

from .tables import sessions, successors

# A start is on the record as soon as its turn comes. What stays longer was left by a hub that ended.
PREPARED_S = 300.0


def prepare(
    connection: sa.Connection, predecessor: str, user: str, server_name: str, reopen: Iterable[str], now: float
) -> None:
    """Say that the next start of a user's server continues a session, with these files opened again.

    :param predecessor: the id of the session that is continued.
    :param now: in Unix seconds.
    :raises FabricError: reason ``busy``: another start that continues it was prepared, or runs already.
    """
    mine = successors.c.predecessor == predecessor
    connection.execute(sa.delete(successors).where(mine, successors.c.created_at < now - PREPARED_S))
    fields = {"user": user, "server_name": server_name, "reopen": list(reopen), "created_at": now}
    try:
        connection.execute(sa.insert(successors).values(predecessor=predecessor, **fields))
    except sa.exc.IntegrityError as error:
        raise FabricError(texts.BEING_STARTED()) from error
    # after it: the insert waits for a start that is just taking what another one prepared
    followers = sa.select(sessions.c.id).where(sessions.c.follows == predecessor, sessions.c.ended_at.is_(None))
    if connection.execute(followers).first():
        raise FabricError(texts.BEING_STARTED())


def forget(connection: sa.Connection, predecessor: str) -> None:
    """Take back what :func:`prepare` said, if no start has taken it."""
    connection.execute(sa.delete(successors).where(successors.c.predecessor == predecessor))
