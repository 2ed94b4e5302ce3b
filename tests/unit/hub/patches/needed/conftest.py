"""The libraries as they are installed."""

from __future__ import annotations

import ssl

import pytest
from tornado.httpserver import HTTPServer

from fabric_hub.hub.patches.replace import original
from tests.unit.hub.conftest import PLACES


@pytest.fixture(autouse=True)
def unpatched(libraries_stay: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The libraries as they are, whatever tests before this one have left in the process."""
    for owner, name in PLACES:
        monkeypatch.setattr(owner, name, original(getattr(owner, name)))
    monkeypatch.setattr(ssl.SSLContext, "sslsocket_class", ssl.SSLSocket)
    HTTPServer.configure(None)
