"""Roles follow the projects while the hub runs: who is a visitor, or in none, starts nothing and makes no token."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.config.settings import Members, Project
from fabric_hub.projects.document import LoginEnd
from fabric_hub.projects.live import projects_file
from fabric_hub.sessions.scopes import SESSION_SCOPE
from tests.support.catalogue_thread import settings_of
from tests.support.kept_projects import publish
from tests.support.person import Person, words
from tests.support.small_site import PEOPLE, SmallSite
from tests.support.waiting import until

from .test_operate import xsrf_of

pytestmark = pytest.mark.hub

OWNER, MEMBER, VISITOR, LATER, STEWARD = PEOPLE[1:6]
SENTENCE = "You are a visitor of project Waves: visitors see what it shows them, and start nothing."
NO_TOKENS = "Only who works in a project can make tokens."
NOT_ALL = "Not all projects are known now: the catalogue service has not told which it keeps."


class KeptSite(SmallSite):
    """A site whose catalogue service keeps the project ``waves``; a test publishes in its place."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        one = {"member": [PEOPLE[0]]}
        catalogue = {**settings_of(directory), "account": pwd.getpwuid(os.geteuid()).pw_name}
        super().__init__(
            directory / "site",
            catalogue={**catalogue, "stewards": {"*": [STEWARD]}},
            project={
                "twin": {"account": "twin-acc", "members": one},
                "past": {"account": "past-acc", "members": one, "end": "2020-01-31"},
            },
        )
        assert self.settings.catalogue
        self.projects = projects_file(self.settings.catalogue)
        self._serial = 0

    def waves(self, login_ends: Mapping[str, LoginEnd] | None = None, **members: list[str]) -> None:
        """From now on these are in the project, and nobody else, and these people's logins end."""
        self._serial += 1
        told = members or {"owner": [OWNER], "member": [MEMBER], "visitor": [VISITOR]}
        publish(
            self.projects,
            self._serial,
            login_ends=login_ends,
            waves=Project(account="fh-waves", title="Waves", members=Members.model_validate(told)),
        )

    def until_known(self, name: str) -> Person:
        """Somebody of whom the hub has heard by their project; with a token."""
        until(lambda: self.admin_api("GET", f"/users/{name}").status_code == 200, f"the hub knows {name}")
        return self.person(name)


@pytest.fixture(scope="module")
def _kept(sandbox: Path) -> Iterator[KeptSite]:
    site = KeptSite(sandbox / "roles")
    site.waves()
    with site:
        yield site


@pytest.fixture
def kept(_kept: KeptSite) -> KeptSite:
    _kept.reset()
    _kept.waves()
    return _kept


def scopes(person: Person) -> set[str]:
    return set(person.api.get("/user").json()["scopes"])


def has_role(person: Person) -> bool:
    return f"tokens!user={person.name}" in scopes(person)


def offer(person: Person) -> int:
    header = {"Authorization": str(person.api.headers["Authorization"])}
    return httpx.get(f"{person.address}/services/fabric/api/offer", headers=header, timeout=60).status_code


def ways_to_start(person: Person) -> dict[str, httpx.Response]:
    """Everything that starts a server, or puts one on the list, each tried once."""
    page = person.browser.get("/hub/home")
    form: dict[str, Any] = {"_xsrf": xsrf_of(page), "project": "waves", "profile": "small"}
    return {
        "REST": person.start(project="waves", profile="small"),
        "REST, named": person.start("one", project="waves", profile="small"),
        "REST, list": person.api.put(f"/users/{person.name}/servers/two", json={}),
        "page": person.browser.get("/hub/spawn"),
        "page, named": person.open_spawn_url("three"),
        "spawn URL": person.open_spawn_url("four", project="waves", profile="small"),
        "form": person.browser.post(f"/hub/spawn/{person.name}", data=form),
        "form, named": person.browser.post(f"/hub/spawn/{person.name}/five", data=form),
        "for another": person.browser.get(f"/hub/spawn/{OWNER}"),
        "REST, for another": person.api.post(f"/users/{OWNER}/servers/six", json={"project": "waves"}),
    }


def ways_to_a_token(person: Person) -> dict[str, httpx.Response]:
    """Everything that makes a token."""
    path, login = f"/hub/api/users/{person.name}/tokens", {"username": person.name, "password": person._password}
    header = {"X-XSRFToken": xsrf_of(person.browser.get("/hub/token"))}
    return {
        "page": person.browser.post(path, json={}, headers=header),
        "REST": person.api.post(f"/users/{person.name}/tokens", json={}),
        "REST, by password": httpx.post(f"{person.address}{path}", json={"auth": login}, timeout=60),
        "REST, for another": person.api.post(f"/users/{OWNER}/tokens", json={}),
    }


def test_a_visitor_starts_nothing_and_makes_no_token_by_any_way(kept: KeptSite) -> None:
    visitor = kept.until_known(VISITOR).log_in()
    tried = ways_to_start(visitor)
    assert {way: answer.status_code for way, answer in tried.items() if answer.status_code not in (403, 404)} == {}
    for way in ("page", "page, named", "spawn URL", "form", "form, named"):
        assert SENTENCE in words(tried[way]), way
        assert f"Ask {OWNER} to make you a member." in words(tried[way]), way
    assert tried["REST"].json()["message"] == f"{SENTENCE} Ask {OWNER} to make you a member."
    made = ways_to_a_token(visitor)
    assert {way: answer.status_code for way, answer in made.items() if answer.status_code not in (403, 404)} == {}
    assert NO_TOKENS in words(visitor.browser.get("/hub/token"))
    assert visitor.servers() == {}
    assert [one for one in kept.store.live_all() if one.user == VISITOR] == []
    assert kept.requests_of(visitor) == []


def test_a_visitor_has_what_is_theirs_and_reads_nobody_elses(kept: KeptSite) -> None:
    visitor = kept.until_known(VISITOR)
    for path in ("/users", f"/users/{OWNER}", f"/users/{OWNER}/server", f"/users/{OWNER}/tokens", "/groups", "/proxy",
                 "/services", f"/shares/{OWNER}"):  # fmt: skip
        assert visitor.api.get(path).status_code in (403, 404), path
    assert visitor.api.get(f"/users/{VISITOR}").json()["name"] == VISITOR
    assert offer(visitor) == 403, "the service is for members"
    mine = scopes(visitor)
    assert all(scope.endswith(f"!user={VISITOR}") or scope == SESSION_SCOPE for scope in mine), mine
    assert not {scope for scope in mine if scope.startswith(("start:", "servers", "tokens", "shares"))}


def test_a_member_does_what_members_did(kept: KeptSite) -> None:
    member = kept.until_known(MEMBER).log_in()
    until(lambda: has_role(member), "the hub has given the role")
    assert offer(member) == 200
    assert NO_TOKENS not in words(member.browser.get("/hub/token"))
    made = {way: answer.status_code for way, answer in ways_to_a_token(member).items()}
    assert made == {"page": 201, "REST": 201, "REST, by password": 201, "REST, for another": 403}
    running = kept.started(member, project="waves", profile="small")
    assert running.tell("GET", "/session").json()["project"] == "waves"
    assert member.form("by-form", project="waves", profile="small", image="base").is_success
    member.until_ready("by-form")
    for name in ("", "by-form"):
        member.stop(name)
        member.until_gone(name)


def test_who_becomes_a_visitor_loses_the_role_at_once_and_their_session_goes_on(kept: KeptSite) -> None:
    member = kept.until_known(MEMBER).log_in()
    until(lambda: has_role(member), "the hub has given the role")
    token = member.api.post(
        f"/users/{MEMBER}/tokens", json={"scopes": ["servers!user", "access:services!service=fabric"]}
    ).json()
    narrow = {"Authorization": f"token {token['token']}"}
    running = kept.started(member, project="waves", profile="small")
    own = {"Authorization": f"token {running.token}"}
    before = kept.http.get("/hub/api/user", headers=own).json()["scopes"]

    kept.waves(owner=[OWNER], visitor=[MEMBER])
    until(lambda: not has_role(member), "the role is taken", 5)
    refused = member.start("more", project="waves", profile="small")
    assert (refused.status_code, SENTENCE in refused.json()["message"]) == (403, True)
    again = kept.http.post(f"/hub/api/users/{MEMBER}/servers/more", headers=narrow, json={})
    assert again.status_code == 403, "a token that was made before has no more than its owner"
    assert {way: answer.status_code for way, answer in ways_to_a_token(member).items() if answer.is_success} == {}

    after = kept.http.get("/hub/api/user", headers=own).json()["scopes"]
    assert set(before) - set(after) == {"access:services!service=fabric"}
    assert running.tell("GET", "/session").status_code == 200
    now = datetime.now(UTC).isoformat()
    active = kept.http.post(f"/hub/api/users/{MEMBER}/activity", headers=own, json={"last_activity": now})
    assert active.is_success, active.text
    assert f"access:servers!user={MEMBER}" in scopes(member), "their browser reaches it"
    assert member.browser.get("/hub/spawn", follow_redirects=False).headers["location"] == f"/user/{MEMBER}/"
    assert member.stop().status_code in (202, 204), "and they may end it"
    member.until_gone()
    assert SENTENCE in words(member.browser.get("/hub/spawn"))

    kept.waves()
    until(lambda: has_role(member), "the role is given again, without a login", 5)
    assert kept.http.get(f"/hub/api/users/{MEMBER}", headers=narrow).is_success


def test_who_is_added_logs_in_and_who_left_everything_does_not(kept: KeptSite) -> None:
    somebody = Person(kept.address, LATER, f"secret of {LATER}", "")
    with pytest.raises(AssertionError, match="login ended"):
        somebody.log_in()
    kept.waves(owner=[OWNER], visitor=[LATER])
    kept.until_known(LATER)
    assert "New session" in words(somebody.log_in().browser.get("/hub/spawn"))
    kept.waves()
    again = Person(kept.address, LATER, f"secret of {LATER}", "")
    until(lambda: _refused(again), "who left everything cannot log in", 5)
    for one in (somebody, again):
        one.close()


def _refused(person: Person) -> bool:
    try:
        person.log_in()
    except AssertionError:
        return True
    return False


def test_operators_and_stewards_without_a_project_keep_what_they_need(kept: KeptSite) -> None:
    admin = kept.person("admin")
    assert has_role(admin)
    assert admin.api.post("/users/admin/tokens", json={}).status_code == 201
    assert admin.start().json()["message"].startswith("admin isn't in a project yet.")
    steward = Person(kept.address, STEWARD, f"secret of {STEWARD}", "").log_in()
    assert steward.browser.get("/hub/datasets").status_code == 200
    assert steward.browser.get("/hub/spawn").status_code == 403
    steward.close()


def test_until_the_projects_are_known_nobody_is_refused_for_good_nor_loses_a_role(kept: KeptSite) -> None:
    """After a reboot the hub may be there before the catalogue service."""
    member = kept.until_known(MEMBER)
    until(lambda: has_role(member), "the hub has given the role")
    kept.projects.unlink()
    kept.restart()
    assert has_role(member)
    unsure = member.start(project="waves", profile="small")
    assert (unsure.status_code, unsure.json()["message"].startswith(NOT_ALL)) == (503, True)
    newcomer = Person(kept.address, OWNER, f"secret of {OWNER}", "")
    newcomer.browser.get("/hub/login")
    data = {"username": OWNER, "password": f"secret of {OWNER}", "_xsrf": newcomer.browser.cookies["_xsrf"]}
    answer = newcomer.browser.post("/hub/login", data=data)
    assert (answer.status_code, NOT_ALL in words(answer)) == (503, True)
    newcomer.close()
    kept.waves(owner=[OWNER], visitor=[MEMBER])
    until(lambda: not has_role(member), "now it is known", 5)


def test_who_is_blocked_loses_cookie_and_tokens_and_reads_why_at_the_login_until_they_are_unblocked(
    kept: KeptSite,
) -> None:
    person = kept.until_known(MEMBER).log_in()
    assert person.api.get("/user").status_code == 200
    assert person.browser.get("/hub/home").url.path == "/hub/home"
    ends = {MEMBER: LoginEnd(at=time.time() + 1, blocked="Mines coins.")}
    kept.waves(ends)
    until(lambda: person.api.get("/user").status_code == 403, "the token opens nothing", 15)
    assert person.browser.get("/hub/home").url.path == "/hub/login"
    with pytest.raises(AssertionError, match=f"An operator has blocked {MEMBER} at this hub: Mines coins."):
        person.log_in()
    kept.waves({MEMBER: LoginEnd(at=ends[MEMBER].at)})

    def may() -> bool:
        try:
            person.log_in()
        except AssertionError:
            return False
        return True

    until(may, "they are let in again", 15, every_s=0.5)
