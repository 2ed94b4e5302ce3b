"""A strict Content-Security-Policy for the hub's pages.

JupyterHub's templates have inline scripts, so its own policy must allow any script.
Here every response gets a nonce of its own: the header carries it, and every script
that stands in a template's *source* is given it. Text that comes from users is never
in a template's source, so a script that gets into a page that way does not run.

Method: https://www.w3.org/TR/CSP3/#framework-directive-source-list (nonces).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from jinja2.ext import Extension

HEADER = "Content-Security-Policy"

_nonce: ContextVar[str] = ContextVar("fabric_csp_nonce", default="")

# Inline styles stay allowed: JupyterHub's components set them, and they can run nothing.
_DIRECTIVES = {
    "default-src": "'self'",
    "script-src": "'self' 'nonce-{nonce}'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}

OTHER_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class ResponseHeaders(Mapping[str, str]):
    """Headers for JupyterHub's ``tornado_settings``; each reading of the policy makes a new nonce.

    JupyterHub reads them once for every response, before the response's page is made and
    in the same context, so the page's scripts get the nonce that the header has.

    :param subdomain_host: the hub's own origin, where every user has another one below it.
    """

    def __init__(self, subdomain_host: str = "") -> None:
        self._directives = directives(subdomain_host)

    def __getitem__(self, name: str) -> str:
        if name == HEADER:
            _nonce.set(secrets.token_urlsafe(16))
            return policy(_nonce.get(), self._directives)
        return OTHER_HEADERS[name]

    def __iter__(self) -> Iterator[str]:
        yield HEADER
        yield from OTHER_HEADERS

    def __len__(self) -> int:
        return 1 + len(OTHER_HEADERS)


def directives(subdomain_host: str = "") -> Mapping[str, str]:
    """The policy's directives for a site, where ``{nonce}`` stands for a response's own."""
    if not subdomain_host:
        return _DIRECTIVES
    hub = urlsplit(subdomain_host)
    origin, below = f"{hub.scheme}://{hub.netloc}", f"{hub.scheme}://*.{hub.netloc}"
    return {
        **_DIRECTIVES,
        # the hub's own pages about a session that does not run are shown on its user's host, too
        "style-src": f"{_DIRECTIVES['style-src']} {origin}",
        "img-src": f"{_DIRECTIVES['img-src']} {origin}",
        # a form that was sent (login, start) may end, by redirection, at the user's own session
        "form-action": f"{_DIRECTIVES['form-action']} {origin} {below}",
    }


def policy(nonce: str, site: Mapping[str, str] = _DIRECTIVES) -> str:
    """The policy's text for one response."""
    return "; ".join(f"{name} {value.format(nonce=nonce)}" for name, value in site.items())


def current_nonce(_viewer: Any = None) -> str:
    """The nonce of the response that is being made (a template variable)."""
    return _nonce.get()


class ScriptNonce(Extension):
    """Gives every script of a template's source the response's nonce."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"<script(?=[\s>])", '<script nonce="{{ csp_nonce }}"', source)
