"""The hub's login where a site names identity providers: several of them, and its passwords beside.

JupyterHub has one authenticator. Ours holds the others, and asks the catalogue service which person here somebody of a
provider is: the same one at each login, whatever name they have by then.
"""

from __future__ import annotations

import time
from typing import Any, Final

from jupyterhub.auth import Authenticator, PAMAuthenticator
from traitlets import Instance, default
from traitlets.utils.importstring import import_item

from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.config.login import callback, read_secret
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import login as texts
from fabric_hub.messages.texts.whom import WHOM_OPERATORS
from fabric_hub.types import login_name
from fabric_hub.unix.accounts import unix_name

from .claims import SYSTEM_ACCOUNTS, is_operator, login_of
from .pages import FromProvider, ToProvider, choices
from .provider import Provider

# How long an entitlement makes somebody an operator: providers tell of groups at a login, and never when they are lost.
OPERATOR_S: Final = 12 * 3600.0
# What our parts tell each other in an authentication: somebody's own authenticator has let them in.
_LET_IN = "fabric_let_in"


class FabricAuthenticator(Authenticator):  # type: ignore[misc]
    """See the module.

    :ivar providers: by the site's name.
    :ivar password: the site's login by password; None where it has none.
    """

    site = Instance(Settings, help="The site's file.")
    catalogue = Instance(CatalogueClient, help="Who keeps which person has which account.")

    @default("site")
    def _site(self) -> Settings:
        return runtime().settings

    @default("catalogue")
    def _catalogue(self) -> CatalogueClient:
        service = runtime().catalogue_service
        assert service is not None, "the settings want a [catalogue] where there are providers"
        return service

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        settings: Settings = self.site
        self.providers = {name: self._provider(name) for name in settings.login.provider}
        self.password = self._password()
        self._operators: dict[str, float] = {}  # since when (monotonic)

    def _provider(self, name: str) -> Provider:
        about = self.site.login.provider[name]
        whom: Text | str = about.contact or self.site.site.support_email or WHOM_OPERATORS()
        return Provider(
            about,
            whom,
            parent=self,
            name=name,
            client_id=about.client_id,
            client_secret=read_secret(about.client_secret_file),
            oauth_callback_url=callback(name, about, self.site.hub),
            scope=list(about.asked),
            enable_pkce=True,
        )

    def _password(self) -> Authenticator | None:
        kind = self.site.login.kind
        if kind == "demo":
            return import_item("fabric_dev.login.DemoAuthenticator")(parent=self)
        return PAMAuthenticator(parent=self) if kind == "pam" else None

    @property
    def fabric_beside(self) -> tuple[Authenticator, ...]:
        """Who beside ourselves asks a list of who may log in (:mod:`fabric_hub.hub.patches.membership`)."""
        return () if self.password is None else (self.password,)

    # what the login page shows

    def fabric_choices(self, base_url: str, next_url: str) -> list[tuple[str, str]]:
        """Address and name of each provider."""
        return choices(self.providers, base_url, next_url)

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = [*super().get_handlers(app)]
        for name, provider in self.providers.items():
            found.append((f"/login/{name}", ToProvider, {"provider": provider}))
            found.append((f"/login/{name}/callback", FromProvider, {"provider": provider}))
        return found

    # who comes in

    async def authenticate(self, handler: Any, data: dict[str, str] | None = None) -> dict[str, Any] | None:
        if isinstance(handler, FromProvider):
            return await self._of_provider(handler)
        if self.password is None or data is None:
            return None
        found = await self.password.get_authenticated_user(handler, data)
        if not found:
            return None
        admin = found["name"] in self._named or bool(found.get("admin"))
        return {**found, "admin": self._operator(found["name"], admin), _LET_IN: True}

    async def _of_provider(self, handler: FromProvider) -> dict[str, Any]:
        """Who somebody is here who has come back from a provider.

        :raises FabricError: the provider's word is not taken, or they have no account here.
        """
        provider, login_settings = handler.provider, self.site.login
        claims, told = await provider.person(handler, str(handler.begun.get("nonce") or ""))
        try:
            login = login_of(provider.name, provider.about, claims, told, provider.whom)
            user = (await self.catalogue.login(login)).user
        except FabricError:
            # what operators need for a table of accounts or `fabric-hub people link`
            said = (provider.name, claims.get("iss"), claims.get("sub"))
            self.log.warning("No account by the login at %s of issuer %.500r, subject %.500r", *said)
            raise
        about = {"provider": provider.title, "whom": provider.whom}
        if unix_name(self.site.users, user) in SYSTEM_ACCOUNTS or user in SYSTEM_ACCOUNTS:
            raise FabricError(texts.NO_LOGIN_AS(account=user, **about))
        if (read := login_name(user, login_settings.keep_case)) != user:
            raise FabricError(texts.OTHER_CASE(user=user, read=read, whom=provider.whom))
        handler.is_here = user
        # said at each login, yes or no: JupyterHub would keep an old yes
        return {"name": user, "admin": self._operator(user, is_operator(user, login, provider.about, self._named))}

    @property
    def _named(self) -> frozenset[str]:
        return frozenset(self.site.login.admins) | frozenset(self.admin_users)

    def _operator(self, user: str, is_one: bool) -> bool:
        """Remember since when somebody is one."""
        self._operators.pop(user, None)
        if is_one:
            self._operators[user] = time.monotonic()
        return is_one

    async def refresh_user(self, user: Any, handler: Any = None) -> bool | dict[str, Any]:
        """Who is no operator by name is none any more some hours after the login that made them one."""
        since = self._operators.get(user.name, float("-inf"))
        if not user.admin or user.name in self._named or time.monotonic() - since < OPERATOR_S:
            return True
        self.log.warning("%s is no operator any more: the login that said so is too long ago", user.name)
        return {"name": user.name, "admin": False}

    def normalize_username(self, username: str) -> str:
        return login_name(username, self.site.login.keep_case)

    def check_allowed(self, username: str, authentication: dict[str, Any] | None = None) -> bool:
        if authentication and (authentication.get(_LET_IN) or authentication.get("admin")):
            return True
        return bool(super().check_allowed(username, authentication))

    def not_allowed(self, handler: FromProvider) -> Text:
        """Why somebody whom the provider knows does not come in."""
        provider = handler.provider
        return texts.NOT_ALLOWED(provider=provider.title, user=handler.is_here, whom=provider.whom)
