"""People log in at two real OpenID providers of one real hub, and nobody becomes somebody else by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.institutions import ADMINS, HELP, MFA, Institutions
from tests.support.waiting import until

pytestmark = pytest.mark.hub


@pytest.fixture(scope="module")
def hub(sandbox: Path) -> Iterator[Institutions]:
    with Institutions(sandbox / "institutions") as made:
        yield made


@pytest.fixture
def browser(hub: Institutions) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hub.site.address, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def another(hub: Institutions) -> Iterator[httpx.Client]:
    """A browser of its own."""
    with httpx.Client(base_url=hub.site.address, timeout=60, trust_env=False) as client:
        yield client


def leave(browser: httpx.Client, at: str = "uni", next_url: str = "") -> str:
    """Choose a provider on the login page; the address to which the hub sends the browser, which is nobody's then."""
    browser.get("/hub/logout")  # who is in already is not asked again
    page = browser.get("/hub/login", params={"next": next_url} if next_url else {}).text
    links = [unescape(link) for link in re.findall(r'href="(/hub/login/[^"]*)"', page)]
    (link,) = [link for link in links if urlsplit(link).path == f"/hub/login/{at}"]
    answer = browser.get(link)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def log_in(
    hub: Institutions, browser: httpx.Client, subject: str, at: str = "uni", next_url: str = "", **claims: Any
) -> httpx.Response:
    """Go to a provider, log in there as somebody of whom it says this, and come back; the hub's answer."""
    provider = hub.other if at == "other" else hub.uni
    provider.person(subject, **claims)
    back = provider.agree(browser, leave(browser, at, next_url), subject)
    return browser.get(back)


def user_of(hub: Institutions, answer: httpx.Response, name: str) -> dict[str, Any]:
    """What JupyterHub knows of somebody who has just come in."""
    assert answer.status_code == 302, answer.text
    found = hub.site.admin_api("GET", f"/users/{name}")
    found.raise_for_status()
    made: dict[str, Any] = found.json()
    return made


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Status of a page that refuses, what it says, and what it says to do."""
    said = re.search(r'id="refusal"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    hint = re.search(r'id="refusal-hint"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    assert said, answer.text
    assert 'id="login-again"' in answer.text
    return answer.status_code, unescape(said[1]), unescape(hint[1]) if hint else ""


def is_in(browser: httpx.Client) -> bool:
    return browser.get("/hub/home").status_code == 200


def test_the_login_page_has_every_provider_and_the_passwords(hub: Institutions, browser: httpx.Client) -> None:
    page = browser.get("/hub/login").text
    for name in ("Example University", "Other Institute", "Example University with a second factor"):
        assert f">Sign in with {name}</a>" in page
    assert 'id="password_input"' in page
    data = {"username": "person01", "password": "secret of person01", "_xsrf": browser.cookies["_xsrf"]}
    assert browser.post("/hub/login", data=data).status_code == 302
    assert is_in(browser)
    wrong = browser.post("/hub/login", data={**data, "password": "wrong"})
    assert wrong.status_code == 403


def test_a_first_and_a_second_login_are_the_same_person_whatever_their_name_is_by_then(
    hub: Institutions, browser: httpx.Client, another: httpx.Client
) -> None:
    first = log_in(hub, browser, "sub-1", preferred_username="person02", name="Jan", next_url="/hub/token")
    assert first.headers["location"] == "/hub/token"
    assert is_in(browser)
    second = log_in(hub, another, "sub-1", preferred_username="person03", name="Jan Married")
    assert user_of(hub, second, "person02")["name"] == "person02"
    told = [login for login in hub.catalogue.logins if login.identity.subject == "sub-1"]
    assert [login.name for login in told] == ["Jan", "Jan Married"]
    assert {login.identity.issuer for login in told} == {hub.uni.issuer}
    assert told[0].provider == "uni"
    assert told[0].auth_time, "of the ID token"


def test_what_leads_elsewhere_after_a_login_does_not(hub: Institutions, browser: httpx.Client) -> None:
    for wanted in ("https://evil.example/", "//evil.example/", "/\\evil.example", "https:evil.example"):
        answer = log_in(hub, browser, "sub-1", preferred_username="person02", next_url=wanted)
        assert answer.status_code == 302
        assert not urlsplit(answer.headers["location"]).netloc, wanted
        assert not answer.headers["location"].startswith(("//", "/\\")), wanted


def test_two_people_with_one_name_are_two_people_also_with_one_subject_at_two_issuers(
    hub: Institutions, browser: httpx.Client, another: httpx.Client
) -> None:
    same = {"name": "A. Jansen", "email": "a@example.org"}
    assert log_in(hub, browser, "one", preferred_username="person04", **same).status_code == 302
    assert log_in(hub, another, "two", preferred_username="person05", **same).status_code == 302
    assert log_in(hub, another, "one", "other", preferred_username="person06", **same).status_code == 302
    made = {login.identity: hub.catalogue.people[login.identity] for login in hub.catalogue.logins[-3:]}
    assert set(made.values()) == {"person04", "person05", "person06"}


def test_nobody_takes_an_account_that_is_somebody_elses(hub: Institutions, browser: httpx.Client) -> None:
    """What the catalogue service refuses is said on the page."""
    assert log_in(hub, browser, "owner", preferred_username="person07").status_code == 302
    browser.cookies.clear()
    answer = log_in(hub, browser, "thief", "other", preferred_username="person07")
    assert refusal(answer) == (403, "You have no account here: person07 is not yours.", "Write to help.")
    assert "desk@other.example" in answer.text
    assert not is_in(browser)


@pytest.mark.parametrize(
    ("claims", "status", "what"),
    [
        ({"preferred_username": "root"}, 403, "your account is root, and nobody logs in as root here"),
        ({"preferred_username": ["person08", "root"]}, 403, "it is a list of 2, where one is needed"),
        ({"preferred_username": 8}, 403, "it is no text"),
        ({}, 403, "You have no account here: nothing is not yours."),
        (
            {"preferred_username": "Person08"},
            500,
            "Your name here is Person08, and this hub would read it as person08, which may be somebody else.",
        ),
        ({"preferred_username": "boss"}, 302, ""),
    ],
)
def test_a_claim_that_names_no_person_is_refused_in_words(
    hub: Institutions, browser: httpx.Client, claims: dict[str, Any], status: int, what: str
) -> None:
    answer = log_in(hub, browser, f"escalates-{abs(hash(str(claims)))}", **claims)
    assert answer.status_code == status, answer.text
    if status != 302:
        assert what in refusal(answer)[1]
        assert "Traceback" not in answer.text
        assert not is_in(browser)


def test_who_is_in_no_project_is_told_whom_to_ask(hub: Institutions, browser: httpx.Client) -> None:
    answer = log_in(hub, browser, "outsider", preferred_username="outsider")
    assert refusal(answer) == (
        403,
        "Example University knows you, and you are outsider here, but you are in no project of this hub.",
        f"Ask the owner of your project to add outsider, or write to {HELP}.",
    )
    assert f'href="mailto:{HELP}"' in answer.text


def test_an_operator_is_who_has_the_whole_entitlement_for_as_long_as_they_have_it(
    hub: Institutions, browser: httpx.Client
) -> None:
    person = {"preferred_username": "person09"}
    assert not user_of(hub, log_in(hub, browser, "op", **person), "person09")["admin"]
    assert browser.get("/hub/operate").status_code == 403
    with_it = log_in(hub, browser, "op", eduperson_entitlement=["urn:x", ADMINS], **person)
    assert user_of(hub, with_it, "person09")["admin"]
    assert browser.get("/hub/operate").status_code == 200
    others = [ADMINS.replace(":us:", ":others:"), f"{ADMINS}#evil.example", "hub-admins", f"{ADMINS}:more"]
    assert not user_of(hub, log_in(hub, browser, "op", eduperson_entitlement=others, **person), "person09")["admin"]
    assert browser.get("/hub/operate").status_code == 403


def test_an_operator_by_an_entitlement_comes_in_without_a_project(hub: Institutions, browser: httpx.Client) -> None:
    person = {"preferred_username": "newop"}
    assert "you are in no project of this hub" in refusal(log_in(hub, browser, "newop", **person))[1]
    answer = log_in(hub, browser, "newop", eduperson_entitlement=[ADMINS], **person)
    assert user_of(hub, answer, "newop")["admin"]
    assert browser.get("/hub/operate").status_code == 200


def test_the_passwords_beside_let_in_operators_and_who_is_in_a_project_and_nobody_else(
    hub: Institutions, browser: httpx.Client
) -> None:
    for name, status in (("boss", 302), ("admin", 302), ("curator", 403)):  # a curator of this site is in no project
        browser.get("/hub/logout")
        browser.get("/hub/login")
        data = {"username": name, "password": f"secret of {name}", "_xsrf": browser.cookies["_xsrf"]}
        assert (name, browser.post("/hub/login", data=data).status_code) == (name, status)
        assert is_in(browser) is (status == 302)


def test_another_providers_word_makes_no_operator(hub: Institutions, browser: httpx.Client) -> None:
    answer = log_in(hub, browser, "op", "other", eduperson_entitlement=[ADMINS], preferred_username="person10")
    assert not user_of(hub, answer, "person10")["admin"]


def test_who_is_named_as_an_operator_is_one_at_any_provider(hub: Institutions, browser: httpx.Client) -> None:
    assert user_of(hub, log_in(hub, browser, "named", "other", preferred_username="admin"), "admin")["admin"]


def test_a_second_factor_that_is_asked_for_and_not_sent_is_named(hub: Institutions, browser: httpx.Client) -> None:
    address = leave(browser, "strict")
    assert parse_qs(urlsplit(address).query)["acr_values"] == [MFA]
    person = {"preferred_username": "person11"}
    assert refusal(log_in(hub, browser, "mfa", "strict", **person))[1] == (
        "Example University with a second factor does not say how you logged in (no acr in its ID token), and this hub "
        f"asks for {MFA}."
    )
    assert f"with password, and this hub asks for {MFA}." in refusal(
        log_in(hub, browser, "mfa", "strict", acr="password", **person)
    )[1]  # fmt: skip
    assert not is_in(browser)
    assert log_in(hub, browser, "mfa", "strict", acr=MFA, **person).status_code == 302
    assert hub.catalogue.logins[-1].acr == MFA


STALE = (
    400,
    "This sign-in was begun in another browser, has been used already, or began more than an hour ago.",
    "Sign in again.",
)


def test_an_address_with_a_code_is_of_use_once_and_in_its_own_browser(
    hub: Institutions, browser: httpx.Client, another: httpx.Client
) -> None:
    hub.uni.person("replay", preferred_username="person12")
    back = hub.uni.agree(browser, leave(browser), "replay")
    assert refusal(another.get(back)) == STALE
    assert not is_in(another)
    leave(another)  # a sign-in of its own: its state is another
    assert refusal(another.get(back)) == STALE
    assert browser.get(back).status_code == 302
    assert refusal(browser.get(back)) == STALE


def test_a_code_of_one_provider_is_no_code_of_another(hub: Institutions, browser: httpx.Client) -> None:
    hub.uni.person("mixed", preferred_username="person13")
    back = hub.uni.agree(browser, leave(browser), "mixed")
    theirs = parse_qs(urlsplit(leave(browser, "other")).query)["state"][0]
    code = parse_qs(urlsplit(back).query)["code"][0]
    answer = browser.get("/hub/login/other/callback", params={"code": code, "state": theirs})
    status, said, _ = refusal(answer)
    assert (status, said.startswith("Other Institute did not confirm this sign-in to the hub: ")) == (502, True)
    issued = browser.get("/hub/login/uni/callback", params={**dict(parse_qs_one(back)), "iss": hub.other.issuer})
    assert f"its ID token is of another issuer, {hub.other.issuer}" in refusal(issued)[1]


def parse_qs_one(address: str) -> list[tuple[str, str]]:
    return [(name, values[0]) for name, values in parse_qs(urlsplit(address).query).items()]


def test_every_sign_in_has_a_state_a_nonce_and_a_challenge_of_its_own(hub: Institutions, browser: httpx.Client) -> None:
    asked = [dict(parse_qs_one(leave(browser))) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert len({one[name] for one in asked}) == 2
        assert all(len(one[name]) >= 32 for one in asked)
    assert {one["code_challenge_method"] for one in asked} == {"S256"}
    assert {one["redirect_uri"] for one in asked} == {f"{hub.site.address}/hub/login/uni/callback"}


def test_what_the_provider_refuses_is_said_and_does_no_harm(hub: Institutions, browser: httpx.Client) -> None:
    state = dict(parse_qs_one(leave(browser)))["state"]
    error = {"error": "access_denied", "error_description": "<script>alert(1)</script> Not\nyou."}
    answer = browser.get("/hub/login/uni/callback", params={**error, "state": state})
    assert refusal(answer) == (
        403,
        "Example University did not let you in: <script>alert(1)</script> Not you.",
        f"Ask your own institution's helpdesk, or write to {HELP}.",
    )
    assert "<script>alert" not in answer.text
    assert refusal(browser.get("/hub/login/uni/callback", params=error)) == STALE


def test_a_provider_that_is_away_closes_its_own_door_only(hub: Institutions, browser: httpx.Client) -> None:
    back = hub.other.agree(browser, leave(browser, "other"), "away")
    hub.other.down()
    try:
        status, said, hint = refusal(browser.get(back))
        assert (status, said) == (
            503, f"Other Institute cannot be reached now: no answer from {hub.other.issuer}/oauth2/token."
        )  # fmt: skip
        assert hint == "Try again in a minute. If it stays so, write to desk@other.example."
        assert log_in(hub, browser, "sub-1", preferred_username="person02").status_code == 302
    finally:
        hub.other.up()

    def is_taken() -> bool:
        return log_in(hub, browser, "named", "other", preferred_username="admin").status_code == 302

    until(is_taken, "its keys are new, and are asked for again, some seconds after the last time", 60, every_s=1)


def test_no_secret_and_no_code_is_in_the_log(hub: Institutions, browser: httpx.Client) -> None:
    hub.uni.person("logged", preferred_username="person14")
    back = hub.uni.agree(browser, leave(browser), "logged")
    code = dict(parse_qs_one(back))["code"]
    assert browser.get(back).status_code == 302
    log = hub.site.log.read_text()
    assert "User logged in: person14" in log or "person14" in log
    assert code not in log
    assert "a secret" not in log
