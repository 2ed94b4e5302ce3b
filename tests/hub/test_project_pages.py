"""The pages of projects: who sees which, who may change what, and that nobody learns of another's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.budgets.history import History, UsageRow
from tests.support.person import Person, words
from tests.support.projects_hub import LEAVER, MEMBER, OWNER, STRANGER, VISITOR, ProjectsHub, today
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

LIST, FOLDING, BAKERY = "/hub/projects", "/hub/projects/folding", "/hub/projects/bakery"
ALL, OPERATED = "/hub/operate/projects", "/hub/operate/projects/folding"


@pytest.fixture(scope="module")
def _projects(sandbox: Path) -> Iterator[ProjectsHub]:
    with ProjectsHub(sandbox / "mine", "aggregated") as made:
        yield made


@pytest.fixture
def projects(_projects: ProjectsHub) -> Iterator[ProjectsHub]:
    _projects.reset()
    yield _projects
    _projects.reset()


@pytest.fixture
def site(projects: ProjectsHub) -> SmallSite:
    return projects.site


@pytest.fixture
def owner(projects: ProjectsHub) -> Person:
    return projects.log_in(OWNER)


def xsrf(person: Person, path: str) -> str:
    found = re.search(r'xsrf_token: "([^"]+)"', person.browser.get(path).text)
    assert found
    return found[1]


def send(person: Person, do: str, path: str = FOLDING, **fields: Any) -> httpx.Response:
    data = {"_xsrf": xsrf(person, LIST), "do": do, **fields}
    return person.browser.post(path, data=data)


# -- who sees what


def test_a_person_sees_their_own_projects_with_role_end_people_and_budget(projects: ProjectsHub, owner: Person) -> None:
    page = owner.browser.get(LIST)
    assert page.headers["cache-control"] == "no-store"
    told = words(page)
    for said in (
        "My projects",
        "Protein folding Course",
        "Bakery Client",
        "Your role Owner",
        "(in 12 days)",
        "1 owner · 2 members",
    ):
        assert said in told, told
    assert "Bread forecast" not in told
    assert "Digital twin" in told, "one of the site's file"
    assert f'href="{LIST}" aria-current="page"' in page.text
    assert f'href="{FOLDING}"' in owner.browser.get("/hub/home").text


def test_one_that_is_somebody_elses_and_one_that_does_not_exist_look_alike(
    projects: ProjectsHub, owner: Person
) -> None:
    other, nothing = (owner.browser.get(f"{LIST}/{name}") for name in ("bread", "nosuch"))
    assert other.status_code == nothing.status_code == 404
    assert words(other).replace("bread", "NAME") == words(nothing).replace("nosuch", "NAME")
    for name in ("bread", "nosuch"):
        assert send(owner, "pause", f"{LIST}/{name}", why="x").status_code == 404
    stranger = projects.log_in(STRANGER)
    assert stranger.browser.get(FOLDING).status_code == 404
    assert send(stranger, "remove", user=OWNER).status_code == 404
    assert projects.audit_log() == []


def test_a_member_sees_no_names_but_the_owners_and_changes_nothing(projects: ProjectsHub) -> None:
    member = projects.log_in(MEMBER)
    page = member.browser.get(FOLDING)
    told = words(page)
    assert f"Whom to ask {OWNER}" in told
    assert LEAVER not in told
    assert "Slurm account fh-folding" in told
    assert "People of this project see totals, and how many people used GPUs, never who." in told
    for absent in ('id="project-add"', 'id="project-members"', 'id="dates"', 'id="state"'):
        assert absent not in page.text
    for do, fields in (
        ("add", {"user": "eve", "role": "member"}),
        ("pause", {"why": "x"}),
        ("remove", {"user": OWNER}),
    ):
        refused = send(member, do, **fields)
        assert refused.status_code == 403
        assert "Only an owner of this project changes it. Ask its owner to do it." in words(refused)
    assert projects.audit_log() == []


def test_a_visitor_sees_that_it_is_there_and_neither_use_nor_people(projects: ProjectsHub) -> None:
    visitor = projects.log_in(VISITOR)
    page = visitor.browser.get(FOLDING)
    told = words(page)
    assert "Protein folding" in told
    assert "Your role Visitor" in told
    for absent in ("fh-folding", "GPU-hours", MEMBER, "2 members", "Running now"):
        assert absent not in told
    assert send(visitor, "pause", why="x").status_code == 403
    assert "2 members" not in words(visitor.browser.get(LIST)).partition("Protein folding")[2].partition("Digital")[0]


def test_an_owner_reads_what_people_used_as_far_as_the_site_shows_it(projects: ProjectsHub, owner: Person) -> None:
    rows = [
        UsageRow(day=today(), project="folding", account="a", user=user, profile="p", gpu_hours=2, cpu_hours=1, jobs=1)
        for user in (OWNER, MEMBER)
    ]
    History(projects.site.store.engine).replace(today(), rows, 1.0)
    page = until(lambda: "by 2 people" in (page := owner.browser.get(FOLDING)).text and page, "it is on the page", 10)
    assert 'id="project-by-person"' not in page.text
    assert re.search(rf'data-person="{MEMBER}"', page.text), "owners see who is in it"


def test_no_login_and_no_token_open_the_pages(projects: ProjectsHub, site: SmallSite, owner: Person) -> None:
    for path in (LIST, FOLDING, ALL, OPERATED):
        for headers in ({}, dict(owner.api.headers)):
            answer = site.http.get(path, headers=headers)
            assert answer.status_code == 302
            assert "/hub/login" in answer.headers["location"]
        assert site.http.post(path, data={"do": "pause", "why": "x"}).status_code == 403


# -- what an owner changes


def test_an_owner_adds_a_person_who_then_is_in_it_and_removes_them(projects: ProjectsHub, owner: Person) -> None:
    done = send(owner, "add", user=STRANGER, role="trainer")
    assert done.status_code == 200
    assert f"{STRANGER} was added. Role: Trainer." in words(done)
    assert f'data-person="{STRANGER}"' in done.text, "the page has the new state at once"
    assert re.search(r"<title>\s*Saved: Protein folding", done.text)
    assert projects.project().members.trainer == (STRANGER,)
    assert projects.audit_log()[-1]["by"] == f"owner {OWNER}"
    assert "Your role Trainer" in words(projects.log_in(STRANGER).browser.get(FOLDING))

    done = send(owner, "remove", user=STRANGER)
    assert f"{STRANGER} was removed from this project." in words(done)
    assert f'data-person="{STRANGER}"' not in done.text
    assert STRANGER not in projects.project().members


def test_what_the_catalogue_service_refuses_stands_beside_the_form_with_what_was_typed(
    projects: ProjectsHub, owner: Person
) -> None:
    refused = send(owner, "add", BAKERY, user="eve", role="steward")
    assert refused.status_code == 403
    people = refused.text.partition('id="people"')[2].partition("</section>")[0]
    assert "The hub may not change this of project bakery: it is a client&#39;s." in people
    assert "fabric-hub projects add bakery eve --role steward" in people
    assert 'value="eve"' in people
    assert re.search(r'value="steward" selected', people)
    assert "<title>" in refused.text
    assert "Not saved: Bakery" in refused.text
    assert projects.project("bakery").members.steward == ()


def test_an_owner_pauses_resumes_and_ends_it_earlier(projects: ProjectsHub, owner: Person) -> None:
    paused = send(owner, "pause", why="<b>Moving</b>")
    assert "Nothing starts in this project for now: <b>Moving</b>" in words(paused) or "&lt;b&gt;" in paused.text
    assert "<b>Moving</b>" not in paused.text
    assert projects.project().paused == "<b>Moving</b>"
    assert "Protein folding (Active)" in words(send(owner, "resume"))
    end = today() + timedelta(days=3)
    assert "(in 3 days)" in words(send(owner, "dates", end=end.isoformat()))
    assert projects.project().end == end
    later = send(owner, "dates", end=(today() + timedelta(days=30)).isoformat())
    assert later.status_code == 403
    assert "Only operators give project folding more time." in words(later)
    assert projects.project().end == end


def test_a_form_that_cannot_be_is_refused_before_anybody_is_asked(projects: ProjectsHub, owner: Person) -> None:
    refused = send(owner, "add", user="no name!", role="member")
    assert refused.status_code == 400
    assert '"no name!" is no user name.' in words(refused)
    assert 'value="no name!"' in refused.text
    assert projects.audit_log() == []


def test_who_leaves_a_project_is_led_to_the_others(projects: ProjectsHub, owner: Person) -> None:
    alone = send(owner, "remove", user=OWNER)
    assert alone.status_code == 409
    assert f"{OWNER} is the only owner of project folding." in words(alone)
    send(owner, "add", user=MEMBER, role="owner")
    left = send(owner, "remove", user=OWNER)
    assert left.url.path == LIST
    assert "Protein folding" not in words(left)


def test_a_project_of_the_sites_file_is_read_only(projects: ProjectsHub) -> None:
    boss = projects.site.person("boss").log_in()
    page = boss.browser.get(f"{LIST}/closed-shop")
    assert page.status_code == 200
    assert "In the site's file: operators change it there" in words(page)
    assert 'id="project-add"' not in page.text
    refused = send(boss, "pause", f"{LIST}/closed-shop", why="x")
    assert refused.status_code == 403
    assert "This project is kept in the site's file. Operators change it there." in words(refused)
    assert projects.audit_log() == []


def test_nothing_is_changed_by_a_link_another_sites_form_or_a_token_beside_the_login(
    projects: ProjectsHub, owner: Person
) -> None:
    sent = {"do": "remove", "user": MEMBER}
    assert owner.browser.get(FOLDING, params={**sent, "_xsrf": xsrf(owner, LIST)}).status_code == 200
    assert owner.browser.post(FOLDING, data=sent).status_code == 403
    assert owner.browser.post(FOLDING, data={**sent, "_xsrf": "guessed"}).status_code == 403
    running = projects.site.started(projects.log_in(OWNER), project="twin")
    beside = {"Authorization": f"token {running.token}"}
    refused = owner.browser.post(FOLDING, data={**sent, "_xsrf": xsrf(owner, LIST)}, headers=beside)
    assert refused.status_code == 403
    assert "A project is changed here in person, by who has logged in." in words(refused)
    assert projects.audit_log() == []
    owner.stop()


def test_a_catalogue_service_that_is_away_is_said_and_nothing_is_lost(projects: ProjectsHub, owner: Person) -> None:
    projects.catalogue_service.down()
    try:
        refused = send(owner, "add", user="eve", role="member")
        assert refused.status_code == 503
        assert 'value="eve"' in refused.text
    finally:
        projects.catalogue_service.up()
    assert f'data-person="{MEMBER}"' in owner.browser.get(FOLDING).text


# -- operators


def test_operators_see_all_projects_and_make_one_and_nobody_else_does(projects: ProjectsHub, owner: Person) -> None:
    for path in (ALL, OPERATED):
        refused = owner.browser.get(path)
        assert refused.status_code == 403
        assert "This page is for operators." in words(refused)
    assert send(owner, "create", ALL, name="mine", title="Mine", owners=OWNER).status_code == 403
    assert send(owner, "budget", OPERATED, gpu_hours="1").status_code == 403
    assert projects.audit_log() == []

    operator = projects.site.person("admin").log_in()
    page = until(lambda: "Bread forecast" in (page := operator.browser.get(ALL)).text and page, "it is known", 10)
    told = words(page)
    for said in ("Protein folding", "Bread forecast", "Digital twin", "Site's file", "Catalogue service"):
        assert said in told
    assert f'href="{ALL}"' in operator.browser.get("/hub/operate").text
    new = {"name": "vision", "title": "Computer vision", "owners": f"{OWNER}, {MEMBER}", "gpu_hours": "50"}
    made = send(operator, "create", ALL, **new)
    assert "Project Computer vision was created." in words(made)
    vision = projects.project("vision")
    assert (vision.title, vision.members.owner, vision.budget_gpu_hours) == ("Computer vision", (OWNER, MEMBER), 50)
    assert projects.audit_log()[-1]["by"] == "operator admin"
    again = send(operator, "create", ALL, **new)
    assert again.status_code == 409
    assert "There is a project vision already." in words(again)
    assert 'value="Computer vision"' in again.text


def test_an_operator_sets_budget_and_dates_of_any_project_and_pauses_it(projects: ProjectsHub) -> None:
    operator = projects.site.person("admin").log_in()
    until(lambda: operator.browser.get(OPERATED).status_code == 200, "it is known", 10)
    page = operator.browser.get(OPERATED)
    assert f'data-person="{MEMBER}"' in page.text
    assert "The budget is saved." in words(send(operator, "budget", OPERATED, gpu_hours="120"))
    start, end = today().isoformat(), (today() + timedelta(days=400)).isoformat()
    assert "The dates are saved." in words(send(operator, "dates", OPERATED, start=start, end=end))
    assert "Paused. Nothing starts here" in words(send(operator, "pause", OPERATED, why="Unpaid"))
    folding = projects.project()
    assert (folding.budget_gpu_hours, folding.start, folding.paused) == (120, today(), "Unpaid")
    assert {one["by"] for one in projects.audit_log()} == {"operator admin"}
    assert operator.browser.get(FOLDING).status_code == 404, "as a person, an operator is in no project"


def test_the_pages_speak_dutch(projects: ProjectsHub, owner: Person) -> None:
    told = words(owner.browser.get(FOLDING, headers={"Accept-Language": "nl"}))
    assert "Je rol Eigenaar" in told
    assert "(over 12 dagen)" in told


def test_the_end_is_told_on_home_and_on_the_page_with_whom_each_asks(projects: ProjectsHub, owner: Person) -> None:
    told = "Project Protein folding ends on"
    until(lambda: told in words(owner.browser.get("/hub/home")), "the service has looked", 60)
    assert "Nothing starts in it afterwards; its files stay. Ask the operators to extend it." in words(
        owner.browser.get("/hub/home")
    )
    member = projects.log_in(MEMBER)
    for path in ("/hub/home", FOLDING):
        page = words(member.browser.get(path))
        assert "in 12 days. Nothing starts in it afterwards; its files stay. Ask its owner to extend it." in page
    assert told not in words(projects.log_in(STRANGER).browser.get("/hub/home"))


def test_what_runs_is_counted_and_an_owner_reads_what_a_person_loses(projects: ProjectsHub, owner: Person) -> None:
    member = projects.log_in(MEMBER)
    member.start("secret-name", project="folding")
    member.until_ready("secret-name")
    page = owner.browser.get(FOLDING)
    assert "1 session of others" in words(page)
    assert page.text.count('data-loses="1 session of theirs in this project ends"') == 2, "to remove, and another role"
    assert "secret-name" not in page.text, "of people this site shows numbers only"
    own = words(member.browser.get(LIST))
    assert "Running secret-name" in own
    assert "1 session of others" not in own
    member.stop("secret-name")
