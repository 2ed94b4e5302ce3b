"""Identity providers in a site's file: what is wrong with them, and what a preset knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.config.login import PRESETS, between_tables, callback, secret_mistakes
from fabric_hub.config.settings import Settings, parse
from fabric_hub.errors import FabricError
from tests.support.builders import site_text

CATALOGUE = "[catalogue]\ndata_dir = '/data'\n"


def a_site(tmp_path: Path, provider: str, more: str = CATALOGUE) -> Settings:
    secret = f"client_secret_file = '{tmp_path}/secret'"
    return parse(site_text(tmp_path, f"{more}[login.provider.uni]\nclient_id = 'hub'\n{secret}\n{provider}\n"))


def wrong(tmp_path: Path, provider: str, more: str = CATALOGUE) -> str:
    with pytest.raises(FabricError) as raised:
        a_site(tmp_path, provider, more)
    return raised.value.message


@pytest.mark.parametrize("preset", [name for name, preset in PRESETS.items() if preset.issuer])
def test_a_site_says_little_of_a_provider_with_a_preset(tmp_path: Path, preset: str) -> None:
    provider = a_site(tmp_path, f"preset = '{preset}'").login.provider["uni"]
    assert provider.issuer_url.startswith("https://")
    assert "openid" in provider.asked
    assert provider.shown("uni") == PRESETS[preset].title


def test_what_a_site_says_is_above_the_preset(tmp_path: Path) -> None:
    provider = a_site(
        tmp_path,
        "preset = 'sram'\ntitle = 'Research login'\nissuer = 'https://acc.example.org'\nscopes = ['openid']\n"
        "account_claim = ''\norganisation_claim = 'home'",
    ).login.provider["uni"]
    assert (provider.issuer_url, provider.asked) == ("https://acc.example.org", ("openid",))
    assert (provider.title, provider.names_account, provider.names_organisation) == (
        "Research login",
        "",
        "home",
    )


@pytest.mark.parametrize("preset", ["efp", "generic"])
def test_where_a_preset_has_no_issuer_it_is_required(tmp_path: Path, preset: str) -> None:
    assert (
        f'issuer is required with preset = "{preset}": the address of the provider, as it stands in its ID tokens'
    ) in wrong(tmp_path, f"preset = '{preset}'")


def test_an_issuer_is_reached_by_https_or_on_this_machine(tmp_path: Path) -> None:
    assert (
        "issuer (http://sso.example.org) must begin with https: anybody on the way could answer in its place"
    ) in wrong(tmp_path, "issuer = 'http://sso.example.org'")
    assert a_site(tmp_path, "issuer = 'http://127.0.0.1:9400'").login.provider["uni"].issuer_url


def test_openid_is_asked_for(tmp_path: Path) -> None:
    assert 'scopes must have "openid"' in wrong(tmp_path, "preset = 'sram'\nscopes = ['profile']")


def test_a_secret_never_stands_in_the_file(tmp_path: Path) -> None:
    assert "login.provider.uni.client_secret: no such setting" in wrong(
        tmp_path, "preset = 'sram'\nclient_secret = 'abc'"
    )


def test_providers_need_the_catalogue_service(tmp_path: Path) -> None:
    assert (
        "login.provider.uni: needs a section [catalogue]: the catalogue service keeps which account a person of a "
        "provider has"
    ) in wrong(tmp_path, "preset = 'sram'", "")


@pytest.mark.parametrize("value", ["hub-admins", "urn:mace:x", "urn:mace:x:group:", "urn:mace:x:group:a b", "*"])
def test_operators_are_named_by_whole_entitlements(tmp_path: Path, value: str) -> None:
    assert "must be a whole entitlement as the provider sends it" in wrong(
        tmp_path, f"preset = 'sram'\noperators = ['{value}']"
    )


def test_the_callback_is_made_from_the_address_that_people_open(tmp_path: Path) -> None:
    def made(hub: str, provider: str = "") -> str:
        text = site_text(tmp_path, f"{CATALOGUE}[login.provider.uni]\nclient_id = 'hub'\npreset = 'sram'\n"
                         f"client_secret_file = '/etc/secret'\n{provider}\n")  # fmt: skip
        site = parse(text.replace("[hub]", f"[hub]\n{hub}", 1))
        return callback("uni", site.login.provider["uni"], site.hub)

    assert made("bind_url = 'http://127.0.0.1:8000'") == "http://127.0.0.1:8000/hub/login/uni/callback"
    assert made("bind_url = 'http://127.0.0.1:8000/a/'") == "http://127.0.0.1:8000/a/hub/login/uni/callback"
    assert made("public_url = 'https://hub.example.org/'") == "https://hub.example.org/hub/login/uni/callback"
    subdomains = "public_url = 'https://h.example.org/'\nsubdomain_host = 'https://h.example.org'"
    assert made(subdomains) == "https://h.example.org/hub/login/uni/callback"
    own = "callback_url = 'https://other.example.org/hub/login/uni/callback'"
    assert made("", own) == "https://other.example.org/hub/login/uni/callback"
    waits = "is not where the hub waits for people who come back: it must end in /hub/login/uni/callback"
    with pytest.raises(FabricError, match=waits):
        made("", "callback_url = 'https://other.example.org/hub/oauth_callback'")


@pytest.mark.parametrize(
    ("mode", "content", "what"),
    [
        (0o640, "secret", None),
        (0o600, "secret", None),
        (0o644, "secret", "{path} has mode 0644, so others could read or change it: chmod 0640 {path}"),
        (0o660, "secret", "{path} has mode 0660, so others could read or change it: chmod 0640 {path}"),
        (0o640, "", "{path} is empty or larger than 4096 bytes"),
        (0o640, "x" * 4097, "{path} is empty or larger than 4096 bytes"),
        (None, "", "{path} cannot be read: No such file or directory"),
    ],
)
def test_the_file_of_a_secret_is_checked(tmp_path: Path, mode: int | None, content: str, what: str | None) -> None:
    path = tmp_path / "secret"
    if mode is not None:
        path.write_text(content)
        path.chmod(mode)
    found = [str(one) for one in secret_mistakes(a_site(tmp_path, "preset = 'sram'").login)]
    key = "login.provider.uni.client_secret_file"
    assert found == ([] if what is None else [f"{key}: {what.format(path=path)}"])


def test_a_directory_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir(mode=0o700)
    site = a_site(tmp_path, "preset = 'sram'")
    assert [str(one.what) for one in secret_mistakes(site.login)] == [f"{tmp_path}/secret is no plain file"]


@pytest.mark.parametrize(
    "address", ["http://0.0.0.0:8000", "http://[::]:8000", "http://10.1.2.3", "https://hub.example.org"]
)
def test_the_demos_login_is_for_this_machine_alone(tmp_path: Path, address: str) -> None:
    login = f"[login]\nkind = 'demo'\ndemo_file = '{tmp_path}/demo.json'\n"
    text = site_text(tmp_path, login).replace("[hub]", f"[hub]\nbind_url = '{address}'\nnodes_plain_http = true", 1)
    with pytest.raises(FabricError) as raised:
        parse(text)
    assert (
        f"login.kind: the demo's passwords are for this machine alone, and hub.bind_url ({address}) is open to others: "
        'set it to http://127.0.0.1:8000, or take kind = "pam" or a [login.provider.NAME]'
    ) in str(raised.value)
    site = parse(text.replace(address, "http://127.0.0.1:8000"))
    assert site.login.kind == "demo"
    mistakes = between_tables(site.login, site.hub.model_copy(update={"bind_url": address}), catalogue=False)
    assert [(mistake.key, mistake.what.code) for mistake in mistakes] == [("login.kind", "setting-demo-loopback")]
    assert parse(text.replace("'demo'", "'pam'")).login.kind == "pam"
