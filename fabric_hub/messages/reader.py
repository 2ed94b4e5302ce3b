"""Who reads a sentence: in which language, and in which time zone.

What serves a person sets the reader for as long as it works for them (:func:`reading`); everything that makes
sentences meanwhile makes them for that reader. Without one it is English in the zone of this machine, as in logs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.core import negotiate_locale

SOURCE = "en"
# Of a browser that says in which time zone its person is; HTTP has none of its own.
ZONE_HEADER = "X-Time-Zone"
LOCALE_DIR = Path(__file__).parent / "locale"
# Dates and numbers of the source language are those of Europe: 24 hours, day before month.
_LOCALES = {SOURCE: "en_GB"}
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
    return negotiate_locale(wanted, known, sep="-") or SOURCE


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
    try:
        return Locale.parse(_LOCALES.get(language, language).replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_LOCALES[SOURCE])
