"""What asks a daemon of ours on its Unix socket: types in, types out, errors as FabricErrors."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import daemons as texts

from .problem import Problem, name_of

# How long an idle connection is used again; the daemon (server.IDLE_S) closes it later, never while a request comes.
IDLE_S = 5.0
M = TypeVar("M", bound=BaseModel)


class UnixClient:
    """Asks one daemon over HTTP/JSON on its Unix socket. A subclass names it, and has its verbs.

    :param socket: the path of the daemon's socket.
    :param timeout_s: for verbs that say nothing else.

    Use it as an async context manager, or call :meth:`aclose`.
    """

    who = "daemon"  # its name in English
    when_unavailable = texts.START_IT

    def __init__(self, socket: Path, *, timeout_s: float) -> None:
        self._socket = socket
        # many readers may wait for news at the same time
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=IDLE_S)
        # a Unix socket needs no certificates (reading the system's takes a tenth of a second), and no proxy
        transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=limits, verify=False)
        self._http = httpx.AsyncClient(
            transport=transport, base_url="http://daemon", timeout=timeout_s, verify=False, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def unavailable(self, message: Text, hint: Text | None = None) -> FabricError:
        """The error for a daemon that does not answer, or not as one of ours."""
        return FabricError(message, reason=f"{name_of(self.who)}-unavailable", hint=hint, status=503)

    def refused(self, problem: Problem, status: int) -> FabricError:
        """The error for what the daemon said no to."""
        return problem.error(status)

    async def ask(self, kind: type[M], method: str, path: str, **options: Any) -> M:
        """Send a request whose answer is of a type.

        :param options: as httpx takes them; ``content`` is JSON.
        :raises FabricError: it does not answer, answers something else, or refuses.
        """
        answer = await self.send(method, path, **options)
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            raise self.unavailable(texts.OTHER_VERSION(**self._named(), n=error.error_count())) from None

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; errors as :meth:`ask` raises them."""
        if "content" in options:
            options["headers"] = {"Content-Type": "application/json"}
        try:
            answer = await self._http.request(method, path, **options)
        except httpx.TimeoutException:
            raise self.unavailable(texts.TOO_SLOW(**self._named())) from None
        except httpx.TransportError as error:
            text = texts.NOT_RUNNING(**self._named(), why=str(error))
            raise self.unavailable(text, self.when_unavailable()) from error
        if answer.is_success:
            return answer
        try:
            problem = Problem.model_validate_json(answer.content)
        except ValidationError:
            text = texts.STATUS(who=texts.called(self.who), code=answer.status_code)
            raise FabricError(text, reason=name_of(self.who)) from None
        raise self.refused(problem, answer.status_code)

    def _named(self) -> dict[str, Text | str]:
        return {"who": texts.called(self.who), "socket": str(self._socket)}
