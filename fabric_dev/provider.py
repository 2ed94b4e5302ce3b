"""The identity provider of an embedded run (``fabric-hub up --oidc``): a real one, for whoever is on this machine.

It asks for no password: whoever reaches it logs in as anybody it knows. So it listens on loopback only, and says so.
"""

from __future__ import annotations

import http.client
import json
import os
import pwd
from contextlib import closing
from importlib.util import find_spec
from typing import Any

from fabric_hub.errors import FabricError

from . import demo
from .cluster import Daemon
from .layout import Layout
from .processes import Account
from .runtime import Runtime

NAME, CLIENT = "demo", "fabric-hub"
TITLE = "Demo institution"
PROGRAM = "oidc_provider_mock"
_GROUP = "urn:mace:example.org:group:demo"


def check() -> None:
    """See that it is installed.

    :raises FabricError: it is not.
    """
    if find_spec(PROGRAM) is None:
        raise FabricError(
            "The identity provider of --oidc, oidc-provider-mock, is not installed.",
            reason="installation",
            hint="It comes with what tests need: make setup-dev. Or leave --oidc out.",
        )


def issuer(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def setting(layout: Layout, port: int) -> dict[str, Any]:
    """Its table in the run's site file, login.provider."""
    return {
        NAME: {
            "title": TITLE,
            "issuer": issuer(port),
            "client_id": CLIENT,
            "client_secret_file": layout.provider_secret,
            # whom it knows is written below, and nobody there names themselves
            "account_claim_assigned": True,
        }
    }


def people() -> list[dict[str, Any]]:
    """Whom it knows, and what it says of them: the demo's people."""
    return [
        {
            "sub": f"{user}-at-demo",
            "preferred_username": user,
            "name": user.capitalize(),
            "email": f"{user}@example.org",
            "organization": TITLE,
            "eduperson_entitlement": [f"{_GROUP}:{name}" for name in _projects_of(user)],
        }
        for user in demo.ACCOUNTS
    ]


def _projects_of(user: str) -> list[str]:
    return [name for name, project in demo.PROJECTS.items() if user in demo.members(project)]


def daemon(layout: Layout, runtime: Runtime, environment: dict[str, str], port: int) -> Daemon:
    """It as a process: as root it runs as nobody, who may read none of the run's files."""
    known = [part for person in people() for part in ("--user-claims", json.dumps(person))]
    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    return Daemon(
        "provider",
        [str(runtime.python), "-m", PROGRAM, "--port", str(port), "--require-nonce", "true", *known],
        lambda: "" if _answers(port) else f"nobody answers at {issuer(port)}",
        environment,
        layout.root,
        Account(entry.pw_uid, entry.pw_gid) if entry else None,
        restart=True,
    )


def _answers(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/.well-known/openid-configuration")
            found = json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return False
        return bool(found.get("issuer") == issuer(port))
