"""What a session's own token may do, and nothing else."""

SESSION_SCOPE = "custom:fabric:session"
# What every call of the service needs but its health, and its metrics, which have a scope of their own.
SERVICE_SCOPE = "access:services!service=fabric"

# users:activity is JupyterHub's own need; access:servers!server names the session; the rest opens this service.
SESSION_TOKEN_SCOPES = (
    "users:activity!user",
    "access:servers!server",
    SERVICE_SCOPE,
    SESSION_SCOPE,
)

_ACCESS_SERVER = "access:servers!server="


def scopes_of(user: str, server: str) -> list[str]:
    """The scopes of the token of a user's server, as the hub writes them out; :func:`server_of` reads them."""
    return [
        SESSION_SCOPE,
        f"{_ACCESS_SERVER}{user}/{server}",
        SERVICE_SCOPE,
        f"users:activity!user={user}",
    ]


def may_call(scopes: list[str] | tuple[str, ...]) -> bool:
    """Whether a token was made for our service, among others or alone."""
    return SERVICE_SCOPE in scopes or SERVICE_SCOPE.partition("!")[0] in scopes


def server_of(user: str, scopes: list[str] | tuple[str, ...]) -> str | None:
    """The server name a session's token belongs to, or None when it is not a session's token.

    A session's token may open exactly one server, its own; a person's token may open all of a user's.
    """
    if SESSION_SCOPE not in scopes:
        return None
    servers = {scope.removeprefix(_ACCESS_SERVER) for scope in scopes if scope.startswith(_ACCESS_SERVER)}
    broad = any(scope == "access:servers" or scope.startswith("access:servers!user") for scope in scopes)
    if len(servers) != 1 or broad:
        return None
    owner, slash, server = servers.pop().partition("/")
    return server if slash and owner == user else None
