"""A time of day as people read it."""

from __future__ import annotations

from datetime import datetime


def clock(at: float) -> str:
    """Unix seconds as a time of day, with the date when it is not today: "13:30 UTC", "27 Nov 00:17 CET".

    It is this machine's local time; the zone is named, for whoever reads it may live in another.
    """
    when, now = datetime.fromtimestamp(at).astimezone(), datetime.now().astimezone()
    return when.strftime("%H:%M %Z" if when.date() == now.date() else "%d %b %H:%M %Z")
