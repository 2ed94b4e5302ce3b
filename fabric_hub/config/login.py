"""The part of the site's file that says who may log in, and at which identity providers; :mod:`.settings` reads it."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from fabric_hub.messages.text import Text, verbatim
from fabric_hub.messages.texts import login as texts
from fabric_hub.messages.texts import site_file as account_texts
from fabric_hub.types import AbsolutePath, Frozen, HubUser, OneLine, Slug, matching, said

from .catalogue import EmailOrNone
from .hub import HttpAddress, HubSettings, is_loopback
from .mistakes import Mistake

DISCOVERY: Final = "/.well-known/openid-configuration"
# Larger is no secret of a client.
_MOST_SECRET: Final = 4096

ClaimName = Annotated[
    str,
    matching(r"[A-Za-z][A-Za-z0-9_.:/-]{0,199}"),
    said("the name of a claim: letters, digits and _ . : / -", "preferred_username"),
]
Scope = Annotated[str, matching(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}"), said("one scope, without spaces", "profile")]
AcrValue = Annotated[
    str, matching(r"[\x21-\x7e]{1,500}"), said("one acr, without spaces", "https://refeds.org/profile/mfa")
]
# AARC-G069, with or without an authority; fabric_hub.projects.entitlements takes it apart.
Entitlement = Annotated[
    str,
    matching(
        r"[Uu][Rr][Nn]:[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]:[^\s#]{1,500}:group:[^\s#]{1,500}(?:#[^\s#]{1,500})?"
    ),
    said(
        "a whole entitlement as the provider sends it, urn:NAMESPACE:group:GROUP#AUTHORITY",
        "urn:mace:surf.nl:sram:group:example:hpc:hub-admins",
    ),
]
PresetName = Literal["sram", "surfconext", "myaccessid", "efp", "generic"]


class Preset(NamedTuple):
    """What every site knows of a provider: where it is, what is asked of it, and how it calls what it tells."""

    title: str
    issuer: str
    scopes: tuple[str, ...]
    account_claim: str
    organisation_claim: str


_AARC = ("openid", "profile", "email", "eduperson_entitlement", "eduperson_assurance")
# None says that its account claim is assigned (account_claim_assigned). SRAM makes uid of the name that somebody's
# institution sends, and a guest's account has the name that its owner wrote there; whether it is an account's name
# here as well, a site knows alone.
PRESETS: Final[Mapping[str, Preset]] = {
    "sram": Preset(
        "SURF Research Access Management",
        "https://proxy.sram.surf.nl",
        ("openid", "profile", "email", "uid", "eduperson_entitlement", "eduperson_assurance"),
        "uid",
        "schac_home_organization",
    ),
    # its preferred_username is a display name, and its claims are chosen where the client is registered
    "surfconext": Preset("SURFconext", "https://connect.surfconext.nl", ("openid",), "", "schac_home_organization"),
    "myaccessid": Preset(
        "MyAccessID", "https://proxy.myaccessid.org", (*_AARC, "schac_home_organization"), "", "schac_home_organization"
    ),
    # each hosting entity is told the address of its proxy when it registers
    "efp": Preset("EuroHPC Federation Platform", "", (*_AARC, "voperson_id"), "", "schac_home_organization"),
    "generic": Preset("", "", ("openid", "profile", "email"), "preferred_username", "organization"),
}


class ProviderSettings(Frozen):
    """An OpenID Connect provider at which people log in. Its NAME is part of the callback, /hub/login/NAME/callback."""

    preset: PresetName = Field(
        default="generic",
        description="What is known of it: sram (SURF Research Access Management), surfconext, myaccessid, efp (EuroHPC "
        "Federation Platform), or generic.",
    )
    client_id: OneLine = Field(description="How the provider calls this hub.")
    client_secret_file: AbsolutePath = Field(
        description="A file with the client's secret, which nobody but root, the hub's account and its group can read."
    )
    callback_url: HttpAddress = Field(
        default="",
        description="The address to which the provider sends people back, as it is registered there: https://HUB/hub/"
        "login/NAME/callback; default: made from hub.subdomain_host, else hub.public_url, else hub.bind_url.",
    )
    issuer: HttpAddress = Field(
        default="",
        description="The provider's issuer, as its ID tokens have it; required for efp and generic. Its addresses and "
        "keys are read from ISSUER/.well-known/openid-configuration.",
    )
    title: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,80}$")] = Field(
        default="", description="What the login page calls it; default: the preset's name, else NAME."
    )
    scopes: tuple[Scope, ...] = Field(default=(), description="What the hub asks for; default: the preset's.")
    account_claim: ClaimName | Literal[""] | None = Field(
        default=None,
        description="The claim of which the site's mapping may make an account; empty: none. Default: the preset's.",
    )
    account_claim_assigned: bool = Field(
        default=False,
        description="Nobody chooses the value of account_claim: who runs the provider assigns it, and it means the "
        "same person here. Else no first login gets a name that means somebody already: an operator's, a steward's, "
        "that of somebody who is in a project or was met here before, or of an account that this machine's name "
        "service has.",
    )
    organisation_claim: ClaimName | Literal[""] | None = Field(
        default=None, description="The claim that names somebody's home organisation. Default: the preset's."
    )
    operators: tuple[Entitlement, ...] = Field(
        default=(),
        description="Who has one of these entitlements is an operator of the hub, beside login.admins: each is "
        "compared whole, with its authority, at each login.",
    )
    acr: tuple[AcrValue, ...] = Field(
        default=(),
        description="A login must have been made in one of these ways (acr of the ID token), such as with a second "
        "factor; the hub asks for them. Empty: any way.",
    )
    contact: EmailOrNone = Field(
        default="", description="Whom people write to about this provider; default: site.support_email."
    )

    @model_validator(mode="after")
    def _consistent(self) -> ProviderSettings:
        issuer = self.issuer_url
        if not issuer:
            raise ValueError(texts.ISSUER_REQUIRED(preset=self.preset))
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ValueError(texts.ISSUER_PLAIN(issuer=issuer))
        if "openid" not in self.asked:
            raise ValueError(texts.SCOPE_OPENID())
        return self

    @property
    def issuer_url(self) -> str:
        """Its issuer, letter by letter."""
        return self.issuer or PRESETS[self.preset].issuer

    @property
    def asked(self) -> tuple[str, ...]:
        """The scopes that the hub asks for."""
        return self.scopes or PRESETS[self.preset].scopes

    @property
    def names_account(self) -> str:
        """The claim of which the site's mapping may make an account; "" is none."""
        return PRESETS[self.preset].account_claim if self.account_claim is None else self.account_claim

    @property
    def names_organisation(self) -> str:
        """The claim with somebody's home organisation; "" is none."""
        return PRESETS[self.preset].organisation_claim if self.organisation_claim is None else self.organisation_claim

    def shown(self, name: str) -> str:
        """What people call the provider of a name."""
        return self.title or PRESETS[self.preset].title or name


class AccountsSettings(Frozen):
    """Which account somebody has who logs in with an institution's. It is found at their first login and stays;
    ``users.unix_name`` makes the Unix account of the name."""

    source: Literal["name-service", "claim", "table", "pool"] = Field(
        default="name-service",
        description="name-service: the provider's claim names an account that this machine's name service has. claim: "
        "it names one that may come later. table: the site's own file says. pool: the next free account of login."
        "accounts.pool.",
    )
    table: AbsolutePath | None = Field(
        default=None,
        description="Who has which account, with source = table: [[account]] with issuer, subject and account (TOML), "
        "or these three columns (a name that ends in .csv). The catalogue service reads it, and only operators write.",
    )
    pool: Annotated[
        str,
        Field(pattern=r"^(?:[a-z_][a-z0-9_.-]{0,30}#{1,6})?$"),
        said("a name with a # for each digit of its number", "guest###"),
    ] = Field(default="", description="The names of accounts for new people, with source = pool.")
    pool_size: int = Field(default=100, ge=1, le=100_000, description="How many accounts the pool has, from 1 on.")

    @model_validator(mode="after")
    def _named(self) -> AccountsSettings:
        if self.source == "table" and self.table is None:
            raise ValueError(account_texts.ACCOUNTS_WITHOUT(source="table", setting="table"))
        if self.source == "pool" and not self.pool:
            raise ValueError(account_texts.ACCOUNTS_WITHOUT(source="pool", setting="pool"))
        if self.source == "pool" and self.pool_size >= 10 ** self.pool.count("#"):
            raise ValueError(account_texts.POOL_TOO_LARGE(pool=self.pool, size=self.pool_size))
        return self


class LoginSettings(Frozen):
    """Who may log in. ``site`` leaves it to the login.provider tables, else to hub.extra_config."""

    kind: Literal["demo", "pam", "site"] = Field(
        default="site",
        description="demo: passwords from demo_file, on this machine's own address only. pam: the Unix passwords. "
        "site: no passwords, the login.provider tables alone; without any, what hub.extra_config sets.",
    )
    demo_file: AbsolutePath | None = Field(default=None, description="JSON {user: password}; only with kind = demo.")
    admins: tuple[HubUser, ...] = Field(
        default=(), description="The site's operators: they have the page Operate, and may log in too."
    )
    keep_case: bool = Field(
        default=False,
        description="The site's authenticator tells people's names apart by case. JupyterHub's own write them in small "
        "letters, and so are the names in this file read.",
    )
    without_project: bool = Field(
        default=False,
        description="Who is in no project comes in, too, and starts nothing: they see their pages, and ask for a "
        "project there. Everybody with an account can then log in.",
    )
    provider: dict[Slug, ProviderSettings] = Field(
        default_factory=dict, description="See login.provider.NAME. Needs [catalogue], which knows who is who."
    )
    accounts: AccountsSettings = Field(default=AccountsSettings(), description="See login.accounts.")


def callback_path(name: str) -> str:
    """Where the provider of a name sends people back to, below the hub's address."""
    return f"/hub/login/{name}/callback"


def callback(name: str, provider: ProviderSettings, hub: HubSettings) -> str:
    """The whole address to which a provider sends people back."""
    if provider.callback_url:
        return provider.callback_url
    base = hub.subdomain_host or hub.public_url
    # where a web server stands before the proxy, bind_url still has the path under which everything is
    origin = base.rstrip("/").removesuffix(hub.base_path) if base else ""
    return (origin or hub.bind_url.rstrip("/").removesuffix(hub.base_path)) + hub.base_path + callback_path(name)


def between_tables(login: LoginSettings, hub: HubSettings, catalogue: bool) -> list[Mistake]:
    """What is wrong between the login's settings and others of the file. Pure.

    :param catalogue: the file has a section [catalogue].
    """
    wrong = []
    host = urlsplit(hub.bind_url).hostname or ""
    if login.kind == "demo" and not is_loopback(host):
        wrong.append(Mistake("login.kind", texts.DEMO_LOOPBACK(address=hub.bind_url)))
    for name, provider in login.provider.items():
        key = f"login.provider.{name}"
        if not catalogue:
            wrong.append(Mistake(key, texts.NEEDS_CATALOGUE()))
        address = callback(name, provider, hub)
        path = hub.base_path + callback_path(name)
        if urlsplit(address).path != path:
            wrong.append(Mistake(f"{key}.callback_url", texts.CALLBACK_PATH(address=address, path=path)))
    return wrong


def secret_mistakes(login: LoginSettings, *, reads: bool = False) -> list[Mistake]:
    """What is wrong with the files of the clients' secrets, as far as this account may look.

    :param reads: this account is to read them, so that it may not is a mistake, too.
    """
    found = []
    for name, provider in login.provider.items():
        if what := _wrong_secret(provider.client_secret_file, reads):
            found.append(Mistake(f"login.provider.{name}.client_secret_file", what))
    return found


def _wrong_secret(path: Path, reads: bool) -> Text | None:
    try:
        status = path.stat()
        if reads:
            path.open("rb").close()
    except OSError as error:
        if isinstance(error, PermissionError) and not reads:
            return None
        return texts.SECRET_UNREADABLE(path=str(path), why=verbatim(error.strerror or ""))
    if not stat.S_ISREG(status.st_mode):
        return texts.SECRET_NO_FILE(path=str(path))
    if status.st_mode & 0o027:
        return texts.SECRET_OPEN(path=str(path), mode=f"{stat.S_IMODE(status.st_mode):04o}")
    if not 0 < status.st_size <= _MOST_SECRET:
        return texts.SECRET_EMPTY(path=str(path), most=_MOST_SECRET)
    return None


def read_secret(path: Path) -> str:
    """The secret of a client.

    :raises OSError: it cannot be read.
    :raises ValueError: the file is not as :func:`secret_mistakes` wants it, or is not text.
    """
    if what := _wrong_secret(path, True):
        raise ValueError(what)
    return path.read_text(encoding="utf-8").strip()
