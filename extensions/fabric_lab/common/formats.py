"""Numbers, sizes and times as people read them: one notation for each, in the session's language and time zone.

The standard library only. What a language does otherwise than English stands in its catalogue.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache

from .translation import N_, _, ngettext

ZONE = "FABRIC_ZONE"
_ZONE = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}")
_MONTHS = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"),
    N_("July"), N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip
_SHORT_MONTHS = (
    N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
    N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec"),
)  # fmt: skip


def fixed(value: float, decimals: int = 0) -> str:
    """A number with so many decimals: "1,240", "0.25"."""
    # TRANSLATORS: how a number is written; only the two signs between its digits count
    sample = _("1,234.5")
    return f"{value:,.{decimals}f}".translate({ord(","): sample[1], ord("."): sample[5]})


def number(value: float) -> str:
    """A number without needless decimals: "2", "1.5", "1,240"."""
    rounded = round(value, 3)
    return fixed(rounded, next(decimals for decimals in range(4) if rounded == round(rounded, decimals)))


def hours(value: float) -> str:
    """An amount of GPU-hours and the like: "87.5", "1,240"."""
    return fixed(value, 1 if abs(value) < 100 else 0)


def size(value: float) -> str:
    """Bytes in decimal units, as storage is sold: "340 B", "1.2 MB", "48 GB"."""
    units = iter(("B", "kB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while value >= 999.5 and unit != "PB":
        value, unit = value / 1000, next(units)
    return f"{fixed(value, 1 if unit != 'B' and value < 9.95 else 0)} {unit}"


def percent(part: float) -> str:
    """A share, 0 to 1 and beyond: "87%"."""
    return f"{part * 100:.0f}%"


def amount(value: float, kind: str) -> str:
    """So many hours of ``kind`` (GPU, CPU) in a sentence: "1 GPU-hour", "3.5 CPU-hours"."""
    return ngettext("{n} {kind}-hour", "{n} {kind}-hours", 1 if value == 1 else 2).format(n=number(value), kind=kind)


def zone_name(environment: Mapping[str, str] = os.environ) -> str:
    """The person's time zone as the hub says it (``Europe/Amsterdam``); "" where it says none that could be one."""
    name = environment.get(ZONE, "")
    return name if _ZONE.fullmatch(name) else ""


def clock(at: float, now: float) -> str:
    """A time as the hub's pages say it: "14:05 CET", with the date when it is not today: "27 Nov 00:17 CET".

    The zone is the person's, else this node's, and named: what is shown here may be read elsewhere.

    :param at: Unix seconds, as ``now``.
    """
    moment, today = _moment(at), _moment(now)
    if moment.date() == today.date():
        return f"{moment:%H:%M %Z}"
    month = _(_SHORT_MONTHS[moment.month - 1])
    return _("{day} {month} {time}").format(day=f"{moment:%d}", month=month, time=f"{moment:%H:%M %Z}")


def upcoming(at: float, now: float) -> str:
    """A time to come, as :func:`clock` says it, but for the next day: "tomorrow 10:53 CET".

    :param at: Unix seconds, as ``now``.
    """
    moment = _moment(at)
    if moment.date() != _moment(now).date() + timedelta(days=1):
        return clock(at, now)
    return _("tomorrow {time}").format(time=f"{moment:%H:%M %Z}")


def day(at: float) -> str:
    """The day of a time in Unix seconds: "3 December 2026"."""
    moment = _moment(at)
    return _("{day} {month} {year}").format(day=moment.day, month=_(_MONTHS[moment.month - 1]), year=moment.year)


def left(ends_at: float | None, now: float) -> str:
    """How long a session has: "57 min left", "2 h 5 min left"; "" where that is not known."""
    if ends_at is None:
        return ""
    minutes = int((ends_at - now) // 60)
    if minutes < 1:
        return _("ending now") if ends_at <= now else _("less than a minute left")
    whole, rest = divmod(minutes, 60)
    if not whole:
        return _("{minutes} min left").format(minutes=minutes)
    if not rest:
        return _("{hours} h left").format(hours=whole)
    return _("{hours} h {minutes} min left").format(hours=whole, minutes=rest)


def ago(seconds: float) -> str:
    """How long ago something was: "just now", "12 min ago", "3 h ago"."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return _("just now")
    return (
        _("{minutes} min ago").format(minutes=minutes)
        if minutes < 120
        else _("{hours} h ago").format(hours=minutes // 60)
    )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(_zone(zone_name()))


@cache
def _zone(name: str) -> tzinfo | None:
    """The time zone of that name; None, which is this node's, where there is none of it."""
    if not name:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None
