"""What both kinds of child have in common, and what the wrapper asks of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Protocol

from fabric_hub.config.settings import Settings
from fabric_hub.hub import session_calls
from fabric_hub.hub.readers import reader_of
from fabric_hub.launch.choice import Choice
from fabric_hub.messages.reader import Reader
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import JobSpec, Snapshot

from .runtime import HubRuntime


class SessionChild(Protocol):
    """A spawner that runs one session; every verb may raise FabricError unless it says otherwise."""

    session: Session | None
    api_token: str
    job_spec: JobSpec | None  # of this start, made once by the wrapper; None: it has no job

    @staticmethod
    def refuse_if_impossible(
        settings: Settings, choice: Choice, spec: JobSpec | None, snapshot: Snapshot | None
    ) -> None:
        """Refuse what can never run."""

    @staticmethod
    async def end_job(shared: HubRuntime, session: Session, why: Any) -> None:
        """End what an earlier hub left of a session."""

    async def move_certs(self, paths: dict[str, str]) -> dict[str, str]:
        """Take the session's certificates; returns their paths as the session sees them."""

    async def run_session(self, again: bool) -> tuple[str, int]:
        """Start, or adopt when ``again``; returns the address and port of the session's server."""

    async def poll_session(self) -> int | None:
        """None: running, or not known; a number: over. Never raises."""

    async def last_lines(self) -> tuple[str, ...]:
        """The last lines of the session's log; none when they cannot be read. Never raises."""

    async def abandon(self) -> None:
        """After a failed start: leave nothing running. Never raises."""

    async def stop_session(self, now: bool) -> None:
        """End the session's job or process. Never raises."""

    def session_progress(self) -> AsyncIterator[dict[str, Any]]:
        """One event for every change in what the user should know."""


def session_variables(settings: Settings, session: Session, api_url: str) -> dict[str, str]:
    """What the session's server is told about itself; no secrets.

    One that continues another session is told which, and the files to open again, as JSON.

    :param api_url: JupyterHub's own API as the session reaches it; under internal TLS our service is beside it.
    """
    follows = (
        {"FABRIC_FOLLOWS": session.follows, "FABRIC_REOPEN": json.dumps(session.reopen)} if session.follows else {}
    )
    return {
        **follows,
        "FABRIC_SESSION": session.id,
        "FABRIC_ASK_TO_BEGIN": "1",
        "FABRIC_SERVICE_URL": session_calls.address(api_url)
        if settings.hub.internal_ssl
        else settings.service_url_for_nodes,
        "FABRIC_PROJECT": session.project,
        "FABRIC_PROFILE": session.profile,
        "FABRIC_IMAGE": session.image,
        **_reader_variables(reader_of(session.user)),
    }


def _reader_variables(reader: Reader) -> dict[str, str]:
    """In which language and time zone a session speaks to its person; without a zone in that of its node."""
    zone = {"FABRIC_ZONE": str(reader.zone)} if reader.zone else {}
    return {"FABRIC_LANGUAGE": reader.language, **zone}
