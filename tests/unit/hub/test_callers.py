"""The list of who may call what has every page that we add to JupyterHub or change in it, and what checks callers."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.handlers.base import BaseHandler
from tornado import web
from traitlets.config import Config

from fabric_hub.hub.configuration import configure
from fabric_hub.service.callers import HUB, Caller
from tests.support.builders import site_text

from .test_configuration import _as_before  # noqa: F401

# What of JupyterHub's handlers says who somebody is: nothing of ours may stand in its place.
WHO_IS_IT = {name for name in dir(BaseHandler) if re.search(r"user|token|cookie|auth|login|scope|xsrf", name)}


@pytest.fixture
def routes(tmp_path: Path) -> list[tuple[str, type[Any]]]:
    """Path and class of everything that a hub with all its pages answers."""
    site_file = tmp_path / "site.toml"
    site_file.write_text(site_text(tmp_path, "[catalogue]\n").replace("internal_ssl = false", ""))
    c = Config()
    configure(c, site_file)
    hub = JupyterHub(config=c)
    hub.init_db()
    hub.init_handlers()
    return [(entry[0], entry[1]) for entry in hub.handlers]


def is_jupyterhubs(handler: type[Any]) -> bool:
    return handler.__module__.partition(".")[0] in {"jupyterhub", "tornado"}


def ours_in(handler: type[Any]) -> set[str]:
    """The names of what is ours in a class of JupyterHub's."""
    return {name for name, what in vars(handler).items() if getattr(what, "__module__", "").startswith("fabric_")}


def verbs(handler: type[Any]) -> set[str]:
    """What a handler answers; "*": whatever the verb."""
    plain = web.RequestHandler
    found = {
        verb for verb in plain.SUPPORTED_METHODS if getattr(handler, verb.lower()) is not getattr(plain, verb.lower())
    }
    return found or {"*"}


def name_of(handler: type[Any]) -> str:
    return f"{handler.__module__}:{handler.__qualname__}"


def test_every_handler_that_we_add_or_change_has_its_lines_and_every_line_its_handler(
    routes: list[tuple[str, type[Any]]],
) -> None:
    touched = {handler for _, handler in routes if not is_jupyterhubs(handler) or ours_in(handler)}
    assert len(touched) >= 4
    assert {(line.operation.split()[0], line.handler) for line in HUB} == {
        (verb, name_of(handler)) for handler in touched for verb in verbs(handler)
    }
    paths = {(line.handler, re.sub(r"{\w+}", "x", line.operation.split()[1])) for line in HUB}
    for handler, path in paths:
        assert any(name_of(cls) == handler and re.fullmatch(route, path) for route, cls in routes), path
    for route, cls in routes:
        if not is_jupyterhubs(cls):
            assert any(name_of(cls) == handler and re.fullmatch(route, path) for handler, path in paths), route


def test_what_is_for_who_has_logged_in_asks_for_the_login_and_takes_no_token() -> None:
    authenticated = web.authenticated(lambda _: None).__code__
    for line in HUB:
        handler, verb = resolve_name(line.handler), line.operation.split()[0]
        if line.caller is Caller.LOGGED_IN:
            assert resolve_name(line.caller.check) is web.authenticated
            assert getattr(handler, verb.lower()).__code__ is authenticated, line
            assert not handler._accept_token_auth, line
            assert handler.check_xsrf_cookie is BaseHandler.check_xsrf_cookie, line
        else:
            assert line.caller is Caller.ANYBODY, line


def test_nothing_of_ours_stands_where_jupyterhub_says_who_somebody_is(routes: list[tuple[str, type[Any]]]) -> None:
    classes = {cls for _, handler in routes for cls in handler.__mro__ if is_jupyterhubs(cls)}
    assert {"current_user", "get_current_user", "check_xsrf_cookie"} <= WHO_IS_IT
    assert not {(cls, name) for cls in classes for name in ours_in(cls) & WHO_IS_IT}
