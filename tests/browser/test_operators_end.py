"""An operator ends somebody's session on the page Operate, and the person reads why on theirs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .conftest import Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm]

WHY = "Node gpu2 needs a <new> fan."


def test_an_operator_ends_a_session_with_a_reason_that_its_person_reads(
    visitor: Callable[[str], Visitor], filled: None
) -> None:
    student, operator = visitor("student1"), visitor("operator")
    headers = {"Authorization": f"token {student.run.token(student.user)}"}
    server = f"/hub/api/users/{student.user}/servers/run"
    wish = {"project": "ml-course", "profile": "gpu-1"}
    assert student.context.request.post(server, headers=headers, data=wish).status in (201, 202)
    student.page.goto("/hub/home")
    card = student.page.locator("[data-server=run][data-word]")
    expect(card.locator(".fabric-state")).to_have_text("Queued")

    page = operator.page
    page.goto("/hub/operate")
    stop = page.get_by_role("button", name=f"Stop session run of {student.user}")
    dialog = page.get_by_role("dialog", name=f"Stop run of {student.user}?")
    stop.focus()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Stop session").click()
    expect(dialog, "without a reason nothing is ordered").to_be_visible()
    dialog.get_by_label("Reason").fill(WHY)
    assert violations(page) == []
    dialog.get_by_role("button", name="Stop session").click()  # in 15 minutes
    expect(page.get_by_text(re.compile(rf"Session run of {student.user} ends at \d\d:\d\d"))).to_be_visible()
    expect(card.locator("[data-stop]")).to_have_text(
        re.compile(rf"An operator ends this session at \d\d:\d\d \(in 1[45] min\): {re.escape(WHY)}")
    )
    assert violations(student.page) == []

    expect(page.locator("[data-stop]")).to_contain_text(WHY)
    stop.click()
    dialog.get_by_label("Now").check()
    dialog.get_by_label("Reason").fill(WHY)
    dialog.get_by_role("button", name="Stop session").click()
    expect(student.page.locator("#recent [data-server=run]").first).to_contain_text(
        re.compile(rf"Ended \d\d:\d\d · ended by an operator: {re.escape(WHY)}")
    )
    expect(card).to_have_count(0)
    expect(stop).to_have_count(0)
    student.until_no_job()
    assert student.errors == operator.errors == []
