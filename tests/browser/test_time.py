"""More time, and sessions that are forgotten: a real JupyterLab, a hub with the settings for it, Slurm's own word."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import new_prefix
from tests.support import stand_ins
from tests.support.chromium import run_cell, type_into
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor, violations, visitors_of

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image]

# What an operator writes who wants to try both. "nap" takes a GPU, "doze" none.
SETTINGS = """
[slurm]
extend = "as-gateway"
[gateway]
prologue = "{prologue}"
[profile.nap]
title = "A GPU for who stays awake"
partition = "gpu"
gpus = 1
memory = "2G"
default_hours = 4
idle_minutes = 1
idle_warn_minutes = 0.7
idle_gpu_percent = 10
[profile.doze]
title = "CPUs for who stays awake"
partition = "cpu"
memory = "2G"
idle_minutes = 1
idle_warn_minutes = 0.7
"""
NVML = ("libnvidia-ml.so.1",)  # its first GPU is 7% in use


@pytest.fixture(scope="module")
def timed(sandbox: Path, images: Path) -> Iterator[EmbeddedRun]:
    """A run with SETTINGS. Where there is no GPU, sessions find a stand-in for NVIDIA's library."""
    beside = sandbox / "timed-x"
    beside.mkdir(mode=0o755)
    prologue = ""
    if not Path("/proc/driver/nvidia").exists():
        prologue = f"export LD_LIBRARY_PATH={stand_ins.compiled(beside, names=NVML)}"
    settings = beside / "settings.toml"
    settings.write_text(SETTINGS.format(prologue=prologue))
    run = EmbeddedRun.start(
        sandbox / "timed", "--prefix", new_prefix(), "--images", str(images), "--settings", str(settings)
    )
    yield run
    run.remove()


@pytest.fixture
def visitor(timed: EmbeddedRun, browser: Browser) -> Iterator[Callable[[str], Visitor]]:
    yield from visitors_of(timed, browser)


def started(student: Visitor, profile: str) -> Page:
    page = student.start_form()
    page.get_by_role("radio", name=re.compile(profile)).check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(f"**/user/{student.user}/lab**", timeout=SLOW_MS)
    expect(item(page)).to_contain_text("GPU-h", timeout=SLOW_MS)
    expect(page.locator(".jp-LauncherCard").first).to_be_visible(timeout=SLOW_MS)
    return page


def item(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Usage:"))


def toast(page: Page, text: str) -> Locator:
    return page.locator(".Toastify__toast", has_text=text)


def time_limit(student: Visitor) -> str:
    return student.run.slurm("squeue", "-h", "-u", student.run.unix_name(student.user), "-o", "%l")


def test_more_time_is_slurms_own_and_more_than_the_profile_allows_is_refused_in_the_hubs_words(
    visitor: Callable[[str], Visitor], picture: Callable[..., None]
) -> None:
    student = visitor("student1")
    page = started(student, "CPU only")
    assert time_limit(student) == "1:00:00"
    item(page).click()
    panel, dialog = page.locator(".fabric-Usage"), page.get_by_role("dialog")
    extend = panel.get_by_role("button", name="Extend …")
    extend.click()
    expect(dialog.get_by_role("combobox")).to_have_value("1 hour")
    offered = ["30 minutes", "1 hour", "2 hours", "4 hours", "7 hours (the most)"]
    expect(dialog.get_by_role("option")).to_have_text(offered)
    picture(page, "usage-extend")
    dialog.get_by_role("button", name="Extend").click()
    said = toast(page, "This session now ends at")
    expect(said).to_be_visible()
    assert time_limit(student) == "2:00:00"
    expect(item(page)).to_contain_text(re.compile(r"1 h 5\d min"), timeout=25_000)
    end = re.search(r"now ends at ([^.]+)\.", said.inner_text())
    assert end
    said.get_by_role("button").click()  # read, and closed
    expect(panel).to_contain_text(f"This session ends at {end[1]}")

    # while the person chooses, somebody else gives it nearly all that its profile allows
    extend.click()
    dialog.get_by_role("combobox").select_option("6 hours (the most)")
    [job] = student.run.slurm("squeue", "-h", "-u", student.run.unix_name("student1"), "-o", "%i").split()
    student.run.slurm("scontrol", "update", f"JobId={job}", "TimeLimit=470")
    until_the_hub_knows(student, r"7 h \d+ min left")
    dialog.get_by_role("button", name="Extend").click()
    refused = toast(page, "This session can have at most 10 minutes more, not 360.")
    expect(refused).to_contain_text("Ask for less, or continue in a new session.")
    assert time_limit(student) == "7:50:00"
    expect(item(page)).to_contain_text(re.compile(r"7 h \d+ min"))
    picture(page, "usage-refused")

    extend.click()
    expect(dialog.get_by_role("option")).to_have_text(["10 minutes (the most)"])
    dialog.get_by_role("button", name="Extend").click()
    expect(panel).to_contain_text("This session cannot be longer: its profile allows at most 8 hours.")
    expect(extend).to_have_count(0)
    assert time_limit(student) == "8:00:00"
    assert violations(page) == []
    assert student.errors == []


@pytest.mark.root
def test_a_gateway_that_may_give_time_runs_no_job_of_its_own(timed: EmbeddedRun) -> None:
    refused = timed.as_user("gateway", "sbatch", "--account=operators", input="#!/bin/sh\ntrue\n")
    assert refused.returncode != 0
    assert "AssocGrpSubmitJobsLimit" in refused.stderr
    assert timed.as_user("hub", "sbatch", "--account=operators", input="#!/bin/sh\ntrue\n").returncode != 0


def until_the_hub_knows(student: Visitor, words: str) -> None:
    """The hub's own page says so."""
    page = student.context.request
    until(lambda: re.search(words, page.get("/hub/home").text()), f"the hub says {words!r}", every_s=0.3)


def test_who_is_forgotten_is_warned_then_stopped_and_the_page_says_what_that_returned(
    visitor: Callable[[str], Visitor], picture: Callable[..., None]
) -> None:
    at_work = visitor("student2")
    training = started(at_work, "CPUs for who stays awake")
    training.locator(".jp-LauncherCard[data-category=Notebook]").first.click(timeout=SLOW_MS)
    cell = training.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click(timeout=SLOW_MS)
    expect(training.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=SLOW_MS)
    type_into(training, cell, "import time; print('at work', flush=True); time.sleep(3600)")
    run_cell(training, 0)
    expect(training.locator(".jp-OutputArea-output").first).to_have_text("at work", timeout=SLOW_MS)
    expect(training.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]")).to_be_visible(timeout=SLOW_MS)
    began = time.monotonic()

    student = visitor("student1")
    page = started(student, "A GPU for who stays awake")
    warned = toast(page, "This session is stopped at")
    expect(warned).to_contain_text("No cell runs and no GPU is above 10% since", timeout=SLOW_MS)
    picture(page, "usage-idle")
    warned.get_by_role("button", name="I am still here").click()
    expect(warned).to_have_count(0)
    assert student.jobs() == ["RUNNING"]

    expect(warned).to_be_visible(timeout=SLOW_MS)  # and again, as nothing else happens
    banner = page.locator(".fabric-Banner[role=alert]")
    expect(banner).to_contain_text("This session ended at", timeout=SLOW_MS)
    expect(banner).to_contain_text("It was idle for 1 minute, so it was stopped.")
    expect(page.locator(".jp-Dialog")).to_have_count(0)  # JupyterLab's own word on it stands over nothing
    student.until_no_job()
    with student.context.expect_page() as opened:
        banner.get_by_role("link", name="Start a new one").click()
    home = opened.value
    expect(home.get_by_label("A GPU for who stays awake")).to_be_checked()
    home.goto("/hub/home")
    row = home.locator("#recent [data-ended]").first
    expect(row).to_contain_text("It was idle for 1 minute, so it was stopped.")
    expect(row).to_contain_text("That returned 4.0 GPU-hours to project ml-course.")
    expect(row.get_by_role("link", name="Start again: session default")).to_be_visible()
    until_the_hub_knows(
        student, r"50\.0 of 50\.0 GPU-hours left[\s\S]*GPUs in use now</dt>\s*<dd>0</dd>"
    )  # no GPU in use
    home.reload()
    picture(home, "usage-stopped")
    assert violations(home) == []
    home.goto("/user/student1/lab")
    expect(home.get_by_role("alert")).to_contain_text("That returned 4.0 GPU-hours to project ml-course.")

    assert time.monotonic() - began > 60, "the other session could have been stopped, too"
    assert at_work.jobs() == ["RUNNING"]
    assert toast(training, "This session is stopped at").count() == 0
