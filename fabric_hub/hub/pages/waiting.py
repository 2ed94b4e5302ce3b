"""What the waiting page and that of a failure ask for: the choice of a start, to be made again or with a change.

Reads memory and the sessions' record only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from fabric_hub.hub.spawner.runtime import runtime
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
