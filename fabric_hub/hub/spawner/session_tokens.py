"""Tokens end with the session that they were made for.

JupyterHub 6.1 deletes the token of a server that it stops, if it remembers it: a hub that was started again does
not, and a session that ended without JupyterHub's doing leaves its own, which opens the next session of that name.
So what belongs to a server is found in JupyterHub's database: its own tokens by their scopes, its visitors' by its
OAuth client.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.utils import hash_token

from fabric_hub.sessions.scopes import SESSION_SCOPE, server_of

from . import operator_access

log = logging.getLogger(__name__)


def hash_of(token: str) -> str:
    """By what JupyterHub knows a token that it made, also in another database: its first letters, and its hash.

    Such tokens are random: one round of hashing is what JupyterHub itself takes for them.
    """
    return f"{token[: orm.APIToken.prefix_length]} {hash_token(token, rounds=1)}"


def restore(db: Any, token: str, client_id: str, known: str) -> None:
    """Let the token that a session's job has be its server's again, in place of one that was just made for it.

    :param token: the new one, which nobody has been told.
    :param client_id: of the server's OAuth client, whose secret a server's token is.
    :param known: see :func:`hash_of`.
    """
    fresh = orm.APIToken.find(db, token)
    client = db.query(orm.OAuthClient).filter_by(identifier=client_id).one_or_none()
    prefix, _, hashed = known.partition(" ")
    if fresh is not None:
        fresh.prefix, fresh.hashed = prefix, hashed
    if client is not None:
        client.secret = hashed
    db.commit()


def revoke(db: Any, user: str, server: str, *, keep: str = "", visitors: bool = True) -> int:
    """Delete all tokens of a user's server but one.

    :param db: JupyterHub's database.
    :param keep: the token of its session that lives.
    :param visitors: whether the tokens of its visitors' browsers are deleted, too.
    :returns: how many were deleted.
    """
    kept = orm.APIToken.find(db, keep) if keep else None
    found = [token for token in _own(db, user) if server_of(user, token.scopes) == server]
    if visitors:
        found += _visitors(db, user, server)
        operator_access.close(db, user, server)
    return _delete(db, [token for token in found if token is not kept])


def revoke_all_but(db: Any, live: Callable[[str, str], bool]) -> int:
    """Delete the tokens of all servers without a live session.

    :param live: (user, server name) -> whether its session lives.
    """
    found = []
    for token in _own(db):
        server = server_of(token.user.name, token.scopes)
        if server is not None and not live(token.user.name, server):
            found.append(token)
    for spawner in db.query(orm.Spawner).filter(orm.Spawner.oauth_client_id.is_not(None)):
        if not live(spawner.user.name, spawner.name):
            found += _visitors(db, spawner.user.name, spawner.name)
            operator_access.close(db, spawner.user.name, spawner.name)
    return _delete(db, found)


def _own(db: Any, user: str | None = None) -> list[Any]:
    tokens = db.query(orm.APIToken).join(orm.User).filter(sa.cast(orm.APIToken.scopes, sa.Text).contains(SESSION_SCOPE))
    return list(tokens if user is None else tokens.filter(orm.User.name == user))


def _visitors(db: Any, user: str, server: str) -> list[Any]:
    spawners = db.query(orm.Spawner).join(orm.User).filter(orm.User.name == user, orm.Spawner.name == server)
    return [token for spawner in spawners if spawner.oauth_client for token in spawner.oauth_client.access_tokens]


def _delete(db: Any, tokens: list[Any]) -> int:
    for token in tokens:
        db.delete(token)
    if tokens:
        db.commit()
        log.info("Deleted %d tokens of sessions that are over", len(tokens))
    return len(tokens)
