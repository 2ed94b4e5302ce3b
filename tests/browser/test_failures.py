"""A session that does not start says why on the page, with the last lines of its log; never a bare 500."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image]

# settings of the user's own that end a notebook server as soon as its person looks at the waiting page, which is no
# mistake that one can start without, and one that makes it wait for ever
BROKEN = """import os, pathlib, time
while not pathlib.Path('~/.jupyter/seen').expanduser().exists():
    time.sleep(0.05)
print('ImportError: libcudart.so.12: cannot open shared object file <here>', flush=True)
os._exit(3)
"""
ENDLESS = "import time\nprint('Waiting for nobody', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def own_settings(embedded_hub: EmbeddedRun) -> Iterator[Callable[[str, str], None]]:
    """``own_settings("student1", text)`` writes that user's ~/.jupyter/jupyter_server_config.py."""
    written = []

    def write(user: str, text: str) -> None:
        done = embedded_hub.as_user(
            user, "sh", "-c", "mkdir -p .jupyter && cat > .jupyter/jupyter_server_config.py", input=text
        )
        assert done.returncode == 0, done.stderr
        written.append(user)

    yield write
    for user in written:
        embedded_hub.as_user(user, "rm", "-f", ".jupyter/jupyter_server_config.py", ".jupyter/seen")


def _start(student: Visitor) -> Page:
    page = student.start_form()
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_role("button", name="Start").click()
    return page


def test_a_server_that_ends_with_an_error_shows_its_last_words(
    visitor: Callable[[str], Visitor], own_settings: Callable[[str, str], None], picture: Callable[[Page, str], None]
) -> None:
    own_settings("student1", BROKEN)
    student = visitor("student1")
    page = _start(student)
    expect(page.locator("#progress-message")).to_contain_text("Starting JupyterLab on cpu1", timeout=SLOW_MS)
    page.get_by_role("button", name="Cancel", exact=True).focus()
    assert student.run.as_user("student1", "touch", ".jupyter/seen").returncode == 0
    expect(page.locator("body")).to_contain_text("JupyterLab couldn't start (exit code 3).", timeout=SLOW_MS)
    expect(page.get_by_role("link", name="Try again"), "what had the keyboard is gone").to_be_focused()
    expect(page.locator("pre")).to_contain_text("ImportError: libcudart.so.12: cannot open shared object file <here>")
    expect(page.get_by_role("heading", name="The session did not start")).to_be_visible()
    picture(page, "failed")
    steps = page.get_by_role("list", name="Steps").get_by_role("listitem")
    marked = ["done", "done", "done", "wrong"]
    assert [steps.nth(index).get_attribute("data-state") for index in range(4)] == marked
    page.reload()
    expect(steps.nth(3)).to_have_attribute("data-state", "wrong")
    assert [steps.nth(index).get_attribute("data-state") for index in range(4)] == marked, "and they are kept"
    assert steps.locator("time").count() == 3, "with when it came to each"
    assert violations(page) == []
    expect(page.get_by_role("heading", name="The session did not start")).to_be_visible()
    expect(page.locator("body")).to_contain_text("JupyterLab couldn't start (exit code 3).")
    expect(page.locator("pre")).to_contain_text("ImportError: libcudart.so.12")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="New session")).to_be_visible()


def test_a_job_that_is_cancelled_from_outside_while_it_starts_says_so(
    visitor: Callable[[str], Visitor], own_settings: Callable[[str, str], None]
) -> None:
    own_settings("student2", ENDLESS)
    student = visitor("student2")
    logs = student.run.home("student2") / ".fabric-hub"
    before = set(logs.glob("*"))
    page = _start(student)
    expect(page.locator("#progress-message")).to_contain_text("Starting JupyterLab on cpu1", timeout=SLOW_MS)
    until(
        lambda: any(
            "Waiting for nobody" in path.read_text() for path in logs.glob("*/session.log") if path.parent not in before
        ),
        "the job's program runs",
    )
    student.run.slurm("scancel", "-u", student.run.unix_name("student2"))
    expect(page.locator("body")).to_contain_text("The session was stopped.", timeout=SLOW_MS)
    expect(page.locator("pre")).to_contain_text("Waiting for nobody")
    expect(page.get_by_role("link", name="Try again")).to_be_visible()


def test_a_refused_choice_gives_its_reason_on_the_form_and_keeps_the_choice(visitor: Callable[[str], Visitor]) -> None:
    trainer = visitor("trainer")
    page = trainer.start_form()
    page.locator("#project-ml-course").check()
    page.get_by_role("radio", name=re.compile("Two GPUs")).check()
    hours = page.get_by_label("Hours")
    page.evaluate("document.getElementById('hours').removeAttribute('max')")  # a browser would stop us here
    hours.fill("100")
    page.get_by_role("button", name="Start").click()
    alert = page.locator(".alert-danger, #spawn-error")
    expect(alert.first).to_contain_text("Profile gpu-2 allows at most 8 hours, not 100. Ask for less time.")
    expect(page.locator("#project-ml-course")).to_be_checked()
    expect(page.get_by_role("radio", name=re.compile("Two GPUs"))).to_be_checked()
    expect(hours).to_have_value("100")
    assert trainer.jobs() == []
