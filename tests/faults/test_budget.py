"""A project's budget on a real Slurm, seen from the hub: nearly used, used up with a rescue session, raised."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.broken_site import BrokenSite
from tests.support.embedded_run import fabric_hub
from tests.support.person import Person, words
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root]

ACCOUNT = "ml-course"
MINUTES = 3000  # the demo's budget
USED_UP = f"The budget of account {ACCOUNT} has run out: "


def _grant(site: BrokenSite, minutes: int) -> None:
    site.run.slurm("sacctmgr", "--immediate", "--quiet", "modify", "account", ACCOUNT, "set",
                   f"GrpTRESMins=gres/gpu={minutes}")  # fmt: skip


@pytest.fixture
def student(site: BrokenSite) -> Iterator[Person]:
    """A student of the course, whose budget is as before after the test."""
    yield site.person("student1").log_in()
    _grant(site, MINUTES)


def _start_refused(person: Person) -> httpx.Response:
    """Start until the hub has heard of the budget: it asks Slurm for limits every few seconds."""

    def answer() -> httpx.Response | None:
        found = person.start(profile="gpu-1", image="tiny")
        if found.status_code == 403:
            return found
        person.stop()
        person.until_gone()
        return None

    return until(answer, "the start is refused", 90, every_s=1.0)


def test_a_budget_nearly_used_lets_start_used_up_offers_a_rescue_and_raised_lets_start_again(
    site: BrokenSite, student: Person
) -> None:
    _grant(site, 90)  # one and a half GPU-hours for a job of one hour
    assert student.start(profile="gpu-1", image="tiny").status_code in (201, 202)
    student.until_ready()
    student.stop()
    student.until_gone()

    _grant(site, 0)
    refused = _start_refused(student)
    assert USED_UP in refused.json()["message"]
    assert "You can still open your files in a rescue session: profile rescue" in refused.json()["message"]
    page = student.form(project=ACCOUNT, profile="gpu-1", image="tiny")
    assert page.status_code == 403
    assert USED_UP in words(page)
    button = re.search(r'name="(rescue)" value="([^"]+)"', page.text)
    assert button, page.text
    student.form(**{button[1]: button[2]})
    session = site.session_of(student)
    assert (session.profile, session.gpus) == ("rescue", 0)
    student.until_ready()
    assert site.state_of(session.job_id) == "RUNNING"
    student.stop()
    student.until_gone()

    _grant(site, MINUTES)

    def accepted() -> bool:
        return student.start(profile="gpu-1", image="tiny").status_code in (201, 202)

    until(accepted, "the start is accepted", 90, every_s=1.0)
    student.until_ready()


def test_the_owners_report_has_a_sessions_gpu_hours_under_its_user_and_profile(
    site: BrokenSite, student: Person
) -> None:
    assert student.start(profile="gpu-1", image="tiny").status_code in (201, 202)
    student.until_ready()
    job = site.session_of(student).job_id
    database = site.settings.hub.state_dir / "sessions.sqlite"
    owner = database.stat().st_uid

    def told() -> dict[str, Any] | None:
        """slurmdbd hears of the job a moment after it began."""
        done = fabric_hub("usage", "--project", ACCOUNT, "--now", "--json", "--site", str(site.run.site))
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found if any(row["profile"] == "gpu-1" and row["gpu_hours"] > 0 for row in found["days"]) else None

    first = until(told, f"job {job} is in the report", 60, every_s=1.0)
    assert {row["user"] for row in first["days"] if row["profile"] == "gpu-1"} == {"student1"}
    student.stop()
    student.until_gone()
    plain = fabric_hub("usage", "--project", ACCOUNT, "--site", str(site.run.site))
    assert "Machine learning course (ml-course, account ml-course)" in plain.stdout
    lines = fabric_hub("usage", "--project", ACCOUNT, "--csv", "--site", str(site.run.site)).stdout.splitlines()
    assert lines[0] == "day,project,account,user,profile,gpu_hours,cpu_hours,jobs"
    assert any(",ml-course,ml-course,student1,gpu-1," in line for line in lines)
    # it was given as root: what SQLite keeps beside the database is the hub's all the same
    assert {path.stat().st_uid for path in database.parent.glob("sessions.sqlite*")} == {owner}


def test_a_report_of_no_project_says_which_there_are(site: BrokenSite) -> None:
    done = fabric_hub("usage", "--project", "nothing", "--site", str(site.run.site))
    assert done.returncode == 1
    assert "There is no project nothing. This site has proteins, ml-course, bakery." in done.stderr
