"""An ID token that is not the provider's, not for this hub, not of this sign-in or not of now is refused, in words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fabric_hub.hub.login.tokens import LEEWAY_S, Expected, TokenError, UnknownKeyError, check_same_person, verified
from tests.support.issuer import CLIENT, Key, claims_of, unsigned

ISSUER = "https://sso.example.org"
EXPECTED = Expected(ISSUER, CLIENT, "of this sign-in")
OURS, OTHER = Key("one"), Key("one")


def refusal(token: Any, *keys: Key) -> str:
    with pytest.raises(TokenError) as raised:
        verified(token, [key.public for key in keys or (OURS,)], EXPECTED)
    return f"{raised.value.text.code}: {raised.value.text}"


def signed(**changes: Any) -> str:
    return OURS.sign(claims_of(ISSUER, **changes))


def test_a_right_token_gives_its_claims() -> None:
    claims = verified(signed(acr="mfa", auth_time=5), [OTHER.public | {"kid": "other"}, OURS.public], EXPECTED)
    assert (claims["sub"], claims["acr"], claims["auth_time"]) == ("abc-123", "mfa", 5)


def test_a_token_without_a_signature_is_refused() -> None:
    assert refusal(unsigned(claims_of(ISSUER))) == (
        "login-token-algorithm: its ID token is signed with none, which the hub does not take"
    )
    assert refusal(unsigned(claims_of(ISSUER), "None")).startswith("login-token-algorithm: ")
    assert refusal(unsigned(claims_of(ISSUER), "RS256")) == (
        "login-token-signature: the signature of its ID token is wrong"
    )


def test_a_token_that_is_signed_with_the_public_key_as_a_secret_is_refused() -> None:
    public = OURS.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = unsigned(claims_of(ISSUER), "HS256").rpartition(".")[0]
    token = unsigned(claims_of(ISSUER), "HS256", hmac.new(public, body.encode(), hashlib.sha256).digest())
    assert token.startswith(body)
    assert refusal(token) == "login-token-algorithm: its ID token is signed with HS256, which the hub does not take"


def test_a_token_of_another_key_is_refused() -> None:
    """Under the name of the provider's key, and under a name that the provider has no key of."""
    claims = claims_of(ISSUER)
    assert refusal(OTHER.sign(claims)) == "login-token-signature: the signature of its ID token is wrong"
    with pytest.raises(UnknownKeyError):
        verified(OTHER.sign(claims, kid="two"), [OURS.public], EXPECTED)
    assert refusal(OTHER.sign(claims, kid="two")) == (
        "login-token-key: its ID token is signed with a key that is not its own"
    )


def test_a_key_that_is_for_something_else_signs_nothing() -> None:
    token = signed()
    for change in ({"use": "enc"}, {"alg": "RS512"}, {"kty": "oct", "k": "AAAA"}, {"n": "AQAB"}):
        with pytest.raises(TokenError):
            verified(token, [OURS.public | change], EXPECTED)


def test_without_a_name_of_its_key_a_token_may_be_of_one_key_only() -> None:
    nameless = Key(None)
    token = nameless.sign(claims_of(ISSUER))
    assert verified(token, [nameless.public], EXPECTED)["sub"] == "abc-123"
    with pytest.raises(UnknownKeyError):
        verified(token, [nameless.public, OURS.public], EXPECTED)
    with pytest.raises(UnknownKeyError, match="the signature of its ID token is wrong"):
        verified(Key(None).sign(claims_of(ISSUER)), [nameless.public], EXPECTED)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://evil.example"}, "login-token-issuer: its ID token is of another issuer, https://evil.example"),
        ({"iss": f"{ISSUER}/"}, f"login-token-issuer: its ID token is of another issuer, {ISSUER}/"),
        ({"iss": "https://a\x1b[2J"}, "login-token-issuer: its ID token is of another issuer, https://a?[2J"),
        ({"aud": "another-service"}, "login-token-audience: its ID token is meant for another service"),
        ({"aud": ["another-service"]}, "login-token-audience: its ID token is meant for another service"),
        ({"aud": [CLIENT, "other"]}, "login-token-audience: its ID token is meant for another service"),
        ({"azp": "other"}, "login-token-audience: its ID token is meant for another service"),
        ({"nonce": "of another sign-in"}, "login-token-nonce: its ID token is of another sign-in"),
        ({"nonce": None}, "login-token-nonce: its ID token is of another sign-in"),
        ({"nonce": ["of this sign-in"]}, "login-token-nonce: its ID token is of another sign-in"),
        ({"sub": None}, "login-token-claim: its ID token has no sub that can be used"),
        ({"sub": ""}, "login-token-claim: its ID token has no sub that can be used"),
        ({"exp": None}, "login-token-claim: its ID token has no exp that can be used"),
        ({"aud": None}, "login-token-claim: its ID token has no aud that can be used"),
        ({"exp": "soon"}, "login-token-malformed: its ID token is not one"),
    ],
)  # fmt: skip
def test_what_a_token_says_must_be_for_this_sign_in(changes: dict[str, Any], why: str) -> None:
    assert refusal(signed(**changes)) == why


def test_a_token_must_be_of_now() -> None:
    now = time.time()
    assert refusal(signed(exp=now - LEEWAY_S - 5)) == "login-token-expired: its ID token has expired"
    assert refusal(signed(iat=now + LEEWAY_S + 60)) == (
        "login-token-early: its ID token is of a time to come: a clock is wrong"
    )


def test_a_token_for_several_is_taken_where_it_was_made_for_this_hub() -> None:
    token = signed(aud=[CLIENT, "other"], azp=CLIENT)
    assert verified(token, [OURS.public], EXPECTED)["azp"] == CLIENT


def test_a_clock_that_is_a_little_off_is_no_matter() -> None:
    now = time.time()
    token = signed(exp=now - LEEWAY_S / 2, iat=now + LEEWAY_S / 2)
    assert verified(token, [OURS.public], EXPECTED)


@pytest.mark.parametrize("make", [lambda: None, lambda: ""])
def test_without_a_token_nobody_is_known(make: Callable[[], Any]) -> None:
    assert refusal(make()) == "login-token-none: it has sent no ID token"


@pytest.mark.parametrize("token", ["a", "a.b.c", "...", 5, ["a"], "x" * 100_001])
def test_what_is_no_token_is_refused(token: Any) -> None:
    assert refusal(token) == "login-token-malformed: its ID token is not one"


def test_a_subject_that_is_no_text_is_refused() -> None:
    assert refusal(unsigned({**claims_of(ISSUER), "sub": 5}, "RS256")).startswith("login-token-")
    body = {**claims_of(ISSUER), "sub": ["abc-123"]}
    with pytest.raises((TokenError, TypeError)):
        verified(OURS.sign(body), [OURS.public], EXPECTED)


@pytest.mark.parametrize("told", [{"sub": "abc-124"}, {"sub": ["abc-123"]}, {"sub": "ABC-123"}, {"name": "A"}])
def test_user_information_of_somebody_else_is_refused(told: dict[str, Any]) -> None:
    check_same_person({"sub": "abc-123"}, {"sub": "abc-123"})
    with pytest.raises(TokenError, match="of two people"):
        check_same_person({"sub": "abc-123"}, told)


@pytest.mark.parametrize("header", [{"alg": ["RS256"]}, {"alg": {}}, {"alg": 5}, {"alg": None}])
def test_an_algorithm_that_is_no_word_is_refused_as_another(header: dict[str, Any]) -> None:
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    body = unsigned(claims_of(ISSUER)).split(".")[1]
    assert refusal(f"{head}.{body}.AAAA").startswith("login-token-algorithm: ")


def test_what_cannot_be_read_is_no_token() -> None:
    assert refusal("\ud800.a.b").startswith("login-token-malformed: ")
    deep = base64.urlsafe_b64encode(b"[" * 60_000).decode().rstrip("=")
    assert refusal(f"{deep}.a.b").startswith("login-token-malformed: ")
    assert refusal(signed(nonce="\ud800")).startswith("login-token-nonce: ")
