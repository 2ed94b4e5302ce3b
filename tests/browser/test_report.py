"""A problem is reported from the page of a failure: what is sent is seen first, and operators find it by its reference.

The log comes from a real job; what it printed of a token is not in it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.support.embedded_run import EmbeddedRun, fabric_hub
from tests.support.waiting import until

from .conftest import SLOW_MS, WCAG, Visitor, audit, loading_again

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image, pytest.mark.long]

SECRET = "Zq7wT0kEnV4lue"
BROKEN = f"""import os
print('JUPYTERHUB_API_TOKEN={SECRET}', flush=True)
print('ImportError: libcudart.so.12 <here>', flush=True)
os._exit(3)
"""


@pytest.fixture
def broken(embedded_hub: EmbeddedRun) -> Iterator[None]:
    """The server of student1 ends at once."""
    done = embedded_hub.as_user(
        "student1", "sh", "-c", "mkdir -p .jupyter && cat > .jupyter/jupyter_server_config.py", input=BROKEN
    )
    assert done.returncode == 0, done.stderr
    yield
    embedded_hub.as_user("student1", "rm", ".jupyter/jupyter_server_config.py")


def test_a_failure_is_reported_with_its_log_and_without_its_secrets(
    embedded_hub: EmbeddedRun, visitor: Callable[[str], Visitor], broken: None, picture: Callable[[Page, str], None]
) -> None:
    page = visitor("student1").start_form()
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="The session did not start")).to_be_visible(timeout=SLOW_MS)
    page.locator("#report-failure").click()
    expect(page.get_by_role("heading", name="Report a problem")).to_be_visible()
    reference = str(page.locator("#report-facts dd").first.text_content())
    assert re.fullmatch(r"FH-\w{4}-\w{4}", reference)
    facts = page.locator("#report-facts")
    expect(facts).to_contain_text("JupyterLab couldn't start (exit code 3).")
    log = page.get_by_role("region", name="Last lines of the session's log")
    expect(log).to_contain_text("ImportError: libcudart.so.12 <here>")
    expect(log).to_contain_text("JUPYTERHUB_API_TOKEN=[hidden]")
    assert SECRET not in page.content()
    page.get_by_label("What happened?").fill("It does not start.\n<b>At all.</b>")
    picture(page, "report")
    shown = log.text_content()
    hidden = page.locator("#report-form input[type=hidden]").all()
    form = {str(one.get_attribute("name")): one.input_value() for one in hidden}
    # by keyboard alone from here
    page.get_by_label("What happened?").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("Tab")
    expect(log).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send report")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Report {reference}")).to_be_visible()
    expect(page.locator("#report-state")).to_contain_text("The operators of the hub see it on their page.")
    expect(page.locator("#report-words")).to_have_text("It does not start.\n<b>At all.</b>")
    assert page.get_by_role("region").text_content() == shown
    again = page.request.post("/hub/report", form={**form, "words": "Twice."})
    assert again.url.endswith(f"/hub/report/{reference}"), "the same form is the same report"
    assert "Twice." not in again.text()

    operator = visitor("operator").page
    operator.goto("/hub/operate/reports")
    expect(operator.get_by_role("row", name=re.compile(reference))).to_have_count(1)
    operator.get_by_label("Reference").fill(reference.lower())
    operator.get_by_role("button", name="Find").click()
    expect(operator.get_by_role("heading", name=f"Report {reference}")).to_be_visible()
    expect(operator.get_by_role("region")).to_have_text(str(shown))
    assert SECRET not in operator.content()

    other = visitor("student2").page
    for address in (f"/hub/report/{reference}", "/hub/operate/reports", f"/hub/operate/reports/{reference}"):
        answer = other.goto(address)
        assert answer is not None
        assert answer.status in (403, 404), address
        expect(other.locator("body")).not_to_contain_text("It does not start.")


def test_the_month_has_the_gpu_hours_that_sacct_has(
    embedded_hub: EmbeddedRun, visitor: Callable[[str], Visitor], picture: Callable[[Page, str], None]
) -> None:
    student = visitor("student2")
    run, user = student.run, embedded_hub.unix_name("student2")
    page = student.start_form()
    page.locator("#profile-gpu-1").check()
    page.get_by_role("button", name="Start session", exact=True).click()
    page.wait_for_url("**/lab**", timeout=SLOW_MS)
    page.goto("about:blank")
    [job] = run.slurm("squeue", "-h", "-u", user, "-o", "%i").split()
    run.slurm("scancel", job)
    student.until_no_job()
    fields = "JobIDRaw,User,ElapsedRaw,AllocTRES,Submit,Start,End"

    def finished() -> list[list[str]]:
        told = run.slurm("sacct", "-n", "-P", "-X", f"--jobs={job}", f"--format={fields}")
        rows = [line.split("|") for line in told.splitlines()]
        return rows if rows and rows[0][6] not in ("Unknown", "None") else []

    until(finished, "Slurm's accounting has the end of the job", seen=finished)
    month = f"{datetime.now(UTC).astimezone():%Y-%m}"
    done = fabric_hub("month", month, "--now", "--csv", "--site", str(run.site))
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    used = sum(float(row["value"]) for row in rows if row["table"] == "occupancy")
    since = f"{datetime.now(UTC).astimezone():%Y-%m-01}"
    accounts = ",".join({project.account for project in run.settings.project.values()})
    whose = ("-a", "-D", f"--accounts={accounts}", f"--starttime={since}")
    told = run.slurm("sacct", "-n", "-P", "-X", *whose, "--format=ElapsedRaw,AllocTRES")
    expected = 0.0
    for line in told.splitlines():
        elapsed, tres = line.split("|")
        gpus = re.search(r"gres/gpu=(\d+)", tres)
        expected += int(elapsed) * int(gpus[1] if gpus else 0) / 3600
    assert used == pytest.approx(expected, abs=0.001)
    _, _, elapsed, _, submit, start, _ = finished()[0]
    assert used >= int(elapsed) / 3600 - 0.001
    waits = [row for row in rows if row["table"] == "waits" and row["name"] == "gpu-1"]
    [p95] = [float(row["value"]) for row in waits if row["measure"] == "p95"]
    waited = (datetime.fromisoformat(start) - datetime.fromisoformat(submit)).total_seconds()
    assert p95 == pytest.approx(waited, abs=2.0)

    operator = visitor("operator").page
    operator.goto(f"/hub/operate/month/{month}")
    expect(operator.get_by_role("heading", name=f"Month {month}")).to_be_visible()
    until(
        lambda: operator.locator(".fabric-chart rect").count() == 24,
        "the page shows the hours",
        pause=loading_again(operator),
    )
    operator.get_by_text("As a table: by hour of the day").click()
    expect(operator.locator("#by-hour tbody tr")).to_have_count(24)
    assert audit(operator, "", (), WCAG).faults == []
    picture(operator, "month")
    answer = operator.request.get(f"/hub/operate/month/{month}.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text().startswith("month,table,time,name,measure,value,unit\r\n")
