"""Whether a login is good enough for what a project or a dataset asks. Pure.

Many home institutions send nothing of this: where nothing is asked, nothing is looked at.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from fabric_hub.config.assurance import Asks
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import assurance as texts
from fabric_hub.types import Frozen

from .naming import contact

# How far the provider's clock may be ahead of ours, in seconds.
_AHEAD_S: Final = 60.0


class Vouched(Frozen):
    """What was said of a person at their last login by a provider; ``provider`` is the site's name of it.

    ``auth_time`` (Unix seconds) is when they proved who they are; None: not said. All empty: they have logged in by
    password, or the catalogue service has no identity of theirs.
    """

    provider: str = ""
    assurance: tuple[str, ...] = ()
    acr: str | None = None
    auth_time: float | None = None


def refusal(
    asks: Asks | None,
    vouched: Vouched,
    what: str,
    provider: str,
    whom: Text | str,
    now: float,
    hub: str = "/hub/",
) -> Text | None:
    """Why a login is not good enough; None: it is, or nothing is asked.

    :param what: what people call the project or the dataset.
    :param provider: the provider as people read it; empty: none.
    :param whom: whom to write to.
    :param hub: the hub's address, with a slash at its end.
    """
    if asks is None or not asks.anything:
        return None
    about: dict[str, Text | str] = {"what": what, "whom": whom}
    if not vouched.provider:
        return texts.NO_PROVIDER(**about)
    about |= {"provider": provider or vouched.provider}
    if asks.assurance and not set(asks.assurance) & set(vouched.assurance):
        wanted = asks.assurance
        if not vouched.assurance:
            return texts.ASSURANCE_MISSING(wanted=wanted, **about)
        return texts.ASSURANCE_OTHER(wanted=wanted, sent=vouched.assurance, **about)
    if not asks.acr:
        return None
    about["again"] = login_again(hub, vouched.provider, asks)
    if vouched.acr is None:
        return texts.ACR_MISSING(wanted=asks.acr, **about)
    if vouched.acr not in asks.acr:
        return texts.ACR_OTHER(wanted=asks.acr, sent=vouched.acr, **about)
    return _of_age(asks.max_age_minutes, vouched.auth_time, about, now)


def _of_age(minutes: int | None, at: float | None, about: dict[str, Text | str], now: float) -> Text | None:
    if minutes is None:
        return None
    if at is None:
        return texts.AUTH_TIME_MISSING(**about)
    if at > now + _AHEAD_S or now - at > minutes * 60:
        return texts.TOO_LONG_AGO(minutes=minutes, **about)
    return None


def check(settings: Settings, asks: Asks | None, vouched: Vouched, what: str, now: float) -> None:
    """Refuse a login that is not good enough; parameters as for :func:`refusal`.

    :raises FabricError: (403) what the home institution did not send, whom to write to, and where to log in again.
    """
    known = settings.login.provider.get(vouched.provider)
    provider = known.shown(vouched.provider) if known else ""
    whom: Text | str = (known.contact if known else "") or contact(settings)
    hub = f"{settings.hub.pages_url}/hub/"
    if (told := refusal(asks, vouched, what, provider, whom, now, hub)) is not None:
        raise FabricError(told)


def login_again(hub: str, provider: str, asks: Asks) -> str:
    """The address at the hub that has a provider ask for the second factor."""
    wanted = {"acr": " ".join(asks.acr)}
    if asks.max_age_minutes is not None:
        wanted["max_age"] = str(asks.max_age_minutes * 60)
    return f"{hub}login/{provider}?{urlencode(wanted)}"
