"""The gateway's API for everybody else: types in, types out, errors as FabricErrors."""

from __future__ import annotations

from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts.daemons import START_GATEWAY
from fabric_hub.rpc.client import M, UnixClient
from fabric_hub.rpc.problem import Problem
from fabric_hub.slurm.accounting import Accounting
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import CancelRequest, ExtendRequest, Found, SessionLog, Snapshot, SubmitRequest, Submitted
from fabric_hub.slurm.records import PortNote, RecordStatement, Witnessed
from fabric_hub.slurm.storage import StorageAnswer
from fabric_hub.slurm.unavailable import SlurmUnavailableError

from .api import LONGEST_WAIT_S, Health
from .projects.answers import ApplyBody, ProjectsApplied, ProjectsPlan

# A first round makes accounts and people one after another: thousands, at a site that has had them elsewhere before.
PROJECTS_S = 3600.0
# Longer than slurm.accounting_timeout_s of a few questions, and of whoever asked before.
ACCOUNTING_S = 1800.0


class GatewayUnavailableError(SlurmUnavailableError):
    """The gateway itself does not answer: nothing is known of Slurm, and nothing has changed."""


class GatewayClient(UnixClient):
    """Asks the gateway on its Unix socket.

    :param socket: the site's ``gateway.socket``.
    :param timeout_s: for verbs that run one of Slurm's clients; longer than the gateway's own limits.
    """

    who = "gateway"
    when_unavailable = START_GATEWAY

    def __init__(self, socket: Path, *, timeout_s: float = 150.0) -> None:
        super().__init__(socket, timeout_s=timeout_s)

    def unavailable(self, message: Text, hint: Text | None = None) -> FabricError:
        return GatewayUnavailableError(message, hint=hint)

    def refused(self, problem: Problem, status: int) -> FabricError:
        if status == 503 and problem.reason == "slurm-unavailable":
            said, advice = (Text.model_validate(part) for part in problem.parts)
            return SlurmUnavailableError(said, since=problem.since, hint=advice)
        return super().refused(problem, status)

    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot:
        """What is known of Slurm.

        :param after: wait for a serial other than this one.
        :param fresh: wait for an answer that Slurm was asked for at or after this moment (Unix
            seconds), or until such a question went unanswered (``unavailable_since`` is set then).
        :param wait_s: at most this long, and never longer than 30 s.
        """
        return await self._wait_for(Snapshot, "/v1/snapshot", after, wait_s, fresh)

    async def limits(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits:
        """Slurm's limits and their use; waits as :meth:`snapshot` does."""
        return await self._wait_for(Limits, "/v1/limits", after, wait_s, fresh)

    async def accounting(self, start: float, end: float) -> Accounting:
        """The jobs that ran between two moments (Unix seconds), from Slurm's database; at most a few days at once."""
        wanted = {"start": start, "end": end}
        return await self.ask(Accounting, "GET", "/v1/accounting", params=wanted, timeout=ACCOUNTING_S)

    async def storage(self, user: str) -> StorageAnswer:
        """What the file systems' quota tools say of a user's storage."""
        return await self.ask(StorageAnswer, "GET", "/v1/storage", params={"user": user})

    async def _wait_for(self, kind: type[M], path: str, after: int | None, wait_s: float, fresh: float | None) -> M:
        wait_s = min(wait_s, LONGEST_WAIT_S)
        wanted = {"after": after, "wait": wait_s, "fresh": fresh}
        query = {name: value for name, value in wanted.items() if value is not None}
        return await self.ask(kind, "GET", path, params=query, timeout=wait_s + 30.0)

    async def submit(self, request: SubmitRequest) -> Submitted:
        """Submit a session's job, or adopt the one it has."""
        return await self.ask(Submitted, "POST", "/v1/jobs", content=request.model_dump_json())

    async def find(self, session: str, user: str, job_id: int) -> Found:
        """What Slurm says of a session's job by its number: for one that is missing from a snapshot."""
        query = {"session": session, "user": user}
        return await self.ask(Found, "GET", f"/v1/jobs/{job_id}", params=query)

    async def cancel(self, request: CancelRequest) -> None:
        """End a session's job; no job is no error."""
        await self.send("POST", "/v1/jobs/cancel", content=request.model_dump_json())

    async def extend(self, request: ExtendRequest) -> None:
        """Let a session's running job have more time."""
        await self.send("POST", "/v1/jobs/extend", content=request.model_dump_json())

    async def log(self, session: str, user: str) -> SessionLog:
        """The last lines of a session's log."""
        return await self.ask(SessionLog, "GET", f"/v1/sessions/{session}/log", params={"user": user})

    async def remove(self, session: str, user: str) -> None:
        """Remove a session's private directory; its log stays."""
        await self.send("DELETE", f"/v1/sessions/{session}", params={"user": user})

    async def records(self, told: RecordStatement) -> Witnessed:
        """Say how far the hub's record is, and ask what the gateway has kept of sessions.

        Whether a record is older than what the gateway was told of: ask with nothing told, and hold ``seen`` against
        the record's lines (:func:`fabric_hub.slurm.records.standing_of`).
        """
        return await self.ask(Witnessed, "POST", "/v1/records", content=told.model_dump_json())

    async def listens(self, session: str, note: PortNote) -> None:
        """Say where a session's server listens."""
        await self.send("POST", f"/v1/sessions/{session}/port", content=note.model_dump_json())

    async def projects_plan(self) -> ProjectsPlan:
        """What is to be done in Slurm so that it is as the projects say, and what was changed there by hand."""
        return await self.ask(ProjectsPlan, "GET", "/v1/projects/plan", timeout=PROJECTS_S)

    async def projects_apply(self, body: ApplyBody) -> ProjectsApplied:
        """Do it now."""
        content = body.model_dump_json()
        return await self.ask(ProjectsApplied, "POST", "/v1/projects/apply", content=content, timeout=PROJECTS_S)

    async def health(self) -> Health:
        """How the gateway fares."""
        return await self.ask(Health, "GET", "/v1/health", timeout=10.0)
