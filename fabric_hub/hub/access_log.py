"""The hub's line for each request: who asked, from where, for what, and how it was answered.

The same requests at the same levels as JupyterHub's own (:func:`jupyterhub.log.log_request`), but in fields that no
text of a visitor's can leave, and without the values of a query: they hold codes and tokens.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.handlers.pages import HealthCheckHandler
from jupyterhub.metrics import prometheus_log_method
from tornado.log import access_log
from tornado.web import HTTPError, RequestHandler, StaticFileHandler

SLOW_MS = 1000.0


def log_request(handler: RequestHandler) -> None:
    """Log one answer; called by Tornado when it is complete."""
    status, took_ms = handler.get_status(), 1000.0 * handler.request.request_time()
    request = handler.request
    fields = {
        "method": request.method,
        "path": request.path,  # urlsplit takes //a/b for a host and a path, and raises ValueError for //[
        "status": status,
        "user": _user(handler),
        "client": request.remote_ip,
        "ms": round(took_ms, 1),
    }
    if status in (301, 302):
        fields["to"] = _path(handler._headers.get("Location", ""))
    plain = isinstance(handler, StaticFileHandler | HealthCheckHandler)
    access_log.log(level(status, took_ms, plain), "request", extra={"fields": fields})
    prometheus_log_method(handler)


def _path(address: str) -> str:
    """Of an address in a redirect: what a visitor sent may stand in it."""
    try:
        return urlsplit(address).path
    except ValueError:
        return address.partition("?")[0]


def level(status: int, took_ms: float, plain: bool) -> int:
    """How loud an answer is; ``plain``: of a file, or of a health check."""
    if status >= 500:
        return logging.ERROR
    if status >= 400:
        return logging.WARNING
    if took_ms < SLOW_MS and (status == 304 or (status < 300 and plain)):
        return logging.DEBUG
    return logging.INFO


def _user(handler: Any) -> str:
    """The name of whoever is logged in, or whose token came along; "" for nobody."""
    try:
        user = handler.current_user
    except (HTTPError, RuntimeError):
        return ""
    if isinstance(user, dict):
        return str(user.get("name", ""))
    return str(getattr(user, "name", user or ""))
