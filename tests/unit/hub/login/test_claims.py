"""What becomes of claims: what names a person or an account is refused in words, the rest is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fabric_hub.config.login import ProviderSettings
from fabric_hub.errors import FabricError
from fabric_hub.hub.login.claims import MOST_CHARACTERS, is_operator, login_of
from fabric_hub.projects.identity import Identity, Login

TOKEN: dict[str, Any] = {"iss": "https://sso.example.org", "sub": "abc-123", "preferred_username": "jan"}
ADMINS = "urn:mace:surf.nl:sram:group:us:hpc:hub-admins"


def a_provider(**changes: Any) -> ProviderSettings:
    least = {"client_id": "hub", "client_secret_file": Path("/etc/secret"), "issuer": "https://sso.example.org"}
    return ProviderSettings(**{**least, "title": "Example University", **changes})


def login(told: dict[str, Any] | None = None, token: dict[str, Any] | None = None, **changes: Any) -> Login:
    claims = {name: value for name, value in {**TOKEN, **(token or {})}.items() if value is not None}
    return login_of("uni", a_provider(**changes), claims, told or {}, "help@example.org")


def refusal(told: dict[str, Any] | None = None, token: dict[str, Any] | None = None, **changes: Any) -> str:
    with pytest.raises(FabricError) as raised:
        login(told, token, **changes)
    return raised.value.text


def test_what_a_provider_says_is_kept() -> None:
    told = {
        "name": "Jan Ö. Jansen",
        "email": "jan@example.org",
        "organization": "Example University",
        "eduperson_entitlement": [ADMINS, "urn:other"],
        "eduperson_assurance": ["https://refeds.org/assurance/IAP/medium"],
    }
    made = login(told, {"acr": "https://refeds.org/profile/mfa", "auth_time": 1700000000})
    assert made == Login(
        identity=Identity(issuer="https://sso.example.org", subject="abc-123"),
        provider="uni",
        name="Jan Ö. Jansen",
        mail="jan@example.org",
        organisation="Example University",
        account_claim="jan",
        entitlements=(ADMINS, "urn:other"),
        assurance=("https://refeds.org/assurance/IAP/medium",),
        acr="https://refeds.org/profile/mfa",
        auth_time=1700000000.0,
    )


def test_who_somebody_is_and_how_they_logged_in_is_the_id_tokens_word_alone() -> None:
    made = login({"iss": "https://evil.example", "sub": "root", "acr": "mfa", "auth_time": 5, "name": "Jan"})
    assert made.identity == Identity(issuer="https://sso.example.org", subject="abc-123")
    assert (made.acr, made.auth_time, made.name) == (None, None, "Jan")


def test_a_provider_that_says_nothing_else_is_normal() -> None:
    made = login(token={"preferred_username": None})
    assert made.model_dump(exclude={"identity", "provider"}, exclude_defaults=True) == {}


@pytest.mark.parametrize(
    "value", [["a", "b"], 5, True, {"a": 1}, "", "a\nb", "a\x00", "a\u2028b", "a\u202eb", "x" * (MOST_CHARACTERS + 1)]
)
def test_a_claim_that_cannot_be_used_is_left_out(value: Any) -> None:
    made = login({"name": value, "email": value, "organization": value}, {"acr": value, "auth_time": "x"})
    assert (made.name, made.mail, made.organisation, made.acr, made.auth_time) == (None, None, None, None, None)


@pytest.mark.parametrize(("verified", "kept"), [(True, True), (None, True), (False, False), ("false", False)])
def test_a_mail_address_that_the_provider_does_not_vouch_for_is_left_out(verified: Any, kept: bool) -> None:
    assert login({"email": "jan@x.org", "email_verified": verified}).mail == ("jan@x.org" if kept else None)


@pytest.mark.parametrize("value", [True, -1, 1e12, float("nan"), float("inf"), "5", None])
def test_a_time_that_is_none_is_left_out(value: Any) -> None:
    assert login(token={"auth_time": value}).auth_time is None


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (["jan"], "it is a list of 1, where one is needed"),
        (["jan", "root"], "it is a list of 2, where one is needed"),
        ([], "it is a list of 0, where one is needed"),
        (5, "it is no text"),
        (False, "it is no text"),
        ({"jan": 1}, "it is no text"),
        ("x" * 1001, "it is longer than 1000 characters"),
        ("jan\n", "it has characters that do not print"),
        ("\u202ejan", "it has characters that do not print"),
    ],
)
def test_a_claim_that_is_to_name_the_account_is_refused_in_words(value: Any, what: str) -> None:
    assert refusal({"preferred_username": value}) == (
        f"Example University sends preferred_username, which is to name your account here, and {what}. "
        "Write to help@example.org, and tell them this sentence."
    )


@pytest.mark.parametrize("value", ["root", "Root", " root", "\uff52\uff4f\uff4f\uff54", "daemon"])
def test_nobody_is_an_account_of_the_machine(value: str) -> None:
    said = refusal({"preferred_username": value})
    account = "daemon" if value == "daemon" else "root"
    assert said == (
        f"Example University says that your account is {account}, and nobody logs in as {account} here. "
        "Write to help@example.org."
    )


def test_letters_of_a_name_stay_as_they_are() -> None:
    assert login({"preferred_username": "Jan"}).account_claim == "Jan"
    assert login({"preferred_username": "jań"}).account_claim == "jań"


def test_a_single_entitlement_is_a_list_of_one_and_not_of_letters() -> None:
    assert login({"eduperson_entitlement": ADMINS}).entitlements == (ADMINS,)
    assert login({"eduperson_entitlement": [ADMINS, 5, None, "a\nb", ADMINS, ["x"]]}).entitlements == (ADMINS,)
    assert login({"eduperson_entitlement": {"a": 1}}).entitlements == ()
    assert len(login({"eduperson_entitlement": [f"urn:x:{n}" for n in range(5000)]}).entitlements) == 1000


@pytest.mark.parametrize("subject", ["with space", "x" * 256, "ünïcode", "a\n"])
def test_a_subject_that_the_standard_does_not_allow_is_refused(subject: str) -> None:
    assert refusal(token={"sub": subject}) == (
        "The hub does not take what Example University says of you: its ID token has no sub that can be used. "
        "Sign in again. If it happens again, write to help@example.org."
    )


def test_a_second_factor_that_the_site_asks_for_is_named_where_it_is_missing() -> None:
    mfa = "https://refeds.org/profile/mfa"
    assert login(token={"acr": mfa}, acr=(mfa,)).acr == mfa
    assert refusal(acr=(mfa,)) == (
        f"Example University does not say how you logged in (no acr in its ID token), and this hub asks for {mfa}. "
        "Sign in with a second factor. If you did, ask your institution to send acr, or write to help@example.org."
    )
    assert refusal({"acr": mfa}, {"acr": "password"}, acr=(mfa,)) == (
        f"You logged in at Example University with password, and this hub asks for {mfa}. "
        "Sign in again with a second factor. If your institution has none, write to help@example.org."
    )


@pytest.mark.parametrize(
    "sent",
    [
        "urn:mace:surf.nl:sram:group:others:hpc:hub-admins",  # another organisation's
        "urn:mace:surf.nl:sram:group:us:hub-admins",
        "urn:mace:surf.nl:sram:group:us:hpc:hub-admins:more",  # a subgroup
        "urn:mace:surf.nl:sram:group:us:hpc",
        "urn:mace:surf.nl:sram:group:us:hpc:hub-admins#evil.example",  # said by another authority
        "urn:mace:surf.nl:sram:group:us:hpc:hub-admins:role=guest",
        "urn:mace:surf.nl:evil:group:us:hpc:hub-admins",
        "urn:evil:surf.nl:sram:group:us:hpc:hub-admins",
        "urn:mace:surf.nl:sram:group:us:hpc:HUB-ADMINS",
        "xurn:mace:surf.nl:sram:group:us:hpc:hub-admins",
        "hub-admins",
    ],
)
def test_a_group_that_looks_like_the_operators_makes_no_operator(sent: str) -> None:
    provider = a_provider(operators=(ADMINS,))
    assert not is_operator("jan", login({"eduperson_entitlement": [sent]}), provider, ("ann",))


def test_operators_are_those_named_and_those_with_the_whole_entitlement() -> None:
    provider = a_provider(operators=(ADMINS,))
    assert is_operator("jan", login({"eduperson_entitlement": [ADMINS]}), provider, ())
    assert is_operator("jan", login({"eduperson_entitlement": ["URN:MACE" + ADMINS[8:]]}), provider, ())
    assert is_operator("ann", login(), provider, ("ann",))
    assert not is_operator("jan", login({"eduperson_entitlement": [ADMINS]}), a_provider(), ("ann",))
