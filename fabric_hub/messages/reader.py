"""Who reads a sentence: in which language, and in which time zone.

Babel, which takes a while to load, is loaded when somebody needs it: a command that says no more than English does not.

What serves a person sets the reader for as long as it works for them (:func:`reading`); everything that makes
sentences meanwhile makes them for that reader. Without one it is English in the zone of this machine, as in logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from babel import Locale

SOURCE = "en"
# Of a browser that says in which time zone its person is; HTTP has none of its own.
ZONE_HEADER = "X-Time-Zone"
LOCALE_DIR = Path(__file__).parent / "locale"
# Dates and numbers of the source language are those of Europe: 24 hours, day before month.
_LOCALES = {SOURCE: "en_GB"}
# What names the language of a terminal's messages: the first that is set.
_OF_A_TERMINAL = ("LC_ALL", "LC_MESSAGES", "LANG")
# A browser sends a few; more is nobody's choice.
_LONGEST_HEADER = 200


@dataclass(frozen=True)
class Reader:
    """A language that there is (``en``, ``nl``), and a time zone; None: that of this machine."""

    language: str = SOURCE
    zone: tzinfo | None = None

    @property
    def locale(self) -> Locale:
        """What Babel formats numbers and dates by."""
        return _locale(self.language)


ENGLISH = Reader()
_reader: ContextVar[Reader] = ContextVar("reader", default=ENGLISH)


def current() -> Reader:
    """Who reads what is made now."""
    return _reader.get()


def set_reader(reader: Reader) -> None:
    """Make everything of this task for a reader, from now on."""
    _reader.set(reader)


@contextmanager
def reading(reader: Reader) -> Iterator[None]:
    """Make everything within for a reader."""
    before = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(before)


@cache
def languages(directory: Path = LOCALE_DIR) -> tuple[str, ...]:
    """The languages that there are: English, and one for each catalogue."""
    found = sorted(path.parent.parent.name for path in directory.glob("*/LC_MESSAGES/fabric_hub.mo"))
    return (SOURCE, *(name for name in found if name != SOURCE))


def language_of(chosen: str | None, accepted: str = "") -> str:
    """The language for a person.

    :param chosen: what they chose before; anything that is no language of ours counts for nothing.
    :param accepted: the header ``Accept-Language`` of their browser.
    """
    known = languages()
    if chosen in known:
        return str(chosen)
    weighed: list[tuple[float, str]] = []
    for part in accepted[:_LONGEST_HEADER].split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((float(weight or 1), name.strip()))
        except ValueError:
            continue
    wanted = [name for weight, name in sorted(weighed, key=lambda one: -one[0]) if weight > 0]
    from babel.core import negotiate_locale

    return negotiate_locale(wanted, known, sep="-") or SOURCE


def reader_of_terminal(environment: Mapping[str, str]) -> Reader:
    """Who reads what a command says at a terminal, in the time zone of this machine.

    As GNU gettext reads it: the locale is the first of LC_ALL, LC_MESSAGES and LANG that is set; LANGUAGE, a list of
    languages, comes before it unless it is C or POSIX. No such locale need be installed. What is no language of ours,
    or cannot be read, is passed over; at the end stands English.
    """
    locale = next((environment[name] for name in _OF_A_TERMINAL if environment.get(name)), "")
    if _language(locale) in ("", "c", "posix"):
        return ENGLISH
    known = languages()
    wanted = (*environment.get("LANGUAGE", "")[:_LONGEST_HEADER].split(":"), locale)
    return Reader(next((_language(name) for name in wanted if _language(name) in known), SOURCE))


def _language(locale: str) -> str:
    """The language in the name of a locale: ``nl`` of ``nl_BE.UTF-8@euro``."""
    return re.split("[_.@-]", locale[:_LONGEST_HEADER], maxsplit=1)[0].lower()


def zone_of(name: str | None) -> tzinfo | None:
    """The time zone of that name (``Europe/Amsterdam``); None where there is none."""
    if not name or len(name) > 64:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def reader_of(accepted: str, zone: str | None = None) -> Reader:
    """Who reads the answer to a request.

    :param accepted: its header ``Accept-Language``.
    :param zone: its header ``X-Time-Zone``, the name of a time zone.
    """
    return Reader(language_of(None, accepted), zone_of(zone))


def headers_of(reader: Reader) -> dict[str, str]:
    """What a request says of a reader for whom it is made; the other direction of :func:`reader_of`."""
    zone = {ZONE_HEADER: str(reader.zone)} if reader.zone else {}
    return {"Accept-Language": reader.language, **zone}


@cache
def _locale(language: str) -> Locale:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(_LOCALES.get(language, language).replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_LOCALES[SOURCE])
