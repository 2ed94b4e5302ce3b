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
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.messages.texts import slurm_reasons as texts
from fabric_hub.messages.translation import N_, gettext
from fabric_hub.sessions.store import Session
from fabric_hub.slurm import reasons

from .cards import WISHED, in_short

_BADGES = {"course": N_("Course"), "client": N_("Client")}


@dataclass(frozen=True)
class Shown:
    """A session on record with what people call its project and profile, and the kind of its project."""

    session: Session
    project: str
    profile: str
    kind: str

    @property
    def badge(self) -> str:
        """What stands beside the project: in the language of who reads it now, as all operators look at one table."""
        return badge(self.kind)


def shown(session: Session) -> Shown:
    settings = runtime().settings
    project = settings.project.get(session.project)
    return Shown(
        session,
        called(session.project, settings.project),
        called(session.profile, settings.profile),
        project.kind if project else "",
    )


def badge(kind: str) -> str:
    """What stands beside the title of a project of this kind (``project.NAME.kind``); "" of the usual one. Pure."""
    return gettext(_BADGES[kind]) if kind in _BADGES else ""


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
    """How a user's server ended last: the session, when, why ("" when the user wished it so), and log lines;
    in few words (``state``), with what more there is to say."""
    session = runtime().store.last_ended(user, server_name or "")
    if session is None or session.ended_at is None:
        return None
    text = end_words(session).say()
    log = session.end_log or () if text else ()
    short = in_short(session.end_text, session.ended_at) if text else None
    return {
        "text": text,
        "state": short or texts.ENDED_AT(at=session.ended_at),
        "more": "" if short else text,
        "at": session.ended_at,
        "log": log,
        "id": session.id,
        "shown": shown(session),
    }


def end_words(session: Session) -> Text:
    """Why a session ended; NOTHING where its user wished it so. Pure."""
    return session.end_text if session.end_text and session.end_reason not in WISHED else NOTHING


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
