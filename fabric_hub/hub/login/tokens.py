"""ID tokens: whether one is the provider's, for this hub, for this sign-in, and of now. Pure but for the clock.

oauthenticator reads them without looking at the signature. ``iss``, ``sub``, ``acr`` and ``auth_time`` are in no other
place, so here nothing of a token is read before all of it holds (OpenID Connect Core, section 3.1.3.7).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt

from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import login as texts

# Signatures of a key pair. Never "none", and none that is made with a shared secret: a public key would be one.
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
_KEY_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
# How far the provider's clock may be from ours.
LEEWAY_S: Final = 60
_LONGEST: Final = 100_000
_REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat")


class TokenError(Exception):
    """An ID token that is not taken.

    :ivar text: why, as part of a sentence.
    """

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


class UnknownKeyError(TokenError):
    """Its key is none of the provider's keys as they were read last: the provider may have a new one."""


class _SignatureError(TokenError):
    """The key did not sign it."""


@dataclass(frozen=True)
class Expected:
    """What a token must say.

    :ivar nonce: what the hub gave this sign-in.
    """

    issuer: str
    client_id: str
    nonce: str


def verified(token: Any, keys: Sequence[Mapping[str, Any]], expected: Expected) -> dict[str, Any]:
    """The claims of an ID token.

    :param keys: the provider's keys, as JWKs.
    :raises UnknownKeyError: none of the keys is the one that signed it.
    :raises TokenError: it is not to be taken for another reason.
    """
    if not token:
        raise TokenError(texts.TOKEN_NONE())
    if not isinstance(token, str) or len(token) > _LONGEST:
        raise TokenError(texts.TOKEN_MALFORMED())
    algorithm, key_id = _header(token)
    try:
        claims = _decoded(token, _key(keys, algorithm, key_id), algorithm, expected)
    except _SignatureError as error:
        # a provider whose keys have no names may have a new one
        raise (TokenError if key_id else UnknownKeyError)(error.text) from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject:
        raise TokenError(texts.TOKEN_CLAIM(claim="sub"))
    _check_party(claims, expected.client_id)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(errors="replace"), expected.nonce.encode()):
        raise TokenError(texts.TOKEN_NONCE())
    return claims


def check_same_person(claims: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """User information is of the ID token's person (section 5.3.2).

    :raises TokenError: it is of somebody else, or does not say of whom.
    """
    if told.get("sub") != claims["sub"]:
        raise TokenError(texts.TOKEN_SUBJECT())


def _header(token: str) -> tuple[str, str | None]:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise TokenError(texts.TOKEN_MALFORMED()) from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenError(texts.TOKEN_ALGORITHM(alg=str(algorithm)[:20]))
    return algorithm, key_id


def _key(keys: Sequence[Mapping[str, Any]], algorithm: str, key_id: str | None) -> jwt.PyJWK:
    """The one key that can have signed it."""
    fit = [
        key
        for key in keys
        if key.get("kty") == _KEY_TYPES[algorithm[:2]]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (key_id is None or key.get("kid") == key_id)
    ]
    if len(fit) != 1:  # without a kid there must be no choice
        raise UnknownKeyError(texts.TOKEN_KEY())
    try:
        return jwt.PyJWK(dict(fit[0]), algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise UnknownKeyError(texts.TOKEN_KEY()) from None


def _decoded(token: str, key: jwt.PyJWK, algorithm: str, expected: Expected) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            key.key,
            algorithms=[algorithm],
            audience=expected.client_id,
            issuer=expected.issuer,
            leeway=LEEWAY_S,
            options={"require": list(_REQUIRED), "enforce_minimum_key_length": True},
        )
    except jwt.ExpiredSignatureError:
        why = texts.TOKEN_EXPIRED()
    except jwt.ImmatureSignatureError:
        why = texts.TOKEN_EARLY()
    except jwt.InvalidAudienceError:
        why = texts.TOKEN_AUDIENCE()
    except jwt.InvalidIssuerError:
        why = texts.TOKEN_ISSUER(issuer=_said_issuer(token))
    except jwt.MissingRequiredClaimError as error:
        why = texts.TOKEN_CLAIM(claim=error.claim)
    except jwt.InvalidKeyError:
        why = texts.TOKEN_KEY()
    except jwt.InvalidSignatureError:
        raise _SignatureError(texts.TOKEN_SIGNATURE()) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        why = texts.TOKEN_MALFORMED()
    raise TokenError(why)


def _said_issuer(token: str) -> str:
    """What a token of another issuer calls it, to be shown only."""
    told = jwt.decode(token, options={"verify_signature": False}).get("iss")
    return "".join(char if char.isprintable() else "?" for char in str(told)[:200])


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    """Where others may use the token as well, it must have been made for this hub (``azp``)."""
    audience, party = claims["aud"], claims.get("azp")
    if party is None and not (isinstance(audience, list) and len(audience) > 1):
        return
    if party != client_id:
        raise TokenError(texts.TOKEN_AUDIENCE())
