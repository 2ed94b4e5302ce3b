"""Times, sizes and amounts as people read them: one notation for each, in the reader's language and time zone.

Babel is loaded with the first of them; see :mod:`.reader`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final

from .reader import current
from .translation import gettext, ngettext

# Whether each clock() is put between marks, with its Unix seconds: see marking().
_marking: ContextVar[bool] = ContextVar("marking", default=False)
_BEGIN, _WORDS, _END = "\ue000", "\ue001", "\ue002"
_MARKED = re.compile(f"{_BEGIN}([0-9]{{1,12}}){_WORDS}([^{_BEGIN}{_WORDS}{_END}]*){_END}")
_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")


def clock(at: float) -> str:
    """Unix seconds as a time of day, with the date when it is not today: "13:30", "27 Nov 00:17 CET".

    The zone is named where it is not known to be the reader's own.
    """
    from babel.dates import format_datetime, format_time

    reader = current()
    when = datetime.fromtimestamp(at).astimezone(reader.zone)
    now = datetime.now(UTC).astimezone(reader.zone)
    if when.date() == now.date():
        text = format_time(when, "HH:mm", locale=reader.locale)
    else:
        text = format_datetime(when, "dd MMM HH:mm", locale=reader.locale)
    text = text if reader.zone else f"{text} {when.strftime('%Z')}"
    return f"{_BEGIN}{at:.0f}{_WORDS}{text}{_END}" if _marking.get() else text


@contextmanager
def marking() -> Iterator[None]:
    """Mark each :func:`clock` that is said within, for :func:`parts`."""
    before = _marking.set(True)
    try:
        yield
    finally:
        _marking.reset(before)


def parts(said: str) -> Iterator[tuple[str, float | None]]:
    """The parts of what was said while marking: words with None, and each moment's words with its Unix seconds."""
    last = 0
    for found in _MARKED.finditer(said):
        yield said[last : found.start()], None
        yield found[2], float(found[1])
        last = found.end()
    yield said[last:], None


def soon(at: float) -> str:
    """Unix seconds that are to come, as :func:`clock`, but with the day of the week within a week: "Tuesday 08:00"."""
    from babel.dates import format_datetime

    reader = current()
    when = datetime.fromtimestamp(at).astimezone(reader.zone)
    days = (when.date() - datetime.now(UTC).astimezone(reader.zone).date()).days
    return format_datetime(when, "EEEE HH:mm", locale=reader.locale) if 0 < days < 7 else clock(at)


def day(at: float | str) -> str:
    """Unix seconds, or a date as ISO 8601 has it, as a day: "3 December 2026"."""
    from babel.dates import format_date

    reader = current()
    when = date.fromisoformat(at) if isinstance(at, str) else datetime.fromtimestamp(at).astimezone(reader.zone).date()
    return format_date(when, "d MMMM y", locale=reader.locale)


def date_of(at: float) -> str:
    """Unix seconds as a day in few letters: "29 Nov", with the year when it is not this one."""
    from babel.dates import format_date

    reader = current()
    when, now = (
        datetime.fromtimestamp(one, UTC).astimezone(reader.zone) for one in (at, datetime.now(UTC).timestamp())
    )
    return format_date(when.date(), "d MMM" if when.year == now.year else "d MMM y", locale=reader.locale)


def duration(seconds: float) -> str:
    """A time in a sentence: ``40 minutes``, ``1 hour``, ``1 h 30 min``; what is over whole minutes is left out."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    if hours and minutes:
        return gettext("{hours} h {minutes} min").format(hours=hours, minutes=f"{minutes:02d}")
    if hours:
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
    return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)


def short_duration(seconds: float) -> str:
    """A time where there is little room: ``40 min``, ``1 h 00 min``."""
    hours, minutes = divmod(max(0, int(seconds)) // 60, 60)
    if not hours:
        return gettext("{minutes} min").format(minutes=minutes)
    return gettext("{hours} h {minutes} min").format(hours=hours, minutes=f"{minutes:02d}")


def time_left(seconds: float) -> str:
    """A time until something: as :func:`short_duration`, but in days and hours when it is a day or more."""
    days, rest = divmod(max(0, int(seconds)), 86400)
    return gettext("{days} d {hours} h").format(days=days, hours=rest // 3600) if days else short_duration(rest)


def about(seconds: float) -> str:
    """A time that is an estimate: ``about 5 minutes``, ``less than a minute``."""
    return gettext("about {time}").format(time=duration(seconds)) if seconds >= 60 else gettext("less than a minute")


def age(seconds: float) -> str:
    """How long ago something was: ``just now``, ``40 s ago``, ``5 min ago``."""
    if seconds < 15:
        return gettext("just now")
    if seconds < 120:
        return gettext("{seconds} s ago").format(seconds=round(seconds))
    return gettext("{time} ago").format(time=short_duration(seconds))


def size(count: float) -> str:
    """Bytes in decimal units, as storage is sold: "340 B", "1.2 MB", "48 GB"."""
    value, units = float(count), list(_SIZES)
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    # as in JupyterLab's panels: below 9.95 of a unit one decimal
    pattern = "0.0" if value < 9.95 and units[0] != _SIZES[0] else "0"
    return f"{_by_pattern(value, pattern)} {units[0]}"


def memory(mib: float) -> str:
    """Memory of a job, of which Slurm's G is 1024 MiB: "512 MB", "4 GB", "1.5 GB"."""
    return f"{_decimal(mib / 1024, 1)} GB" if mib >= 1024 else f"{_decimal(mib, 0)} MB"


def listed(things: Sequence[str]) -> str:
    """Things that all count: "2 GPUs, 8 CPUs and 32 GB memory"."""
    from babel.lists import format_list

    return format_list(list(things), locale=current().locale)


def either(things: Sequence[str]) -> str:
    """Things of which one is meant: "a, b or c"."""
    from babel.lists import format_list

    return format_list(list(things), style="or", locale=current().locale)


def number(value: float) -> str:
    """A number without needless decimals: "2", "1.5", "1,240"."""
    return _decimal(value, 3)


def one_decimal(value: float) -> str:
    """A number in a column: "1240.0", "1240,0"."""
    return _by_pattern(value, "0.0")


def hours(value: float) -> str:
    """An amount of GPU-hours and the like: "87.5", "1,240"."""
    decimals = 1 if abs(value) < 100 else 0
    pattern = "#,##0.0" if decimals else "#,##0"
    return _by_pattern(value, pattern)


def percent(part: float) -> str:
    """A share, 0 to 1: "87%"."""
    return f"{part * 100:.0f}%"


def _decimal(value: float, most: int) -> str:
    return _by_pattern(value, "#,##0" + ("." + "#" * most if most else ""))


def _by_pattern(value: float, pattern: str) -> str:
    return _formatted(value, pattern, str(current().locale))


@lru_cache(8192)  # a table says the same few numbers again and again
def _formatted(value: float, pattern: str, locale: str) -> str:
    from babel.numbers import format_decimal

    return str(format_decimal(value, pattern, locale=locale))


def plural_number(value: Any) -> int:
    """The number that decides between the forms of a plural: a part of a thing takes the form of many."""
    return int(value) if float(value).is_integer() else 2


# How a parameter of a sentence may be formatted: {since:clock}, {limit:duration}.
KINDS: Final[dict[str, Callable[[Any], str]]] = {
    "clock": clock,
    "soon": soon,
    "day": day,
    "date": date_of,
    "duration": duration,
    "short": short_duration,
    "left": time_left,
    "about": about,
    "age": age,
    "size": size,
    "memory": memory,
    "number": number,
    "hours": hours,
    "percent": percent,
    # a phrase that is marked where it stands, as what a setting must be
    "phrase": gettext,
    # of texts, not of numbers: see text.py
    "lines": str,
    "indented": str,
    "list": str,
    "either": str,
    "dots": str,
    "capital": str,
    "sentences": str,
}


def of_things(number: int, thing: str) -> str:
    """So many of a thing that takes an s: ``1 job``, ``2 jobs``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def are(number: float) -> str:
    """The verb after a number: ``1 is``, ``2 are``."""
    return "is" if number == 1 else "are"


def are_of(amount: str) -> str:
    """The verb after an amount in words: ``1 GPU-hour is``, ``1.5 GPU-hours are``."""
    return "is" if amount.startswith(("1 ", "less ")) else "are"
