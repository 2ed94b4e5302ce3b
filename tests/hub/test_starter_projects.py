"""Starter projects: who logs in and is in none has one of their own then, and never a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.person import Person, words
from tests.support.projects_hub import MEMBER, ProjectsHub
from tests.support.waiting import until

pytestmark = pytest.mark.hub

NOBODYS, ELSEWHERE = "curator", "https://projects.example.org/new"


@pytest.fixture(scope="module")
def projects(sandbox: Path) -> Iterator[ProjectsHub]:
    template = {"title": "Starter project", "budget_gpu_hours": 20.0, "days": 30}
    more = {"templates": {"small": template}, "starter": "small"}
    changes: dict[str, dict[str, Any]] = {"login": {"without_project": True}, "site": {"request_url": ELSEWHERE}}
    with ProjectsHub(sandbox / "starts", "aggregated", more, "", **changes) as made:
        yield made


def come(projects: ProjectsHub, name: str) -> Person:
    return Person(projects.site.address, name, f"secret of {name}", "").log_in()


def starters(projects: ProjectsHub) -> list[str]:
    return [name for name in projects.catalogue_service.store.projects.document().projects if "starter" in name]


def test_a_first_login_without_a_project_gives_a_starter_project_once(projects: ProjectsHub) -> None:
    come(projects, MEMBER).close()
    assert starters(projects) == [], "who is in a project gets none"
    person = come(projects, NOBODYS)
    (name,) = starters(projects)
    made = projects.project(name)
    assert (made.title, made.budget_gpu_hours, made.members.owner) == ("Starter project", 20, (NOBODYS,))
    assert "Starter project" in words(person.browser.get("/hub/projects"))

    def member() -> bool:
        answer = person.browser.get("/hub/spawn")
        return answer.status_code == 200 and name in answer.text

    until(member, "they can start something in it", 10)
    person.close()
    come(projects, NOBODYS).close()
    assert starters(projects) == [name]


def test_where_the_site_takes_requests_elsewhere_the_page_leads_there(projects: ProjectsHub) -> None:
    person = come(projects, MEMBER)
    for path in ("/hub/projects", "/hub/request-project"):
        page: httpx.Response = person.browser.get(path)
        assert f'href="{ELSEWHERE}"' in page.text
        assert 'href="/hub/request-project"' not in page.text
    assert "This site takes requests on a page of its own." in words(person.browser.get("/hub/request-project"))
    person.close()
