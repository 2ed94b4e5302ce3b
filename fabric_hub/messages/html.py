"""Sentences as a page shows them: each moment in them is a ``<time>``, which the browser writes in its own zone.

What is said stands escaped around it. static/clock.js keeps such elements in the reader's time zone, also where the
hub does not know it yet.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from . import formats
from .translation import gettext

# What static/clock.js calls a kind of moment.
TIME, DATE, IN = "time", "date", "in"
# An address in plain words; what ends the sentence that it stands in is no part of it.
_ADDRESS = re.compile(r"https://[^\s<>\"']*[^\s<>\"'.,;:!?)\]}]")


def as_html(value: Any) -> Markup:
    """What has ``say()``, as a text or a refusal, or a plain string: escaped, with its moments as elements."""
    with formats.marking():
        said = value.say() if hasattr(value, "say") else str(value)
    shown = Markup("")
    for words, at in formats.parts(said):
        shown += words if at is None else element(at, TIME, words)
    return shown


def linked(words: str) -> Markup:
    """Plain words, escaped, in which an address that begins with https:// is a link; nothing else is one."""
    shown, last = Markup(""), 0
    for found in _ADDRESS.finditer(words):
        address = found[0]
        shown += Markup('{}<a href="{}" rel="noopener noreferrer">{}</a>').format(
            words[last : found.start()], address, address
        )
        last = found.end()
    return shown + words[last:]


def element(at: float, kind: str, words: str) -> Markup:
    """A moment, in Unix seconds, as an element.

    :param kind: :data:`TIME`, :data:`DATE` or :data:`IN`.
    :param words: what stands in it until the script has written it.
    """
    iso = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" data-clock="{}">{}</time>').format(iso, kind, words)


def time_clock(at: float) -> Markup:
    """Unix seconds as a time of day, with the day where it is not today."""
    return element(at, TIME, formats.clock(at))


def time_day(at: float) -> Markup:
    """Unix seconds as a day."""
    return element(at, DATE, formats.day(at))


def time_in(at: float) -> Markup:
    """Unix seconds as how long it is until then: "in 42 min"; what is over is "now"."""
    left = at - datetime.now(UTC).timestamp()
    return element(at, IN, gettext("in {time}").format(time=formats.time_left(left)) if left >= 60 else gettext("now"))
