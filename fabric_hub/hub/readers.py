"""Who reads what the hub makes for a request: the language, the time zone, and the person who asked.

The language is the browser's cookie, else what the person chose before, else what their browser asks for. The time
zone is the browser's own, which a script of every page puts into a cookie. Our service, which asks for a person, says
for whom in the headers of its request.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from fabric_hub.errors import FabricError
from fabric_hub.messages.reader import ZONE_HEADER, Reader, current, language_of, languages, set_reader, zone_of

from .spawner.runtime import runtime

log = logging.getLogger(__name__)

LANGUAGE_COOKIE: Final = "fabric-language"
ZONE_COOKIE: Final = "fabric-zone"  # set by static/page.js


@dataclass(frozen=True)
class Asked:
    """The request that is answered now: the hub's user who made it ("": nobody, or a service), and its address."""

    person: str = ""
    address: str = ""


_NOBODY = Asked()
_asked: ContextVar[Asked] = ContextVar("asked", default=_NOBODY)


def read_request(handler: Any, user: Any) -> None:
    """Make all that is made for a request for whoever reads its answer.

    :param handler: a handler of JupyterHub's; ``user`` is who asks, None while that is not known.
    """
    person = user.name if getattr(user, "kind", "") == "user" else ""
    _asked.set(Asked(person, _to_come_back(handler.request.uri)))
    chosen = handler.get_cookie(LANGUAGE_COOKIE)
    if chosen not in languages():
        chosen = remembered(person)
    headers = handler.request.headers
    zone = handler.get_cookie(ZONE_COOKIE) or headers.get(ZONE_HEADER)
    set_reader(Reader(language_of(chosen, headers.get("Accept-Language", "")), zone_of(zone)))


def asked() -> Asked:
    """The request that is answered now."""
    return _asked.get()


def remembered(person: str) -> str | None:
    """The language that a person chose at the hub; None where that is not known."""
    try:
        return runtime().readers.language(person) if person else None
    except FabricError as error:
        log.warning("The language of %s is not known: %s", person, error)
        return None


def reader_of(person: str) -> Reader:
    """Who reads in a person's session: who asked for it just now; when a program did for them, as they chose before.

    What another person's browser says, as an administrator's, counts for nothing.
    """
    if asked().person == person:
        return current()
    chosen = remembered(person)
    if asked().person:
        return Reader(language_of(chosen))
    return Reader(language_of(chosen, current().language), current().zone)


def _to_come_back(uri: str) -> str:
    """The address of a page without the token that came with a form."""
    parts = urlsplit(uri)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "_xsrf"]
    return parts._replace(scheme="", netloc="", query=urlencode(query), fragment="").geturl()
