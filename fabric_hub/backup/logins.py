"""Logins and tokens that a backup brings back: void but for those of sessions that run, which nobody else holds.

JupyterHub's own database says who may act for whom: API tokens, logins of browsers, codes on their way to one, and
what is shared. What was revoked between the backup and its restore would be in force again, and nothing says what.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from fabric_hub.sessions.scopes import server_of

# Whoever has a row of one of these may act for somebody, or is about to.
_ALL_OF = ("oauth_codes", "share_codes", "shares")


@dataclass(frozen=True)
class LiveSession:
    """A session on the record that goes on; ``prefix`` is how its token begins, None where that was not kept."""

    user: str
    server: str
    prefix: str | None


@dataclass(frozen=True)
class Token:
    """A token in JupyterHub's database: its number, how it begins, whose it is, and its scopes.

    ``client`` is that of a browser's login at a session, "jupyterhub" where somebody made it.
    """

    id: int
    prefix: str
    user: str | None
    client: str
    scopes: tuple[str, ...]


def of_sessions(tokens: list[Token], live: list[LiveSession]) -> set[int]:
    """Which tokens are those of sessions that go on: of a server's scopes, and as its record says. Pure."""
    begins = {(session.user, session.server): session.prefix for session in live}
    kept = set()
    for token in tokens:
        server = server_of(token.user, token.scopes) if token.user and token.client == "jupyterhub" else None
        key = (token.user or "", server or "")
        # two hashes of one token differ in their salt: its beginning tells it from one that was made by hand
        if server is not None and key in begins and begins[key] in (None, token.prefix):
            kept.add(token.id)
    return kept


def void(jupyterhub: str, sessions: str) -> int:
    """Make every login and token void but those of sessions that go on; how many tokens.

    :param jupyterhub: the URL of JupyterHub's database, ``sessions`` that of the record, both as they were put back.
    """
    live = _live(sessions)
    engine = sa.create_engine(jupyterhub, poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            there = set(sa.inspect(connection).get_table_names())
            if "api_tokens" not in there:
                return 0
            tokens = _tokens(connection)
            kept = of_sessions(tokens, live)
            gone = [{"id": token.id} for token in tokens if token.id not in kept]
            if gone:
                connection.execute(sa.text("DELETE FROM api_tokens WHERE id = :id"), gone)
            for table in there.intersection(_ALL_OF):
                connection.execute(sa.delete(sa.table(table)))
            # a login cookie holds it: who was removed since is not logged in again
            ids = connection.execute(sa.text("SELECT id FROM users")).scalars()
            if fresh := [{"id": number, "cookie": secrets.token_hex(16)} for number in ids]:
                connection.execute(sa.text("UPDATE users SET cookie_id = :cookie WHERE id = :id"), fresh)
    finally:
        engine.dispose()
    return len(gone)


def _tokens(connection: sa.Connection) -> list[Token]:
    query = sa.text(
        "SELECT t.id, t.prefix, u.name, t.client_id, t.scopes FROM api_tokens t LEFT JOIN users u ON u.id = t.user_id"
    )
    return [
        Token(number, prefix or "", user, client or "", tuple(json.loads(scopes or "[]")))
        for number, prefix, user, client, scopes in connection.execute(query)
    ]


def _live(url: str) -> list[LiveSession]:
    """The sessions on a record that are not over, whatever release wrote it."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            inspected = sa.inspect(connection)
            if "sessions" not in inspected.get_table_names():
                return []
            columns = {column["name"] for column in inspected.get_columns("sessions")}
            query = sa.select(
                sa.column("user", sa.String),
                sa.column("server_name", sa.String),
                sa.column("token_hash", sa.String) if "token_hash" in columns else sa.null(),
            )
            query = query.select_from(sa.table("sessions")).where(sa.column("ended_at").is_(None))
            rows = connection.execute(query).all()
            return [LiveSession(row[0], row[1], row[2].partition(" ")[0] if row[2] else None) for row in rows]
    finally:
        engine.dispose()
