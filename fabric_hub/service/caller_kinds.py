"""Kinds of callers, and a line of :mod:`.callers` for one call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from fabric_hub.datasets.policy import ACCEPT_SCOPE
from fabric_hub.sessions.scopes import SERVICE_SCOPE, SESSION_SCOPE

METRICS_SCOPE = "read:metrics"


class Caller(Enum):
    """A kind of caller: who that is, the scopes that a token needs, and what in the code lets nobody else in.

    ``check`` is a function as ``module:name``, or the file that says who may enter a socket's directory.
    """

    ANYBODY = "anybody", (), ""
    TOKEN = "a person, a session or a service", (SERVICE_SCOPE,), "fabric_hub.service.deps:token_caller"
    SESSION = (
        "a live session, about itself",
        (SERVICE_SCOPE, SESSION_SCOPE),
        "fabric_hub.service.deps:session_caller",
    )
    PERSON = "a person; no session, no service", (SERVICE_SCOPE,), "fabric_hub.service.deps:person_caller"
    IN_PROJECT = (
        "a person, for a project that they are in",
        (SERVICE_SCOPE,),
        "fabric_hub.service.deps:person_caller",
    )
    ACCEPTING = (
        "a person; no session, no service",
        (SERVICE_SCOPE, ACCEPT_SCOPE),
        "fabric_hub.service.deps:accepting_caller",
    )
    MEMBER = (
        "a person, for a project of which they are a member",
        (SERVICE_SCOPE, ACCEPT_SCOPE),
        "fabric_hub.service.deps:accepting_caller",
    )
    METRICS = "Prometheus, or who else may read metrics", (METRICS_SCOPE,), "fabric_hub.service.deps:metrics_reader"
    LOGGED_IN = "who has logged in at the hub, never by a token", (), "tornado.web:authenticated"
    OPERATOR = (
        "an operator (`login.admins`) who has logged in at the hub, never by a token",
        (),
        "fabric_hub.hub.pages.operate:operator_of",
    )
    STARTER = "who may start that user's servers", ("start:servers",), "jupyterhub.scopes:needs_scope"
    FOLLOWER = "who may read that user's servers", ("read:servers",), "jupyterhub.scopes:needs_scope"
    EDITOR = "who may edit people", ("admin:users",), "jupyterhub.scopes:needs_scope"
    HUB_AT_GATEWAY = "the hub's account", (), "packaging/systemd/fabric-gateway.service"
    HUB_AT_CATALOGUE = "the hub's account", (), "packaging/tmpfiles.d/fabric-hub.conf"

    def __init__(self, who: str, scopes: tuple[str, ...], check: str) -> None:
        self.who, self.scopes, self.check = who, scopes, check


@dataclass(frozen=True)
class Line:
    """One call, and who may make it.

    :param operation: verb and path; the verb ``*`` is every verb.
    :param note: why anybody may, or what is looked at beside the check.
    :param handler: of the hub's own pages: the class that answers, as ``module:name``.
    :param documented: whether the service's OpenAPI document has it.
    """

    operation: str
    caller: Caller
    note: str = ""
    handler: str = ""
    documented: bool = True


def lines(caller: Caller, prefix: str, *operations: str) -> tuple[Line, ...]:
    """A line for each of several calls of one caller; an operation is a verb and the path below the prefix."""
    split = (operation.split(" ", 1) for operation in operations)
    return tuple(Line(f"{verb} {prefix}{path}", caller) for verb, path in split)
