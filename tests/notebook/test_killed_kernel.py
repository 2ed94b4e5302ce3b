"""A kernel that is killed because the session's memory is used up is explained: with a real memory cgroup."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.support.answering_hub import AnsweringHub
from tests.support.chromium import faults, run_cell, type_into
from tests.support.kernel import Kernel
from tests.support.memory_cgroup import MemoryCgroup, memory_cgroup, top
from tests.support.running_session import RunningSession, session_environment
from tests.support.usage_page import open_notebook, panel, toast
from tests.support.waiting import until

pytestmark = [
    pytest.mark.image,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("usage_known"),
    pytest.mark.skipif(top() is None, reason="a memory cgroup can be made by root only, where cgroups are mounted"),
]
MEMORY = 600 << 20
TOO_MUCH = "held = b'x' * 2**30"


class Limited(NamedTuple):
    session: RunningSession
    cgroup: MemoryCgroup


@pytest.fixture
def limited(python: Path, hub: AnsweringHub, tmp_path: Path) -> Iterator[Limited]:
    """A session in a job's cgroup that has so much memory."""
    with memory_cgroup(4711) as cgroup:
        with cgroup.inside():
            session = RunningSession(python, tmp_path, session_environment(hub.url))
        with session as running:
            cgroup.limit(MEMORY)
            yield Limited(running.announced_by(hub), cgroup)


def asked(session: RunningSession, path: str) -> dict[str, Any]:
    status, text = session.get(path)
    assert status == 200
    told: dict[str, Any] = json.loads(text)
    return told


def test_the_jobs_memory_is_read_and_the_kernel_that_used_it_up_is_named_and_no_other(limited: Limited) -> None:
    session = limited.session
    job = asked(session, "fabric/readings")["job"]
    assert (job["source"], job["memory_limit"]) == (limited.cgroup.source, MEMORY)
    assert 0 < job["memory"] < MEMORY
    kernel = Kernel(session)
    try:
        kernel.run("1")
        kernel.send(TOO_MUCH)
        known = until(lambda: asked(session, "fabric/quota")["killed"], "it is said why the kernel is gone", 90)
    finally:
        kernel.close()
    [told] = known
    assert told.pop("at") == pytest.approx(time.time(), abs=90)
    assert told.pop("kernel")
    assert told == {"path": "", "scope": "session", "memory": MEMORY, "certain": True}


@pytest.mark.browser
@pytest.mark.long
def test_the_notebook_says_why_its_kernel_is_gone_below_the_cell_that_ran(
    chromium: Page, limited: Limited, picture: Callable[..., None]
) -> None:
    open_notebook(chromium, limited.session)
    idle = chromium.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    expect(idle).to_be_visible()
    cell = chromium.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    type_into(chromium, cell, f"\n{TOO_MUCH}")
    run_cell(chromium, 0)
    why = "The kernel was stopped because the session used all of its 600 MB of memory."
    said = toast(chromium, f"work.ipynb: {why}").first
    expect(said).to_be_visible()
    below = chromium.locator(".jp-CodeCell").first.locator(".jp-OutputArea-output")
    expect(below).to_contain_text(why)
    expect(below).to_contain_text("Load less at once, or start a session with more memory.")
    dialog = chromium.get_by_role("dialog", name="Kernel Restarting")
    if dialog.is_visible():  # JupyterLab's own, which knows no reason
        dialog.get_by_role("button", name="Ok").click()
    picture(chromium, "kernel-killed")
    said.get_by_role("button", name="Show memory").click()
    shown = panel(chromium)
    expect(shown).to_contain_text(f"work.ipynb: {why}")
    expect(shown).to_contain_text("600 MB in use")
    assert faults(chromium, ".fabric-Usage") == []
