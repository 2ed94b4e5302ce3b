"""The whole way, as a person goes it: log in, start, wait, compute on a GPU node, stop."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import run_cell, type_into

from .conftest import SLOW_MS, Visitor, stop, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image]

CELL = 'import os; os.environ["FABRIC_JOB_ID"], os.environ["CUDA_VISIBLE_DEVICES"]'


def test_from_the_login_to_a_cell_on_a_gpu_node_and_back(
    visitor: Callable[[str], Visitor], picture: Callable[..., None]
) -> None:
    student = visitor("student1")
    page = student.start_form()
    # sessions without Slurm are offered where the hub may run them: not where users have accounts of their own
    expect(page.locator('input[name="profile"]')).to_have_count(6 if student.run.settings.users.shared_account else 5)
    one_gpu = page.get_by_role("radio", name=re.compile("One GPU"))
    expect(page.locator("label", has_text="One GPU")).to_contain_text("4 of 4 free")
    one_gpu.check()
    expect(page.get_by_label("Hours")).to_have_value("1")
    picture(page, "start", whole=True)
    page.get_by_role("button", name="Start").click()

    # a start that is over within the hub's first answer shows no waiting page
    page.wait_for_url("**/user/student1/lab**", timeout=SLOW_MS)

    (job,) = student.run.slurm("squeue", "-h", "-u", student.run.unix_name("student1"), "-o", "%i|%N").split()
    number, node = job.split("|")
    # the launcher's tile of the Python kernel, under "Notebook"
    page.locator(".jp-LauncherCard[data-category=Notebook]").first.click(timeout=SLOW_MS)
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click(timeout=SLOW_MS)
    kernel = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    expect(kernel).to_be_visible(timeout=SLOW_MS)  # what is run before is forgotten
    type_into(page, cell, CELL)
    run_cell(page, 0)
    output = page.locator(".jp-OutputArea-output").first
    expect(output).to_have_text(re.compile(rf"\('{number}', '\d+'\)"), timeout=SLOW_MS)

    status = page.get_by_role("button", name=re.compile("^This session:"))
    expect(status).to_have_text("Machine learning course · 1 GPU")
    picture(page, "session")
    status.click()
    details = page.get_by_role("dialog", name="Details of this session")
    for told in ("gpu-1", node, number):
        expect(details).to_contain_text(told)
    status.click()
    expect(details).to_have_count(0)

    page.get_by_role("menuitem", name="File").click()
    with student.context.expect_page() as opened:
        page.get_by_text("Hub Control Panel").click()
    panel = opened.value
    panel.wait_for_load_state("networkidle")  # the button does nothing before its script is there
    card = panel.locator("#sessions > li", has_text="default")
    for told in ("Machine learning course", "1 × H200", "Running"):  # noqa: RUF001 - the sign for times
        expect(card).to_contain_text(told)
    expect(panel.get_by_label("Name", exact=True)).to_have_value("session-2")
    panel.get_by_label("Name", exact=True).fill("Evening")
    expect(panel.get_by_text("Your session will be called evening")).to_be_visible()
    panel.get_by_label("Name", exact=True).press("Enter")
    panel.wait_for_url(f"**/hub/spawn/{student.user}/evening")
    expect(panel.get_by_label("Session name")).to_have_value("evening")
    panel.goto("/hub/home")
    panel.wait_for_load_state("networkidle")
    assert violations(panel) == []
    stop(panel, "default")
    expect(panel.get_by_role("button", name="Stop session default")).to_be_hidden(timeout=SLOW_MS)
    expect(panel.get_by_role("link", name="Start again: session default").first).to_be_visible()
    student.until_no_job()
    assert student.errors == []


def test_a_session_with_a_name_of_its_own(visitor: Callable[[str], Visitor]) -> None:
    student = visitor("student2")
    page = student.start_form()
    page.get_by_role("radio", name=re.compile("CPU only")).check()
    page.get_by_label("Session name").fill("evening")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/user/student2/evening/lab**", timeout=SLOW_MS)
    page.goto("/hub/home")
    expect(page.get_by_role("link", name="Open JupyterLab: session evening")).to_be_visible()
    assert student.jobs() == ["RUNNING"]


def test_a_double_click_and_a_second_tab_start_one_job(visitor: Callable[[str], Visitor], filled: None) -> None:
    student = visitor("student1")
    page = student.start_form()
    other = student.context.new_page()
    other.goto(f"/hub/spawn/{student.user}")
    page.get_by_role("radio", name=re.compile("One GPU")).check()
    page.get_by_role("button", name="Start").dblclick()
    expect(page.get_by_role("heading", name=re.compile("Your session is starting|Waiting for a GPU"))).to_be_visible()
    expect(page.get_by_role("heading", name="Waiting for a GPU")).to_be_visible(timeout=SLOW_MS)
    other.get_by_role("button", name="Start").click()
    # the second tab tells what is the matter, or shows the start that is already there
    expect(other.locator("body")).to_contain_text(
        re.compile("Your session is starting|Waiting for a GPU|is pending spawn")
    )
    assert student.jobs() == ["PENDING"]


def test_cancelling_on_the_waiting_page_takes_the_job_out_of_the_queue(
    visitor: Callable[[str], Visitor], filled: None, picture: Callable[[Page, str], None]
) -> None:
    student = visitor("student2")
    page = student.start_form_that_says("One GPU", "All in use")
    page.get_by_role("radio", name=re.compile("One GPU")).check()
    page.get_by_label("Session name").fill("evening")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name=re.compile("Your session is starting|Waiting for a GPU"))).to_be_visible()
    expect(page.get_by_role("list", name="Steps")).to_contain_text(
        re.compile(r"Submitted.*Queue.*Node.*JupyterLab", re.DOTALL)
    )
    message = page.locator("#progress-message")
    waits = re.compile("You're next|ahead of you")
    expect(message).to_contain_text(waits, timeout=SLOW_MS)
    expect(page.locator("[aria-current=step]")).to_contain_text("Queue")
    expect(page.locator("#pending-what")).to_have_text(
        re.compile("evening · One GPU · Machine learning course\\s+Course")
    )
    picture(page, "waiting")
    assert student.jobs() == ["PENDING"]
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="New session")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("status").filter(has_text="Your job was removed from the queue.")).to_be_visible()
    student.until_no_job()
