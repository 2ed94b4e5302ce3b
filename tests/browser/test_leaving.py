"""Who is removed from a project is out within a minute, with the work saved; their other project goes on."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import new_prefix
from tests.support.chromium import run_cell, type_into
from tests.support.embedded_run import ROOT, EmbeddedRun, fabric_hub
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor, visitors_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slurm,
    pytest.mark.image,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not ROOT, reason="people have accounts of their own only where root makes them"),
]

USER = "student1"
# docs/explanation/leaving.md
WITHIN_S = 60.0
BEGUN = (
    "from fabric_lab import DaskCluster, access; "
    "cluster = DaskCluster(1, cores=1, memory='500MB', queue='cpu'); cluster.wait_for_workers(1); "
    "print('token', access.token(), 'begun')"
)
UNSAVED = "# not saved yet"


@pytest.fixture(scope="module")
def left(sandbox: Path, images: Path) -> Iterator[EmbeddedRun]:
    run = EmbeddedRun.start(sandbox / "left", "--prefix", new_prefix(), "--images", str(images))
    yield run
    run.remove()


@pytest.fixture
def visitor(left: EmbeddedRun, browser: Browser) -> Iterator[Callable[[str], Visitor]]:
    yield from visitors_of(left, browser)


def projects(run: EmbeddedRun, *arguments: str) -> None:
    done = fabric_hub("projects", *arguments, "--site", str(run.site))
    assert done.returncode == 0, done.stdout + done.stderr


def queued(run: EmbeddedRun, account: str) -> list[str]:
    return run.slurm("squeue", "-h", "-A", account, "-o", "%i %T %j").splitlines()


def start(student: Visitor, server: str, project: str) -> None:
    headers = {"Authorization": f"token {student.run.token(USER)}"}
    address = f"/hub/api/users/{USER}/servers/{server}"
    wish = {"project": project, "profile": "cpu"}
    answer = student.context.request.post(address, headers=headers, data=wish)
    assert answer.status in (201, 202), answer.text()

    def ready() -> bool:
        told = student.context.request.get(f"/hub/api/users/{USER}", headers=headers).json()
        return bool(told["servers"].get(server, {}).get("ready"))

    until(ready, f"{server} is ready", 120, seen=student.run.logs)


def shell_in(run: EmbeddedRun, job: str) -> subprocess.Popen[bytes]:
    """A terminal inside a job, as a person opens one from a login node; it says its own process's number."""
    name = run.unix_name(USER)
    step = f"srun --overlap --jobid={job} --pty sh -c 'echo $$ > shell.pid; exec sleep 3000'"
    return subprocess.Popen(
        ["setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups", "script", "-qec", step, "/dev/null"],
        env={**run.environment, "HOME": str(run.home(USER)), "PATH": os.environ["PATH"]},
        cwd=run.home(USER),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def test_who_is_removed_is_out_within_a_minute_and_the_work_is_saved(
    left: EmbeddedRun, visitor: Callable[[str], Visitor]
) -> None:
    projects(left, "create", "waves", "--title", "Waves", "--owner", "researcher", "--account", "fh-waves")
    projects(left, "add", "waves", USER)

    def account() -> str:
        whose = f"users={left.unix_name(USER)}"
        show = ["-n", "-P", "show", "assoc", "where", "accounts=fh-waves", whose, "format=user,maxsubmit"]
        return left.slurm("sacctmgr", *show)

    until(lambda: left.unix_name(USER) in account(), "Slurm has the member", 60, seen=account)
    student = visitor(USER)
    start(student, "other", "ml-course")
    start(student, "own", "waves")

    page = student.page
    page.goto(f"/user/{USER}/own/lab")
    page.locator(".jp-LauncherCard[data-category=Notebook]").first.click(timeout=SLOW_MS)
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click(timeout=SLOW_MS)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=SLOW_MS)
    type_into(page, cell, BEGUN)
    run_cell(page, 0)
    output = page.locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("begun", timeout=2 * SLOW_MS)
    found = re.search(r"token (\S+) begun", output.inner_text())
    assert found, output.inner_text()
    token = found[1]
    hub = httpx.Client(base_url=left.address, headers={"Authorization": f"token {token}"})
    assert hub.get("/hub/api/user").status_code == 200
    running = queued(left, "fh-waves")
    assert len(running) == 2, running
    (job,) = [line.split()[0] for line in running if "-dask-" not in line]
    elsewhere = queued(left, "ml-course")
    assert [line.split()[1] for line in elsewhere] == ["RUNNING"]
    pid_file = left.home(USER) / "shell.pid"
    with shell_in(left, job) as shell:
        until(lambda: pid_file.exists() and pid_file.read_text().strip(), "the shell runs", 60, seen=left.logs)
        process = Path(f"/proc/{pid_file.read_text().strip()}")
        assert process.exists()
        type_into(page, page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").last, UNSAVED)
        notebook = left.home(USER) / "Untitled.ipynb"
        assert UNSAVED not in notebook.read_text()

        began = time.monotonic()
        projects(left, "remove", "waves", USER)
        until(lambda: account().endswith("|0"), "Slurm takes no more jobs of theirs", WITHIN_S, seen=account)
        closed = time.monotonic() - began
        until(lambda: not queued(left, "fh-waves"), "no job is left", WITHIN_S, seen=lambda: queued(left, "fh-waves"))
        until(lambda: not process.exists(), "the shell is gone", WITHIN_S)
        until(lambda: hub.get("/hub/api/user").status_code == 403, "the token opens nothing", WITHIN_S)
        took = time.monotonic() - began
        shell.wait(30)
    assert closed < took < WITHIN_S
    assert UNSAVED in notebook.read_text()
    assert queued(left, "ml-course") == elsewhere
    page.goto("/hub/home")
    expect(page.locator("#recent [data-server=own]").first).to_contain_text(
        re.compile(r"Ended \d\d:\d\d · you are no longer in project waves")
    )
    refused = left.as_user(
        USER, "sbatch", "--account=fh-waves", "--output=/dev/null", "--partition=cpu", input="#!/bin/sh\ntrue\n"
    )
    assert refused.returncode != 0
    assert "MaxSubmit" in refused.stderr
    print(f"MaxSubmitJobs=0 after {closed:.1f} s, all gone after {took:.1f} s")
