"""From what a provider has said of a person to a :class:`~fabric_hub.projects.identity.Login`. Pure.

Who somebody is (``iss``, ``sub``) and how they logged in (``acr``, ``auth_time``) is the ID token's word alone. Of the
rest, what cannot be used is left out: a home institution that sends little is normal. What is to name the account is
refused in words instead, for a name that was half understood could be somebody else's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic import ValidationError

from fabric_hub.config.login import ProviderSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import login as texts
from fabric_hub.projects.entitlements import has_one_of
from fabric_hub.projects.identity import Identity, Login

MOST_CHARACTERS: Final = 1000
MOST_ENTITLEMENTS: Final = 1000
MOST_ASSURANCE: Final = 100
# Accounts of the machine, whatever else a site's mapping makes of a claim.
SYSTEM_ACCOUNTS: Final = frozenset({"root", "daemon", "bin", "sys", "nobody"})
Whom = Text | str


def login_of(
    name: str, provider: ProviderSettings, token: Mapping[str, Any], told: Mapping[str, Any], whom: Whom
) -> Login:
    """What a provider said of a person.

    :param name: the site's name of the provider.
    :param token: the claims of the verified ID token.
    :param told: its user information of the same person; {} where it has none.
    :param whom: whom a refusal says to write to.
    :raises FabricError: they did not log in as the site asks, or the claim that is to name the account is unusable.
    """
    claims = {**token, **told}
    try:
        identity = Identity(issuer=token["iss"], subject=token["sub"])
    except ValidationError as error:
        wrong = {"issuer": "iss", "subject": "sub"}[str(error.errors()[0]["loc"][0])]
        why = texts.TOKEN_CLAIM(claim=wrong)
        raise FabricError(texts.TOKEN_REFUSED(provider=provider.shown(name), why=why, whom=whom)) from None
    login = Login(
        identity=identity,
        provider=name,
        name=usable(claims.get("name")),
        # an address that the provider itself does not vouch for is nobody's
        mail=None if claims.get("email_verified") in (False, "false") else usable(claims.get("email")),
        organisation=usable(claims.get(provider.names_organisation)),
        account_claim=_account(name, provider, claims, whom),
        entitlements=several(claims, ("eduperson_entitlement", "entitlements"), MOST_ENTITLEMENTS),
        assurance=several(claims, ("eduperson_assurance",), MOST_ASSURANCE),
        acr=usable(token.get("acr")),
        auth_time=_seconds(token.get("auth_time")),
    )
    _check_acr(login, provider, whom)
    return login


def is_operator(user: str, login: Login, provider: ProviderSettings, admins: Collection[str]) -> bool:
    """Whether somebody is an operator of the hub: by name, or by an entitlement as this provider sends it."""
    return user in admins or has_one_of(login.entitlements, provider.operators)


def usable(value: Any) -> str | None:
    """A claim that is one line of text; else None."""
    return value if isinstance(value, str) and value and not _unusable(value) else None


def several(claims: Mapping[str, Any], names: tuple[str, ...], most: int) -> tuple[str, ...]:
    """The usable values of claims that have several, each once; a single text is a list of one, never of letters."""
    found: dict[str, None] = {}
    for name in names:
        values = claims.get(name)
        for value in values if isinstance(values, list) else [values]:
            if (text := usable(value)) is not None:
                found[text] = None
    return tuple(found)[:most]


def _account(name: str, provider: ProviderSettings, claims: Mapping[str, Any], whom: Whom) -> str | None:
    claim = provider.names_account
    value = claims.get(claim) if claim else None
    if value is None or value == "":
        return None
    shown = provider.shown(name)
    if what := _unusable(value):
        raise FabricError(texts.CLAIM_REFUSED(provider=shown, claim=claim, what=what, whom=whom))
    if (account := unicodedata.normalize("NFKC", value).strip().casefold()) in SYSTEM_ACCOUNTS:
        raise FabricError(texts.NO_LOGIN_AS(provider=shown, account=account, whom=whom))
    return str(value)


def _unusable(value: Any) -> Text | None:
    if isinstance(value, list | tuple):
        return texts.CLAIM_LIST(n=len(value))
    if not isinstance(value, str):
        return texts.CLAIM_NO_TEXT()
    if len(value) > MOST_CHARACTERS:
        return texts.CLAIM_TOO_LONG(most=MOST_CHARACTERS)
    if not value.isprintable():  # controls, line separators, and what writes backwards
        return texts.CLAIM_CONTROL()
    return None


def _seconds(value: Any) -> float | None:
    """A time as Unix seconds."""
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11
    return float(value) if right else None


def _check_acr(login: Login, provider: ProviderSettings, whom: Whom) -> None:
    if not provider.acr or login.acr in provider.acr:
        return
    about = {"provider": provider.shown(login.provider), "wanted": provider.acr, "whom": whom}
    raise FabricError(texts.ACR_OTHER(**about, sent=login.acr) if login.acr else texts.ACR_MISSING(**about))
