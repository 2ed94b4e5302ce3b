"""What the waiting page and that of a failure ask for: the choice of a start, to be made again or with a change.

Reads memory and the sessions' record only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.hub.spawner.waiting import failed_at
from fabric_hub.sessions.pairs import OTHER_STARTED
from fabric_hub.sessions.store import Session


def choice(_viewer: Any) -> Callable[[str, str], str]:
    """The template's function (user, server name) -> the choice of that server's latest session, as a query."""
    return _of_server


def _of_server(user: str, server_name: str) -> str:
    store = runtime().store
    session = store.live(user, server_name) or store.last_ended(user, server_name)
    return query(session) if session else ""


def query(session: Session) -> str:
    """A session's choice as the query of an address that fills in the start form. Pure."""
    options = {
        "opt-project": session.project,
        "opt-profile": session.profile,
        "opt-image": session.image,
        "opt-hours": f"{session.hours:g}",
        "opt-datasets": session.datasets,
    }
    return urlencode(options, doseq=True)


@dataclass(frozen=True)
class Steps:
    """How far a start came that failed: the state of each step by its name, and when it came there, in Unix seconds."""

    states: dict[str, str]
    times: dict[str, float]


@dataclass(frozen=True)
class EndedStart:
    """A start that came to nothing. ``winner`` is the server whose start was first, where one of a pair was to run."""

    steps: Steps | None
    winner: str | None


def ended_start(_viewer: Any) -> Callable[[Any, str, str], EndedStart | None]:
    """The template's function (failure, user, server name) -> how that server's latest start ended; None: it did not.

    The failure is the one that JupyterHub shows; None where it knows of none, as after it was started again.
    """
    return _ended_start


def _ended_start(failure: Any, user: str, server_name: str) -> EndedStart | None:
    store = runtime().store
    if failure is None:
        session = store.last_ended(user, server_name or "")
    else:
        known = getattr(failure, "session", "")
        session = store.get(known) if known else None
    if session is None or session.ready_at is not None:
        return None
    other = store.get(session.paired_with) if session.end_reason == OTHER_STARTED and session.paired_with else None
    steps = Steps(failed_at(session.end_steps), session.end_steps.times) if session.end_steps else None
    return EndedStart(steps, other.server_name if other is not None and other.live else None)
