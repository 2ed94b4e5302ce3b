"""The hub's service, as the session's own server asks it: beside its other work, for all browser tabs together."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from typing import Any, NamedTuple

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from ..service import UNREACHABLE, refusal

KEEP_S = 10.0
NOT_A_SESSION = "This server was not started by a hub."


class Answer(NamedTuple):
    """``body`` is None where the service gave none that can be used; then ``problem`` says why, and ``status`` how."""

    body: dict[str, Any] | None
    problem: str = ""
    status: int = 200


class Service:
    """The service's ``/session`` with this session's token.

    :param trust: of :func:`..service.trusted`; None where the address is none of HTTPS.
    """

    def __init__(self, url: str, token: str, trust: ssl.SSLContext | None = None) -> None:
        self.url = url
        self._token = token
        self._trust = trust

    async def ask(self, path: str = "", method: str = "GET", body: dict[str, Any] | None = None) -> Answer:
        """One question.

        :param path: below the service's ``/session``, as "/datasets".
        """
        if not self.url:
            return Answer(None, NOT_A_SESSION, 503)
        content = None if method in ("GET", "DELETE") else json.dumps(body or {}).encode()
        request = HTTPRequest(
            f"{self.url}{path}",
            method=method,
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
            body=content,
            ssl_options=self._trust,
            connect_timeout=3.0,
            request_timeout=8.0,
            follow_redirects=False,
        )
        try:
            response = await AsyncHTTPClient().fetch(request)
            answer = json.loads(response.body) if response.body.strip() else {}
        except HTTPClientError as error:
            content = error.response.body if error.response else b""
            return Answer(None, refusal(error.code, content), error.code if 400 <= error.code < 500 else 503)
        except OSError:
            return Answer(None, UNREACHABLE, 503)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            return Answer(None, "The hub's answer could not be read. Your notebook and kernels are not affected.", 503)
        return Answer(answer)


def remembered(before: dict[str, Any] | None, told: dict[str, Any] | None) -> dict[str, Any] | None:
    """What was told before, with what is told now laid over it; null tells nothing. Pure."""
    if before is None or told is None:
        return told if before is None else before
    laid = dict(before)
    for name, value in told.items():
        old = before.get(name)
        laid[name] = remembered(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        if value is None:
            laid[name] = old
    return laid


class Kept:
    """One of the service's answers, asked for at most once in ``keep_s`` seconds.

    ``last`` has the last word on each of its fields, however long ago. A hub that is silent takes nothing back,
    nor does one that has just been started and does not know yet (null).
    """

    def __init__(self, service: Service, path: str = "", keep_s: float = KEEP_S) -> None:
        self._service = service
        self._path = path
        self._keep_s = keep_s
        self._until = 0.0
        self._kept = Answer(None)
        self.last: dict[str, Any] | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Answer:
        async with self._lock:
            if time.monotonic() >= self._until:
                self._kept = await self._service.ask(self._path)
                self._until = time.monotonic() + self._keep_s
                self.last = remembered(self.last, self._kept.body)
            return self._kept

    def forget(self) -> None:
        """Ask again the next time: something was changed."""
        self._until = 0.0
