"""Times, sizes and amounts as people read them: one notation for each, on every page and in every sentence."""

from __future__ import annotations

from datetime import datetime

_SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB")


def clock(at: float) -> str:
    """Unix seconds as a time of day, with the date when it is not today: "13:30 UTC", "27 Nov 00:17 CET".

    It is this machine's local time; the zone is named, for whoever reads it may live in another.
    """
    when, now = datetime.fromtimestamp(at).astimezone(), datetime.now().astimezone()
    return when.strftime("%H:%M %Z" if when.date() == now.date() else "%d %b %H:%M %Z")


def duration(seconds: float) -> str:
    """A time in a sentence: ``40 minutes``, ``1 hour``, ``1 h 30 min``; what is over whole minutes is left out."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    if hours and minutes:
        return f"{hours} h {minutes:02d} min"
    return of_things(hours, "hour") if hours else of_things(minutes, "minute")


def short_duration(seconds: float) -> str:
    """A time where there is little room: ``40 min``, ``1 h 00 min``."""
    hours, minutes = divmod(max(0, int(seconds)) // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def time_left(seconds: float) -> str:
    """A time until something: as :func:`short_duration`, but in days and hours when it is a day or more."""
    days, rest = divmod(max(0, int(seconds)), 86400)
    return f"{days} d {rest // 3600} h" if days else short_duration(rest)


def about(seconds: float) -> str:
    """A time that is an estimate: ``about 5 minutes``, ``less than a minute``."""
    return f"about {duration(seconds)}" if seconds >= 60 else "less than a minute"


def size(count: int) -> str:
    """Bytes in decimal units: "999 bytes", "1.23 MB"."""
    number, units = float(count), list(_SIZES)
    while number >= 999.5 and len(units) > 1:
        number, units = number / 1000, units[1:]
    return f"{number:.3g} {units[0]}"


def of_things(number: int, thing: str) -> str:
    """So many of a thing that takes an s: ``1 job``, ``2 jobs``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def are(number: float) -> str:
    """The verb after a number: ``1 is``, ``2 are``."""
    return "is" if number == 1 else "are"


def are_of(amount: str) -> str:
    """The verb after an amount in words: ``1 GPU-hour is``, ``1.5 GPU-hours are``."""
    return "is" if amount.startswith(("1 ", "less ")) else "are"
