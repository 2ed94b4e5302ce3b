"""What our templates ask for while a page is made. Reads memory and the sessions' record only."""

from __future__ import annotations

from .runtime import runtime
from .words import clock


def last_end(user: str, server_name: str) -> dict[str, object] | None:
    """Why a user's server ended last, when it was not the user's own wish: text, time and log lines."""
    session = runtime().store.last_ended(user, server_name or "")
    if session is None or session.end_reason in {"stopped", "replaced", "cancelled"} or session.ended_at is None:
        return None
    return {"text": session.end_text, "at": clock(session.ended_at), "log": session.end_log or (), "id": session.id}


def silence() -> str:
    """A sentence while Slurm does not answer, else ""."""
    shared = runtime()
    shared.interest()
    snapshot = shared.follower.snapshot
    if snapshot is None or snapshot.silent_since is None:
        return ""
    return (
        f"Slurm has not answered since {clock(snapshot.silent_since)}. {snapshot.problem} "
        "Running sessions keep running, and nothing is lost."
    )
