"""What operators announce on every page of the hub and in JupyterLab, kept in the sessions' database.

An announcement is plain text in one or more languages, with a level and a time from and to which it stands. A person
may put one of level ``info`` away; that is kept beside it. Both go when it is deleted, at the latest some weeks after
it was over.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, tzinfo
from enum import StrEnum
from threading import Lock

import sqlalchemy as sa

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import announcements as texts
from fabric_hub.types import Frozen

from .database import Transaction
from .tables import announcements, announcements_dismissed

LONGEST = 500  # characters, in each language
MOST = 20  # that are not over
LONGEST_DAYS = 366
DAY_S = 86400.0
# So long one that is over stays on the operators' list.
KEPT_S = 30 * DAY_S
# What another process wrote is seen after so long.
SEEN_S = 5.0


class AnnouncementLevel(StrEnum):
    """How much an announcement weighs."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Draft(Frozen):
    """What an operator wrote: ``words`` by language, and from when until when it stands, in Unix seconds."""

    level: AnnouncementLevel
    words: dict[str, str]
    begins_at: float
    ends_at: float

    def said(self, language: str) -> tuple[str, str]:
        """(the language, the words) for a reader: in their language, or in the first one that there is."""
        return (language, self.words[language]) if language in self.words else next(iter(self.words.items()))


class Announcement(Draft):
    """A draft that an operator published; ``id`` is its own."""

    id: str
    operator: str
    written_at: float

    @property
    def dismissable(self) -> bool:
        """Whether each person may put it away."""
        return self.level is AnnouncementLevel.INFO

    def stands(self, now: float) -> bool:
        """Whether people see it."""
        return self.begins_at <= now < self.ends_at


def drafted(level: str, words: Mapping[str, str], begins: str, ends: str, zone: tzinfo | None, now: float) -> Draft:
    """What was typed as an announcement. Pure.

    :param words: by language; those that are empty are left out.
    :param begins: when it begins, as :func:`moment_of`; "": now.
    :param ends: when it ends.
    :param zone: the operator's; None: this machine's.
    :raises FabricError: it is none.
    """
    if level not in list(AnnouncementLevel):
        raise FabricError(texts.NO_LEVEL(known=tuple(AnnouncementLevel)))
    plain = {language: " ".join(told.split()) for language, told in words.items() if told.strip()}
    if not plain:
        raise FabricError(texts.NO_WORDS())
    if any(len(told) > LONGEST for told in plain.values()):
        raise FabricError(texts.TOO_LONG(n=LONGEST))
    if not all(told.isprintable() for told in plain.values()):
        raise FabricError(texts.NOT_PLAIN())
    begins_at = moment_of(begins, zone) if begins else now
    ends_at = moment_of(ends, zone)
    if ends_at <= max(begins_at, now):
        raise FabricError(texts.ENDS_TOO_SOON())
    if ends_at > now + LONGEST_DAYS * DAY_S:
        raise FabricError(texts.ENDS_TOO_LATE(n=LONGEST_DAYS))
    return Draft(level=AnnouncementLevel(level), words=plain, begins_at=begins_at, ends_at=ends_at)


def moment_of(typed: str, zone: tzinfo | None) -> float:
    """The Unix seconds of a date and time without a zone, as a browser's field has it: ``2026-12-01T08:00``. Pure.

    :param zone: in which it is; None: this machine's.
    :raises FabricError: it is none.
    """
    try:
        moment = datetime.fromisoformat(typed)
        if moment.tzinfo is not None or "T" not in typed:
            raise ValueError(typed)
        return (moment.replace(tzinfo=zone) if zone else moment.astimezone()).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise FabricError(texts.NO_MOMENT(told=typed[:40] or "-")) from error


class AnnouncementBook:
    """All announcements. Each process keeps what it read for a moment; its own writes count at once.

    It may be used from several threads.

    :param seen_s: how long, in seconds, what was read may be old.
    """

    def __init__(self, engine: sa.Engine, seen_s: float = SEEN_S) -> None:
        self._engine, self._seen_s = engine, seen_s
        self._lock = Lock()
        self._kept: tuple[float, tuple[Announcement, ...], frozenset[tuple[str, str]]] | None = None

    def all(self) -> tuple[Announcement, ...]:
        """Every announcement, the one that was written last first.

        :raises FabricError: the database cannot be used.
        """
        return self._read()[0]

    def standing(self, now: float, user: str | None = None) -> tuple[Announcement, ...]:
        """What stands now, the weightiest first.

        :param user: who reads; what they put away is left out. None: nobody knows.
        :raises FabricError: the database cannot be used.
        """
        known, dismissed = self._read()
        there = [one for one in known if one.stands(now) and not (one.dismissable and (one.id, user) in dismissed)]
        return tuple(sorted(there, key=lambda one: -list(AnnouncementLevel).index(one.level)))

    def publish(self, draft: Draft, operator: str, now: float) -> Announcement:
        """Keep a draft as an announcement; what was over long ago goes.

        :raises FabricError: there are too many, or the database cannot be used.
        """
        made = Announcement(**draft.model_dump(), id=secrets.token_hex(6), operator=operator, written_at=now)
        with self._writing() as connection:
            old = sa.select(announcements.c.id).where(announcements.c.ends_at < now - KEPT_S)
            for table, column in ((announcements_dismissed, "announcement"), (announcements, "id")):
                connection.execute(sa.delete(table).where(table.c[column].in_(old)))
            connection.execute(sa.insert(announcements).values(**made.model_dump(mode="json")))
            there = sa.select(sa.func.count()).where(announcements.c.ends_at > now)
            if connection.execute(there).scalar_one() > MOST:
                raise FabricError(texts.TOO_MANY(n=MOST))
        return made

    def end(self, announcement: str, now: float) -> None:
        """Let one be over from now on.

        :raises FabricError: there is none that is not over, or the database cannot be used.
        """
        there = announcements.c.id == announcement, announcements.c.ends_at > now
        with self._writing() as connection:
            if not connection.execute(sa.update(announcements).where(*there).values(ends_at=now)).rowcount:
                raise FabricError(texts.NONE_SUCH())

    def delete(self, announcement: str) -> None:
        """Delete one, with who put it away.

        :raises FabricError: there is none, or the database cannot be used.
        """
        with self._writing() as connection:
            away = announcements_dismissed.c.announcement == announcement
            connection.execute(sa.delete(announcements_dismissed).where(away))
            if not connection.execute(sa.delete(announcements).where(announcements.c.id == announcement)).rowcount:
                raise FabricError(texts.NONE_SUCH())

    def dismiss(self, announcement: str, user: str) -> None:
        """Put one away for a person; once more is as good.

        :raises FabricError: there is none that a person may put away, or the database cannot be used.
        """
        with self._writing() as connection:
            there = announcements.c.id == announcement, announcements.c.level == AnnouncementLevel.INFO.value
            if connection.execute(sa.select(announcements.c.id).where(*there)).first() is None:
                raise FabricError(texts.NONE_SUCH())
            row = {"announcement": announcement, "user": user}
            mine = [announcements_dismissed.c[name] == value for name, value in row.items()]
            connection.execute(sa.delete(announcements_dismissed).where(*mine))
            connection.execute(sa.insert(announcements_dismissed).values(**row))

    def forget(self, user: str) -> None:
        """Forget what a person put away.

        :raises FabricError: the database cannot be used.
        """
        with self._writing() as connection:
            connection.execute(sa.delete(announcements_dismissed).where(announcements_dismissed.c.user == user))

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._lock:  # what was read before a change is not kept after it
            self._kept = None
            with Transaction(self._engine) as connection:
                yield connection

    def _read(self) -> tuple[tuple[Announcement, ...], frozenset[tuple[str, str]]]:
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > self._seen_s:
                rows = sa.select(announcements).order_by(announcements.c.written_at.desc())
                away = sa.select(announcements_dismissed.c.announcement, announcements_dismissed.c.user)
                with Transaction(self._engine) as connection:
                    found = tuple(Announcement.model_validate(dict(row)) for row in connection.execute(rows).mappings())
                    dismissed = frozenset((row.announcement, row.user) for row in connection.execute(away))
                self._kept = time.monotonic(), found, dismissed
            return self._kept[1], self._kept[2]
