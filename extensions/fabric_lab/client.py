"""The hub's service, asked with this session's token: the only way there, for all that runs in a session.

The token goes to the service and to nobody else. No redirect is followed and no proxy of the user's environment asked,
which would read it: the hub is on the cluster's own network. Whom a connection trusts is in :func:`trusted`. The
service is asked to answer in the session's language and time zone. Cheap to import: the standard library only; what
asyncio needs comes with the first question.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from . import access
from .common.formats import zone_name
from .common.lines import one_line
from .common.translation import N_, _, language

UNREACHABLE = N_("The hub cannot be reached. Your notebook and kernels are not affected.")
UNREADABLE = N_("The hub's answer could not be read. Your notebook and kernels are not affected.")
OVER = N_("The hub no longer knows this session; save your work and start a new one from the hub.")
# Seconds: a person waits for most answers.
LIMIT_S, CONNECT_S = 8.0, 3.0
CALL_S = 5.0
# Under internal TLS: with what a session is known to its hub, and who may say to be that.
_TRUST = ("FABRIC_CA_FILE", "JUPYTERHUB_SSL_KEYFILE", "JUPYTERHUB_SSL_CERTFILE", "JUPYTERHUB_SSL_CLIENT_CA")
_SERVICE = "FABRIC_SERVICE_URL"


class HubError(Exception):
    """The service did not answer, or refused; the message is a sentence for the user.

    ``status`` is that of its refusal, 503 when there was no answer.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Reply(NamedTuple):
    """What came back: an HTTP status and a body, or status 0 and why nothing did."""

    status: int
    content: bytes = b""
    error: str = ""


class Answer(NamedTuple):
    """``body`` is None where the service gave none that can be used; then ``problem`` says why, and ``status`` how."""

    body: dict[str, Any] | None
    problem: str = ""
    status: int = 200

    def unwrap(self) -> dict[str, Any]:
        """The body.

        :raises HubError: there is none.
        """
        if self.body is None:
            raise HubError(self.problem, self.status)
        return self.body


def problem_text(content: bytes) -> str:
    """A refusal in the service's own words (a Problem body), as one line; "" when it holds none."""
    try:
        problem = json.loads(content)
        text = f"{problem['message']} {problem.get('hint') or ''}"
        return one_line(text) if "reason" in problem else ""  # not a Problem: the hub's own error, or a proxy's
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""


def decode(reply: Reply) -> Answer:
    """What a reply of the service means. Pure."""
    if not reply.status:
        return Answer(None, _(UNREACHABLE), 503)
    if not 200 <= reply.status < 300:
        text = "" if reply.status == 401 else problem_text(reply.content)
        if not text and reply.status in (401, 403):
            text = _(OVER)
        text = text or _("The hub does not answer (HTTP {status}). Your notebook and kernels are not affected.").format(
            status=reply.status
        )
        return Answer(None, text, reply.status if 400 <= reply.status < 500 else 503)
    try:
        body = json.loads(reply.content) if reply.content.strip() else {}
    except ValueError:
        body = None
    return Answer(body) if isinstance(body, dict) else Answer(None, _(UNREADABLE), 503)


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


def credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """What a client needs of an environment, to hand it on without an environment; empty outside a session."""
    found = {name: environment[name] for name in (_SERVICE, *_TRUST) if environment.get(name)}
    return {**found, access.TOKEN: access.token(environment)} if _SERVICE in found else {}


class _Client:
    """The service's ``/session`` with this session's token.

    :param environment: the session's, or what :func:`credentials` has taken of one.
    :param token: of the session; by default the environment's.
    :ivar url: "" where no hub has started this: then every answer says so.
    """

    no_hub = N_("This kernel was not started by a hub.")

    def __init__(self, environment: Mapping[str, str], token: str | None = None) -> None:
        base = environment.get(_SERVICE, "").rstrip("/")
        self.url = f"{base}/session" if base and (token or access.known(environment)) else ""
        self._environment = environment
        self._token = token

    @cached_property
    def _trust(self) -> ssl.SSLContext | None:
        return trusted(self._environment) if self.url.startswith("https:") else None

    def _headers(self) -> dict[str, str]:
        token = access.token(self._environment) if self._token is None else self._token
        zone = zone_name()
        return {
            "Authorization": f"token {token}",
            "Content-Type": "application/json",
            "Accept-Language": language(),
            **({"X-Time-Zone": zone} if zone else {}),
        }

    def _no_session(self) -> Answer:
        return Answer(None, _(self.no_hub), 503)


def _content(method: str, body: Mapping[str, Any] | None) -> bytes | None:
    return None if method in ("GET", "DELETE") else json.dumps(body or {}).encode()


class HubClient(_Client):
    """For what waits: kernels, terminals, threads."""

    def ask(
        self, path: str = "", method: str = "GET", body: Mapping[str, Any] | None = None, *, timeout_s: float = LIMIT_S
    ) -> Answer:
        """One question.

        :param path: below the service's ``/session``, as "/datasets".
        :param timeout_s: the longest silence that is waited for.
        """
        if not self.url:
            return self._no_session()
        return decode(self._send(path, method, body, timeout_s))

    def _send(self, path: str, method: str, body: Mapping[str, Any] | None, timeout_s: float) -> Reply:
        # http.client, as it is, knows neither proxies nor redirects
        parts = urlsplit(f"{self.url}{path}")
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        host, port = parts.hostname or "", parts.port
        try:
            connection = (
                http.client.HTTPConnection(host, port, timeout=timeout_s)
                if self._trust is None
                else http.client.HTTPSConnection(host, port, timeout=timeout_s, context=self._trust)
            )
            try:
                connection.request(method, target, _content(method, body), self._headers())
                response = connection.getresponse()
                return Reply(response.status, response.read())
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            return Reply(0, error=str(error) or type(error).__name__)


class AsyncHubClient(_Client):
    """For the session's own server and its launcher, beside their other work."""

    no_hub = N_("This server was not started by a hub.")

    async def ask(self, path: str = "", method: str = "GET", body: Mapping[str, Any] | None = None) -> Answer:
        """As :meth:`HubClient.ask`."""
        return decode(await self.send(path, method, body)) if self.url else self._no_session()

    async def send(
        self,
        path: str,
        method: str,
        body: Mapping[str, Any] | None = None,
        *,
        connect_s: float = CONNECT_S,
        timeout_s: float = LIMIT_S,
    ) -> Reply:
        """One request as it is answered, for who makes more of the status than :func:`decode` does."""
        from tornado.httpclient import HTTPClientError, HTTPRequest
        from tornado.simple_httpclient import SimpleAsyncHTTPClient  # by name: another may have been configured

        try:
            request = HTTPRequest(
                f"{self.url}{path}",
                method=method,
                headers=self._headers(),
                body=_content(method, body),
                ssl_options=self._trust,
                connect_timeout=connect_s,
                request_timeout=timeout_s,
                follow_redirects=False,
            )
            response = await SimpleAsyncHTTPClient().fetch(request, raise_error=False)
        except (OSError, HTTPClientError) as error:  # the latter: too late, or cut short
            return Reply(0, error=str(error))
        return Reply(response.code, response.body or b"")


def call(path: str = "", *, method: str = "GET", timeout_s: float = CALL_S) -> tuple[dict[str, Any] | None, str]:
    """Ask the service about this session.

    :param path: below the service's ``/session``, as "/datasets".
    :returns: the answer's object ({} when it has none), or None and a sentence that says why.
    """
    answer = HubClient(os.environ).ask(path, method, timeout_s=timeout_s)
    return answer.body, answer.problem
