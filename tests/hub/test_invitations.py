"""Invitations at a real hub: from the link to a member, at a real provider too; and where the code does not stand."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fabric_hub.catalogue.audit.log import audit_directory, files
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.config.settings import Members, Project
from fabric_hub.projects.changes import Invite
from fabric_hub.projects.invitations import digest_of, id_of, new_code
from tests.support.institutions import Institutions
from tests.support.person import Person, words
from tests.support.projects_hub import MEMBER, OWNER, STRANGER, ProjectsHub, today
from tests.support.waiting import until

from .test_login import is_in, log_in
from .test_project_pages import FOLDING, OPERATED, send, xsrf

pytestmark = pytest.mark.hub

PAGE = "/hub/invitations"
SOON = (today() + timedelta(days=7)).isoformat()
# who has a password and is in no project
OUTSIDER = "curator"


@pytest.fixture(scope="module")
def _projects(sandbox: Path) -> Iterator[ProjectsHub]:
    with ProjectsHub(sandbox / "invites", "aggregated") as made:
        yield made


@pytest.fixture
def projects(_projects: ProjectsHub) -> Iterator[ProjectsHub]:
    _projects.reset()
    yield _projects
    _projects.reset()


@pytest.fixture
def owner(projects: ProjectsHub) -> Person:
    return projects.log_in(OWNER)


@pytest.fixture
def browser(projects: ProjectsHub) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=projects.site.address, timeout=60, trust_env=False) as client:
        yield client


def invite(owner: Person, path: str = FOLDING, **fields: str) -> str:
    """Make an invitation on the project's page; its link."""
    page = send(owner, "invite", path, **{"role": "member", "uses": "1", "until": SOON, "domain": "", **fields})
    assert page.status_code == 200, words(page)
    assert "The invitation is made. Send this link to whom you invite: it is shown only now." in words(page)
    found = re.search(r'id="invitation-link" value="([^"]+)"', page.text)
    assert found
    return html.unescape(found[1])


def code_of(link: str) -> str:
    return link.rpartition("/")[2]


def sign_in(browser: httpx.Client, user: str, next_url: str = PAGE) -> httpx.Response:
    browser.get("/hub/login")
    data = {"username": user, "password": f"secret of {user}", "_xsrf": browser.cookies["_xsrf"]}
    return browser.post("/hub/login", params={"next": next_url}, data=data)


def accept(person: Person) -> httpx.Response:
    return person.browser.post(PAGE, data={"_xsrf": xsrf(person, PAGE)})


def test_from_the_link_to_a_member_and_the_code_stands_in_no_log(projects: ProjectsHub, owner: Person) -> None:
    link = invite(owner)
    code = code_of(link)
    assert link.startswith(f"{projects.site.address}/hub/invitations/")
    assert code not in owner.browser.get(FOLDING).text, "it is shown once"
    stranger = projects.log_in(STRANGER)
    assert stranger.browser.get(FOLDING).status_code == 404
    swapped = stranger.browser.get(link, follow_redirects=False)
    assert (swapped.status_code, swapped.headers["location"]) == (303, PAGE)
    assert swapped.headers["referrer-policy"] == "no-referrer"
    assert swapped.headers["cache-control"] == "no-store"
    (cookie,) = [one for one in swapped.headers.get_list("set-cookie") if one.startswith("fabric-invitation=")]
    assert "httponly" in cookie.casefold()
    assert "samesite=lax" in cookie.casefold()
    page = stranger.browser.get(PAGE)
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "Protein folding You are invited to this project. Your role would be: Member." in words(page)
    assert code not in page.text
    assert STRANGER not in projects.project().members.member, "a GET accepts nothing"
    done = accept(stranger)
    assert "You are in this project. Your role: Member." in words(done)
    assert STRANGER in projects.project().members.member
    assert stranger.browser.get(FOLDING).status_code == 200
    told = words(owner.browser.get(FOLDING))
    assert f"By an invitation of {OWNER}" in told
    assert "At the command line, by root" in told
    for path in (f"{PAGE}/{code}", f"{PAGE}/{code}/", f"{PAGE}/{code}?x={code}"):
        stranger.browser.get(path, follow_redirects=False)
        stranger.browser.put(path)
    events = [(one["event"], one.get("user"), one["by"]) for one in projects.audit_log()]
    assert events == [
        ("invited", OWNER, f"owner {OWNER}"),
        ("invitation-accepted", STRANGER, f"owner {OWNER}"),
        ("person-added", STRANGER, f"owner {OWNER}"),
    ]
    log = projects.site.log.read_text()
    assert f"{PAGE}/CODE" in log, "the request itself is logged"
    assert code not in log
    assert digest_of(code) not in log
    for file in files(audit_directory(projects.settings)):
        assert code not in file.read_text()
    database = projects.settings.state_dir / "catalogue.sqlite"
    for kept in database.parent.glob("catalogue.sqlite*"):
        assert code.encode() not in kept.read_bytes()


def test_who_is_in_no_project_logs_in_with_a_link_and_with_nothing_else(
    projects: ProjectsHub, owner: Person, browser: httpx.Client
) -> None:
    refused = sign_in(browser, OUTSIDER)
    assert refused.status_code == 403
    # a code that is none, one that is used up, one that was withdrawn, one for others: as if there were none
    used, gone = invite(owner), invite(owner)
    other = projects.log_in(STRANGER)
    other.browser.get(used)
    accept(other)
    assert "withdrawn" in words(send(owner, "withdraw", invitation=id_of(digest_of(code_of(gone)))))
    for code in (new_code(), code_of(used), code_of(gone), code_of(invite(owner, domain="delta.example"))):
        browser.get(f"{PAGE}/{code}")
        again = sign_in(browser, OUTSIDER)
        assert again.status_code == 403
        assert words(again) == words(refused)
    link = invite(owner)
    anonymous = browser.get(browser.get(link).headers["location"])
    assert anonymous.headers["location"].startswith("/hub/login?next=")
    assert "folding" not in browser.get(anonymous.headers["location"]).text, "before a login nothing is told"
    let_in = sign_in(browser, OUTSIDER)
    assert (let_in.status_code, let_in.headers["location"]) == (302, PAGE)
    page = browser.get(PAGE)
    assert "You are invited to this project." in words(page)
    token = re.search(r'xsrf_token: "([^"]+)"', page.text)
    assert token
    assert "You are in this project" in words(browser.post(PAGE, data={"_xsrf": token[1]}))
    assert OUTSIDER in projects.project().members.member


def test_a_used_withdrawn_or_unknown_link_is_said_in_plain_words_to_who_is_in(
    projects: ProjectsHub, owner: Person
) -> None:
    stranger = projects.log_in(STRANGER)
    for code, status, said in (
        (new_code(), 404, "This invitation is not known here. Open the whole link that you were sent"),
        ("nonsense", 404, "This browser has no invitation. Open the link that you were sent, in this browser"),
    ):
        page = stranger.browser.get(f"{PAGE}/{code}")
        assert page.status_code == status
        assert said in words(page)
    gone = invite(owner)
    assert "The invitation was withdrawn." in words(send(owner, "withdraw", invitation=id_of(digest_of(code_of(gone)))))
    page = stranger.browser.get(gone)
    assert page.status_code == 410
    assert "This invitation was withdrawn. Ask whoever sent it for a new one." in words(page)
    assert "Protein" not in words(page)
    used = invite(owner)
    member = projects.log_in(MEMBER)
    assert "You are in this project" in words(member.browser.get(used)), "it costs no use of who is in"
    mailed = invite(owner, domain="Delta.example")
    page = stranger.browser.get(mailed)
    assert page.status_code == 403
    assert "for people with a mail address at delta.example, and no address came with your login" in words(page)


def test_a_visitor_is_in_when_an_owner_has_confirmed_and_not_before(projects: ProjectsHub, owner: Person) -> None:
    link = invite(owner, role="visitor", uses="2")
    stranger = projects.log_in(STRANGER)
    stranger.browser.get(link)
    assert "An owner of the project confirms your name and organisation" in words(accept(stranger))
    assert stranger.browser.get(FOLDING).status_code == 404
    told = words(owner.browser.get(FOLDING))
    assert f"{STRANGER} none was sent none was sent none was sent Visitor" in told
    done = send(owner, "add", user=STRANGER, role="visitor")
    assert f"{STRANGER} was added. Role: Visitor." in words(done)
    assert "To be confirmed" not in words(done)
    assert stranger.browser.get(FOLDING).status_code == 200
    assert "You are in this project. Your role: Visitor." in words(stranger.browser.get(PAGE))


def test_who_is_turned_away_stays_out(projects: ProjectsHub, owner: Person) -> None:
    stranger = projects.log_in(STRANGER)
    stranger.browser.get(invite(owner, role="visitor"))
    accept(stranger)
    assert f"{STRANGER} was not let in." in words(send(owner, "turn-away", user=STRANGER))
    assert "an owner of the project did not let you in" in words(stranger.browser.get(PAGE))
    assert accept(stranger).status_code == 403
    assert STRANGER not in projects.project().members.visitor
    assert stranger.browser.get(FOLDING).status_code == 404


def test_the_hub_invites_nobody_into_what_is_a_clients_nor_a_member_anybody(
    projects: ProjectsHub, owner: Person
) -> None:
    fields = {"role": "member", "uses": "1", "until": SOON, "domain": ""}
    refused = send(owner, "invite", "/hub/projects/bakery", **fields)
    assert refused.status_code == 403
    command = f"fabric-hub projects invite bakery --role member --uses 1 --until {SOON}"
    assert command in words(refused)
    assert 'id="invitation-link"' not in refused.text
    member = projects.log_in(MEMBER)
    assert send(member, "invite", **fields).status_code == 403
    assert 'id="invitations"' not in member.browser.get(FOLDING).text
    denied = [(one["event"], one["user"], one["why"], one.get("after")) for one in projects.audit_log()]
    (only,) = denied
    assert only[:3] == ("denied", OWNER, "project-not-from-hub")
    assert "digest" not in str(only[3])


def test_a_form_says_what_it_cannot_read(projects: ProjectsHub, owner: Person) -> None:
    right = {"role": "member", "uses": "1", "until": SOON, "domain": ""}
    for wrong, said in (
        ({"uses": "0"}, '"0" is no number of people.'),
        ({"uses": "many"}, '"many" is no number of people.'),
        ({"until": ""}, "An invitation needs a last day."),
        ({"until": "soon"}, '"soon" is no day.'),
        ({"until": (today() - timedelta(days=1)).isoformat()}, "The last day of the invitation would be"),
        ({"domain": "not a domain"}, '"not a domain" is no domain of mail addresses.'),
        ({"role": "king"}, '"king" is no role.'),
    ):
        page = send(owner, "invite", **{**right, **wrong})
        assert page.status_code in (400, 422), words(page)
        assert said in words(page)
    assert projects.audit_log() == []


def test_an_operator_invites_too_and_a_token_does_not_accept(projects: ProjectsHub, owner: Person) -> None:
    admin = projects.site.person("admin").log_in()
    link = invite(admin, OPERATED)
    stranger = projects.log_in(STRANGER)
    stranger.browser.get(link)
    token = {"Authorization": stranger.api.headers["Authorization"]}
    cookies = {name: value for name, value in stranger.browser.cookies.items() if name.startswith("fabric-")}
    refused = httpx.post(f"{projects.site.address}{PAGE}", headers=token, cookies=cookies, trust_env=False)
    assert refused.status_code in (302, 403)
    assert STRANGER not in projects.project().members.member
    assert stranger.browser.post(PAGE).status_code == 403, "without the token against forgery"
    assert "You are in this project" in words(accept(stranger))


# -- at a real provider


@pytest.fixture(scope="module")
def institutions(sandbox: Path) -> Iterator[Institutions]:
    with Institutions(sandbox / "invited", real=True) as made:
        yield made


def test_the_login_that_presents_the_link_binds_who_they_are_at_the_provider(institutions: Institutions) -> None:
    """And a later login leaves them in: what a project has of its people is none of the provider's groups."""
    hub, store = institutions, institutions.catalogue.store.projects
    project = Project(title="Waves", account="fh-waves", members=Members(owner=("boss",)))
    store.take_over("waves", project, "root", lambda _entries: None)
    code, last = new_code(), today() + timedelta(days=7)
    change = Invite(project="waves", digest=digest_of(code), uses=2, until=last, domain="delta.example")
    assert store.change(hub.site.settings, change, Asker("root", operator=True, from_hub=False), lambda _entries: None)
    claims = {"preferred_username": "newcomer", "name": "New Comer", "email": "new@delta.example"}
    with httpx.Client(base_url=hub.site.address, timeout=60, trust_env=False) as browser:
        assert log_in(hub, browser, "new-1", **claims).status_code == 403, "in no project, and without the link"
        browser.get(f"{PAGE}/{code}")
        other = {**claims, "preferred_username": "another", "email": "new@elsewhere.example"}
        assert log_in(hub, browser, "other-1", **other).status_code == 403, "not of that domain"
        answer = log_in(hub, browser, "new-1", next_url=PAGE, **claims)
        assert (answer.status_code, answer.headers["location"]) == (302, PAGE)
        page = browser.get(PAGE)
        token = re.search(r'xsrf_token: "([^"]+)"', page.text)
        assert token, words(page)
        assert "You are in this project" in words(browser.post(PAGE, data={"_xsrf": token[1]}))
    kept = store.kept("waves")
    assert kept
    assert kept.project.members.member == ("newcomer",)
    with httpx.Client(base_url=hub.site.address, timeout=60, trust_env=False) as browser:
        # no link, another mail address, no groups at all: it is the same issuer and subject
        until(
            lambda: log_in(hub, browser, "new-1", preferred_username="x", email="a@b.example").status_code == 302,
            "they come in as a member",
            20,
        )
        assert is_in(browser)
        assert browser.get("/hub/projects/waves").status_code == 200
    after = store.kept("waves")
    assert after
    assert after.project.members == kept.project.members
    assert code not in hub.site.log.read_text()
