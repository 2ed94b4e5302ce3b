"""One identity provider: where it is, its keys, and what it says of who comes back from it.

oauthenticator exchanges the code; its addresses come from the provider's own discovery document, which is asked for
when the first person wants to log in there. A provider that is away closes its own door only.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from oauthenticator.generic import GenericOAuthenticator
from tornado import web
from tornado.httpclient import HTTPClientError
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from traitlets import Unicode, default

from fabric_hub.config.hub import is_loopback
from fabric_hub.config.login import DISCOVERY, ProviderSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import login as texts

from .tokens import Expected, TokenError, UnknownKeyError, check_same_person, verified

# A provider's addresses seldom change, and its keys are asked for again when one is unknown.
KEEP_S: Final = 3600.0
# New keys are asked for at most so often.
KEYS_EVERY_S: Final = 10.0
CONNECT_S, ANSWER_S = 5.0, 10.0
_MOST_BYTES: Final = 1 << 20
_MOST_SAID: Final = 300


class Provider(GenericOAuthenticator):  # type: ignore[misc]
    """See the module. It decides nothing: who somebody is here, and whether they may come in, is its holder's.

    :param parent: the hub's authenticator, with which it shares the site's own settings of oauthenticator.
    """

    name = Unicode(help="The site's name of it.")

    def __init__(self, about: ProviderSettings, whom: Text | str, **options: Any) -> None:
        super().__init__(**options)
        self.about, self.whom = about, whom
        self._document: dict[str, Any] = {}
        self._read_at = self._keys_at = float("-inf")
        self._keys: list[Mapping[str, Any]] = []
        self._asking = asyncio.Lock()
        self._failed: tuple[float, FabricError] | None = None  # when (monotonic) it last could not be known, and why

    @default("http_client")
    def _small_answers(self) -> SimpleAsyncHTTPClient:
        # a provider sends the hub nowhere else, and what it packs is as large as it says
        never = {"follow_redirects": False, "decompress_response": False}
        return SimpleAsyncHTTPClient(force_instance=True, max_body_size=_MOST_BYTES, defaults=never)

    async def fetch(self, req: Any, label: str = "", parse_json: bool = True, **options: Any) -> Any:
        """As oauthenticator's, which puts a provider's whole answer in the log, with the lines that it has."""
        answer = await self.http_client.fetch(req, **options)
        if not parse_json:
            return answer
        return json.loads(answer.body) if answer.body else None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.about.shown(self.name)

    @property
    def issuer(self) -> str:
        """As its ID tokens must have it."""
        return self.about.issuer_url

    @property
    def names_issuer(self) -> bool:
        """Whether it says who it is when it sends people back (RFC 9207)."""
        return self._document.get("authorization_response_iss_parameter_supported") is True

    async def discover(self) -> None:
        """Know its addresses, by asking where they are not known or old.

        :raises FabricError: it is away, or what it says of itself cannot be used.
        """
        began = time.monotonic()
        async with self._asking:
            if time.monotonic() - self._read_at < KEEP_S:
                return
            if self._failed and self._failed[0] >= began:  # else who waits here would wait for each before them anew
                raise FabricError(self._failed[1].said)
            try:
                await self._ask()
            except FabricError as error:
                self._failed = time.monotonic(), error
                raise

    async def _ask(self) -> None:
        address = self.issuer.rstrip("/") + DISCOVERY
        document = await self._read(address)
        if document.get("issuer") != self.issuer:
            found = "".join(filter(str.isprintable, str(document.get("issuer"))))[:200]
            raise self._unusable(texts.OTHER_ISSUER(address=address, found=found, issuer=self.issuer))
        names = {"authorization_endpoint": "authorize_url", "token_endpoint": "token_url", "jwks_uri": ""}
        for key, trait in names.items():
            if not self._is_safe(document.get(key)):
                raise self._unusable(texts.NO_ADDRESS(address=address, name=key))
            if trait:
                setattr(self, trait, document[key])
        user_information = document.get("userinfo_endpoint")
        self.userdata_url = user_information if self._is_safe(user_information) else ""
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        self.basic_auth = "client_secret_post" not in methods
        self._document, self._read_at = document, time.monotonic()

    async def person(self, handler: Any, nonce: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What it says of who came back: the claims of the verified ID token, and its user information.

        :param handler: of the request with which they came back.
        :param nonce: what this sign-in was given.
        :raises FabricError: it is away, does not confirm the sign-in, or its ID token is not to be taken.
        """
        await self.discover()
        answer = await self._exchange(handler)
        try:
            claims = await self._verified(answer.get("id_token"), nonce)
            told = await self._user_information(answer)
            if told:
                check_same_person(claims, told)
        except TokenError as error:
            raise FabricError(texts.TOKEN_REFUSED(provider=self.title, why=error.text, whom=self.whom)) from error
        return claims, told

    async def _exchange(self, handler: Any) -> dict[str, Any]:
        """Swap the code for tokens."""
        parameters = self.build_access_tokens_request_params(handler)
        parameters.pop("data", None)
        try:
            found = await self.get_token_info(handler, parameters)
        except HTTPClientError as error:
            if error.code < 400 or error.code >= 500:
                raise self._away(texts.NO_ANSWER(address=self.token_url)) from error
            why = _error_of(error) or str(texts.STATUS(address=self.token_url, code=error.code))
            raise FabricError(texts.CODE_REFUSED(provider=self.title, why=why, whom=self.whom)) from error
        except OSError as error:
            raise self._away(texts.NO_ANSWER(address=self.token_url)) from error
        except (web.HTTPError, ValueError, TypeError, RecursionError) as error:  # no answer: it is not repeated
            unread = texts.NOT_JSON(address=self.token_url)
            raise FabricError(texts.CODE_REFUSED(provider=self.title, why=unread, whom=self.whom)) from error
        return dict(found)

    async def _verified(self, token: Any, nonce: str) -> dict[str, Any]:
        expected = Expected(self.issuer, self.client_id, nonce)
        try:
            return verified(token, await self._known_keys(), expected)
        except UnknownKeyError:
            if time.monotonic() - self._keys_at < KEYS_EVERY_S:
                raise
            self._keys = []
            return verified(token, await self._known_keys(), expected)

    async def _known_keys(self) -> list[Mapping[str, Any]]:
        if not self._keys:
            address = self._document["jwks_uri"]
            keys = (await self._read(address)).get("keys")
            self._keys_at = time.monotonic()
            self._keys = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
            if not self._keys:
                raise self._unusable(texts.NO_KEYS(address=address))
        return self._keys

    async def _user_information(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What it tells of the person beside the ID token; {} where it tells nothing."""
        if not self.userdata_url:
            return {}
        kind = str(answer.get("token_type") or "Bearer")
        headers = self.build_userdata_request_headers(answer["access_token"], kind)
        return await self._read(self.userdata_url, headers=headers)

    async def _read(self, address: str, **options: Any) -> dict[str, Any]:
        """A JSON object at one of its addresses."""
        try:
            found = await self.httpfetch(
                address,
                validate_cert=self.validate_server_cert,
                follow_redirects=False,
                connect_timeout=CONNECT_S,
                request_timeout=ANSWER_S,
                **options,
            )
        except HTTPClientError as error:
            if 200 <= error.code < 599 and error.response is not None:
                raise self._away(texts.STATUS(address=address, code=error.code)) from error
            raise self._away(texts.NO_ANSWER(address=address)) from error
        except OSError as error:  # also TLS
            raise self._away(texts.NO_ANSWER(address=address)) from error
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._unusable(texts.NOT_JSON(address=address))
        return found

    def _is_safe(self, address: Any) -> bool:
        """Whether nobody on the way can answer in the place of an address."""
        if not isinstance(address, str):
            return False
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        # what is on this machine's loopback is the hub's own, unless the provider itself is there
        here = is_loopback(urlsplit(self.issuer).hostname or "")
        plain = parts.scheme == "http" and here and is_loopback(parts.hostname or "")
        return bool(parts.hostname) and (parts.scheme == "https" or plain)

    def _away(self, why: Text) -> FabricError:
        return FabricError(texts.PROVIDER_AWAY(provider=self.title, why=why, whom=self.whom))

    def _unusable(self, why: Text) -> FabricError:
        return FabricError(texts.PROVIDER_WRONG(provider=self.title, why=why, whom=self.whom))


def one_line(said: Any) -> str:
    """What a provider said, as words within a sentence: short, printing, and without an end of its own."""
    return "".join(char if char.isprintable() else " " for char in str(said))[:_MOST_SAID].strip().rstrip(". ")


def _error_of(error: HTTPClientError) -> str:
    """What an OAuth error answer says."""
    try:
        told = json.loads(error.response.body if error.response else b"")
        return one_line(told.get("error_description") or told.get("error") or "")
    except (AttributeError, ValueError, TypeError):
        return ""
