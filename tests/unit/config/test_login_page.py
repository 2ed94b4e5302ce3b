"""The examples of docs/how-to/log-in.md are whole: oauthenticator takes them, and they name people as the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from oauthenticator.generic import GenericOAuthenticator
from traitlets.config import Config

PAGE = (Path(__file__).resolve().parents[3] / "docs/how-to/log-in.md").read_text()
EXAMPLES = dict(
    zip(("keycloak", "entra", "surfconext"), re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL), strict=True)
)


def login(name: str, tmp_path: Path) -> GenericOAuthenticator:
    """The authenticator that an example makes, with this machine's files in place of the site's."""
    (tmp_path / "oidc-secret").write_text("a secret\n")
    (tmp_path / "people.json").write_text(json.dumps({"abc-123": "alice"}))
    c = Config()
    exec(compile(EXAMPLES[name].replace("/etc/fabric-hub", str(tmp_path)), name, "exec"), {"c": c})
    assert c.JupyterHub.authenticator_class == "generic-oauth"
    unknown = set(c.GenericOAuthenticator) - set(GenericOAuthenticator.class_traits(config=True))
    assert unknown == set(), "settings that the installed oauthenticator has"
    return GenericOAuthenticator(config=c)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_whole(name: str, tmp_path: Path) -> None:
    authenticator = login(name, tmp_path)
    assert authenticator.client_secret == "a secret"
    assert authenticator.client_id
    assert authenticator.enable_pkce
    addresses = [authenticator.authorize_url, authenticator.token_url]
    if not authenticator.userdata_from_id_token:
        addresses.append(authenticator.userdata_url)
    assert all(urlsplit(address).scheme == "https" and urlsplit(address).path for address in addresses)
    assert urlsplit(authenticator.oauth_callback_url).path == "/hub/oauth_callback"
    assert "openid" in authenticator.scope
    assert not authenticator.allow_all, "the site's file says who may log in"


CLAIMS: list[tuple[str, dict[str, Any], str]] = [
    ("keycloak", {"preferred_username": "alice"}, "alice"),
    ("entra", {"preferred_username": "alice@example.org"}, "alice"),
    ("entra", {"preferred_username": "alice@EXAMPLE.ORG"}, "alice"),
    ("entra", {"preferred_username": "alice@evil.example"}, ""),
    ("entra", {"preferred_username": "alice@example.org@evil.example"}, ""),
    ("entra", {"preferred_username": "alice_evil.example#EXT#@example.onmicrosoft.com"}, ""),
    ("surfconext", {"sub": "abc-123", "preferred_username": "root"}, "alice"),
    ("surfconext", {"sub": "other", "preferred_username": "alice"}, ""),
]


@pytest.mark.parametrize(("example", "told", "name"), CLAIMS)
def test_a_person_has_the_name_that_the_page_says(
    example: str, told: dict[str, Any], name: str, tmp_path: Path
) -> None:
    authenticator = login(example, tmp_path)
    claim = authenticator.username_claim
    found = claim(told) if callable(claim) else told[claim]
    assert found == name
    if not name:
        with pytest.raises(ValueError, match="username"):
            authenticator.user_info_to_username(told)
    else:
        assert authenticator.user_info_to_username(told) == name
