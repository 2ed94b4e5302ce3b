"""What asks a daemon of ours on its Unix socket: types in, types out, errors as FabricErrors."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from fabric_hub.errors import FabricError

from .problem import Problem, name_of

M = TypeVar("M", bound=BaseModel)


class UnixClient:
    """Asks one daemon over HTTP/JSON on its Unix socket. A subclass names it, and has its verbs.

    :param socket: the path of the daemon's socket.
    :param timeout_s: for verbs that say nothing else.

    Use it as an async context manager, or call :meth:`aclose`.
    """

    who = "daemon"  # in words
    when_unavailable = "The operators must start it."

    def __init__(self, socket: Path, *, timeout_s: float) -> None:
        self._socket = socket
        # many readers may wait for news at the same time
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
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

    def unavailable(self, message: str, hint: str) -> FabricError:
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
            raise self.unavailable(
                f"On {self._socket} answers no {self.who} of this version ({error.error_count()} fields differ).",
                f"Restart hub and {self.who} from the same installation.",
            ) from None

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; errors as :meth:`ask` raises them."""
        if "content" in options:
            options["headers"] = {"Content-Type": "application/json"}
        try:
            answer = await self._http.request(method, path, **options)
        except httpx.TimeoutException:
            raise self.unavailable(
                f"The {self.who} on {self._socket} did not answer in time.", "Ask the operators to look at its log."
            ) from None
        except httpx.TransportError as error:
            raise self.unavailable(
                f"The {self.who} is not running: nothing answers on {self._socket} ({error}).", self.when_unavailable
            ) from error
        if answer.is_success:
            return answer
        try:
            problem = Problem.model_validate_json(answer.content)
        except ValidationError:
            raise FabricError(
                f"The {self.who} answered with status {answer.status_code}.", reason=name_of(self.who), status=502
            ) from None
        raise self.refused(problem, answer.status_code)
