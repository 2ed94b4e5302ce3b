"""A hub with a password login and three identity providers at two issuers, each a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from .catalogue_thread import settings_of
from .login_catalogue import LoginCatalogue
from .oidc_provider import OidcProvider
from .small_site import SmallSite

ADMINS = "urn:mace:surf.nl:sram:group:us:hpc:hub-admins"
MFA = "https://refeds.org/profile/mfa"
HELP = "help@example.org"


class Institutions:
    """See the module. ``with`` starts all of it; ``strict`` is ``uni`` that asks for a second factor.

    :param real: who is who is the real catalogue service's, too, by the claims as the site's file has them: those of
        ``uni`` are assigned, those of ``other`` people choose.
    """

    def __init__(self, directory: Path, *, real: bool = False) -> None:
        directory.mkdir()
        secret = directory / "secret"
        secret.write_text("a secret")
        secret.chmod(0o600)
        self.uni, self.other = (OidcProvider(directory / f"{name}.log") for name in ("uni", "other"))
        at = {"client_id": "hub", "client_secret_file": secret}
        uni = {
            **at, "issuer": self.uni.issuer, "title": "Example University", "operators": [ADMINS],
            "account_claim_assigned": True,
        }  # fmt: skip
        providers = {
            "uni": uni,
            "other": {**at, "issuer": self.other.issuer, "title": "Other Institute", "contact": "desk@other.example"},
            "strict": {**uni, "title": "Example University with a second factor", "acr": [MFA]},
        }
        self.site = SmallSite(
            directory / "site", catalogue=settings_of(directory),
            login={"provider": providers, "accounts": {"source": "claim"}},
            site={"support_email": HELP},
        )  # fmt: skip
        self.catalogue = LoginCatalogue(directory / "site" / "site.toml", self.site.settings, real=real)

    def __enter__(self) -> Self:
        try:
            self.uni.up()
            self.other.up()
            self.catalogue.up()
            self.site.up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.site.close()
        self.catalogue.close()
        for provider in (self.uni, self.other):
            provider.close()
