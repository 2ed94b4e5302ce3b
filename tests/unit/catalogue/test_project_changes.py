"""Projects at the catalogue service as it runs: what the hub can change, what it cannot, and who is told."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub import cli
from fabric_hub.catalogue.audit.reading import verify
from fabric_hub.errors import FabricError
from fabric_hub.projects.changes import (
    AddPerson,
    Change,
    ChangeBody,
    Create,
    Pause,
    RemovePerson,
    Resume,
    SetBudget,
    SetDates,
)
from fabric_hub.projects.live import LiveProjects, projects_file
from tests.support.catalogue_process import CATALOGUE, HUB, MEMBER, NEEDS_OTHERS, OUTSIDER, ROOT, Daemon, run_as
from tests.support.datasets_site import apart

pytestmark = NEEDS_OTHERS

W: dict[str, Any] = {"project": "waves"}
GRANT = """
import sys
from pathlib import Path
from fabric_hub.catalogue.admin import opened
from fabric_hub.config import settings
with opened(settings.load(Path(sys.argv[1]))) as at:
    at.grant("wind", "waves")
"""


def projects(daemon: Daemon, *argv: str) -> Any:
    """Give a command of ``fabric-hub projects`` as an operator; what it says as JSON."""
    done = apart(lambda: cli.main(["projects", *argv, "--json", "--site", str(daemon.site)]))
    assert done.status == 0, done.err
    return json.loads(done.out)


def made(daemon: Daemon, name: str = "waves", *more: str) -> None:
    """A project of ada's with 10 GPU-hours, and the member of these tests in it."""
    projects(daemon, "create", name, "--title", name, "--owner", "ada", "--budget", "10", *more)
    projects(daemon, "add", name, MEMBER)


async def ask(daemon: Daemon, change: Change, by: str = "ada") -> str:
    """What the hub is answered: "" or the code of a refusal."""
    async with daemon.client as client:
        try:
            await client.change_project(ChangeBody(by=by, change=change))
        except FabricError as error:
            return str(getattr(error.said, "code", error.reason))
    return ""


def told(daemon: Daemon) -> dict[str, Any]:
    """What hub and gateway are told."""
    found: dict[str, Any] = json.loads(projects_file(daemon.datasets).read_text())
    return found


def with_operators(daemon: Daemon, more: str = "") -> None:
    text = daemon.site.read_text().replace("[catalogue]\n", f"[catalogue]\n{more}\n")
    daemon.site.write_text(f'{text}\n[login]\nadmins = ["sam"]\n')


async def test_with_the_hubs_socket_alone_nothing_is_widened_that_is_closed_to_it(daemon: Daemon) -> None:
    with_operators(daemon, 'from_hub = ["people", "budgets", "projects", "grants"]')
    made(daemon, "waves", "--data", "non-public")
    await asyncio.to_thread(daemon.offer)
    async with daemon.client as client:
        await client.request("ada", "waves", "wind")
    before, published = len(daemon.records()), told(daemon)
    client_project = Create(project="firm", title="Firm", kind="client", owners=("sam",), budget_gpu_hours=1)
    for by in ("ada", "sam"):  # whoever the hub says that asks
        assert await ask(daemon, AddPerson(**W, user="mallory", role="member"), by) == "project-not-from-hub"
    assert await ask(daemon, SetBudget(**W, gpu_hours=20), "sam") == "project-not-from-hub"
    assert await ask(daemon, client_project, "sam") == "project-not-from-hub"
    async with daemon.client as client:
        with pytest.raises(FabricError, match="The hub may not grant the dataset wind to project waves"):
            await client.answer("sam", "waves", "wind", grant=True)
    assert told(daemon) == published
    fields = ("event", "user", "project", "why", "after")
    assert [tuple(one.get(field) for field in fields) for one in daemon.records()[before:]] == [
        ("denied", "ada", "waves", "project-not-from-hub", '{"do":"add","role":"member"}'),
        ("denied", "sam", "waves", "project-not-from-hub", '{"do":"add","role":"member"}'),
        ("denied", "sam", "waves", "project-not-from-hub", '{"do":"budget","gpu_hours":20.0}'),
        (
            "denied", "sam", "firm", "project-not-from-hub",
            '{"budget_gpu_hours":1.0,"data":"public","do":"create","kind":"client"}',
        ),
        ("denied", "sam", "waves", "grant-from-hub", None),
    ]  # fmt: skip
    verify(daemon.directory / "state" / "audit")


async def test_what_is_refused_gives_nobody_in_it_a_number(daemon: Daemon) -> None:
    made(daemon)
    for name in ("mallory", "trent"):
        assert await ask(daemon, AddPerson(**W, user=name, role="member"), by=MEMBER) == "project-not-owner"
    done = await asyncio.to_thread(apart, lambda: cli.main(["people", "list", "--json", "--site", str(daemon.site)]))
    assert done.status == 0, done.err
    names = {name for one in json.loads(done.out) for name in one["names"]}
    assert {"ada", MEMBER} <= names
    assert not names & {"mallory", "trent"}


async def test_what_narrows_is_taken_from_who_has_the_role(daemon: Daemon) -> None:
    with_operators(daemon, "from_hub = []")
    made(daemon, "waves", "--data", "non-public", "--kind", "client")
    assert await ask(daemon, RemovePerson(**W, user=MEMBER), by="eve") == "project-unknown"
    assert await ask(daemon, Pause(**W, why="too hot"), by=MEMBER) == "project-not-owner"
    for change in (SetBudget(**W, gpu_hours=5), Pause(**W, why="too hot"), RemovePerson(**W, user=MEMBER)):
        assert await ask(daemon, change) == ""
    published = told(daemon)["projects"]["waves"]
    assert (published["budget_gpu_hours"], published["paused"]) == (5, "too hot")
    assert published["members"] == {"owner": ["ada"]}
    events = [(one["event"], one.get("by")) for one in daemon.records()[-3:]]
    assert events == [("budget-set", "owner ada"), ("paused", "owner ada"), ("person-removed", "owner ada")]


async def test_by_default_owners_add_people_and_operators_raise_budgets_to_the_cap(daemon: Daemon) -> None:
    with_operators(daemon, "from_hub_gpu_hours = 50")
    made(daemon)
    assert await ask(daemon, AddPerson(**W, user="Eve", role="trainer"), by="Ada") == ""
    assert await ask(daemon, SetBudget(**W, gpu_hours=50)) == "project-budget-needs-operator"
    assert await ask(daemon, SetBudget(**W, gpu_hours=50), by="sam") == ""
    assert await ask(daemon, SetBudget(**W, gpu_hours=51), by="sam") == "project-not-from-hub"
    assert await ask(daemon, SetDates(**W, start=None, end=None), by="sam") == ""
    new = Create(project="tides", title="Tides", owners=("eve",), budget_gpu_hours=1)
    assert await ask(daemon, new, by="sam") == "project-not-from-hub"
    published = told(daemon)["projects"]["waves"]
    assert (published["members"]["trainer"], published["budget_gpu_hours"]) == (["eve"], 50)


async def test_the_sites_file_says_at_once_what_the_hub_may_and_who_is_an_operator(daemon: Daemon) -> None:
    made(daemon)
    new = Create(project="tides", title="Tides", owners=("eve",), budget_gpu_hours=1)
    assert await ask(daemon, new, by="sam") == "project-create-needs-operator"
    with_operators(daemon, 'from_hub = ["projects"]')
    assert await ask(daemon, new, by="sam") == ""
    assert await ask(daemon, AddPerson(**W, user="eve", role="member")) == "project-not-from-hub"
    assert list(told(daemon)["projects"]) == ["tides", "waves"]


async def test_who_leaves_and_who_is_in_a_paused_project_opens_no_data_when_the_verb_answers(daemon: Daemon) -> None:
    made(daemon)
    await asyncio.to_thread(daemon.offer)
    done = await asyncio.to_thread(run_as, CATALOGUE, "-c", GRANT, str(daemon.site))
    assert done.returncode == 0, done.stderr
    async with daemon.client as client:
        await client.accept(MEMBER, "waves", "wind", "1", "research")
    uid = pwd.getpwnam(MEMBER).pw_uid if ROOT else os.geteuid()
    mine = [{"account": "fh-waves", "uids": [uid], "until": None}]
    assert daemon.granted()["wind"] == mine
    assert await ask(daemon, Pause(**W, why="too hot")) == ""
    assert daemon.granted() == {}
    assert await ask(daemon, Resume(**W)) == ""
    assert daemon.granted()["wind"] == mine
    assert await ask(daemon, RemovePerson(**W, user=MEMBER)) == ""
    assert daemon.granted() == {}
    async with daemon.client as client:
        with pytest.raises(FabricError, match="is not a member of project waves"):
            await client.accept(MEMBER, "waves", "wind", "1", "research")


async def test_at_the_command_line_a_change_is_in_force_when_it_returns_also_without_the_service(
    daemon: Daemon,
) -> None:
    made(daemon)
    assert daemon.stop() == 0
    projects(daemon, "remove", "waves", MEMBER)
    assert told(daemon)["projects"]["waves"]["members"] == {"owner": ["ada"]}
    projects_file(daemon.datasets).unlink()
    await asyncio.to_thread(daemon.start)
    assert told(daemon)["projects"]["waves"]["members"] == {"owner": ["ada"]}
    await asyncio.to_thread(projects, daemon, "add", "waves", "eve")
    assert await ask(daemon, RemovePerson(**W, user="eve"), by="eve") == ""  # the service knows her at once


async def test_a_service_that_was_killed_publishes_what_was_decided(daemon: Daemon) -> None:
    made(daemon)
    assert await ask(daemon, Pause(**W, why="too hot")) == ""
    daemon.stop(signal.SIGKILL)
    file = projects_file(daemon.datasets)
    file.write_text("{")
    (file.parent / ".projects.json.00000000").write_text("{")  # of a writer that was killed
    await asyncio.to_thread(daemon.start)
    assert told(daemon)["projects"]["waves"]["paused"] == "too hot"
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.root
@pytest.mark.skipif(not ROOT, reason="needs several accounts")
async def test_the_hub_reads_what_is_published_and_others_do_not(daemon: Daemon) -> None:
    await asyncio.to_thread(made, daemon)
    await ask(daemon, Pause(**W, why="too hot"))
    path = projects_file(daemon.datasets)
    status = path.stat()
    assert (status.st_mode & 0o777, status.st_gid) == (0o640, pwd.getpwnam(HUB).pw_gid)
    show = "import sys; print(open(sys.argv[1]).read())"
    assert '"waves"' in run_as(HUB, "-c", show, str(path)).stdout
    assert "Permission denied" in run_as(OUTSIDER, "-c", show, str(path)).stderr
    live = LiveProjects({}, path, frozenset({pwd.getpwnam(CATALOGUE).pw_uid}))
    assert live["waves"].paused == "too hot"
    assert live.serial == told(daemon)["serial"]


@pytest.mark.parametrize(
    "body",
    [
        {"by": "ada", "change": {"do": "grant", "project": "waves"}},
        {"by": "ada", "change": {"do": "add", "project": "waves", "user": "eve; rm", "role": "member"}},
        {"by": "ada", "change": {"do": "add", "project": "waves", "user": "eve", "role": "root"}},
        {"by": "ada", "change": {"do": "budget", "project": "waves", "gpu_hours": -1}},
        {"by": "ada", "change": {"do": "budget", "project": "waves", "gpu_hours": 1e10}},
        {"by": "ada", "change": {"do": "pause", "project": "waves", "why": "two\nlines"}},
        {"by": "ada", "change": {"do": "add", "project": "../x", "user": "eve", "role": "member"}},
        {"by": "ada", "from_hub": False, "change": {"do": "resume", "project": "waves"}},
        {"change": {"do": "resume", "project": "waves"}},
    ],
)
async def test_what_is_no_change_is_refused(daemon: Daemon, body: dict[str, Any]) -> None:
    made(daemon)
    transport = httpx.AsyncHTTPTransport(uds=str(daemon.datasets.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://catalogue") as client:
        answer = await client.post("/v1/projects/changes", json=body)
    assert answer.status_code == 422
    assert told(daemon)["serial"] == 2


async def test_refusals_and_changes_fill_no_disk(daemon: Daemon, tmp_path: Path) -> None:
    made(daemon)
    before = len(daemon.records())
    async with daemon.client as client:
        for number in range(120):
            change = SetBudget(**W, gpu_hours=number)
            with pytest.raises(FabricError, match=r"There is no project waves\."):
                await client.change_project(ChangeBody(by="mallory", change=change))
    records = daemon.records()[before:]
    assert 50 < len(records) < 70
    assert [one for one in records if one.get("why") == "refused so often that not every refusal is recorded"]
