"""A provider's addresses and keys come from itself, and what it says of a person is taken only when all of it holds."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oauthenticator.oauth2 import _serialize_state

from fabric_hub.config.login import ProviderSettings
from fabric_hub.errors import FabricError
from fabric_hub.hub.login import provider as module
from fabric_hub.hub.login.provider import Provider
from tests.support.http_server import Response
from tests.support.issuer import CLIENT, Issuer, Key, claims_of, unsigned

NONCE = "of this sign-in"


class ComesBack:
    """The request with which somebody comes back."""

    def get_argument(self, name: str) -> str:
        return {"code": "the code"}[name]

    def get_state_cookie(self) -> str:
        return str(_serialize_state({"code_verifier": "v" * 43, "nonce": NONCE}))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    with made.server:
        yield made


def at(issuer: str, tmp_path: Path) -> Provider:
    (tmp_path / "secret").write_text("s3cret")
    about = ProviderSettings(
        client_id=CLIENT, client_secret_file=tmp_path / "secret", issuer=issuer, title="Example University"
    )
    return Provider(
        about, "help@example.org", name="uni", client_id=CLIENT, client_secret="s3cret",
        oauth_callback_url="https://hub.example.org/hub/login/uni/callback", enable_pkce=True,
    )  # fmt: skip


@pytest.fixture
def provider(issuer: Issuer, tmp_path: Path) -> Provider:
    return at(issuer.url, tmp_path)


async def refusal(provider: Provider) -> str:
    with pytest.raises(FabricError) as raised:
        await provider.person(ComesBack(), NONCE)
    return raised.value.text


def refused(why: str) -> str:
    return (
        f"The hub does not take what Example University says of you: {why}. "
        "Sign in again. If it happens again, write to help@example.org."
    )


async def test_a_person_is_who_the_verified_token_says(issuer: Issuer, provider: Provider) -> None:
    issuer.told = {"sub": "abc-123", "name": "Jan"}
    claims, told = await provider.person(ComesBack(), NONCE)
    assert (claims["sub"], told["name"]) == ("abc-123", "Jan")
    sent = issuer.codes[0]
    assert (sent["code"], sent["code_verifier"], sent["grant_type"]) == ("the code", "v" * 43, "authorization_code")
    assert "client_secret" not in sent, "it takes the secret in the header unless the provider says otherwise"
    assert "data" not in sent


async def test_the_secret_is_sent_as_the_provider_wants_it(issuer: Issuer, provider: Provider) -> None:
    issuer.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await provider.person(ComesBack(), NONCE)
    assert issuer.codes[0]["client_secret"] == "s3cret"


async def test_a_provider_without_user_information_is_enough(issuer: Issuer, provider: Provider) -> None:
    issuer.told = None
    assert (await provider.person(ComesBack(), NONCE))[1] == {}


async def test_what_is_known_of_a_provider_is_asked_for_once(issuer: Issuer, provider: Provider) -> None:
    for _ in range(3):
        await provider.person(ComesBack(), NONCE)
    assert issuer.asked.count("/.well-known/openid-configuration") == issuer.asked.count("/keys") == 1


async def test_a_new_key_is_asked_for_and_not_at_every_login(
    issuer: Issuer, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await provider.person(ComesBack(), NONCE)
    monkeypatch.setattr(module, "KEYS_EVERY_S", 0.0)
    issuer.signs_with = Key("two")
    issuer.keys.append(issuer.signs_with)
    await provider.person(ComesBack(), NONCE)
    assert issuer.asked.count("/keys") == 2

    monkeypatch.setattr(module, "KEYS_EVERY_S", 3600.0)
    issuer.signs_with = Key("three")
    assert await refusal(provider) == refused("its ID token is signed with a key that is not its own")
    assert issuer.asked.count("/keys") == 2


async def test_an_unsigned_token_a_replayed_one_and_one_of_somebody_else_are_refused(
    issuer: Issuer, provider: Provider
) -> None:
    issuer.token = unsigned(claims_of(issuer.url))
    assert await refusal(provider) == refused("its ID token is signed with none, which the hub does not take")
    issuer.token, issuer.claims = None, {"nonce": "of an earlier sign-in"}
    assert await refusal(provider) == refused("its ID token is of another sign-in")
    issuer.claims, issuer.told = {}, {"sub": "somebody-else"}
    assert await refusal(provider) == refused("its ID token and its user information are of two people")
    issuer.told = {"sub": "abc-123"}
    assert await provider.person(ComesBack(), NONCE)


async def test_a_provider_that_is_away_is_named_and_asked_again(issuer: Issuer, tmp_path: Path) -> None:
    where = issuer.url
    issuer.server.close()
    provider = at(where, tmp_path)
    for _ in range(2):
        with pytest.raises(FabricError) as raised:
            await provider.discover()
        assert raised.value.status == 503
        assert raised.value.text == (
            f"Example University cannot be reached now: no answer from {where}/.well-known/openid-configuration. "
            "Try again in a minute. If it stays so, write to help@example.org."
        )


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Response(500, {}), "Example University cannot be reached now: {address} answers 500"),
        (Response(302, {}, {"Location": "https://evil.example"}), "cannot be reached now: {address} answers 302"),
        (Response(200, b"<html>"), "says of itself cannot be used: {address} answers something else than JSON"),
        (Response(200, []), "says of itself cannot be used: {address} answers something else than JSON"),
        (Response(200, b"[" * 100_000), "cannot be used: {address} answers something else than JSON"),
        (
            Response(200, {"issuer": "https://evil.example"}),
            "cannot be used: {address} is of the issuer https://evil.example, not of {issuer}",
        ),
    ],
)
async def test_what_a_provider_says_of_itself_must_be_its_own(
    issuer: Issuer, provider: Provider, answer: Response, why: str
) -> None:
    issuer.server.answer = lambda _: answer
    with pytest.raises(FabricError) as raised:
        await provider.discover()
    address = f"{issuer.url}/.well-known/openid-configuration"
    assert why.format(address=address, issuer=issuer.url) in raised.value.text


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "value", [None, "http://sso.example.org/x", "javascript:alert(1)", 5, "https://", "https://[", ["https://a"]]
)
async def test_an_address_that_others_could_answer_at_is_not_used(
    issuer: Issuer, provider: Provider, name: str, value: Any
) -> None:
    issuer.document = {name: value}
    with pytest.raises(FabricError, match=f"has no {name} with https"):
        await provider.discover()


async def test_a_provider_without_keys_lets_nobody_in(issuer: Issuer, provider: Provider) -> None:
    issuer.keys = []
    assert f"{issuer.url}/keys has no keys" in await refusal(provider)


async def test_a_code_that_the_provider_does_not_take_is_said(issuer: Issuer, provider: Provider) -> None:
    await provider.discover()
    told = {"error": "invalid_grant", "error_description": "The code\n was used\x1b."}
    issuer.server.answer = lambda _: Response(400, told)
    assert await refusal(provider) == (
        "Example University did not confirm this sign-in to the hub: The code  was used. "
        "Sign in again. If it happens again, write to help@example.org."
    )
    issuer.server.answer = lambda _: Response(200, {"unexpected": "secret-value"})
    assert "secret-value" not in await refusal(provider)
    issuer.server.answer = lambda _: Response(503, {})
    assert await refusal(provider) == (
        f"Example University cannot be reached now: no answer from {issuer.url}/token. "
        "Try again in a minute. If it stays so, write to help@example.org."
    )


async def test_a_token_endpoint_that_gives_no_id_token_lets_nobody_in(issuer: Issuer, provider: Provider) -> None:
    await provider.discover()
    issuer.server.answer = lambda request: (
        Response(200, {"access_token": "a", "token_type": "bearer"})
        if request.path == "/token"
        else Response(200, {"keys": [issuer.signs_with.public]})
    )
    assert await refusal(provider) == refused("it has sent no ID token")


async def test_a_provider_sends_the_hub_to_no_other_address(
    issuer: Issuer, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By no redirect: with it would go the client's secret. To nothing on this machine's loopback, either."""
    await provider.discover()
    issuer.server.answer = lambda request: Response(307, {}, {"Location": f"{issuer.url}/inside"})
    assert "cannot be reached now" in await refusal(provider)
    assert [request.path for request in issuer.server.requests][-1] == "/token"
    monkeypatch.setattr(Provider, "issuer", "https://sso.example.org")
    assert not provider._is_safe("http://127.0.0.1:8081/api")
    assert provider._is_safe("https://sso.example.org/token")


async def test_a_packed_answer_is_not_unpacked(issuer: Issuer, provider: Provider) -> None:
    packed = gzip.compress(b" " * (64 << 20) + b"{}")
    assert len(packed) < 1 << 20
    issuer.server.answer = lambda _: Response(200, packed, {"Content-Encoding": "gzip"})
    with pytest.raises(FabricError, match="answers something else than JSON"):
        await provider.discover()


async def test_what_a_provider_answers_is_not_in_the_log(
    issuer: Issuer, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    await provider.discover()
    issuer.server.answer = lambda _: Response(400, b"anna@example.org\n[I] a line of the hub's own")
    await refusal(provider)
    assert "anna@example.org" not in caplog.text


async def test_who_waits_for_a_provider_that_is_away_waits_once(issuer: Issuer, provider: Provider) -> None:
    issuer.server.answer = lambda _: Response(500, {})
    told = await asyncio.gather(*(provider.discover() for _ in range(5)), return_exceptions=True)
    assert len({str(one) for one in told}) == 1
    assert len(issuer.server.requests) == 1
    with pytest.raises(FabricError):
        await provider.discover()
    assert len(issuer.server.requests) == 2, "who comes later asks again"
