"""Why a session ended, for the page of JupyterLab that was open in it.

That page has no login at the hub: what it shows is its user's own code, so no cookie of the hub's counts for it, and
the session's token ends with the session. What it has is a ticket that the session's server put there: who holds that
may read how this one session ended, and nothing else.
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import quote, urlencode

from jupyterhub.handlers.base import BaseHandler
from tornado.web import HTTPError

from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.text import NOTHING, Said, WithTexts
from fabric_hub.sessions.store import Session, end_ticket

from .sessions import end_words

PATH = r"/ended/([a-z2-7]{12})/([0-9a-f]{64})"


class Ended(WithTexts):
    """How a session fares: ``ended_at`` in Unix seconds, None while it lives; ``text`` says why it ended.

    ``start`` is the address of the form that is filled with its choices.
    """

    ended_at: float | None = None
    text: Said = NOTHING
    start: str


class WhyEnded(BaseHandler):  # type: ignore[misc]
    """``GET /hub/ended/SESSION/TICKET``: for who has the ticket; of any other session nothing is said, nor that it is.

    It asks for no login and reads no cookie, so a page that is open at another address of the site may ask, too.
    """

    _accept_cookie_auth = False

    async def get(self, session_id: str, ticket: str) -> None:
        session = runtime().store.get(session_id)
        known = session.token_digest if session else None
        if session is None or known is None or not hmac.compare_digest(end_ticket(known), ticket):
            raise HTTPError(404)
        text = end_words(session) if session.ended_at is not None else NOTHING
        told = Ended(ended_at=session.ended_at, text=text, start=form_of(session, self.hub.base_url))
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Access-Control-Allow-Origin", "*")
        self.finish(told.model_dump_json())


def form_of(session: Session, base_url: str) -> str:
    """The path of the start form with a session's choices filled in; it starts nothing. Pure."""
    fields = {"project": session.project, "profile": session.profile, "image": session.image, "hours": session.hours}
    choices = {f"opt-{name}": value for name, value in fields.items()}
    name = f"/{quote(session.server_name, safe='')}" if session.server_name else ""
    return f"{base_url}spawn/{quote(session.user, safe='')}{name}?{urlencode(choices)}"


def pages() -> list[tuple[Any, ...]]:
    """The page, for JupyterHub's list of pages."""
    return [(PATH, WhyEnded)]
