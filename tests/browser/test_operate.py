"""The page Operate on the real Slurm: an operator finds a session, cannot open it, and stops it by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from fabric_hub.messages.translation import gettext
from tests.support.embedded_run import EmbeddedRun

from .conftest import SLOW_MS, Visitor
from .test_home import tab_to
from .test_languages import Person

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image]


@pytest.mark.long
def test_an_operator_finds_a_session_cannot_open_it_and_stops_it_by_keyboard(
    embedded_hub: EmbeddedRun, browser: Browser, visitor: Callable[[str], Visitor], picture: Callable[..., None]
) -> None:
    student, people = visitor("student2"), Person(embedded_hub, browser, "operator")
    wish = {"project": "ml-course", "profile": "cpu"}
    headers = {"Authorization": f"token {embedded_hub.token(student.user)}"}
    server = f"/hub/api/users/{student.user}/servers/watched"
    assert student.context.request.post(server, headers=headers, data=wish).status in (201, 202)
    for page in people.each():
        page.goto("/hub/login")
        people.log_in(page)

    def row(page: Page) -> None:
        expect(page.locator(".operate-table tr[data-name=watched] [data-state=running]")).to_be_visible(timeout=SLOW_MS)
        expect(page.locator("tr[data-name=watched] .fabric-badge")).to_have_text(gettext("Course"))

    people.see("/hub/operate", "operate", row)
    page = next(iter(people.pages.values()))
    picture(page, "operate", whole=True)
    for told in ("student2", "Machine learning course", "cpu1", "CPU-hours so far", "Working"):
        expect(page.locator("#fabric-operate")).to_contain_text(told)
    tab_to(page, "Job")
    page.keyboard.press("Enter")
    expect(page.locator("th[data-column=job]")).to_have_attribute("aria-sort", "ascending")
    page.locator("#operate-filter").fill("nobody has this name")
    expect(page.locator("#operate-count")).to_have_text('Nothing matches "nobody has this name".')
    page.locator("#operate-filter").fill("student2 WATCHED")
    expect(page.locator("#operate-rows tr:visible")).to_have_count(1)

    inside = f"/user/{student.user}/watched"
    other = page.context.new_page()
    assert other.goto(f"{inside}/lab").status == 403  # type: ignore[union-attr]
    other.close()
    theirs = {"Authorization": f"token {embedded_hub.token('operator')}"}
    # what opens it for its person, and not for an operator
    api = f"{inside}/api/contents"
    assert student.context.request.get(api, headers=headers).status == 200
    assert student.context.request.get(api, headers=theirs).status == 403

    tab_to(page, "Stop session watched of student2")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Stop watched of student2?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Stop session watched of student2")).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("radio", name="Now").check()
    dialog.get_by_label("Reason").fill("The node is needed.")
    dialog.get_by_role("button", name="Stop session").press("Enter")
    expect(page.locator("tr[data-name=watched]")).to_have_count(0, timeout=SLOW_MS)
    student.until_no_job()
    people.close()
