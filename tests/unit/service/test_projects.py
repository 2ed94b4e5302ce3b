"""The API on projects: one's own, as far as one may see them, and no word of another."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from fabric_hub.budgets.history import History, UsageRow
from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.rpc.problem import Problem
from fabric_hub.service.app import make_app
from fabric_hub.service.deps import ServiceContext
from fabric_hub.sessions.scopes import SERVICE_SCOPE, scopes_of
from fabric_hub.sessions.store import SessionStore

API = "/services/fabric/api"


@pytest.fixture
async def api(site: Settings, store: SessionStore) -> AsyncIterator[httpx.AsyncClient]:
    projects = {
        "waves": Project(title="Waves", account="waves", members=Members(owner=("jan",), member=("eve",))),
        "secret": Project(title="A client's", account="c", members=Members(owner=("eve",))),
    }
    day = datetime.fromtimestamp(time.time()).astimezone().date()
    row = UsageRow(day=day, project="waves", account="waves", user="eve", profile="p", gpu_hours=2, cpu_hours=1, jobs=1)
    History(store.engine).replace(day, [row], 1.0)

    async def who(token: str) -> dict[str, Any]:
        return {"name": "jan", "scopes": scopes_of("jan", "") if token == "session" else [SERVICE_SCOPE]}

    async def latest() -> None:
        return None

    app = make_app(ServiceContext(site.model_copy(update={"project": projects}), store, who, latest))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://service", headers={"Authorization": "token person"}
    ) as client:
        yield client


async def test_a_person_reads_the_projects_that_they_are_in(api: httpx.AsyncClient) -> None:
    told = (await api.get(f"{API}/projects")).json()
    assert told["user"] == "jan"
    assert [(one["project"], one["title"], one["roles"]) for one in told["projects"]] == [("waves", "Waves", ["owner"])]
    whole = (await api.get(f"{API}/projects/waves")).json()
    assert [one["user"] for one in whole["members"]] == ["jan", "eve"]
    assert [(day["gpu_hours"]) for day in whole["days"]] == [2.0]
    assert (whole["users"], whole["by_person"]) == (1, []), "the site shows totals"


@pytest.mark.parametrize("name", ["secret", "nosuch"])
async def test_another_project_is_as_one_that_there_is_none_of(api: httpx.AsyncClient, name: str) -> None:
    answer = await api.get(f"{API}/projects/{name}")
    found = Problem.model_validate(answer.json())
    assert (answer.status_code, found.reason) == (404, "no-such-project")
    assert found.message == f"You are in no project {name}."
    assert found.hint == "GET /projects lists those that you are in."


async def test_a_sessions_token_learns_of_no_project(api: httpx.AsyncClient) -> None:
    for path in ("projects", "projects/waves"):
        answer = await api.get(f"{API}/{path}", headers={"Authorization": "token session"})
        assert answer.status_code == 403
