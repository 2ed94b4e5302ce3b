"""A time of day as people read it."""

from __future__ import annotations

from datetime import datetime


def clock(at: float) -> str:
    """Unix seconds as a time of day; with the date when it is not today. Local time of this machine."""
    when, now = datetime.fromtimestamp(at).astimezone(), datetime.now().astimezone()
    return when.strftime("%H:%M" if when.date() == now.date() else "%d %b %H:%M")
