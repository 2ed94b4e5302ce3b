"""The list of who may call what has every page that we add to JupyterHub or change in it, and what checks callers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from jupyterhub import scopes
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
    (tmp_path / "secret").write_text("a secret")
    (tmp_path / "secret").chmod(0o600)
    provider = f"client_id = 'hub'\npreset = 'sram'\nclient_secret_file = '{tmp_path}/secret'\n"
    sections = f"[catalogue]\n[login.provider.x]\n{provider}"
    site_file.write_text(site_text(tmp_path, sections).replace("internal_ssl = false", ""))
    c = Config()
    configure(c, site_file)
    hub = JupyterHub(config=c)
    hub.init_db()
    hub.init_handlers()
    return [(entry[0], entry[1]) for entry in hub.handlers]


def is_jupyterhubs(handler: type[Any]) -> bool:
    return handler.__module__.partition(".")[0] in {"jupyterhub", "tornado"}


def is_ours(function: Any) -> bool:
    # a wrapper may carry the name and module of what it wraps, not its globals
    return str(getattr(function, "__globals__", {}).get("__name__", "")).startswith("fabric_")


def ours_in(handler: type[Any]) -> set[str]:
    """The names of what is ours in a class of JupyterHub's."""
    return {name for name, what in vars(handler).items() if is_ours(what)}


def verbs(handler: type[Any]) -> set[str]:
    """What a handler answers; "*": whatever the verb."""
    plain, all_verbs = web.RequestHandler, web.RequestHandler.SUPPORTED_METHODS
    return {verb for verb in all_verbs if getattr(handler, verb.lower()) is not getattr(plain, verb.lower())} or {"*"}


def _example(part: re.Match[str]) -> str:
    """What may stand in a path for its parameter."""
    return {"session": "a" * 12, "ticket": "0" * 64, "reference": "FH-7K3Q-9M2P", "month": "2026-11"}.get(part[1], "x")


def name_of(handler: type[Any]) -> str:
    return f"{handler.__module__}:{handler.__qualname__}"


def layers(function: Any) -> Iterator[Any]:
    """A function and what it wraps, outermost first."""
    while function is not None:
        yield function
        function = getattr(function, "__wrapped__", None)


def test_every_handler_that_we_add_or_change_has_its_lines_and_every_line_its_handler(
    routes: list[tuple[str, type[Any]]],
) -> None:
    handlers = {handler for _, handler in routes}
    listed = {(line.handler, line.operation.split()[0]) for line in HUB}
    ours = {handler for handler in handlers if not is_jupyterhubs(handler)}
    assert len(ours) >= 3
    assert {entry for entry in listed if not entry[0].startswith("jupyterhub.")} == {
        (name_of(handler), verb) for handler in ours for verb in verbs(handler)
    }
    changed = {handler for handler in handlers - ours if ours_in(handler)}
    assert changed
    assert {name_of(handler) for handler in changed} <= {handler for handler, _ in listed}
    for handler in changed:
        replaced = verbs(handler) & {name.upper() for name in ours_in(handler)}
        assert {(name_of(handler), verb) for verb in replaced} <= listed
    paths = {(line.handler, re.sub(r"{(\w+)}", _example, line.operation.split()[1])) for line in HUB}
    for name, path in paths:
        assert any(name_of(cls) == name and re.fullmatch(route, path) for route, cls in routes), path
    for route, cls in routes:
        if cls in ours:
            assert any(name_of(cls) == name and re.fullmatch(route, path) for name, path in paths), route


def test_every_line_of_the_hub_has_the_check_that_it_says() -> None:
    authenticated = web.authenticated(lambda _: None).__code__
    needs_scope = scopes.needs_scope("self")(lambda _: None).__code__
    for line in HUB:
        handler, verb = resolve_name(line.handler), line.operation.split()[0]
        functions = {one.__code__: one for one in layers(getattr(handler, verb.lower(), None))}
        if line.caller is Caller.LOGGED_IN:
            assert resolve_name(line.caller.check) is web.authenticated
            assert authenticated in functions, line
            assert not handler._accept_token_auth, line
            assert handler.check_xsrf_cookie is BaseHandler.check_xsrf_cookie, line
        elif line.caller is Caller.OPERATOR:
            assert any(line.caller.check.rpartition(":")[2] in code.co_names for code in functions), line
            assert not handler._accept_token_auth, line
            assert handler.check_xsrf_cookie is BaseHandler.check_xsrf_cookie, line
        elif line.caller in (Caller.STARTER, Caller.FOLLOWER, Caller.EDITOR):
            assert resolve_name(line.caller.check) is scopes.needs_scope
            assert inspect.getclosurevars(functions[needs_scope]).nonlocals["scopes"] == line.caller.scopes
        else:
            assert line.caller is Caller.ANYBODY, line


def test_nothing_of_ours_stands_where_jupyterhub_says_who_somebody_is(routes: list[tuple[str, type[Any]]]) -> None:
    classes = {cls for _, handler in routes for cls in handler.__mro__ if is_jupyterhubs(cls)}
    assert {"current_user", "get_current_user", "check_xsrf_cookie"} <= WHO_IS_IT
    assert not {(cls, name) for cls in classes for name in ours_in(cls) & WHO_IS_IT}
