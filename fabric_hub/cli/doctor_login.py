"""What ``fabric-hub doctor`` looks at where a site names identity providers: secrets, callbacks, and their answers."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx

from fabric_hub.config.login import DISCOVERY, LoginSettings, ProviderSettings, callback, secret_mistakes
from fabric_hub.config.settings import Settings
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.messages.texts import login as texts

from .findings import Finding, problem, right

_ANSWERS_S = 10.0


def of_site(site: Settings) -> Iterator[Finding]:
    """The site's identity providers."""
    wrong = {mistake.key.split(".")[2]: mistake.what for mistake in secret_mistakes(site.login)}
    for name, provider in site.login.provider.items():
        if name in wrong:
            yield problem(wrong[name], texts.SECRET_FILE(provider=provider.shown(name)))
        yield _answers(name, provider)
        if nobody := _nobody_new(name, provider, site.login):
            yield Finding(state="NOTE", about=nobody, remedy=nobody.hint or NOTHING)
        about = texts.CALLBACK_IS(provider=provider.shown(name), address=callback(name, provider, site.hub))
        yield Finding(state="NOTE", about=about, remedy=texts.CALLBACK_REGISTERED())


def _nobody_new(name: str, provider: ProviderSettings, login: LoginSettings) -> Text | None:
    """Why the site's mapping refuses every first login at a provider; None: it does not."""
    source = login.accounts.source
    if source in ("table", "pool"):
        return None
    about = {"provider": provider.shown(name), "name": name}
    if not provider.names_account:
        return texts.NO_CLAIM_NEW(**about, source=source)
    if source == "name-service" and not provider.account_claim_assigned:
        return texts.NONE_ASSIGNED(**about, claim=provider.names_account)
    return None


def _answers(name: str, provider: ProviderSettings) -> Finding:
    address, issuer = provider.issuer_url.rstrip("/") + DISCOVERY, provider.issuer_url
    about = {"provider": provider.shown(name), "issuer": issuer}
    why = _why_not(address, issuer)
    if why is None:
        return right(texts.PROVIDER_ANSWERS(**about))
    return problem(texts.PROVIDER_UNUSABLE(**about, why=why), texts.ASK_PROVIDER(issuer=issuer))


def _why_not(address: str, issuer: str) -> Text | None:
    try:
        # the host's own authorities, as the hub believes them
        answer = httpx.get(address, timeout=_ANSWERS_S, verify=ssl.create_default_context(), trust_env=False)
        answer.raise_for_status()
        found = answer.json()
    except httpx.HTTPStatusError as error:
        return texts.STATUS(address=address, code=error.response.status_code)
    except httpx.HTTPError:
        return texts.NO_ANSWER(address=address)
    except ValueError:
        return texts.NOT_JSON(address=address)
    if not isinstance(found, dict):
        return texts.NOT_JSON(address=address)
    said = found.get("issuer")
    return None if said == issuer else texts.OTHER_ISSUER(address=address, found=str(said)[:200], issuer=issuer)
