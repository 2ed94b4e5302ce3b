"""The hub's service, as a kernel or a terminal of the session asks it. Standard library only."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from . import access
from .common import facts, node

UNREACHABLE = "The hub cannot be reached. Your notebook and kernels are not affected."


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token goes to the hub's service and nowhere else."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def trusted(environment: Mapping[str, str]) -> ssl.SSLContext:
    """What a connection that carries the token trusts, and shows of itself.

    Under internal TLS that is the hub's own authority and no other; else the authorities that the site names, and
    where it names none, those of this node.

    :raises OSError: the session's certificates are gone: it has ended.
    """
    authority = environment.get("JUPYTERHUB_SSL_CLIENT_CA") or environment.get("FABRIC_CA_FILE")
    context = ssl.create_default_context(cafile=authority or None)
    if environment.get("JUPYTERHUB_SSL_CERTFILE"):
        context.load_cert_chain(environment["JUPYTERHUB_SSL_CERTFILE"], environment["JUPYTERHUB_SSL_KEYFILE"])
    return context


def opener(environment: Mapping[str, str]) -> urllib.request.OpenerDirector:
    """For whatever carries the token: no redirects, and no proxy of the user's environment, which would read it.

    The hub is on the cluster's own network.
    """
    secure = urllib.request.HTTPSHandler(context=trusted(environment))
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), secure, _NoRedirects())


def words(content: bytes) -> str:
    """A refusal in the service's own words (a Problem body), as one line; "" when it holds none."""
    try:
        problem = json.loads(content)
        text = f"{problem['message']} {problem.get('hint') or ''}"
        return node.one_line(text) if "reason" in problem else ""  # not a Problem: the hub's own error, or a proxy's
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""


def refusal(status: int, content: bytes) -> str:
    """A sentence for an HTTP error of the service."""
    told = "" if status == 401 else words(content)
    if not told and status in (401, 403):
        return "The hub no longer knows this session; save your work and start a new one from the hub."
    return told or f"The hub does not answer (HTTP {status}). Your notebook and kernels are not affected."


def call(path: str = "", *, method: str = "GET", timeout_s: float = 5.0) -> tuple[dict[str, Any] | None, str]:
    """Ask the service about this session.

    :param path: below the service's ``/session``, as "/datasets".
    :returns: the answer's object ({} when it has none), or None and a sentence that says why.
    """
    url = facts.service_url(os.environ)
    if not url:
        return None, "This kernel was not started by a hub."
    request = urllib.request.Request(
        f"{url}{path}", headers={"Authorization": f"token {access.token()}"}, method=method
    )
    try:
        with opener(os.environ).open(request, timeout=timeout_s) as response:
            content = response.read()
            answer = json.loads(content) if content.strip() else {}
    except urllib.error.HTTPError as error:
        return None, refusal(error.code, error.read())
    except (OSError, ValueError):
        return None, UNREACHABLE
    return (answer, "") if isinstance(answer, dict) else (None, UNREACHABLE)
