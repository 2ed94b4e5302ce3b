"""A site whose people log in at one provider, as its catalogue service sees it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fabric_hub.catalogue.api import LinkBody, VerifiedLogin
from fabric_hub.catalogue.audit.log import Entry
from fabric_hub.catalogue.people.logins import People
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.config.settings import Settings, parse
from fabric_hub.errors import FabricError
from fabric_hub.projects.identity import Identity, LoggedIn, Login
from fabric_hub.projects.naming import UnixEntry

from .builders import catalogue_text, least_site_text

IDP, OTHER_IDP = "https://idp.example.org", "https://new.example.org"
PROJECT = '[project.physics]\naccount = "phys"\nmembers = ["anna", "guest01"]\n'


def site(
    directory: Path, login: str = 'accounts.source = "claim"', more: str = PROJECT, *, assigned: bool = True
) -> Settings:
    """A site with two providers.

    :param assigned: of the first one, nobody chooses the name that it sends.
    """
    contact = '[site]\nsupport_email = "support@example.org"\n'
    provider = f'[login.provider.sram]\npreset = "sram"\nclient_id = "hub"\nclient_secret_file = "{directory}/secret"\n'
    provider += f'issuer = "{IDP}"\n'
    provider += f"account_claim_assigned = {str(assigned).lower()}\n"
    provider += f'[login.provider.new]\nissuer = "{OTHER_IDP}"\nclient_id = "hub"\n'
    provider += f'client_secret_file = "{directory}/secret"\n'
    catalogue = catalogue_text(directory, "fabric-catalogue")
    return parse(least_site_text(directory, f"[login]\n{login}\n{provider}{contact}{more}{catalogue}"))


def a_login(subject: str, claim: str | None, issuer: str = IDP, **claims: Any) -> Login:
    identity = Identity(issuer=issuer, subject=subject)
    provider = "new" if issuer == OTHER_IDP else "sram"
    return Login(identity=identity, provider=provider, account_claim=claim, **claims)


class Site:
    """People of a site, with the audit log's entries and a name service that has the accounts of a list."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self.engine, self.store, self.settings = engine, PeopleStore(engine), settings
        self.entries: list[Entry] = []
        self.unix: dict[str, UnixEntry] = {}
        self.full = False
        self.people = People(lambda: self.settings, self.store, self._append, self.unix.get)

    def _append(self, entries: Iterable[Entry]) -> None:
        if self.full:
            raise FabricError("the disk is full")
        self.entries.extend(entries)

    def has_provider(self, issuer: str) -> str:
        """From now on the site has a provider with this issuer; its name."""
        known = self.settings.login.provider
        new = known["new"].model_copy(update={"issuer": issuer})
        login = self.settings.login.model_copy(update={"provider": {**known, "one-more": new}})
        self.settings = self.settings.model_copy(update={"login": login})
        return "one-more"

    def login(self, subject: str, claim: str | None, issuer: str = IDP, **claims: Any) -> LoggedIn:
        login = a_login(subject, claim, issuer, **claims)
        if issuer not in (IDP, OTHER_IDP):
            login = login.model_copy(update={"provider": self.has_provider(issuer)})
        return self.people.login_now(login)

    def person(self, subject: str, issuer: str = IDP) -> int | None:
        return self.store.person_of(Identity(issuer=issuer, subject=subject))

    def link(self, user: str, mine: Login, other: Login, *, first: float = 0, second: float = 0) -> None:
        now = time.time()
        self.people.link_now(
            LinkBody(
                user=user,
                first=VerifiedLogin(login=mine, verified_at=now - first),
                second=VerifiedLogin(login=other, verified_at=now - second),
            )
        )
