"""Templates say what they say to the reader: ``{% trans %}``, ``{{ _("…") }}``, and our texts wherever they are shown.

A variable of a sentence is escaped, the sentence itself is a catalogue's and may have tags. Amounts and times are
formatted by filters: ``{{ at | as_clock }}``, for each of :data:`fabric_hub.messages.formats.KINDS`. A moment that a
page shows is ``{{ at | time_clock }}``, ``{{ at | time_day }}`` or ``{{ at | time_in }}``, and a text with moments in
it ``{{ text | as_html }}``, outside attributes: static/clock.js writes them in the browser's own time zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from jinja2 import Environment
from jinja2.ext import InternationalizationExtension
from markupsafe import Markup

from fabric_hub.errors import FabricError
from fabric_hub.messages import formats, html
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
        environment.filters |= {"time_clock": html.time_clock, "time_day": html.time_day, "time_in": html.time_in}
        environment.filters |= {
            "as_html": html.as_html,
            "as_linked": html.linked,
            "as_moment": moment,
            "as_text": said,
            "status_phrase": status_phrase,
            "theirs": theirs,
        }
        environment.finalize = said


def said(value: Any) -> Any:
    """What a template shows of a value: of a text or a refusal its sentences."""
    return value.say() if isinstance(value, Text | FabricError) else value


def moment(at: datetime) -> Markup:
    """A time as JupyterHub keeps it, UTC without saying so, as :func:`fabric_hub.messages.html.time_clock`."""
    return html.time_clock(at.replace(tzinfo=UTC).timestamp())


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
