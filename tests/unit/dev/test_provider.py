"""The identity provider of an embedded run: what its site file says, and that it answers with the demo's people."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from fabric_dev import demo, instance, provider, sitefile
from fabric_dev.cluster import base_environment
from fabric_dev.layout import Layout
from fabric_dev.ports import Claims, Ports, choose
from fabric_dev.processes import end, start
from fabric_hub.config import settings
from fabric_hub.config.login import callback, secret_mistakes
from fabric_hub.errors import FabricError
from tests.support.waiting import until


def site_of(layout: Layout, ports: Ports, oidc: bool) -> settings.Settings:
    text = sitefile.site(
        layout, ports, prefix=None, catalogue_service="me", gpus=None, proxy_command=("/node",), oidc=oidc
    )
    return settings.parse(text)


def test_the_site_file_has_the_provider_where_it_was_asked_for(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / "images")
    ports = Ports(public=8000, hub=1, slurmctld=4, slurmdbd=5, slurmd=(6, 7, 8), provider=9)
    site = site_of(layout, ports, True)
    assert site.login.kind == "demo", "the demo's passwords stay"
    found = site.login.provider[provider.NAME]
    assert (found.issuer_url, found.names_account) == ("http://127.0.0.1:9", "preferred_username")
    assert callback(provider.NAME, found, site.hub) == "http://127.0.0.1:8000/hub/login/demo/callback"
    layout.hub.mkdir()
    instance.write_private(layout.provider_secret, "secret")
    assert secret_mistakes(site.login, reads=True) == []
    assert site_of(layout, ports, False).login.provider == {}


def test_it_knows_the_demos_people_and_answers_as_its_own_issuer(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / "images")
    layout.log.mkdir()
    with Claims() as claims:
        port = choose(claims, None, None).provider
        environment = {**base_environment(layout), "PYTHONPATH": ":".join(sys.path)}
        runtime = cast("Any", SimpleNamespace(python=Path(sys.executable)))
        daemon = provider.daemon(layout, runtime, environment, port)
        assert daemon.missing() == f"nobody answers at http://127.0.0.1:{port}"
        process = start(daemon.argv, log=layout.log / "provider.log", environment=environment, cwd=tmp_path)
        try:
            until(lambda: not daemon.missing(), "the provider answers", 60)
            asked = {"client_id": "hub", "redirect_uri": "http://127.0.0.1/x", "response_type": "code", "nonce": "n"}
            page = httpx.get(
                f"http://127.0.0.1:{port}/oauth2/authorize", params={**asked, "scope": "openid"}, trust_env=False
            )
            assert page.status_code == 200
            for user in demo.ACCOUNTS:
                assert f'value="{user}-at-demo"' in page.text
        finally:
            end([process.pid])
            process.wait()


def test_where_it_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    provider.check()
    monkeypatch.setattr(provider, "PROGRAM", "no_such_provider")
    with pytest.raises(FabricError, match="oidc-provider-mock, is not installed"):
        provider.check()
