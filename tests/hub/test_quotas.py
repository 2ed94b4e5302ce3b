"""Usage, time and idle sessions through a whole hub: proxy, hub and service, with a gateway whose jobs a test moves."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from fabric_hub.sessions.tables import quota_warnings
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits
from tests.support import promtool
from tests.support.announcing_server import AnnouncingServer
from tests.support.person import Person, words
from tests.support.small_site import PROFILES, UNIX_PREFIX, SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

QUICK = {"title": "Stopped soon", "partition": "gpu", "gpus": 1, "gpu_type": "h200", "default_hours": 4,
         "idle_minutes": 0.02, "idle_warn_minutes": 0.01}  # fmt: skip


@pytest.fixture(scope="module")
def generous(sandbox: Path) -> Iterator[SmallSite]:
    """A site that lets running sessions have more time, and stops idle ones of one profile at once."""
    with SmallSite(sandbox / "generous", slurm={"extend": "as-gateway"}, profile={**PROFILES, "quick": QUICK}) as site:
        yield site


@pytest.fixture
def started(generous: SmallSite) -> Callable[..., tuple[Person, AnnouncingServer]]:
    """Starts a session for a new person; returns both."""

    def start(**options: Any) -> tuple[Person, AnnouncingServer]:
        person = generous.somebody()
        return person, generous.started(person, project="twin", **options)

    return start


def ask(site: SmallSite, server: AnnouncingServer, verb: str, path: str, body: Any = None) -> httpx.Response:
    """What a session is answered that asks with its own token, through the proxy."""
    headers = {"Authorization": f"token {server.token}"}
    return site.http.request(verb, f"/services/fabric/api/session/{path}", headers=headers, json=body)


def test_a_session_is_told_of_its_projects_budget_and_its_own_end(
    generous: SmallSite, started: Callable[..., tuple[Person, AnnouncingServer]]
) -> None:
    _, server = started(profile="small", image="base")
    budget = Association(account="twin-acc", grp_tres_mins={GPU: Limit(limit=6000, used=5400)})
    generous.gateway.call(lambda fake: fake.set_limits(Limits(associations=(budget,))))

    def known() -> dict[str, Any] | None:
        told: dict[str, Any] = ask(generous, server, "GET", "quota").json()
        return told if told["gpu_hours"] else None

    told = until(known, "the service has heard of the limits")
    assert (told["gpu_hours"]["limit"], told["gpu_hours"]["used"], told["gpu_hours"]["left"]) == (100, 90, 10)
    assert told["time"]["ends_at"] == pytest.approx(time.time() + 2 * 3600, abs=120)
    assert told["time"]["can_extend"]


def test_continue_starts_a_named_server_that_knows_which_files_to_open(
    generous: SmallSite, started: Callable[..., tuple[Person, AnnouncingServer]]
) -> None:
    person, server = started(profile="small", image="base")
    answer = ask(generous, server, "POST", "continue", {"reopen": ["work/a.ipynb"]})
    assert answer.status_code == 202, answer.text
    assert answer.json()["server_name"] == "session-2"
    person.until_ready("session-2")
    first, second = generous.requests_of(person)
    assert json.loads(second.environment["FABRIC_REOPEN"]) == ["work/a.ipynb"]
    assert second.environment["FABRIC_FOLLOWS"] == first.session
    assert (second.spec, second.image) == (first.spec, first.image)
    told = until(
        lambda: found if (found := ask(generous, server, "GET", "continue").json())["state"] == "ready" else None,
        "the session is told that its successor is ready",
    )
    opened = person.log_in().browser.get(told["url"])
    assert opened.url.path.startswith(f"/user/{person.name}/session-2/")
    assert "" in person.servers()


def test_a_session_is_given_more_time_once(
    generous: SmallSite, started: Callable[..., tuple[Person, AnnouncingServer]]
) -> None:
    _, server = started(profile="small", image="base")
    before = ask(generous, server, "GET", "quota").json()["time"]["ends_at"]
    told = ask(generous, server, "POST", "extend", {"minutes": 60})
    assert told.status_code == 200, told.text
    assert told.json()["ends_at"] == pytest.approx(before + 3600, abs=60)
    until(
        lambda: ask(generous, server, "GET", "quota").json()["time"]["ends_at"] > before + 3000,
        "Slurm's word on the new end has come",
    )
    refused = ask(generous, server, "POST", "extend", {"minutes": 90})
    assert refused.status_code == 403
    assert "at most 60 minutes more" in refused.json()["message"]


def test_a_forgotten_session_is_stopped_and_the_page_says_what_that_returned(
    generous: SmallSite, started: Callable[..., tuple[Person, AnnouncingServer]]
) -> None:
    person, server = started(profile="quick", image="base")
    session = generous.session_of(person)
    busy = {"idle_s": 0, "busy": True, "gpu_percent": [0.0]}
    assert ask(generous, server, "POST", "idle", busy).json()["state"] == "active"
    idle = {"idle_s": 1000, "busy": False, "gpu_percent": [1.0]}
    seen = []

    def stopped() -> bool:
        answer = ask(generous, server, "POST", "idle", idle).json()
        seen.append(answer["state"])
        return bool(answer["state"] == "stopped")

    until(stopped, "the idle session is stopped")
    assert "warn" in seen
    person.until_gone()
    record = generous.store.get(session.id)
    assert record is not None
    assert (record.end_reason, record.gpus) == ("idle", 1)
    assert record.returned_gpu_hours == pytest.approx(4, abs=0.1)
    page = words(person.log_in().browser.get(f"/user/{person.name}/lab"))
    assert "That returned 4.0 GPU-hours to project twin." in page
    home = words(person.browser.get("/hub/home"))
    assert re.search(r"default Ended [\w: ]+ Digital twin · Stopped soon", home)
    assert "That returned 4.0 GPU-hours to project twin." in home


def test_the_home_page_says_when_a_session_ends_what_is_left_and_what_to_worry_about(
    generous: SmallSite, started: Callable[..., tuple[Person, AnnouncingServer]]
) -> None:
    person, _ = started(profile="gpu-1", image="base")
    budget = Association(account="twin-acc", grp_tres_mins={GPU: Limit(limit=6000, used=6000)})
    others = Association(account="shop-acc", grp_tres_mins={GPU: Limit(limit=600, used=600)})
    boss_there = Association(account="shop-acc", user=f"{UNIX_PREFIX}boss", parent="shop-acc")
    generous.gateway.call(lambda fake: fake.set_limits(Limits(associations=(budget, others, boss_there))))
    person.log_in()

    def home() -> str:
        return words(person.browser.get("/hub/home"))

    until(lambda: "0.0 of 100 GPU-hours left · used up" in home(), "the page has heard of the limits")
    assert "default Running Digital twin" in home()
    until(
        lambda: "The budget of project twin has run out: 100 of 100 GPU-hours are used." in home(),
        "the service has looked at the budgets",
        60,
    )
    assert "The budget of project twin" in words(person.browser.get(f"/hub/spawn/{person.name}/more"))
    assert "closed-shop" not in home()
    boss = generous.person("boss").log_in()
    used_up = "The budget of project closed-shop has run out: 10.0 of 10.0 GPU-hours are used."
    assert f"{used_up} Ask the operators for more." in words(boss.browser.get("/hub/home")), "its owner is told more"
    refused = boss.form(project="closed-shop", profile="gpu-1")
    assert refused.status_code == 403
    assert "The budget of account shop-acc has run out" in words(refused)
    assert "Ask the operators for more." in words(refused)
    assert used_up not in words(refused), "once is enough"
    card = r"One GPU 1 . H200 · 4 cores · 2 GB memory 4 of 4 free 1 GPU-hour per hour Not now: the budget is used up"
    assert re.search(card, words(refused))
    person.stop()
    person.until_gone()
    person.start("more", project="twin", profile="small")
    person.until_ready("more")
    person.stop("more")
    line = r"more Ended [\w: ]+ · stopped Digital twin · Two CPUs"
    until(lambda: re.search(line, home()), "an ended session is shown with what it was")
    with generous.store.engine.connect() as connection:
        assert "project:closed-shop" in set(connection.execute(sa.select(quota_warnings.c.subject)).scalars())


def test_prometheus_scrapes_the_service_with_its_own_scope_and_nobody_else_does(generous: SmallSite) -> None:
    def scraped(person: Person) -> httpx.Response:
        authorization = {"Authorization": str(person.api.headers["Authorization"])}
        return generous.http.get("/services/fabric/metrics", headers=authorization)

    admin = generous.person("admin")
    limit = 'fabric_project_gpu_hours_limit{project="twin"}'
    until(lambda: limit in scraped(admin).text, "the service has heard of Slurm's limits")
    told = scraped(admin)
    assert told.status_code == 200, told.text
    assert 'fabric_idle_sessions_stopped_total{project="twin"}' in told.text
    assert 'fabric_slurm_questions_total{program="squeue"}' in told.text
    assert scraped(generous.somebody()).status_code == 403


@promtool.NEEDS_PROMTOOL
def test_a_gateway_that_is_gone_makes_the_site_not_ready_and_fires_its_alert(
    generous: SmallSite, tmp_path: Path
) -> None:
    authorization = {"Authorization": str(generous.person("admin").api.headers["Authorization"])}

    def part() -> object:
        return generous.http.get("/services/fabric/api/ready").json()["parts"]["gateway"]["ok"]

    def fires() -> bool:
        text = generous.http.get("/services/fabric/metrics", headers=authorization, timeout=60).text
        return promtool.fires("GatewayDown", text, tmp_path)

    assert part() is True
    assert not fires()
    generous.gateway.down()
    try:
        until(lambda: part() is False, "the service notices that the gateway is gone")
        assert generous.http.get("/services/fabric/api/ready").status_code == 503
        assert fires()
    finally:
        generous.gateway.up()
    until(lambda: part() is True, "the gateway is back")
