"""What somebody is told, by which channels, and when a channel is tried again. Pure."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from fabric_hub.config.settings import Settings
from fabric_hub.messages.text import Text
from fabric_hub.types import Frozen

DAY_S: Final = 86400.0
# Between two tries: twice as long each time, until this.
FIRST_RETRY_S, LAST_RETRY_S = 30.0, 3600.0
# A server that takes nothing is tried for all that wait together, more often.
LAST_PAUSE_S = 300.0


class Kind(StrEnum):
    """What a notice is about. ``ASKED`` is a person's own request for a dataset, kept until it is answered."""

    PROJECT_END = "project-end"
    BUDGET = "budget"
    STORAGE = "storage"
    STOP = "stop"
    DATASET = "dataset"
    ASKED = "asked"


class Channel(StrEnum):
    """A way that can fail. The page of a person and their sessions read the record itself."""

    MAIL = "mail"
    HOOK = "hook"


class SendState(StrEnum):
    """``UNSURE``: it may or may not have arrived; ``GIVEN_UP``: it has not, and is not tried any more."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNSURE = "unsure"
    GIVEN_UP = "given-up"


class Dated(Frozen):
    """A date that belongs into a calendar.

    :param moment: a day (``2026-12-31``) or a moment in UTC (``2026-12-31T08:00:00+00:00``), as ISO 8601 writes it.
    :param gone: it no longer holds: the entry is taken away.
    """

    moment: str
    gone: bool = False

    @property
    def when(self) -> date | datetime:
        return datetime.fromisoformat(self.moment) if "T" in self.moment else date.fromisoformat(self.moment)


class Entry(Dated):
    """The same as a calendar is told of it: under which name, and as which of its changes."""

    uid: str
    sequence: int


class Notice(Frozen):
    """Something that a person is told once.

    :param subject: what it is about: ``project:NAME``, ``session:ID``, ``dataset:NAME/PROJECT``, ``storage:...``.
    :param occasion: tells two notices of one kind about one subject apart: since when, which day.
    :param after: it is told only to who was told this before (a key).
    """

    kind: Kind
    person: str
    subject: str
    occasion: str
    text: Text
    dated: Dated | None = None
    after: str = ""

    @property
    def key(self) -> str:
        """What makes it one notice, however often its fact is looked at: 64 hexadecimal digits."""
        return digest(self.kind, self.person, self.subject, self.occasion)


class Kept(Frozen):
    """A notice on record (Unix seconds); ``read_at`` None: the person has not read it."""

    key: str
    kind: Kind
    person: str
    subject: str
    text: Text
    entry: Entry | None = None
    created_at: float
    read_at: float | None = None


class KnownDate(Frozen):
    """What a person's calendar was told last of a subject's date."""

    person: str
    subject: str
    moment: str
    sequence: int
    gone: bool


def digest(*parts: str) -> str:
    """Parts as one name: no two lists of parts have the same."""
    told = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()


def channels_of(settings: Settings, kind: Kind, *, wants_mail: bool, address: str | None) -> tuple[Channel, ...]:
    """By which channels a person is told of something, beside their page.

    :param wants_mail: they have not turned mail off.
    :param address: where mail reaches them; None: nowhere.
    """
    found = []
    if settings.mail and address and wants_mail and kind.value in settings.notices.mail:
        found.append(Channel.MAIL)
    if settings.notices.hook and kind.value in settings.notices.hook_kinds:
        found.append(Channel.HOOK)
    return tuple(found)


def retry_after(tries: int) -> float:
    """Seconds until the next try of one notice after so many failed ones."""
    return float(min(FIRST_RETRY_S * 2 ** min(max(tries - 1, 0), 20), LAST_RETRY_S))


def pause_after(failures: int) -> float:
    """Seconds for which a channel that takes nothing is left alone, after so many failures on end."""
    return min(retry_after(failures), LAST_PAUSE_S)


def address_of(settings: Settings, person: str) -> str | None:
    """Where mail reaches a person; None: nowhere. A name that is no part of an address leads to none."""
    pattern = settings.mail.address if settings.mail else ""
    if not pattern or not _LOCAL.issuperset(person) or not 0 < len(person) <= 64:
        return None
    return pattern.replace("{user}", person)


_LOCAL: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-")
