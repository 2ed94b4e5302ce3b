"""The gateway's verbs as types: what its server serves, what its client asks, what a stand-in must do."""

from __future__ import annotations

from typing import Protocol

from fabric_hub.messages.text import NOTHING, Said, WithTexts
from fabric_hub.slurm.accounting import Accounting
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import CancelRequest, ExtendRequest, Found, SessionLog, Snapshot, SubmitRequest, Submitted
from fabric_hub.slurm.records import PortNote, RecordStatement, Witnessed
from fabric_hub.slurm.storage import StorageAnswer

from .folders.reconciler import FoldersHealth
from .projects.answers import ApplyBody, ProjectsApplied, ProjectsHealth, ProjectsPlan

# The longest that one request may wait for a snapshot, in seconds.
LONGEST_WAIT_S = 30.0


class Health(WithTexts):
    """How the gateway fares. ``questions`` counts what was asked of Slurm since the start, by program;
    ``held_sessions`` what the hub said last: sessions that it does not know to be its own, and leaves alone;
    ``projects`` how Slurm follows the projects, where it does."""

    version: str
    uptime_s: float
    questions: dict[str, int]
    unavailable_since: float | None = None
    problem: Said = NOTHING
    held_sessions: int = 0
    projects: ProjectsHealth | None = None
    folders: FoldersHealth | None = None


class Verbs(Protocol):
    """See the gateway's API in the architecture page; every verb may raise FabricError."""

    async def start(self) -> None:
        """Begin to watch; returns at once."""

    async def stop(self) -> None:
        """Finish what was begun on somebody's behalf, then let go of everything."""

    def close(self) -> None:
        """Let waiting readers go; the gateway is about to stop."""

    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot:
        """The snapshot. ``fresh``: once one was asked at or after that moment, or that question failed."""

    async def limits(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits:
        """Slurm's limits and their use; waits as :meth:`snapshot` does."""

    async def accounting(self, start: float, end: float) -> Accounting:
        """The jobs that ran between two moments, from Slurm's database; at most a few days at once."""

    async def storage(self, user: str) -> StorageAnswer:
        """What the file systems' quota tools say of a user's storage, asked as the user where that is enough."""

    async def submit(self, request: SubmitRequest) -> Submitted:
        """Submit a session's job, or adopt the live one that it has."""

    async def find(self, session: str, user: str, job_id: int) -> Found:
        """What Slurm says of a session's job when it is asked for it by number, as its owner."""

    async def cancel(self, request: CancelRequest) -> None:
        """End a session's job; no job is no error."""

    async def extend(self, request: ExtendRequest) -> None:
        """Let a session's running job have more time, where the site does; never less."""

    async def log(self, session: str, user: str) -> SessionLog:
        """The end of a session's log."""

    async def remove(self, session: str, user: str) -> None:
        """Remove a session's private directory, but not its log."""

    async def records(self, told: RecordStatement) -> Witnessed:
        """What is kept of sessions that a hub asks about, which says how far its record is."""

    async def listens(self, session: str, note: PortNote) -> None:
        """Keep where a session's server listens."""

    async def projects_plan(self) -> ProjectsPlan:
        """What is to be done in Slurm so that it is as the projects say, and what was changed there by hand."""

    async def projects_apply(self, body: ApplyBody) -> ProjectsApplied:
        """Do it now; the gateway also does it by itself when a project changes."""

    def health(self) -> Health:
        """How the gateway fares; never waits."""
