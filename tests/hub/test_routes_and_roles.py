"""Every route of the hub's, asked by a caller of each kind: the table says what each gets, and misses no route."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.catalogue.publish import publish_projects
from fabric_hub.config.settings import Members, Project
from fabric_hub.service.callers import SERVICE
from tests.support.hub_routes import HubRoutes
from tests.support.person import Person
from tests.support.projects_hub import ProjectsHub
from tests.support.small_site import PEOPLE
from tests.support.waiting import until

from .route_table import CALLERS, Row, rows

pytestmark = pytest.mark.hub

OUTSIDER, VISITOR, MEMBER, TRAINER, STEWARD, OWNER, WORKING, OTHER, VICTIM = PEOPLE[20:29]
OPERATOR, READER = "admin", "reader"
NAMES = dict(zip(CALLERS[1:8], (OUTSIDER, VISITOR, MEMBER, TRAINER, STEWARD, OWNER, OPERATOR), strict=True))
LAB = Project(
    title="The lab",
    account="fh-lab",
    budget_gpu_hours=10,
    members=Members(
        owner=(OWNER,), member=(MEMBER, WORKING), trainer=(TRAINER,), steward=(STEWARD,), visitor=(VISITOR,)
    ),
)
# What changes by itself: when somebody, or a reason for a warning, was seen last.
SEEN = {"last_activity", "seen_at"}
# What the service sums up of starts, and tells of dates, some time after it began.
BY_THE_CLOCK = {"sessions.readiness_hours", "sessions.notices", "sessions.notice_dates"}
# JupyterHub's own, a GET that ends the caller's login; asked last, of a login of its own.
LOGS_OUT = "/hub/logout"


class Callers:
    """Callers of each kind at one hub."""

    def __init__(self, hub: ProjectsHub) -> None:
        self.hub, self.site = hub, hub.site
        store = hub.catalogue_service.store.projects
        store.take_over("lab", LAB, "root", lambda _entries: None)
        publish_projects(hub.settings, store)
        for name in (VISITOR, WORKING):
            until(lambda name=name: self.site.admin_api("GET", f"/users/{name}").status_code == 200, name)  # type: ignore[misc]
        self.people: dict[str, Person] = {kind: self.site.person(name) for kind, name in NAMES.items()}
        for person in self.people.values():
            person.log_in()
        working = self.site.person(WORKING)
        until(lambda: working.start(project="lab", profile="small").status_code < 300, "the session starts", 30, 1)
        working.until_ready()
        self.working = working
        session = self.site.sessions[self.site.requests_of(working)[-1].session].token
        made = self.site.admin_api("POST", f"/users/{OPERATOR}/tokens", json={"scopes": ["read:users"]})
        self.tokens = {"session": session, "reader": made.json()["token"]}
        self.nobody = httpx.Client(base_url=self.site.address, timeout=60)
        self.nobody.get("/hub/login")

    def close(self) -> None:
        self.working.stop()
        self.nobody.close()

    def own_name(self, caller: str) -> str:
        return {"session": WORKING, "reader": OPERATOR, "anonymous": VICTIM, **NAMES}[caller]

    def ask(self, row: Row, caller: str) -> str:
        """The answer in the table's words."""
        if "{victim}" in row.path:
            self.site.admin_api("POST", f"/users/{VICTIM}")
        path = row.path.format(self=self.own_name(caller), other=OTHER, victim=VICTIM)
        verb = "POST" if row.verb == "ANY" else row.verb
        of_service = path.startswith("/services/")
        options: dict[str, Any] = {"follow_redirects": False}
        browser = self.nobody if caller == "anonymous" else None
        headers = {}
        if caller in self.tokens:
            headers["Authorization"] = f"token {self.tokens[caller]}"
        elif of_service and caller in self.people:  # it knows no cookies
            headers["Authorization"] = str(self.people[caller].api.headers["Authorization"])
        elif caller in self.people:
            browser = self.people[caller].browser
        form = _xsrf(browser) if browser else ""
        if verb != "GET":
            headers["X-XSRFToken"] = form
            in_json = of_service or path.startswith("/hub/api/")
            options |= {"json": row.body} if in_json else {"data": {**row.body, "_xsrf": form}}
        with httpx.Client(base_url=self.site.address, timeout=60) as plain:
            answer = (browser or plain).request(verb, path, headers=headers, **options)
        if answer.is_redirect and httpx.URL(answer.headers["location"]).path == "/hub/login":
            return "login"
        return str(answer.status_code)


def _xsrf(client: httpx.Client) -> str:
    """The hub's token against forgery, as it is now: it changes with the login."""
    found = re.search(r'xsrf_token: "([^"]+)"', client.get("/hub/accessibility").text)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def routes(sandbox: Path) -> HubRoutes:
    return HubRoutes(sandbox / "routes.json")


@pytest.fixture(scope="module")
def callers(sandbox: Path, routes: HubRoutes) -> Iterator[Callers]:
    let_in = f"c.Authenticator.allowed_users.update({{{OUTSIDER!r}}})\n"
    twin = {"title": "Digital twin", "account": "twin-acc", "members": {"member": [OTHER]}}
    projects = {"twin": twin, "past": {**twin, "account": "past-acc", "end": "2020-01-31"}}
    with ProjectsHub(
        sandbox / "matrix", "aggregated", configuration=routes.configuration + let_in, project=projects
    ) as hub:
        made = Callers(hub)
        yield made
        made.close()


def wrong(callers: Callers, wanted: list[Row]) -> list[str]:
    """What does not answer as the table says."""
    found = []
    for row in wanted:
        for caller, expected in row.answers.items():
            got = callers.ask(row, caller)
            if got != expected:
                found.append(f"{row.verb} {row.path} of {caller}: {got}, not {expected}")
    return found


def contents(hub: ProjectsHub) -> dict[str, list[tuple[Any, ...]]]:
    """All that hub, service and catalogue service keep, without when somebody was seen."""
    assert hub.site.settings.catalogue
    found: dict[str, list[tuple[Any, ...]]] = {}
    for path in [*hub.site.state.glob("*.sqlite"), *hub.site.settings.catalogue.state_dir.glob("*.sqlite")]:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in names:
                columns = [one[1] for one in database.execute(f'PRAGMA table_info("{table}")') if one[1] not in SEEN]
                told = ", ".join(f'"{column}"' for column in columns)
                lines = database.execute(f'SELECT {told} FROM "{table}"').fetchall()
                if table == "spawners":  # JupyterHub makes an empty one of whom it shows
                    lines = [line for line in lines if any(line[2:])]
                found[f"{path.stem}.{table}"] = sorted(lines, key=repr)
    return {name: lines for name, lines in found.items() if name not in BY_THE_CLOCK}


def named(path: str) -> str:
    """A path of the service's, whatever the part of it is called that somebody names."""
    return re.sub(r"\{\w+\}", "{name}", path)


def test_no_route_of_the_hub_is_missing_from_the_table(callers: Callers, routes: HubRoutes) -> None:
    there = routes.read()
    of_hub = [row for row in rows() if not row.path.startswith("/services/")]
    covered = {routes.of(row.verb, row.path.format(self="x", other="y", victim="z")) for row in of_hub}
    # files and what is not there have no verbs; the proxy hands nothing of the services to the hub
    assert there - covered == {("GET", f"{LOGS_OUT}$")}
    assert covered - there == set()
    service = {(row.verb, row.path.replace("none", "{name}", 1)) for row in rows() if row.path.startswith("/services/")}
    lines = {(verb, named(path)) for verb, path in (line.operation.split() for line in SERVICE)}
    assert service == lines
    told = callers.nobody.get("/services/fabric/api/openapi.json").json()["paths"]
    running = {(verb.upper(), named(path)) for path, verbs in told.items() for verb in verbs}
    assert running <= service


def test_every_caller_gets_what_the_table_says_and_no_look_changes_anything(callers: Callers) -> None:
    before = contents(callers.hub)
    looks = wrong(callers, [row for row in rows() if row.verb == "GET"])
    after = contents(callers.hub)
    assert looks == []
    assert before.keys() == after.keys()
    assert {name: (before[name], after[name]) for name in before if before[name] != after[name]} == {}
    assert {"jupyterhub.users", "sessions.sessions", "catalogue.projects"} <= before.keys()


def test_every_caller_may_change_what_the_table_says_and_nothing_else(callers: Callers) -> None:
    assert wrong(callers, [row for row in rows() if row.verb != "GET"]) == []


def test_to_log_out_ends_ones_own_login_alone(callers: Callers) -> None:
    person = callers.site.person(MEMBER).log_in()
    assert person.browser.get(LOGS_OUT).status_code == 200
    assert person.browser.get("/hub/home").url.path == "/hub/login"
    assert callers.people["member"].browser.get("/hub/home").url.path == "/hub/home"
