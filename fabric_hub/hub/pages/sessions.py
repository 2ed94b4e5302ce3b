"""What our templates ask for while a page is made. Reads memory and the sessions' record only.

JupyterHub calls each of these once per page with the user who looks at it (None: nobody has
logged in) and gives the template what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fabric_hub.config.settings import Profile, Project
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.sessions.store import Session
from fabric_hub.slurm import reasons

# Ends that somebody asked the hub for: nothing needs to be explained. Slurm's states are other facts, with labels of
# their own: that Slurm calls a job cancelled says that somebody else ended it.
_WISHED = {"stopped", "replaced"}


@dataclass(frozen=True)
class Shown:
    """A session on record with what people call its project and profile."""

    session: Session
    project: str
    profile: str


def shown(session: Session) -> Shown:
    settings = runtime().settings
    return Shown(session, called(session.project, settings.project), called(session.profile, settings.profile))


def called(name: str, table: Mapping[str, Project] | Mapping[str, Profile]) -> str:
    """What people read of a project or profile: its title, with its name where another has that title too. Pure."""
    entry = table.get(name)
    if entry is None or not entry.title:
        return name
    alone = sum(other.title == entry.title for other in table.values()) == 1
    return entry.title if alone else f"{entry.title} ({name})"


def last_end(_viewer: Any) -> Callable[[str, str], dict[str, object] | None]:
    """The template's function (user, server name) -> how that server ended last."""
    return why_ended


def why_ended(user: str, server_name: str) -> dict[str, object] | None:
    """How a user's server ended last: the session, when, why ("" when the user wished it so), and log lines."""
    session = runtime().store.last_ended(user, server_name or "")
    if session is None or session.ended_at is None:
        return None
    text = session.end_text.say() if session.end_text and session.end_reason not in _WISHED else ""
    log = session.end_log or () if text else ()
    return {"text": text, "at": session.ended_at, "log": log, "id": session.id, "shown": shown(session)}


def live(_viewer: Any) -> Callable[[str, str], Shown | None]:
    """The template's function (user, server name) -> that server's live session on record."""
    return that_lives


def that_lives(user: str, server_name: str) -> Shown | None:
    session = runtime().store.live(user, server_name)
    return shown(session) if session else None


def silence(viewer: Any) -> Any:
    """What is said to who has logged in while Slurm does not answer, or hides sessions from the hub; else ""."""
    if viewer is None:
        return ""
    shared = runtime()
    if shared.settings.slurm is None:
        return ""
    shared.interest()
    return reasons.silence(shared.follower.value)
