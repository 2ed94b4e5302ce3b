"""The gateway's API for everybody else: types in, types out, errors as FabricErrors."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from ..errors import FabricError, SlurmUnavailableError
from ..model import CancelRequest, Problem, SessionLog, Snapshot, SubmitRequest, Submitted
from .verbs import LONGEST_WAIT_S, Health

M = TypeVar("M", bound=BaseModel)


class GatewayUnavailableError(SlurmUnavailableError):
    """The gateway itself does not answer: nothing is known of Slurm, and nothing has changed."""


class GatewayClient:
    """Asks the gateway on its Unix socket.

    :param socket: the site's ``gateway.socket``.
    :param timeout_s: for verbs that run one of Slurm's clients; longer than the gateway's own limits.

    Use it as an async context manager, or call :meth:`aclose`.
    """

    def __init__(self, socket: Path, *, timeout_s: float = 150.0) -> None:
        self._socket = socket
        self._timeout_s = timeout_s
        # many readers may wait for a snapshot at the same time
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
        # a Unix socket needs no certificates (reading the system's takes a tenth of a second), and no proxy
        transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=limits, verify=False)
        self._http = httpx.AsyncClient(
            transport=transport, base_url="http://gateway", timeout=timeout_s, verify=False, trust_env=False
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

    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot:
        """What is known of Slurm.

        :param after: wait for a serial above this one.
        :param fresh: wait for an answer that Slurm was asked for at or after this moment (Unix
            seconds), or until such a question went unanswered (``silent_since`` is set then).
        :param wait_s: at most this long, and never longer than 30 s.
        """
        wait_s = min(wait_s, LONGEST_WAIT_S)
        wanted = {"after": after, "wait": wait_s, "fresh": fresh}
        query = {name: value for name, value in wanted.items() if value is not None}
        return await self._ask(Snapshot, "GET", "/v1/snapshot", params=query, timeout=wait_s + 30.0)

    async def submit(self, request: SubmitRequest) -> Submitted:
        """Submit a session's job, or adopt the one it has."""
        return await self._ask(Submitted, "POST", "/v1/jobs", content=request.model_dump_json())

    async def cancel(self, request: CancelRequest) -> None:
        """End a session's job; no job is no error."""
        await self._send("POST", "/v1/jobs/cancel", content=request.model_dump_json())

    async def log(self, session: str, user: str) -> SessionLog:
        """The last lines of a session's log."""
        return await self._ask(SessionLog, "GET", f"/v1/sessions/{session}/log", params={"user": user})

    async def remove(self, session: str, user: str) -> None:
        """Remove a session's private directory; its log stays."""
        await self._send("DELETE", f"/v1/sessions/{session}", params={"user": user})

    async def health(self) -> Health:
        """How the gateway fares."""
        return await self._ask(Health, "GET", "/v1/health", timeout=10.0)

    async def _ask(self, kind: type[M], method: str, path: str, **options: Any) -> M:
        answer = await self._send(method, path, **options)
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            raise GatewayUnavailableError(
                f"On {self._socket} answers no gateway of this version ({error.error_count()} fields differ).",
                hint="Restart hub and gateway from the same installation.",
            ) from None

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        if "content" in options:
            options["headers"] = {"Content-Type": "application/json"}
        try:
            answer = await self._http.request(method, path, **options)
        except httpx.TimeoutException:
            raise GatewayUnavailableError(
                f"The gateway on {self._socket} did not answer in time.", hint="Ask the operators to look at its log."
            ) from None
        except httpx.TransportError as error:
            raise GatewayUnavailableError(
                f"The gateway is not running: nothing answers on {self._socket} ({error}).",
                hint="Nothing is lost: sessions keep running. The operators must start the gateway.",
            ) from error
        if answer.is_success:
            return answer
        raise _error(answer)


def _error(answer: httpx.Response) -> FabricError:
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        return FabricError(f"The gateway answered with status {answer.status_code}.", reason="gateway", status=502)
    if answer.status_code == 503 and problem.reason == "slurm-unavailable":
        return SlurmUnavailableError(problem.message, since=problem.since, hint=problem.hint)
    return FabricError(problem.message, reason=problem.reason, hint=problem.hint, status=answer.status_code)
