"""Where a session's clusters are kept, and what the hub says about them."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from ..access import TOKEN
from ..access import token as session_token
from ..service import opener

HUB_LIMIT_S = 10.0
# Under internal TLS: with what a session is known to its hub, and who may say to be that.
CERTIFICATES = ("KEYFILE", "CERTFILE", "CLIENT_CA")


class HubError(Exception):
    """The hub did not answer, or refused; the message is a sentence for the user.

    ``status`` is that of its refusal, 0 when there was no answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def access(environment: Mapping[str, str]) -> dict[str, str]:
    """What :func:`ask` needs of an environment, to hand it on without an environment; empty outside a session."""
    names = ("FABRIC_SERVICE_URL", "FABRIC_CA_FILE", *(f"JUPYTERHUB_SSL_{one}" for one in CERTIFICATES))
    told = {name: environment[name] for name in names if environment.get(name)}
    return {**told, TOKEN: session_token(environment)} if names[0] in told else {}


def ask(path: str, body: Mapping[str, Any] | None = None, environment: Mapping[str, str] = os.environ) -> Any:
    """GET (or POST ``body`` to) the hub's service with the session's own token.

    :raises HubError: in the service's words, or why it cannot be asked.
    """
    base = environment.get("FABRIC_SERVICE_URL", "").rstrip("/")
    token = session_token(environment)
    if not base or not token:
        raise HubError("This is no session of a hub.")
    request = urllib.request.Request(
        f"{base}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
    )
    try:
        with opener(environment).open(request, timeout=HUB_LIMIT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        try:
            problem = json.load(error)
            words = f"{problem['message']} {problem.get('hint', '')}".strip()
        except (ValueError, KeyError, TypeError):
            words = f"The hub answered with HTTP {error.code}."
        raise HubError(words, error.code) from None
    except (OSError, ValueError) as error:
        raise HubError(f"The hub cannot be reached: {error}.") from None
