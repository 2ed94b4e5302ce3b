"""To an identity provider and back: ``/hub/login/NAME`` and ``/hub/login/NAME/callback``.

A GET begins a sign-in, and changes nothing but a cookie of the browser's own. In it are the state, the nonce and the
PKCE verifier of one sign-in, signed, one cookie for each provider. It is gone once somebody has come back: an address
with a code is of use once, and in that browser only.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import Any, Final

from jupyterhub.handlers import BaseHandler
from jupyterhub.utils import url_path_join
from oauthenticator.oauth2 import (
    OAuthCallbackHandler,
    OAuthLoginHandler,
    _deserialize_state,
    _serialize_state,
)
from tornado.escape import url_unescape
from tornado.httputil import url_concat

from fabric_hub.errors import FabricError
from fabric_hub.messages.logs import coded
from fabric_hub.messages.texts import login as texts

from .provider import Provider, one_line

# How long somebody may take at their institution's login page.
KEEP_DAYS: Final = 1 / 24


_ACR_VALUES: Final = re.compile(r"[\x21-\x7e]{1,500}(?: [\x21-\x7e]{1,500}){0,19}")
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def cookie_name(handler: Any, name: str) -> str:
    """The cookie of the sign-in at a provider; a page on another host of the site can plant none of that name."""
    secure = handler.settings.get("cookie_host_prefix_enabled") or handler.request.protocol == "https"
    return f"{'__Host-' if secure else ''}fabric-login-{name}"


class _AtProvider(BaseHandler):  # type: ignore[misc]
    """What both ways have in common."""

    provider: Provider

    def initialize(self, provider: Provider) -> None:
        self.provider = provider

    async def refuse(self, error: FabricError) -> None:
        """A page that says why, what to do, and whom to write to."""
        self.log.warning("No login at %s: %s", self.provider.name, coded(error))
        self.set_status(error.status)
        again = url_path_join(self.hub.base_url, "login")
        contact = self.provider.about.contact
        page = await self.render_template("login_refused.html", refusal=error, again=again, contact=contact)
        self.finish(page)


class ToProvider(_AtProvider, OAuthLoginHandler):  # type: ignore[misc]
    """Sends a browser to a provider."""

    @property
    def _OAUTH_AUTHORIZE_URL(self) -> str:  # noqa: N802 - tornado's name
        return str(self.provider.authorize_url)

    async def get(self) -> None:
        try:
            await self.provider.discover()
        except FabricError as error:
            await self.refuse(error)
            return
        state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        verifier, challenge = self._generate_pkce_params()
        kept = {"state_id": state, "nonce": nonce, "code_verifier": verifier, "next_url": self._get_next_url()}
        name = cookie_name(self, self.provider.name)
        self._set_cookie(name, _serialize_state(kept), expires_days=KEEP_DAYS, samesite="Lax")
        more = {
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        more |= self._asked()
        self.authorize_redirect(
            redirect_uri=self.provider.get_callback_url(self),
            client_id=self.provider.client_id,
            scope=list(self.provider.scope),
            extra_params=more,
            response_type="code",
        )

    def _asked(self) -> dict[str, str]:
        """In which ways the login is to be made: as the site's file has it, or as somebody asks it of their own login
        (``acr``, ``max_age``), for a project that wants a second factor. What comes back is looked at, not this."""
        acr, age = self.get_query_argument("acr", ""), self.get_query_argument("max_age", "")
        acr = acr if _ACR_VALUES.fullmatch(acr) else " ".join(self.provider.about.acr)
        found = {"acr_values": acr} if acr else {}
        return found | ({"max_age": age} if _SECONDS.fullmatch(age) else {})


class FromProvider(_AtProvider, OAuthCallbackHandler):  # type: ignore[misc]
    """Lets in who comes back from a provider.

    :ivar is_here: who that is at this hub, once the catalogue service has said so.
    """

    is_here = ""
    _state_cookie: str | None = None

    def get_state_cookie(self) -> str:
        """What this sign-in was given; asked for once, for then it is used up."""
        if self._state_cookie is None:
            name = cookie_name(self, self.provider.name)
            self._state_cookie = (self.get_secure_cookie(name, max_age_days=KEEP_DAYS) or b"").decode("utf8", "replace")
            self.clear_cookie(name)
        return self._state_cookie

    async def get(self) -> None:
        try:
            self._check_begun()
            self._check_said()
            user = await self.login_user()
        except FabricError as error:
            await self.refuse(error)
            return
        if user is None:  # JupyterHub does not say why: a blocked name, or one that its rules do not take
            await self.refuse(FabricError(self.authenticator.not_allowed(self)))
            return
        self._jupyterhub_user = user
        self.redirect(self._validate_next_url(self.get_next_url(user)) or url_path_join(self.hub.base_url, "home"))

    @property
    def begun(self) -> dict[str, Any]:
        """State, nonce and verifier of this browser's sign-in; {} where none has begun."""
        kept = self.get_state_cookie()
        found = _deserialize_state(kept) if kept else {}
        return found if isinstance(found, dict) else {}

    def _check_begun(self) -> None:
        kept = str(self.begun.get("state_id") or "")
        if not kept or not hmac.compare_digest(kept.encode(), self.get_argument("state", "").encode()):
            raise FabricError(texts.STALE())

    def _check_said(self) -> None:
        """What stands in the address with which it sent the browser back."""
        provider = self.provider
        if error := self.get_argument("error", ""):
            why = one_line(self.get_argument("error_description", "") or error)
            raise FabricError(texts.PROVIDER_REFUSED(provider=provider.title, why=why, whom=provider.whom))
        issuer = self.get_argument("iss", "")
        if (issuer or provider.names_issuer) and issuer != provider.issuer:
            other = texts.TOKEN_ISSUER(issuer=one_line(issuer))
            raise FabricError(texts.TOKEN_REFUSED(provider=provider.title, why=other, whom=provider.whom))
        if not self.get_argument("code", ""):
            raise FabricError(texts.STALE())


def choices(providers: dict[str, Provider], base_url: str, next_url: str) -> list[tuple[str, str]]:
    """Address and name of each provider, for the login page.

    :param next_url: where to go afterwards, quoted as JupyterHub's login page has it.
    """
    asked = {"next": url_unescape(next_url)} if next_url else {}
    return [
        (url_concat(url_path_join(base_url, "login", name), asked), provider.title)
        for name, provider in providers.items()
    ]
