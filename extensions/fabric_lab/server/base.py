"""What all our handlers share: whom they answer, how, and with what of the hub's service."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from ..client import Answer, AsyncHubClient
from ..common.translation import _

KEEP_S = 10.0


class FabricHandler(APIHandler):
    """Answers with JSON that no browser keeps."""

    auth_resource = "fabric"

    def respond(self, body: Mapping[str, object], status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(body))

    def refuse(self, status: int, message: str, reason: str) -> None:
        """Say no, in words for the person. The front end takes an answer with a ``reason`` for this server's own."""
        self.respond({"message": message, "reason": reason}, status)

    def pass_on(self, answer: Answer) -> None:
        """The service's answer, or its refusal in its own words."""
        if answer.body is None:
            self.refuse(answer.status, answer.problem, "hub")
        else:
            self.respond(answer.body)

    def body(self, *, optional: bool = False) -> dict[str, Any]:
        """The request's own object; one that is ``optional`` is empty where there is none.

        :raises HTTPError: it is no object.
        """
        body = self.get_json_body()
        if body is None and optional:
            return {}
        if not isinstance(body, dict):
            raise HTTPError(400, _("The body must be an object."))
        return body


def remembered(before: dict[str, Any] | None, now: dict[str, Any] | None) -> dict[str, Any] | None:
    """What was told before, with what is told now laid over it; null tells nothing. Pure."""
    if before is None or now is None:
        return now if before is None else before
    laid = dict(before)
    for name, value in now.items():
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

    def __init__(self, service: AsyncHubClient, path: str = "", keep_s: float = KEEP_S) -> None:
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
