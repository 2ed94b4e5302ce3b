"""What operators announce on the hub's pages: written, looked at before it is published, ended and deleted here.

People see it at their next page, and sessions with what they ask of the service anyway. Nobody starts anything anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.reader import current, languages
from fabric_hub.messages.text import Text, text_of, whole
from fabric_hub.messages.texts import announcements as texts
from fabric_hub.messages.texts import pages as of_pages
from fabric_hub.rpc.problem import Problem
from fabric_hub.sessions.announcements import (
    LONGEST,
    Announcement,
    AnnouncementBook,
    AnnouncementLevel,
    Draft,
    drafted,
)

from .operate import operator_of, refused_in_words

log = logging.getLogger(__name__)

PATH: Final = "/operate/announcements"
_WORDS = {"running": texts.SHOWN, "queued": texts.PLANNED, "ended": texts.OVER}
DAY_S = 86400.0


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as it was typed; ``words`` by language."""

    level: str = AnnouncementLevel.INFO.value
    words: dict[str, str] = field(default_factory=lambda: dict.fromkeys(languages(), ""))
    begins: str = ""
    ends: str = ""


@dataclass(frozen=True)
class Listed:
    """An announcement on the operators' list. ``state``: running (people see it), queued (it is to come) or ended."""

    announcement: Announcement
    state: str

    @property
    def word(self) -> Text:
        """The state in a word."""
        return _WORDS[self.state]()


@dataclass(frozen=True)
class Board:
    """What the operators' part of a page shows; ``preview`` is what was typed, where it is to be looked at."""

    listed: tuple[Listed, ...]
    typed: Typed
    zone: str
    preview: Draft | None = None
    problem: Text | None = None
    longest: int = LONGEST

    @property
    def previews(self) -> list[Announcement]:
        """The preview in each language in which it was written."""
        if self.preview is None:
            return []
        kept = self.preview.model_dump(exclude={"words"})
        one_each = ({language: words} for language, words in self.preview.words.items())
        return [Announcement(**kept, words=words, id="", operator="", written_at=0.0) for words in one_each]


def standing(viewer: Any) -> tuple[Announcement, ...]:
    """What every page shows to who looks at it (None: nobody has logged in)."""
    try:
        return runtime().announcements.standing(time.time(), viewer.name if viewer else None)
    except FabricError as error:
        log.warning("What operators announce is not on a page: %s", error)
        return ()


def for_operators(_viewer: Any) -> Callable[[], Board]:
    """The template's function () -> what the operators' part shows before anything is typed."""
    return lambda: board(time.time())


def board(now: float, typed: Typed | None = None, **told: Any) -> Board:
    """What the operators' part shows now.

    :param typed: what stands in the form; None: nothing yet.
    :param told: the preview or the problem.
    :raises FabricError: the record cannot be read.
    """
    zone = current().zone
    shown = typed or Typed(ends=field_of(now + DAY_S, zone))
    return Board(listed(runtime().announcements.all(), now), shown, zone_name(zone, now), **told)


def listed(known: Iterable[Announcement], now: float) -> tuple[Listed, ...]:
    """Announcements with their states, those that are over last. Pure."""
    states = [(one, "running" if one.stands(now) else "ended" if one.ends_at <= now else "queued") for one in known]
    return tuple(Listed(one, state) for one, state in sorted(states, key=lambda item: item[1] == "ended"))


def field_of(at: float, zone: tzinfo | None) -> str:
    """A moment as a browser's field for date and time has it, in a zone (None: this machine's). Pure."""
    return datetime.fromtimestamp(at).astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def zone_name(zone: tzinfo | None, now: float) -> str:
    """What people call a zone; None: this machine's. Pure."""
    return str(zone) if zone else datetime.fromtimestamp(now).astimezone().strftime("%Z")


class Announce(BaseHandler):  # type: ignore[misc]
    """``GET /hub/operate/announcements``: those that there are, and the form of a new one. Changes nothing.

    ``POST`` does (``do``) one of these, with JupyterHub's own token against forgery: ``preview`` shows what was typed
    and keeps nothing, ``publish`` keeps it, ``end`` and ``delete`` are about one that there is (``announcement``).
    """

    @web.authenticated
    async def get(self) -> None:
        """Show the page."""
        with refused_in_words():
            operator_of(self.current_user)
            await self._show(board(time.time()))

    @web.authenticated
    async def post(self) -> None:
        """Do what was asked, and show the page."""
        with refused_in_words():
            operator_of(self.current_user)
        now, asked, book = time.time(), self.get_body_argument("do", ""), runtime().announcements
        if asked in ("preview", "publish"):
            typed = self._typed()
            try:
                draft = drafted(typed.level, typed.words, typed.begins, typed.ends, current().zone, now)
                if asked == "preview":
                    await self._show(board(now, typed, preview=draft))
                    return
                self._publish(book, draft, now)
            except FabricError as error:
                self.set_status(error.status)
                await self._show(board(now, typed, problem=whole(error)))
                return
        else:
            try:
                self._change(book, asked, self.get_body_argument("announcement", ""), now)
            except FabricError as error:
                self.set_status(error.status)
                await self._show(board(now, problem=text_of(error.said)))
                return
        self.redirect(url_path_join(self.hub.base_url, PATH), status=303)

    def _typed(self) -> Typed:
        told = {name: self.get_body_argument(name, "") for name in ("level", "begins", "ends")}
        words = {language: self.get_body_argument(f"words_{language}", "") for language in languages()}
        return Typed(words=words, **told)

    def _publish(self, book: AnnouncementBook, draft: Draft, now: float) -> None:
        made = book.publish(draft, self.current_user.name, now)
        log.info("%s announces %s (%s): %s", made.operator, made.id, made.level, made.said(current().language)[1])

    def _change(self, book: AnnouncementBook, asked: str, announcement: str, now: float) -> None:
        if asked == "end":
            book.end(announcement, now)
        elif asked == "delete":
            book.delete(announcement)
        else:
            raise FabricError(of_pages.FORM_ASKS_NOTHING())
        log.info("%s: %s announcement %s", self.current_user.name, asked, announcement)

    async def _show(self, shows: Board) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish(await self.render_template("announce.html", announce=shows, no_spawner_check=True))


class Dismiss(BaseHandler):  # type: ignore[misc]
    """``POST /hub/announcements/dismiss``: put one (``announcement``) away for who asks, with JupyterHub's own token
    against forgery."""

    @web.authenticated
    async def post(self) -> None:
        """Keep that."""
        try:
            runtime().announcements.dismiss(self.get_body_argument("announcement", ""), self.current_user.name)
        except FabricError as error:
            self.set_status(error.status)
            self.set_header("Content-Type", "application/json")
            self.finish(Problem.of(error).model_dump_json())
            return
        self.set_status(204)


def pages() -> list[tuple[Any, ...]]:
    """The pages, for JupyterHub's list of pages."""
    return [(PATH, Announce), (r"/announcements/dismiss", Dismiss)]
