"""What a test changes of JupyterHub, Tornado and Python in this process is put back after it."""

from __future__ import annotations

import pkgutil
import ssl
from collections.abc import Iterator
from typing import Any

import jupyterhub.apihandlers
import jupyterhub.handlers
import pytest
from tornado.httpserver import HTTPServer

from fabric_hub.hub.patches import PATCHES


def place(name: str) -> tuple[Any, str]:
    """Where a patch puts something: the module or class, and the attribute's name."""
    module, _, attribute = name.partition(":")
    owner, _, last = attribute.rpartition(".")
    return pkgutil.resolve_name(f"{module}:{owner}" if owner else module), last


PLACES = [place(name) for patch in PATCHES for name in patch.replaces]


@pytest.fixture(autouse=True)
def libraries_stay(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for owner, name in PLACES:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setattr(ssl.SSLContext, "sslsocket_class", ssl.SSLContext.sslsocket_class)
    server = HTTPServer._save_configuration()
    lists = [jupyterhub.apihandlers.default_handlers, jupyterhub.handlers.default_handlers]
    before = [list(entries) for entries in lists]
    yield
    HTTPServer._restore_configuration(server)
    for entries, were in zip(lists, before, strict=True):
        entries[:] = were
