"""What I was told (``/hub/notices``): everything of the outbox that is a person's; and what operators see of it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.texts import pages as of_pages
from fabric_hub.notices.letter import heading
from fabric_hub.notices.model import address_of

from .operate import operator_of, refused_in_words

log = logging.getLogger(__name__)

PATH: Final = "/notices"
OPERATORS_PATH: Final = "/operate/notices"


class Notices(BaseHandler):  # type: ignore[misc]
    """``GET /hub/notices``: one's own, the newest first; it changes nothing.

    ``POST``, with JupyterHub's own token against forgery (``do``): ``read`` marks as read what was shown (until
    ``until``), ``mail-on`` and ``mail-off`` keep whether one wants mail.
    """

    @web.authenticated
    async def get(self) -> None:
        """Show the page."""
        person, shared, shown_at = self.current_user.name, runtime(), time.time()
        with refused_in_words():
            told = await asyncio.to_thread(shared.notices.of, person)
            wants_mail = await asyncio.to_thread(shared.notices.wants_mail, person)
        page = await self.render_template(
            "notices.html",
            notices=[(notice, heading(notice)) for notice in told],
            unread=sum(notice.read_at is None for notice in told),
            address=address_of(shared.settings, person) if shared.settings.notices.mail else None,
            wants_mail=wants_mail,
            shown_at=shown_at,
        )
        self.set_header("Cache-Control", "no-store")
        self.finish(page)

    @web.authenticated
    async def post(self) -> None:
        """Keep what was asked, and show the page."""
        person, book, asked = self.current_user.name, runtime().notices, self.get_body_argument("do", "")
        with refused_in_words():
            if asked == "read":
                now = time.time()
                await asyncio.to_thread(book.read, person, min(_seconds(self.get_body_argument("until", "")), now), now)
            elif asked in ("mail-on", "mail-off"):
                await asyncio.to_thread(book.choose_mail, person, wanted=asked == "mail-on")
            else:
                raise FabricError(of_pages.FORM_ASKS_NOTHING(), status=400)
        self.redirect(url_path_join(self.hub.base_url, PATH), status=303)


class NotSent(BaseHandler):  # type: ignore[misc]
    """``GET /hub/operate/notices``: what may not have arrived; never the words, which are its person's."""

    @web.authenticated
    async def get(self) -> None:
        """Show the page."""
        with refused_in_words():
            operator_of(self.current_user)
            stuck = await asyncio.to_thread(runtime().notices.stuck)
        self.set_header("Cache-Control", "no-store")
        self.finish(await self.render_template("operate_notices.html", stuck=stuck))


def unread(viewer: Any) -> int:
    """How much of what they were told who looks at a page has not read."""
    try:
        return runtime().notices.unread(viewer.name) if viewer else 0
    except FabricError as error:
        log.warning("How much is unread is not on a page: %s", error)
        return 0


def _seconds(typed: str) -> float:
    """A moment as the page's own form has it; what is none is the beginning of time."""
    try:
        at = float(typed)
    except ValueError:
        return 0.0
    return at if at >= 0 else 0.0  # nor what is no number


def pages() -> list[tuple[Any, ...]]:
    """The pages, for JupyterHub's list of pages."""
    return [(PATH, Notices), (OPERATORS_PATH, NotSent)]
