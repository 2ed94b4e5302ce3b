"""Who is in no project asks for one on a page, an operator answers in two clicks, and it is in force."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.catalogue.requests.store import RequestStore
from fabric_hub.projects.requests import Request
from tests.support.person import Person, words
from tests.support.projects_hub import MEMBER, OWNER, ProjectsHub, today
from tests.support.waiting import until

pytestmark = pytest.mark.hub

MINE, ASK, ALL = "/hub/projects", "/hub/request-project", "/hub/operate/projects"
NOBODYS = "curator"  # is in no project
TEMPLATES = {
    "small": {"title": "Small", "budget_gpu_hours": 200.0, "days": 90, "profiles": ["small"]},
    "large": {"title": "Large", "budget_gpu_hours": 5000.0, "days": 365},
}
ASKED = {
    "title": "Ocean waves",
    "purpose": "Model <waves>\nand tides",
    "organisation": "Example University",
    "sector": "climate",
    "data": "public",
    "gpu_hours": "150",
    "until": "",
}


@pytest.fixture(scope="module")
def _projects(sandbox: Path) -> Iterator[ProjectsHub]:
    more = {"templates": TEMPLATES, "requests_per_person": 2}
    with ProjectsHub(sandbox / "requests", "aggregated", more, login={"without_project": True}) as made:
        yield made


@pytest.fixture
def projects(_projects: ProjectsHub) -> Iterator[ProjectsHub]:
    _projects.reset()
    yield _projects
    _projects.reset()


@pytest.fixture
def nobody(projects: ProjectsHub) -> Iterator[Person]:
    person = Person(projects.site.address, NOBODYS, f"secret of {NOBODYS}", "").log_in()
    yield person
    person.close()


@pytest.fixture
def operator(projects: ProjectsHub) -> Person:
    return projects.site.person("admin").log_in()


def send(person: Person, path: str, do: str, **fields: Any) -> httpx.Response:
    found = re.search(r'xsrf_token: "([^"]+)"', person.browser.get(MINE).text)
    assert found
    return person.browser.post(path, data={"_xsrf": found[1], "do": do, **fields})


def kept(projects: ProjectsHub, number: int = 1) -> Request:
    store = projects.catalogue_service.store
    return RequestStore(store.engine, store.projects).one(number)


def filled(page: httpx.Response) -> dict[str, str]:
    """What a form's fields have in them: what one click sends."""
    part = page.text.partition('id="approve-title"')[2].partition("</form>")[0]
    inputs = [dict(re.findall(r'(\w+)="([^"]*)"', one)) for one in re.findall(r"<input[^>]*>", part)]
    return {one["name"]: one["value"] for one in inputs if one["name"] != "_xsrf"} | {"kind": "research"}


def test_who_is_in_no_project_asks_for_one_and_an_operator_approves_it_in_two_clicks(
    projects: ProjectsHub, nobody: Person, operator: Person
) -> None:
    empty = nobody.browser.get(MINE)
    assert "You're not in a project yet" in words(empty)
    assert f'href="{ASK}"' in empty.text
    assert 'for="request-purpose"' in nobody.browser.get(ASK).text
    sent = send(nobody, ASK, "project", **ASKED)
    assert sent.headers.get("location", str(sent.url)).endswith(f"{MINE}?request=sent"), sent.text
    told = words(nobody.browser.get(f"{MINE}?request=sent"))
    assert "Your request was sent. Its state is shown here." in told
    assert "Ocean waves Waiting for an answer" in told
    assert kept(projects).purpose == "Model <waves> and tides"

    table = operator.browser.get(ALL)
    (link,) = re.findall(r'href="(/hub/operate/projects/requests/\d+)"', table.text)
    opened = operator.browser.get(link)  # one click
    assert "Model <waves> and tides" in words(opened), "as text"
    fields = filled(opened)
    assert (fields["name"], fields["title"], fields["gpu_hours"], fields["template"]) == (
        "ocean-waves",
        "Ocean waves",
        "200",
        "small",
    )
    assert fields["end"] == (today() + timedelta(days=90)).isoformat()
    done = send(operator, link, "approve", **fields)  # the other
    assert done.status_code == 200, words(done)
    assert f"Approved. Project Ocean waves has {NOBODYS} as owner." in words(done)

    made = projects.project("ocean-waves")
    assert (made.members.owner, made.budget_gpu_hours, made.account) == ((NOBODYS,), 200, "fh-ocean-waves")
    assert (made.organisation, made.sector, made.profiles) == ("Example University", "climate", ("small",))
    events = [(one["event"], one.get("user"), one.get("by")) for one in projects.audit_log()]
    assert events == [
        ("project-requested", NOBODYS, None),
        ("request-granted", NOBODYS, "operator admin"),
        ("project-created", "admin", "operator admin"),
        ("person-added", NOBODYS, "operator admin"),
    ]
    page = until(
        lambda: "Ocean waves Granted" in words(page := nobody.browser.get(MINE)) and page, "they see the answer", 10
    )
    assert 'href="/hub/projects/ocean-waves"' in page.text
    assert send(operator, link, "approve", **fields).status_code == 409, "once"


def test_a_declined_request_says_why_and_one_that_is_withdrawn_is_gone_from_the_list(
    projects: ProjectsHub, nobody: Person, operator: Person
) -> None:
    for title in ("One", "Two"):
        send(nobody, ASK, "project", **{**ASKED, "title": title})
    refused = send(nobody, ASK, "project", **{**ASKED, "title": "Three"})
    assert refused.status_code == 409
    assert f"{NOBODYS} has 2 open requests, and may have no more than 2." in words(refused)
    assert 'value="Three"' in refused.text, "what was typed stays"
    assert 'data-reason="request-too-many"' in refused.text
    without = send(operator, f"{ALL}/requests/1", "decline", why=" ")
    assert "Who asked is told why: write one line of at most 100 letters." in words(without)
    declined = send(operator, f"{ALL}/requests/1", "decline", why="no GPUs <left>")
    assert f"Declined. {NOBODYS} reads why." in words(declined)
    page = nobody.browser.get(MINE)
    assert "One Declined Reason no GPUs <left>" in words(page)
    assert "Your request was withdrawn." in words(send(nobody, ASK, "withdraw", number=2))
    assert "Two Withdrawn" in words(nobody.browser.get(MINE))
    assert 'id="open-requests"' not in operator.browser.get(ALL).text
    assert [one["event"] for one in projects.audit_log() if one["event"] != "denied"] == [
        "project-requested",
        "project-requested",
        "request-declined",
        "request-withdrawn",
    ]


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("title", " ", "request-form-title"),
        ("purpose", "", "request-form-purpose"),
        ("purpose", "x" * 1001, "request-form-purpose"),
        ("gpu_hours", "many", "request-form-hours"),
        ("gpu_hours", "0", "request-form-hours"),
        ("gpu_hours", "nan", "request-form-hours"),
        ("until", "2020-01-01", "request-day-over"),
        ("until", "soon", "project-form-no-day"),
        ("sector", "x" * 101, "project-form-no-line"),
        ("data", "secret", "malformed"),
    ],
)
def test_a_form_that_asks_for_something_impossible_says_what(
    projects: ProjectsHub, nobody: Person, field: str, typed: str, code: str
) -> None:
    refused = send(nobody, ASK, "project", **{**ASKED, field: typed})
    assert refused.status_code >= 400
    assert f'data-reason="{code}"' in refused.text
    assert [one for one in projects.audit_log() if one["event"] == "project-requested"] == []


def test_what_the_hub_may_not_approve_is_refused_with_the_command_and_stays_open(
    projects: ProjectsHub, nobody: Person, operator: Person
) -> None:
    send(nobody, ASK, "project", **{**ASKED, "data": "non-public", "gpu_hours": "5000"})
    link = f"{ALL}/requests/1"
    fields = filled(operator.browser.get(link))
    assert fields["template"] == "large", "the smallest that is enough"
    refused = send(operator, link, "approve", **fields)
    assert refused.status_code == 403
    told = words(refused)
    assert "The hub may not approve request 1: it works with non-public data." in told
    assert "fabric-hub projects requests approve 1 --name ocean-waves --budget 5000 --end" in told
    assert kept(projects).state == "open"
    (denied,) = [one for one in projects.audit_log() if one["event"] == "denied"]
    assert (denied["user"], denied["why"]) == ("admin", "request-not-from-hub")


def test_only_operators_read_and_answer_requests_and_only_who_asked_withdraws(
    projects: ProjectsHub, nobody: Person
) -> None:
    send(nobody, ASK, "project", **ASKED)
    other = projects.log_in(MEMBER)
    assert other.browser.get(f"{ALL}/requests/1").status_code == 403
    for do, fields in (("approve", {"name": "mine", "title": "Mine", "gpu_hours": "1"}), ("decline", {"why": "x"})):
        assert send(other, f"{ALL}/requests/1", do, **fields).status_code == 403
    assert send(other, ASK, "withdraw", number=1).status_code == 404
    assert "Ocean waves" not in words(other.browser.get(MINE))
    assert kept(projects).state == "open"
    with httpx.Client(base_url=projects.site.address) as anonymous:
        assert "/hub/login" in anonymous.get(ASK, follow_redirects=True).url.path
    api = other.api.post(f"{projects.site.address}{ASK}", data={"do": "project", **ASKED})
    assert api.status_code == 403, "a token asks for nothing"


def test_an_owner_asks_for_more_and_an_operator_gives_it(projects: ProjectsHub, operator: Person) -> None:
    owner = projects.log_in(OWNER)
    page = owner.browser.get("/hub/projects/folding")
    assert f'href="{ASK}?project=folding"' in page.text
    form = owner.browser.get(f"{ASK}?project=folding")
    assert "It has 100" in words(form)
    assert projects.log_in(MEMBER).browser.get(f"{ASK}?project=folding").status_code == 404
    nothing = send(owner, ASK, "more", project="folding", purpose="x", gpu_hours="50", until="")
    assert 'data-reason="request-nothing"' in nothing.text
    send(owner, ASK, "more", project="folding", purpose="Longer runs", gpu_hours="250", until="")
    link = f"{ALL}/requests/1"
    fields = filled(operator.browser.get(link))
    assert fields["gpu_hours"] == "250"
    done = send(operator, link, "approve", **fields)
    assert "Approved. Project Protein folding was changed." in words(done)
    assert projects.project().budget_gpu_hours == 250
    assert projects.project().end == today() + timedelta(days=12), "as it was"


def test_operators_see_the_templates(projects: ProjectsHub, operator: Person) -> None:
    told = words(operator.browser.get(ALL))
    assert "Templates Small small Research · 200 GPU-hours · 90 days Large" in told


def test_who_is_in_no_project_starts_nothing_and_makes_no_token(projects: ProjectsHub, nobody: Person) -> None:
    answer = nobody.browser.post(f"/hub/api/users/{NOBODYS}/server", headers={"X-XSRFToken": "x"}, json={})
    assert answer.status_code == 403
    assert "not in a project yet" in words(nobody.browser.get(MINE))


def test_in_dutch(projects: ProjectsHub, nobody: Person) -> None:
    dutch = {"Accept-Language": "nl"}
    assert "Project aanvragen" in words(nobody.browser.get(ASK, headers=dutch))
    send(nobody, ASK, "project", **ASKED)
    assert "Wacht op antwoord" in words(nobody.browser.get(MINE, headers=dutch))
