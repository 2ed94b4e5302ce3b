"""Chromium, people who have logged in with it, and what they leave behind."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZE = {"width": 1280, "height": 800}
ROOT = Path(__file__).parents[2]
AXE = Path(sys.prefix) / "share/fabric-hub/browser-tests/node_modules/axe-core/axe.min.js"
SLOW_MS = 90_000  # a session on a machine that also runs the cluster, the hub and the browser

expect.set_options(timeout=SLOW_MS)


@pytest.fixture(scope="package")  # playwright keeps an event loop running, beside which no asyncio test can run
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """A demo account in a browser of its own. After a test its sessions are stopped."""

    def __init__(self, run: EmbeddedRun, browser: Browser, user: str) -> None:
        self.run, self.user = run, user
        self.context: BrowserContext = browser.new_context(viewport=SIZE, base_url=run.address, locale="en-GB")  # type: ignore[arg-type]
        self.context.set_default_timeout(SLOW_MS)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def log_in(self) -> Page:
        self.page.goto("/hub/login")
        self.page.get_by_label("Username").fill(self.user)
        self.page.get_by_label("Password").fill(self.run.logins[self.user])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/hub/**")
        return self.page

    def start_form(self) -> Page:
        self.page.goto(f"/hub/spawn/{self.user}")
        expect(self.page.get_by_role("heading", name="New session")).to_be_visible()
        unfold(self.page)
        return self.page

    def start_form_that_says(self, profile: str, state: str) -> Page:
        """The form, as soon as the watcher has asked about nodes again."""
        page = self.start_form()
        label = page.locator("label", has_text=profile)
        until(
            lambda: state in (label.text_content() or ""),
            f"{profile} says {state!r}",
            pause=loading_again(page),
            seen=label.text_content,
        )
        unfold(page)
        return page

    def jobs(self) -> list[str]:
        """State of each of this user's jobs that squeue still lists."""
        return self.run.slurm("squeue", "-h", "-u", self.run.unix_name(self.user), "-o", "%T").split()

    def until_no_job(self) -> None:
        until(lambda: not self.jobs(), f"{self.user} has no job in the queue", seen=self.jobs)

    def close(self) -> None:
        token = self.run.token(self.user)
        api = self.context.request
        headers = {"Authorization": f"token {token}"}
        url = f"{self.run.address}/hub/api/users/{self.user}"
        for name in api.get(url, headers=headers).json()["servers"]:
            api.delete(f"{url}/servers/{name}" if name else f"{url}/server", headers=headers)
        self.context.close()
        self.until_no_job()
        # JupyterLab opens again what the last one had open: the next test's person is to find the launcher
        home = self.run.home(self.user)
        shutil.rmtree(home / ".jupyter" / "lab" / "workspaces", ignore_errors=True)
        for notebook in home.glob("Untitled*.ipynb"):
            notebook.unlink()


def unfold(page: Page) -> None:
    """Open what is folded away on the start page."""
    page.evaluate("document.querySelectorAll('#fabric-start .fabric-fold').forEach((part) => { part.open = true; })")


def loading_again(page: Page, address: str = "") -> Callable[[float], object]:
    """A pause of :func:`until` after which a page, or the one at another address, is loaded again."""

    def pause(seconds: float) -> None:
        page.wait_for_timeout(max(seconds * 1000, 300))
        if address:
            page.goto(address)
        else:
            page.reload()

    return pause


def stop(page: Page, name: str) -> None:
    """Stop a session on the page Sessions, in English; it asks where something would be lost, or nobody knows."""
    page.get_by_role("button", name=f"Stop session {name}").click()
    yes = page.get_by_role("button", name="Stop session", exact=True)
    begun = page.get_by_role("button", name=f"Stop session {name}").and_(page.get_by_text("Stopping…"))
    ending = page.locator("#sessions").get_by_text("Stopping", exact=True)
    expect(yes.or_(begun).or_(ending).first).to_be_visible()
    if yes.is_visible():
        yes.click()


@pytest.fixture
def visitor(embedded_hub: EmbeddedRun, browser: Browser) -> Iterator[Callable[[str], Visitor]]:
    """``visitor("student1")``: a demo account who has logged in."""
    yield from visitors_of(embedded_hub, browser)


def visitors_of(run: EmbeddedRun, browser: Browser) -> Iterator[Callable[[str], Visitor]]:
    """Who comes to a run; at the end of a test they leave it as it was."""
    visitors: list[Visitor] = []

    def come(user: str) -> Visitor:
        one = Visitor(run, browser, user)
        visitors.append(one)
        one.log_in()
        return one

    yield come
    for one in visitors:
        one.close()


@pytest.fixture
def filled(free_gpus: Callable[[], None]) -> None:
    """Every GPU node is taken by somebody else's jobs."""


@pytest.fixture
def free_gpus(embedded_hub: EmbeddedRun) -> Iterator[Callable[[], None]]:
    """Every GPU node is taken by somebody else's jobs, until it is called."""
    jobs: list[str] = []
    for _ in range(2):
        done = embedded_hub.as_user(
            "staff", "sbatch", "--parsable", "--account=bakery", "--partition=gpu", "--nodes=1", "--exclusive",
            "--time=30", "--output=/dev/null", input="#!/bin/sh\nsleep 1800\n",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        jobs.append(done.stdout.strip())
    until(
        lambda: set(jobs) <= set(embedded_hub.slurm("squeue", "-h", "-t", "RUNNING", "-o", "%i").split()),
        "both jobs run",
        seen=lambda: embedded_hub.slurm("squeue"),
    )

    def free() -> None:
        if jobs:
            embedded_hub.slurm("scancel", *jobs)
            jobs.clear()

    yield free
    free()


@pytest.fixture
def picture() -> Callable[..., None]:
    """``picture(page, "start")`` writes docs/images/start.png if FABRIC_SCREENSHOTS=1; ``whole``: more than its top."""

    def take(page: Page, name: str, *, whole: bool = False) -> None:
        if os.environ.get("FABRIC_SCREENSHOTS") == "1":
            directory = ROOT / "docs" / "images"
            directory.mkdir(exist_ok=True)
            page.screenshot(path=directory / f"{name}.png", animations="disabled", full_page=whole)

    return take


# Every rule of the standard counts, whatever its impact; of the others those with serious or critical impact.
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


class Audit(NamedTuple):
    """What axe-core found on a page.

    :ivar version: its own.
    :ivar rules: how many of its rules applied to the page.
    :ivar broken: the names of those that are broken, and ``faults``: what is wrong, in words.
    """

    version: str
    rules: int
    broken: list[str]
    faults: list[str]


def audit(page: Page, leave_out: str = "", rules: Sequence[str] = (), tags: Sequence[str] = ()) -> Audit:
    """Look at a page with axe-core.

    :param leave_out: a part of it that is JupyterHub's own (a CSS selector).
    :param rules: which of its rules; all where neither these nor tags are named.
    :param tags: the standards whose rules count, whatever a fault's impact, besides axe-core's own advice.
    """
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    run = "([part, only]) => axe.run(part ? {exclude: [part]} : document, only.length ? {runOnly: only} : {})"
    wanted = list(rules) or ([*tags, "best-practice"] if tags else [])
    found = page.evaluate(run, [leave_out, wanted])
    counts = [
        rule
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical") or set(tags) & set(rule["tags"]) or rules
    ]
    return Audit(
        found["testEngine"]["version"],
        len(found["passes"]) + len(found["violations"]),
        [rule["id"] for rule in counts],
        [
            f"{rule['id']} ({rule['impact']}): {rule['help']}: "
            f"{json.dumps([node['html'][:200] for node in rule['nodes']])}"
            for rule in counts
        ],
    )


def violations(page: Page, leave_out: str = "") -> list[str]:
    """What axe-core finds wrong on a page with serious or critical impact; see :func:`audit`."""
    return audit(page, leave_out).faults
