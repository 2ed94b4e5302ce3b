"""What our templates ask for while a page is made. Reads memory and the sessions' record only.

JupyterHub calls each of these once per page with the user who looks at it (None: nobody has
logged in) and gives the template what it returns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..clock import clock
from ..sessions.store import Session
from .runtime import runtime


def last_end(_viewer: Any) -> Callable[[str, str], dict[str, object] | None]:
    """The template's function (user, server name) -> why that server ended last."""
    return why_ended


def why_ended(user: str, server_name: str) -> dict[str, object] | None:
    """Why a user's server ended last, when it was not the user's own wish: text, time and log lines."""
    session = runtime().store.last_ended(user, server_name or "")
    if session is None or session.end_reason in {"stopped", "replaced", "cancelled"} or session.ended_at is None:
        return None
    return {"text": session.end_text, "at": clock(session.ended_at), "log": session.end_log or (), "id": session.id}


def live(_viewer: Any) -> Callable[[str, str], Session | None]:
    """The template's function (user, server name) -> that server's live session on record."""
    return runtime().store.live


def silence(viewer: Any) -> str:
    """A sentence for who has logged in while Slurm does not answer, else ""."""
    if viewer is None:
        return ""
    shared = runtime()
    if shared.settings.slurm is None:
        return ""
    shared.interest()
    snapshot = shared.follower.snapshot
    if snapshot is None or snapshot.silent_since is None:
        return ""
    return (
        f"Slurm has not answered since {clock(snapshot.silent_since)}. {snapshot.problem} "
        "Running sessions keep running, and nothing is lost."
    )
