"""The hub's authenticator: which one a site has, for how long somebody is an operator, and the passwords beside."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.auth import PAMAuthenticator
from traitlets.config import Config

from fabric_dev.login import DemoAuthenticator
from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.config.settings import parse
from fabric_hub.errors import FabricError
from fabric_hub.hub import configuration
from fabric_hub.hub.login import authenticator as module
from fabric_hub.hub.login.authenticator import FabricAuthenticator
from tests.support.builders import site_text
from tests.unit.hub.test_configuration import _as_before  # noqa: F401

OURS = "fabric_hub.hub.login.authenticator.FabricAuthenticator"


def text_of(tmp_path: Path, more: str = "") -> str:
    (tmp_path / "secret").write_text("a secret\n")
    (tmp_path / "secret").chmod(0o640)
    provider = f"preset = 'sram'\nclient_id = 'hub'\nclient_secret_file = '{tmp_path}/secret'\n"
    return site_text(tmp_path, f"[catalogue]\n[login]\nadmins = ['ada']\n{more}\n[login.provider.sram]\n{provider}")


def made(tmp_path: Path, more: str = "", **config: Any) -> FabricAuthenticator:
    site = parse(text_of(tmp_path, more))
    c = Config({"Authenticator": {"allowed_users": {"jan"}, "admin_users": {"ada"}}, **config})
    return FabricAuthenticator(site=site, catalogue=CatalogueClient(tmp_path / "socket"), config=c)


def test_a_provider_has_what_the_sites_file_says(tmp_path: Path) -> None:
    provider = made(tmp_path).providers["sram"]
    assert (provider.client_id, provider.client_secret) == ("hub", "a secret")
    assert provider.oauth_callback_url == "http://127.0.0.1:8000/hub/login/sram/callback"
    assert provider.enable_pkce


@pytest.mark.parametrize(("more", "kind"), [("", None), ("kind = 'pam'", PAMAuthenticator)])
def test_passwords_are_beside_where_the_site_has_them(tmp_path: Path, more: str, kind: type | None) -> None:
    password = made(tmp_path, more).password
    assert password is None if kind is None else isinstance(password, kind)


async def test_a_password_lets_in_whom_its_own_login_lets_in_and_operators_are_said_anew(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    file.write_text(json.dumps(dict.fromkeys(("jan", "eve", "ada"), "right")))
    demo = f"kind = 'demo'\ndemo_file = '{file}'"
    ours = made(tmp_path, demo, DemoAuthenticator={"demo_file": str(file), "allow_all": True})
    assert isinstance(ours.password, DemoAuthenticator)

    async def comes(name: str, password: str = "right") -> Any:
        return await ours.get_authenticated_user(SimpleNamespace(), {"username": name, "password": password})

    assert await comes("jan", "wrong") is None
    assert ((await comes("eve"))["name"], (await comes("eve"))["admin"]) == ("eve", False)
    assert (await comes("ada"))["admin"] is True
    assert await made(tmp_path).get_authenticated_user(SimpleNamespace(), {"username": "jan", "password": "x"}) is None


async def test_an_entitlement_makes_an_operator_for_some_hours_and_a_name_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = made(tmp_path)
    eve, ada, jan = (SimpleNamespace(name=name, admin=name != "jan") for name in ("eve", "ada", "jan"))
    assert ours._operator("eve", True)
    assert await ours.refresh_user(eve) is await ours.refresh_user(ada) is await ours.refresh_user(jan) is True
    monkeypatch.setattr(module, "OPERATOR_S", 0.0)
    assert await ours.refresh_user(eve) == {"name": "eve", "admin": False}
    assert await ours.refresh_user(ada) is await ours.refresh_user(jan) is True
    monkeypatch.undo()
    assert await made(tmp_path).refresh_user(eve) == {"name": "eve", "admin": False}, (
        "another hub has not seen that login"
    )
    assert not ours._operator("eve", False)
    assert await ours.refresh_user(eve) == {"name": "eve", "admin": False}


async def test_who_is_refused_an_account_is_in_the_log_by_issuer_and_subject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ours = made(tmp_path)
    ours.log = logging.getLogger("login")

    async def person(*_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"iss": "https://proxy.sram.surf.nl", "sub": "77\naa"}, {}

    monkeypatch.setattr(type(ours.providers["sram"]), "person", person)
    with pytest.raises(FabricError):
        await ours._of_provider(SimpleNamespace(provider=ours.providers["sram"], begun={}))  # type: ignore[arg-type]
    assert caplog.messages == [
        "No account by the login at sram of issuer 'https://proxy.sram.surf.nl', subject '77\\naa'"
    ]


@pytest.mark.parametrize(("keep", "name"), [("false", "jan"), ("true", "Jan")])
def test_names_are_written_as_the_site_says(tmp_path: Path, keep: str, name: str) -> None:
    assert made(tmp_path, f"keep_case = {keep}").normalize_username("Jan") == name


def test_who_is_an_operator_may_come_in_and_others_where_they_are_allowed(tmp_path: Path) -> None:
    ours = made(tmp_path)
    assert ours.check_allowed("jan", {"name": "jan", "admin": False})
    assert not ours.check_allowed("eve", {"name": "eve", "admin": False})
    assert ours.check_allowed("eve", {"name": "eve", "admin": True})


def test_a_site_with_providers_has_our_authenticator_and_its_own_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site_file, own = tmp_path / "site.toml", tmp_path / "own.py"
    own.write_text("")
    text = text_of(tmp_path).replace("[hub]", f"[hub]\nextra_config = '{own}'", 1)
    site_file.write_text(text)
    c = Config()
    settings = configuration.configure(c, site_file)
    assert c.JupyterHub.authenticator_class == OURS
    configuration.complete(c, settings)
    assert "have no effect" not in caplog.text
    c.JupyterHub.authenticator_class = "generic-oauth"
    with caplog.at_level(logging.WARNING):
        configuration.complete(c, settings)
    assert c.JupyterHub.authenticator_class == "generic-oauth"
    assert (
        f"The [login.provider] tables have no effect: {own} sets JupyterHub.authenticator_class. "
        f"Take that line out of {own}, or the tables out of the site's file."
    ) in caplog.text


def test_a_hub_does_not_start_with_a_secret_that_others_read(tmp_path: Path) -> None:
    site_file = tmp_path / "site.toml"
    site_file.write_text(text_of(tmp_path))
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(SystemExit, match="has mode 0644, so others could read or change it"):
        configuration.configure(Config(), site_file)
