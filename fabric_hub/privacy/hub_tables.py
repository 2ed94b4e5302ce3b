"""JupyterHub's own database, and the gateway's ledger: every column, and what it is of a person. Pure.

A column is one line: :class:`.model.Personal`, or None where it says nothing of a person.
"""

from __future__ import annotations

from typing import Final

from fabric_hub.messages.texts import privacy as texts

from .model import Link, Personal, Purpose, Store, Table

_BY_USER: Final = (("users", "id", "name"),)
_BY_SPAWNER: Final = (("spawners", "id", "user_id"), ("users", "id", "name"))
_WHEN: Final = Personal(texts.WHEN())
_SECRET: Final = Personal(texts.SECRET(), secret=True)
_NUMBER: Final = Personal(texts.NAME())
_PLACE: Final = Personal(texts.PLACE())


def _table(
    name: str, columns: dict[str, Personal | None], *links: Link, purpose: Purpose = Purpose.LOGIN, valid: bool = False
) -> Table:
    keep = texts.WHILE_VALID() if valid else texts.WHILE_USER()
    return Table(Store.JUPYTERHUB, name, purpose, keep, columns, links)


GROUPS: Final = _table("groups", {"id": None, "name": None, "properties": None})
ROLES: Final = _table("roles", {"id": None, "name": None, "description": None, "scopes": None, "managed_by_auth": None})
GROUP_ROLE_MAP: Final = _table("group_role_map", {"group_id": None, "role_id": None, "managed_by_auth": None})
SERVICE_ROLE_MAP: Final = _table("service_role_map", {"service_id": None, "role_id": None, "managed_by_auth": None})
SERVICES: Final = _table(
    "services",
    dict.fromkeys(
        (
            "id", "name", "admin", "url", "oauth_client_allowed_scopes", "info", "display", "oauth_no_confirm",
            "command", "cwd", "environment", "user", "timeout", "from_config", "_server_id", "pid", "oauth_client_id",
        )
    ),
)  # fmt: skip

OAUTH_CLIENTS: Final = _table(
    "oauth_clients",
    {
        "id": None,
        "identifier": Personal(texts.NAME()),
        "description": Personal(texts.NAME()),
        "secret": _SECRET,
        "redirect_uri": Personal(texts.NAME()),
        "allowed_scopes": Personal(texts.ROLE()),
    },
    Link(
        "identifier",
        through=(("spawners", "oauth_client_id", "user_id"), ("users", "id", "name")),
    ),
)

SERVERS: Final = _table(
    "servers",
    {
        "id": None,
        "proto": _PLACE,
        "ip": _PLACE,
        "port": _PLACE,
        "base_url": Personal(texts.NAME()),
        "cookie_name": Personal(texts.NAME()),
    },
    Link("id", through=(("spawners", "server_id", "user_id"), ("users", "id", "name"))),
    purpose=Purpose.SESSIONS,
)

SPAWNERS: Final = _table(
    "spawners",
    {
        "id": None,
        "user_id": _NUMBER,
        "server_id": _PLACE,
        "state": _PLACE,
        "name": Personal(texts.GIVEN()),
        "display_name": Personal(texts.GIVEN()),
        "started": _WHEN,
        "last_activity": _WHEN,
        "user_options": Personal(texts.CHOICE()),
        "oauth_client_id": _NUMBER,
    },
    Link("user_id", through=_BY_USER),
    purpose=Purpose.SESSIONS,
)

USERS: Final = _table(
    "users",
    {
        "id": _NUMBER,
        "name": Personal(texts.NAME()),
        "user_info": Personal(texts.CONTACT()),
        "admin": Personal(texts.ROLE()),
        "created": _WHEN,
        "last_activity": _WHEN,
        "cookie_id": _SECRET,
        "state": _PLACE,
        "encrypted_auth_state": _SECRET,
    },
    Link("name"),
)

USER_GROUP_MAP: Final = _table(
    "user_group_map",
    {"user_id": _NUMBER, "group_id": Personal(texts.ROLE())},
    Link("user_id", through=_BY_USER),
)

USER_ROLE_MAP: Final = _table(
    "user_role_map",
    {"user_id": _NUMBER, "role_id": Personal(texts.ROLE()), "managed_by_auth": None},
    Link("user_id", through=_BY_USER),
)

API_TOKENS: Final = _table(
    "api_tokens",
    {
        "user_id": _NUMBER,
        "service_id": None,
        "id": None,
        "hashed": _SECRET,
        "prefix": _SECRET,
        "client_id": Personal(texts.NAME()),
        "session_id": _SECRET,
        "created": _WHEN,
        "expires_at": _WHEN,
        "last_activity": _WHEN,
        "note": Personal(texts.WORDS()),
        "scopes": Personal(texts.ROLE()),
    },
    Link("user_id", through=_BY_USER),
    valid=True,
)

OAUTH_CODES: Final = _table(
    "oauth_codes",
    {
        "id": None,
        "client_id": Personal(texts.NAME()),
        "code": _SECRET,
        "expires_at": _WHEN,
        "redirect_uri": Personal(texts.NAME()),
        "session_id": _SECRET,
        "user_id": _NUMBER,
        "scopes": Personal(texts.ROLE()),
        "code_challenge": _SECRET,
        "code_challenge_method": None,
    },
    Link("user_id", through=_BY_USER),
    valid=True,
)

SHARES: Final = _table(
    "shares",
    {
        "user_id": _NUMBER,
        "group_id": None,
        "id": None,
        "created_at": _WHEN,
        "scopes": Personal(texts.ROLE()),
        "expires_at": _WHEN,
        "owner_id": _NUMBER,
        "spawner_id": _NUMBER,
    },
    Link("user_id", through=_BY_USER, only=("created_at", "expires_at")),
    Link("owner_id", through=_BY_USER, only=("created_at", "expires_at", "owner_id", "spawner_id")),
    Link("spawner_id", through=_BY_SPAWNER, only=("created_at", "expires_at", "owner_id", "spawner_id")),
    valid=True,
)

SHARE_CODES: Final = _table(
    "share_codes",
    {
        "hashed": _SECRET,
        "prefix": _SECRET,
        "exchange_count": None,
        "last_exchanged_at": _WHEN,
        "id": None,
        "created_at": _WHEN,
        "scopes": Personal(texts.ROLE()),
        "expires_at": _WHEN,
        "owner_id": _NUMBER,
        "spawner_id": _NUMBER,
    },
    Link("owner_id", through=_BY_USER),
    Link("spawner_id", through=_BY_SPAWNER),
    valid=True,
)

# In the order of an erasure: what is somebody's through another table comes before that one.
TABLES: Final = (
    SHARES, SHARE_CODES, OAUTH_CODES, API_TOKENS, USER_GROUP_MAP, USER_ROLE_MAP, SERVERS, OAUTH_CLIENTS, SPAWNERS,
    USERS, GROUPS, ROLES, SERVICES, GROUP_ROLE_MAP, SERVICE_ROLE_MAP,
)  # fmt: skip

SUBMISSIONS: Final = Table(
    Store.LEDGER,
    "submissions",
    Purpose.SESSIONS,
    texts.DAYS(n=400),
    links=(Link("user"),),
    columns={
        "session": Personal(texts.SESSION()),
        "hub": None,
        "user": Personal(texts.NAME()),
        "identity": None,
        "generation": None,
        "facts": Personal(texts.CHOICE()),
        "port": Personal(texts.PLACE()),
        "at": _WHEN,
    },
)
LEDGER: Final = Table(Store.LEDGER, "ledger", Purpose.OPERATION, texts.UNTIL_ERASED(), {"began_at": None})
RECORDS: Final = Table(
    Store.LEDGER,
    "records",
    Purpose.OPERATION,
    texts.UNTIL_ERASED(),
    {"hub": None, "identity": None, "generation": None, "at": None},
)
LEDGER_TABLES: Final = (SUBMISSIONS, LEDGER, RECORDS)
