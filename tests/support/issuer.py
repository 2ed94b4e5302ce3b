"""An issuer of ID tokens in this process: real keys, real signatures, and answers that a test changes."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from .http_server import HttpServer, Request, Response

CLIENT = "hub.example.org"


class Key:
    """A key pair, as its owner has it and as others are told it."""

    def __init__(self, key_id: str | None) -> None:
        self.id = key_id
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public(self) -> dict[str, Any]:
        """As in a key set."""
        made: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        return {**made, "use": "sig"} | ({"kid": self.id} if self.id else {})

    def sign(self, claims: dict[str, Any], algorithm: str = "RS256", **header: Any) -> str:
        """A token; ``header`` changes what stands in it."""
        kept = {"kid": self.id} if self.id else {}
        return jwt.encode(claims, self.private, algorithm, headers={**kept, **header})


def claims_of(issuer: str, **changes: Any) -> dict[str, Any]:
    """The claims of an ID token that is right; None leaves one out."""
    now = int(time.time())
    made = {"iss": issuer, "sub": "abc-123", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": "of this sign-in"}
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def unsigned(claims: dict[str, Any], algorithm: str = "none", signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = [json.dumps(part).encode() for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, signature))


class Issuer:
    """An OpenID provider that says what a test lets it say.

    :ivar claims: changes of the next ID tokens' claims, beside ``told``, its user information.
    :ivar token: in place of the next ID tokens.
    :ivar codes: what came to its token endpoint.
    """

    def __init__(self) -> None:
        self.signs_with = Key("one")
        self.keys = [self.signs_with]
        self.claims: dict[str, Any] = {}
        self.told: dict[str, Any] | None = {"sub": "abc-123"}
        self.token: str | None = None
        self.document: dict[str, Any] = {}
        self.codes: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.server = HttpServer(self._answer)

    @property
    def url(self) -> str:
        return self.server.url

    def _answer(self, request: Request) -> Response:
        path = request.path.partition("?")[0]
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
            made: dict[str, Any] = {name: f"{self.url}/{place}" for name, place in names.items()}
            if self.told is not None:
                made["userinfo_endpoint"] = f"{self.url}/me"
            return Response(body={"issuer": self.url, **made, **self.document})
        if path == "/keys":
            return Response(body={"keys": [key.public for key in self.keys]})
        if path == "/token":
            self.codes.append({name: values[0] for name, values in parse_qs(request.body.decode()).items()})
            token = self.token or self.signs_with.sign(claims_of(self.url, **self.claims))
            return Response(body={"access_token": "opens /me", "token_type": "bearer", "id_token": token})
        if path == "/me" and request.headers.get("authorization") == "Bearer opens /me":
            return Response(body=self.told)
        return Response(404, {"error": "nothing here"})
