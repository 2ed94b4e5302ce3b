"""From a login without a project to a first session on a real Slurm: asked for and approved on the hub's pages."""

from __future__ import annotations

import os
import re
import signal
import tomllib
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from fabric_dev.sitefile import toml
from tests.conftest import new_prefix
from tests.support.embedded_run import ROOT, EmbeddedRun
from tests.support.person import Person, words
from tests.support.waiting import until

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.long,
    pytest.mark.skipif(not ROOT, reason="people have accounts of their own only where root makes them"),
]
NEW, OPERATOR = "student2", "operator"  # who asks is in no project of the changed site's file


@pytest.fixture(scope="module")
def run(sandbox: Path, images: Path) -> Iterator[EmbeddedRun]:
    run = EmbeddedRun.start(sandbox / "asks", "--prefix", new_prefix(), "--images", str(images))
    site = tomllib.loads(run.site.read_text())
    site["project"]["ml-course"]["members"]["member"].remove(NEW)
    site["login"]["without_project"] = True
    template = {"title": "Small", "budget_gpu_hours": 50.0, "days": 30}
    site["catalogue"] |= {"from_hub": ["people", "budgets", "projects"], "templates": {"small": template}}
    run.site.write_text(toml(site))
    before = run.pid("hub")
    os.kill(before, signal.SIGTERM)  # its supervisor starts it again, by the changed file

    def answers() -> bool:
        try:
            return run.pid("hub") != before and httpx.get(f"{run.address}/hub/health", timeout=60).status_code == 200
        except (httpx.HTTPError, KeyError):
            return False

    until(answers, "the hub answers again", 90, seen=lambda: run.logs(15))
    yield run
    run.remove()


def come(run: EmbeddedRun, user: str) -> Person:
    return Person(run.address, user, run.logins[user], "").log_in()


def form(page: httpx.Response, button: str) -> tuple[str, dict[str, str]]:
    """Where the form of a button leads, and what it sends as it is filled in."""
    (found,) = [one for one in re.findall(r"<form.*?</form>", page.text, re.DOTALL) if f'value="{button}"' in one]
    address = re.search(r'action="([^"]+)"', found)
    assert address
    inputs = [dict(re.findall(r'([\w-]+)="([^"]*)"', one)) for one in re.findall(r"<input[^>]*>", found)]
    fields = {one["name"]: unescape(one.get("value", "")) for one in inputs}
    fields |= dict.fromkeys(re.findall(r'<select[^>]* name="(kind)"', found), "research")
    return unescape(address[1]), {**fields, "do": button}


def test_a_request_is_approved_in_three_clicks_and_its_first_session_is_charged_to_the_new_account(
    run: EmbeddedRun,
) -> None:
    person, operator = come(run, NEW), come(run, OPERATOR)
    assert "You're not in a project yet" in words(person.browser.get("/hub/projects"))
    address, fields = form(person.browser.get("/hub/request-project"), "project")
    fields |= {"title": "Ocean waves", "purpose": "Model waves", "data": "public", "gpu_hours": "20"}
    assert "Your request was sent." in person.browser.post(address, data=fields).text

    clicks = 0
    table = operator.browser.get("/hub/operate/projects")
    clicks += 1  # Projects, on the operators' page
    (link,) = re.findall(r'href="(/hub/operate/projects/requests/\d+)"', table.text)
    opened = operator.browser.get(link)
    clicks += 1  # the request
    address, fields = form(opened, "approve")
    done = operator.browser.post(address, data=fields)
    clicks += 1  # Approve
    assert "Approved. Project Ocean waves has student2 as owner." in done.text, done.text
    assert clicks <= 3

    account = "fh-ocean-waves"

    def usable() -> bool:
        who = run.unix_name(NEW)
        return bool(run.slurm("sacctmgr", "-n", "-P", "show", "assoc", "where", f"accounts={account}", f"users={who}"))

    until(usable, "Slurm follows", 30, seen=lambda: run.logs(15))
    until(lambda: "Granted" in person.browser.get("/hub/projects").text, "the person sees the answer", 15)
    options = {"project": "ocean-waves", "profile": "cpu", "image": "base", "hours": "1"}
    token = {"Authorization": f"token {run.token(NEW)}"}
    with httpx.Client(base_url=f"{run.address}/hub/api", headers=token, timeout=120) as api:
        started = api.post(f"/users/{NEW}/server", json=options)
        assert started.status_code in (201, 202), started.text

        def ready() -> bool:
            server = api.get(f"/users/{NEW}").json()["servers"].get("")
            return bool(server and server["ready"])

        until(ready, "the session is there", 120, seen=lambda: run.logs(25))
        charged = run.slurm("squeue", "-h", "--me" if not ROOT else f"--user={run.unix_name(NEW)}", "-o", "%a %T")
        assert charged.split() == [account, "RUNNING"]
        assert api.delete(f"/users/{NEW}/server").status_code in (202, 204)
