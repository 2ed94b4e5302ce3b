"""The page of a start that waits in Slurm's queue: what it says, what it offers, and how it is given up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor, violations

pytestmark = [pytest.mark.browser, pytest.mark.slurm, pytest.mark.image]


def _waits(student: Visitor) -> Page:
    """The page of a session that waits for a GPU; its clock can be moved on."""
    page = student.page
    page.clock.install()
    page.clock.resume()
    student.start_form()
    page.get_by_role("radio", name=re.compile("One GPU")).check()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Waiting for a GPU")).to_be_visible(timeout=SLOW_MS)
    return page


def test_who_waits_sees_their_place_and_gives_it_up_with_a_question(
    visitor: Callable[[str], Visitor], filled: None
) -> None:
    student = visitor("student1")
    page = _waits(student)
    expect(page).to_have_title(re.compile("Waiting for a GPU"))
    steps = page.get_by_role("list", name="Steps").get_by_role("listitem")
    assert [steps.nth(index).get_attribute("data-state") for index in range(4)] == ["done", "now", "later", "later"]
    expect(page.locator("#progress-message")).to_contain_text(re.compile("You're next|ahead of you"), timeout=SLOW_MS)
    page.get_by_text("Slurm details").click()
    expect(page.locator("[data-slurm=partition]")).to_have_text("gpu")
    expect(page.locator("[data-slurm=reason]")).to_have_text(re.compile("Resources|Priority"))
    sooner = page.get_by_role("group", name="Sooner:").get_by_role("button", name=re.compile("CPU"))
    expect(sooner).to_be_visible(timeout=SLOW_MS)
    assert violations(page) == []

    other = student.context.new_page()
    streams: list[str] = []
    other.on("request", lambda asked: streams.append(asked.url) if "/progress" in asked.url else None)
    other.goto(f"/hub/spawn-pending/{student.user}")
    expect(other.get_by_role("heading", name="Waiting for a GPU")).to_be_visible(timeout=SLOW_MS)
    assert streams == [], "a second tab hears of it from the first"

    page.clock.fast_forward(120_000)
    cancel = page.get_by_role("button", name="Cancel", exact=True)
    cancel.click()
    dialog = page.get_by_role("dialog", name="Give up your place?")
    expect(dialog).to_contain_text(re.compile(r"have waited 2 min"))
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(cancel).to_be_focused()
    assert student.jobs() == ["PENDING"], "Escape gives up nothing"

    cancel.click()
    dialog.get_by_role("button", name="Cancel the start").click()
    expect(page.get_by_role("heading", name="New session")).to_be_visible(timeout=SLOW_MS)
    student.until_no_job()
    # what was waited for is gone, in all tabs
    expect(other.get_by_role("heading", name=re.compile("did not start|isn't running"))).to_be_visible(timeout=SLOW_MS)
    assert student.errors == []


@pytest.mark.long
def test_what_starts_sooner_waits_beside_it_and_one_of_them_runs(
    visitor: Callable[[str], Visitor], filled: None, embedded_hub: EmbeddedRun
) -> None:
    student = visitor("student2")
    # what runs of a person's own says in which session that was
    ran = embedded_hub.home(student.user) / "ran"
    settings = "import os\nopen('ran', 'a').write(os.environ['JUPYTERHUB_SERVER_NAME'] + '.')\n"
    write = "mkdir -p .jupyter && cat > .jupyter/jupyter_server_config.py"
    assert embedded_hub.as_user(student.user, "sh", "-c", write, input=settings).returncode == 0
    try:
        page = _waits(student)
        page.route("**/hub/sooner", lambda route: route.abort())
        sooner = page.get_by_role("group", name="Sooner:").get_by_role("button", name=re.compile("CPU"))
        sooner.click()
        expect(page.locator("#pending-trouble")).to_contain_text("Could not start it", timeout=SLOW_MS)
        assert student.jobs() == ["PENDING"]
        page.unroute("**/hub/sooner")
        sooner.press("Enter")
        # the page of the one that is given up leads to the other, also later
        opened = f"**/user/{student.user}/session-cpu/lab**"
        page.wait_for_url(opened, timeout=SLOW_MS, wait_until="commit")
        page.goto(f"/hub/spawn-pending/{student.user}")
        page.wait_for_url(opened, timeout=SLOW_MS, wait_until="commit")
        until(lambda: student.jobs() == ["RUNNING"], "one job is left", seen=student.jobs)
        assert ran.read_text() == "session-cpu.", "the other one ran nothing of its person's"
        page.goto("/hub/home")
        expect(page.locator("#sessions")).to_contain_text("It started first: default was cancelled.")
        expect(page.locator("#recent")).to_contain_text(re.compile("Cancelled .* · session-cpu started first"))
        assert violations(page) == []
    finally:
        embedded_hub.as_user(student.user, "rm", "-f", ".jupyter/jupyter_server_config.py", "ran")
    whose = embedded_hub.unix_name(student.user)
    charged = embedded_hub.slurm("sacct", "-nXP", "-S", "now-1hour", "-u", whose, "-o", "State,ElapsedRaw")
    assert "CANCELLED" in charged
    assert [line for line in charged.splitlines() if line.startswith("CANCELLED") and not line.endswith("|0")] == []
    assert student.errors == []


@pytest.mark.long
def test_each_of_two_that_wait_says_so_and_cancelling_one_leaves_the_other(
    visitor: Callable[[str], Visitor], filled: None, embedded_hub: EmbeddedRun
) -> None:
    student = visitor("student1")
    page = _waits(student)
    # nothing starts while nodes are kept free: there is time to look
    embedded_hub.slurm("scontrol", "update", "PartitionName=cpu", "State=DOWN")
    try:
        sooner = page.get_by_role("group", name="Sooner:").get_by_role("button", name=re.compile("CPU"))
        sooner.click()
        pair = page.locator("#pending-pair")
        expect(pair).to_contain_text("session-cpu waits, too. Whichever starts first stays", timeout=SLOW_MS)
        expect(page.get_by_role("group", name="Sooner:")).to_be_hidden()
        assert violations(page) == []
        pair.get_by_role("link", name="Show session-cpu").click()
        expect(page.locator("#pending-pair")).to_contain_text("default waits, too.", timeout=SLOW_MS)
        page.goto("/hub/home")
        expect(page.locator("#sessions")).to_contain_text("session-cpu waits, too.")
        expect(page.locator("#sessions")).to_contain_text("default waits, too.")
        assert violations(page) == []
        page.get_by_role("button", name="Cancel session session-cpu").click()
        yes = page.get_by_role("button", name="Cancel session", exact=True)
        if yes.is_visible():
            yes.click()
        until(lambda: student.jobs() == ["PENDING"], "the other one waits on", seen=student.jobs)
        page.goto(f"/hub/spawn-pending/{student.user}")
        expect(page.get_by_role("heading", name="Waiting for a GPU")).to_be_visible(timeout=SLOW_MS)
        expect(page.locator("#pending-pair")).to_be_hidden()
    finally:
        embedded_hub.slurm("scontrol", "update", "PartitionName=cpu", "State=UP")
    assert student.errors == []


RECORDED = """
const real = window.Notification;
window.Notification = new Proxy(real, {
  construct: (target, given) => {
    recordNotification(given[0], given[1].body);
    return Reflect.construct(target, given);
  },
});
"""


@pytest.mark.long
def test_who_wants_to_be_notified_is_and_the_tab_says_how_it_stands(
    visitor: Callable[[str], Visitor], free_gpus: Callable[[], None]
) -> None:
    student = visitor("student1")
    told: list[tuple[str, str]] = []
    student.context.grant_permissions(["notifications"])
    student.context.expose_function("recordNotification", lambda title, body: told.append((title, body)))
    student.context.add_init_script(RECORDED)
    page = _waits(student)
    icon = page.locator('link[rel="icon"]')
    expect(page).to_have_title(re.compile("Waiting for a GPU"))
    expect(icon).to_have_attribute("href", re.compile("^data:image/svg.*b45309"))
    notify = page.get_by_role("button", name="Notify me")
    expect(notify).to_have_attribute("aria-pressed", "false")
    notify.click()
    notify = page.get_by_role("button", name="You'll be notified")
    expect(notify).to_have_attribute("aria-pressed", "true")
    assert told == [], "nobody is told of nothing"
    titles, icons = [], []

    def starting() -> bool:
        titles.append(page.title())
        icons.append(icon.get_attribute("href") or "")
        return "1d4ed8" in icons[-1] or bool(told)

    free_gpus()
    until(
        starting,
        "the tab's icon is that of a start",
        limit_s=SLOW_MS / 1000,
        pause=lambda seconds: page.wait_for_timeout(1000 * seconds),
        seen=lambda: (titles, icons),
    )
    page.wait_for_url(f"**/user/{student.user}/lab**", timeout=SLOW_MS)
    assert [title for title, _ in told] == ["Your session is ready"]
    assert "One GPU" in told[0][1]
    assert student.errors == []


@pytest.fixture
def maintenance(embedded_hub: EmbeddedRun) -> Iterator[None]:
    """All nodes are kept free for maintenance that begins in fifty-five minutes."""
    embedded_hub.slurm(
        "scontrol", "create", "reservation", "ReservationName=spring", "StartTime=now+55minutes", "Duration=120",
        "Nodes=ALL", "Flags=MAINT", "Users=root",
    )  # fmt: skip
    yield
    embedded_hub.slurm("scontrol", "delete", "ReservationName=spring")


@pytest.mark.long
def test_before_a_maintenance_the_hours_that_fit_are_offered(
    visitor: Callable[[str], Visitor], maintenance: None
) -> None:
    student = visitor("student2")
    page = student.page
    page.goto(f"/hub/spawn/{student.user}?opt-profile=cpu&opt-hours=2")
    page.get_by_role("button", name="Start session").click()
    expect(page.get_by_role("heading", name="Waiting until the maintenance is over")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("#progress-message")).to_contain_text(
        re.compile(r"Until \d\d:\d\d up to \d+ minutes is possible")
    )
    page.get_by_role("button", name=re.compile("minutes only: ends before the maintenance")).click()
    # the shorter one runs, and the other is given up
    page.wait_for_url(f"**/user/{student.user}/session-2/lab**", timeout=SLOW_MS)
    until(lambda: student.jobs() == ["RUNNING"], "one job is left", seen=student.jobs)
