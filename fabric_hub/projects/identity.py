"""Who somebody is to an identity provider, and what it said at a login, as types. Pure.

An identity is an issuer and a subject, for ever: never a mail address, a name, or an account.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from fabric_hub.types import Frozen, HubUser

Claim = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$", strict=True)]
Issuer = Annotated[str, StringConstraints(pattern=r"^(https?://|urn:)[^\s\x00-\x20\x7f]{1,500}$", strict=True)]
Subject = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$", strict=True)]


class Identity(Frozen):
    """A person at a provider (OpenID Connect Core, section 2: ``iss`` and ``sub``); compared letter by letter."""

    issuer: Issuer
    subject: Subject


class Login(Frozen):
    """What a provider said of a person who has just logged in; the hub has checked the token's signature.

    :ivar provider: the site's name of the provider (login.provider.NAME).
    :ivar account_claim: what the site's mapping may make an account of; None where the provider sends nothing.
    :ivar entitlements: groups by the AARC-G069 grammar, as sent.
    :ivar assurance: ``eduperson_assurance``, as sent; ``acr`` and ``auth_time`` (Unix seconds) are the ID token's.
    """

    identity: Identity
    provider: str
    name: Claim | None = None
    mail: Claim | None = None
    organisation: Claim | None = None
    account_claim: Claim | None = None
    entitlements: tuple[Claim, ...] = Field(default=(), max_length=1000)
    assurance: tuple[Claim, ...] = Field(default=(), max_length=100)
    acr: Claim | None = None
    auth_time: float | None = Field(default=None, ge=0, lt=1e11, allow_inf_nan=False)


class LoggedIn(Frozen):
    """Who somebody is here.

    :ivar user: the hub's name of the person; the same at each login, and never another person's.
    :ivar first: this login made the person known.
    """

    user: HubUser
    first: bool = False
