"""Templates say what they say to the reader: ``{% trans %}``, ``{{ _("…") }}``, and our texts wherever they are shown.

A variable of a sentence is escaped, the sentence itself is a catalogue's and may have tags. Amounts and times are
formatted by filters: ``{{ at | as_clock }}``, for each of :data:`fabric_hub.messages.formats.KINDS`. A moment that a
page shows is ``{{ at | time_clock }}``, ``{{ at | time_day }}`` or ``{{ at | time_in }}``: static/clock.js keeps it in
the browser's own time zone, and counts on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from time import time
from typing import Any, Final

from jinja2 import Environment
from jinja2.ext import InternationalizationExtension
from markupsafe import Markup

from fabric_hub.errors import FabricError
from fabric_hub.messages import formats
from fabric_hub.messages.reader import SOURCE, current
from fabric_hub.messages.text import Text
from fabric_hub.messages.translation import gettext, ngettext

from .jupyterhub_words import PATTERNS


class Sentences(InternationalizationExtension):
    """Gettext for a template environment, in the language of whoever reads the page that is made."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.policies["ext.i18n.trimmed"] = True
        install: Any = environment
        install.install_gettext_callables(gettext, ngettext, newstyle=True)
        environment.filters |= {f"as_{kind}": form for kind, form in formats.KINDS.items()}
        environment.filters |= {f"time_{kind}": partial(time_of, kind) for kind in TIMES}
        environment.filters |= {"as_moment": moment, "as_text": said, "status_phrase": status_phrase, "theirs": theirs}
        environment.finalize = said


def said(value: Any) -> Any:
    """What a template shows of a value: of a text or a refusal its sentences."""
    return value.say() if isinstance(value, Text | FabricError) else value


def moment(at: datetime) -> str:
    """A time as JupyterHub keeps it, UTC without saying so, as :func:`fabric_hub.messages.formats.clock`."""
    return formats.clock(at.replace(tzinfo=UTC).timestamp())


# What static/clock.js knows by these names, and what stands there without it.
TIMES: Final[Mapping[str, tuple[str, Callable[[float], str]]]] = {
    "clock": ("time", formats.clock),
    "day": ("date", formats.day),
    "in": ("in", lambda at: _until(at - time())),
}


def _until(seconds: float) -> str:
    return gettext("in {time}").format(time=formats.time_left(seconds)) if seconds >= 60 else gettext("now")


def time_of(kind: str, at: float) -> Markup:
    """Unix seconds as an element ``<time>`` in the reader's own time zone.

    :param kind: one of :data:`TIMES`: a time of day, a day, or how long it is until then.
    """
    script, words = TIMES[kind]
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" data-clock="{}">{}</time>').format(moment, script, words(at))


def status_phrase(status: int) -> str:
    """What HTTP calls a status: "Not Found"."""
    return HTTPStatus(status).phrase if status in list(HTTPStatus) else "Unknown HTTP Error"


def theirs(words: Any) -> str | Markup:
    """JupyterHub's own English words in the reader's language; those that we do not know are marked as English."""
    told = str(words)
    for pattern, text in PATTERNS:
        if found := pattern.fullmatch(told):
            return gettext(text).format(**found.groupdict())
    known = gettext(told) if told else ""
    if not told or known != told or current().language == SOURCE:
        return known
    return Markup('<span lang="{}">{}</span>').format(SOURCE, told)
