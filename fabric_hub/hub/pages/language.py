"""The language of the hub's pages: what their templates ask for, and the switch in their navigation bar."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import get_browser_protocol

from fabric_hub.hub.readers import LANGUAGE_COOKIE, asked
from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.reader import current, languages
from fabric_hub.messages.texts import pages as texts

PATH = "/language"
_COOKIE_DAYS = 365


class Switch(BaseHandler):  # type: ignore[misc]
    """``POST /hub/language``: the choice of whoever reads (``language``), then the page that they came from (``next``).

    As with every form of the hub's, JupyterHub wants its own token against forgery; a GET is no way to choose.
    """

    async def post(self) -> None:
        language = self.get_body_argument("language", "")
        if language not in languages():
            raise RefusedRequestError(texts.NO_LANGUAGE(languages=languages()))
        self.set_cookie(
            LANGUAGE_COOKIE,
            language,
            path=self.hub.base_url,
            expires_days=_COOKIE_DAYS,
            httponly=True,
            samesite="Lax",
            secure=get_browser_protocol(self.request) == "https",
        )
        if asked().person:
            runtime().readers.remember(asked().person, language)
        self.redirect(page_of_hub(self.get_body_argument("next", ""), self.hub.base_url), status=303)


def page_of_hub(address: str, base_url: str) -> str:
    """An address that is a path of this hub's pages, below ``base_url``; else the hub's first page. Pure."""
    parts = urlsplit(address)
    plain = not (parts.scheme or parts.netloc) and "\\" not in address and address.isprintable()
    elsewhere = ".." in parts.path.split("/") or parts.path == f"{base_url.rstrip('/')}{PATH}"
    return address if plain and not elsewhere and parts.path.startswith(base_url) else base_url


def names() -> list[tuple[str, str]]:
    """The languages that there are, with what each is called in itself."""
    return [(code, (Locale.parse(code).get_language_name(code) or code).capitalize()) for code in languages()]


# What every template has of a reader, as functions of who looks at the page.
TEMPLATE_VARS: Mapping[str, Callable[[Any], Any]] = {
    "fabric_language": lambda _viewer: current().language,
    "fabric_languages": lambda _viewer: names(),
    "fabric_here": lambda _viewer: asked().address,
    "fabric_now": lambda _viewer: time.time(),
}


def pages() -> list[tuple[Any, ...]]:
    """The switch, for JupyterHub's list of pages."""
    return [(PATH, Switch)]
