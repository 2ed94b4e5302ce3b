"""Who somebody is who logs in: the hub, two real providers, and the real catalogue service, which keeps people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.institutions import HELP, Institutions

from .test_login import is_in, log_in, refusal, user_of

pytestmark = pytest.mark.hub


@pytest.fixture(scope="module")
def hub(sandbox: Path) -> Iterator[Institutions]:
    with Institutions(sandbox / "login-people", real=True) as made:
        yield made


@pytest.fixture
def browser(hub: Institutions) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hub.site.address, timeout=60, trust_env=False) as client:
        yield client


def test_a_second_login_is_the_first_ones_person_whatever_the_provider_says_by_then(
    hub: Institutions, browser: httpx.Client
) -> None:
    first = log_in(hub, browser, "s1", preferred_username="person01", name="Jan")
    assert user_of(hub, first, "person01")["name"] == "person01"
    assert browser.get("/hub/api/user").json()["name"] == "person01"
    second = log_in(hub, browser, "s1", preferred_username="admin", name="Jan Married")
    assert not user_of(hub, second, "person01")["admin"]
    assert browser.get("/hub/api/user").json()["name"] == "person01"


def test_two_subjects_with_one_display_name_are_two_people(hub: Institutions, browser: httpx.Client) -> None:
    said = {"name": "A. Jansen", "email": "a@example.org"}
    for subject, account in (("two-a", "person02"), ("two-b", "person03"), ("two-a", "person02")):
        assert log_in(hub, browser, subject, preferred_username=account, **said).status_code == 302
        assert browser.get("/hub/api/user").json()["name"] == account


def test_a_name_that_is_another_persons_is_refused_in_words(hub: Institutions, browser: httpx.Client) -> None:
    assert log_in(hub, browser, "owner", preferred_username="person04").status_code == 302
    assert refusal(log_in(hub, browser, "thief", preferred_username="person04")) == (
        403,
        "The account person04 is, or was, another person's here.",
        f"Write to {HELP}. Operators: if both logins are of one person, `fabric-hub people link` makes them so.",
    )
    assert not is_in(browser)


@pytest.mark.parametrize("name", ["admin", "boss", "person05"])
def test_a_name_that_people_choose_makes_nobody_an_operator_or_a_projects_person(
    hub: Institutions, browser: httpx.Client, name: str
) -> None:
    status, said, hint = refusal(log_in(hub, browser, f"chooses-{name}", "other", preferred_username=name))
    assert (status, said) == (
        403,
        f"The login calls your account {name}. That is somebody's here, and people may choose such a name at other.",
    )
    assert hint.startswith(f"If it is yours, write to {HELP}. Operators: ")
    assert "login.provider.other.account_claim_assigned" in hint
    assert not is_in(browser)


def test_who_is_in_no_project_reads_so_and_is_nobody_elses_by_it(hub: Institutions, browser: httpx.Client) -> None:
    status, said, _ = refusal(log_in(hub, browser, "new", "other", preferred_username="newcomer"))
    assert (status, said) == (
        403,
        "Other Institute knows you, and you are newcomer here, but you are in no project of this hub.",
    )
