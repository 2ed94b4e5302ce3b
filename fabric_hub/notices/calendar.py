"""One date as an iCalendar object (RFC 5545) that calendars take in, move and take away again. Pure.

``METHOD:PUBLISH`` asks nobody for an answer. The same ``UID`` with a higher ``SEQUENCE`` moves an entry, and
``METHOD:CANCEL`` takes it away (RFC 5546, sections 3.2.1 and 3.2.5).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from .model import Entry

_LONGEST_LINE: Final = 75  # octets, without the end of the line
_HALF_HOUR = timedelta(minutes=30)


def method_of(entry: Entry) -> str:
    """What the object asks of a calendar."""
    return "CANCEL" if entry.gone else "PUBLISH"


def calendar(entry: Entry, summary: str, description: str, organizer: str, at: float) -> str:
    """The object of one entry.

    :param summary: what the calendar shows; ``description`` is shown with it.
    :param organizer: the mail address of who tells it.
    :param at: when it is told (Unix seconds).
    """
    when = entry.when
    if isinstance(when, datetime):
        times = [f"DTSTART:{_utc(when)}", f"DTEND:{_utc(when + _HALF_HOUR)}"]
    else:
        after = when if when == date.max else when + timedelta(days=1)
        times = [f"DTSTART;VALUE=DATE:{when:%Y%m%d}", f"DTEND;VALUE=DATE:{after:%Y%m%d}"]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Fabric Hub//Notices//EN",
        f"METHOD:{method_of(entry)}",
        "BEGIN:VEVENT",
        f"UID:{_escaped(entry.uid)}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTAMP:{_utc(datetime.fromtimestamp(at, UTC))}",
        *times,
        f"SUMMARY:{_escaped(summary)}",
        f"DESCRIPTION:{_escaped(description)}",
        f"ORGANIZER:mailto:{organizer}",
        f"STATUS:{'CANCELLED' if entry.gone else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    """A text as a value (RFC 5545, section 3.3.11); what cannot be shown is a space."""
    plain = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
    for letter in ("\\", ";", ","):
        plain = plain.replace(letter, f"\\{letter}")
    return plain.replace("\n", "\\n")


def folded(line: str) -> str:
    """A line in pieces that are short enough (RFC 5545, section 3.1); no letter is cut."""
    pieces, room = [b""], _LONGEST_LINE
    for letter in line:
        octets = letter.encode("utf-8", "replace")
        if len(pieces[-1]) + len(octets) > room:
            pieces.append(b"")
            room = _LONGEST_LINE - 1  # the space at the beginning
        pieces[-1] += octets
    return "\r\n ".join(piece.decode() for piece in pieces)
