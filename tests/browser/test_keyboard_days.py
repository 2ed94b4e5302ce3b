"""Whole days by keyboard alone: a student's, a researcher's and an operator's; and a student's first hour in clicks.

Nothing is clicked or filled in but by keys, and the focus is never put anywhere but by them: whatever a person comes to
is reached by the tab key, the focus is seen there, and it stays on the page when what had it goes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.chromium import again_until, until_started
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from .conftest import SLOW_MS, Visitor, loading_again, unfold
from .test_datasets_start import TERMS, Operator

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slurm,
    pytest.mark.image,
    pytest.mark.long,
    pytest.mark.timeout(600),
]

# How many controls a person may pass on the way to one; the whole start form has fewer.
MOST_KEYS = 150
# From the login page: to a plot of a dataset, and to a session with a GPU for who has saved that choice.
MOST_CLICKS, CLICKS_TO_A_GPU = 4, 2
FOCUSED = """() => {
  const one = document.activeElement;
  return `${one.tagName} ${one.getAttribute('aria-label') || one.id || one.textContent.trim().slice(0, 40)}`;
}"""
OUTLINE = """one => {
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  return outlineStyle === 'none' ? 0 : parseFloat(outlineWidth);
}"""


@pytest.fixture
def arrives(embedded_hub: EmbeddedRun, browser: Browser) -> Iterator[Callable[[str], Visitor]]:
    """``arrives("student1")``: a demo account at the login page."""
    people: list[Visitor] = []

    def come(user: str) -> Visitor:
        one = Visitor(embedded_hub, browser, user)
        people.append(one)
        one.page.goto("/hub/login")
        return one

    yield come
    for one in people:
        one.close()


def has_focus(target: Locator) -> bool:
    return bool(target.evaluate("one => one === document.activeElement"))


def tab_to(page: Page, target: Locator, *, ours: bool = True) -> None:
    """Press the tab key until a control has the focus; it is seen there.

    :param ours: a control of the hub's pages; how JupyterLab shows the focus is its own.
    """
    passed = []
    for _ in range(MOST_KEYS):
        page.keyboard.press("Tab")
        if has_focus(target):
            if ours:
                seen(target)
            return
        passed.append(page.evaluate(FOCUSED))
    raise AssertionError(f"{target} is not reached by the tab key. It comes to: {passed}")


def seen(target: Locator) -> None:
    """A control has the focus, and shows it."""
    expect(target).to_be_focused()
    assert target.evaluate(OUTLINE) >= 2, f"the focus is seen on {target}"


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Go to a control, and press a key there."""
    tab_to(page, target)
    page.keyboard.press(key)


def write(page: Page, field: Locator, text: str) -> None:
    """Go to a field, and type in the place of what is there: the tab key marks that."""
    tab_to(page, field)
    page.keyboard.type(text)
    expect(field).to_have_value(text)


def choose(page: Page, group: Locator, wanted: Locator) -> None:
    """Go to a group of radio buttons, and on to one of them by arrow keys."""
    tab_to(page, group.locator("input:checked"))
    passed = []
    while not has_focus(wanted):
        passed.append(page.evaluate(FOCUSED))
        assert len(passed) < 20, f"{wanted} is not reached by arrow keys. They come to: {passed}"
        page.keyboard.press("ArrowDown")
    expect(wanted).to_be_checked()
    seen(wanted)


def log_in(one: Visitor) -> Page:
    """From the login page, where the keyboard is in the first field already."""
    page = one.page
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type(one.user)
    write(page, page.get_by_label("Password", exact=True), one.run.logins[one.user])
    press(page, page.get_by_role("button", name="Sign in"))
    page.wait_for_url(lambda url: "/hub/login" not in url)
    return page


def titled(page: Page, title: str) -> None:
    """The tab says which page it is, and how things stand there: a person with several finds it."""
    expect(page).to_have_title(re.compile(rf"^{title} · Fabric Hub$"))


def closed_by_escape(page: Page, dialog: Locator, opener: Locator) -> None:
    """A dialog has taken the focus; Escape gives it back to what opened it."""
    expect(dialog).to_be_visible()
    expect(dialog.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    seen(opener)


def runs_a_cell(page: Page) -> None:
    """In JupyterLab, open a notebook from the launcher and run a cell that does not end."""
    until_started(page)
    tab_to(page, page.locator(".jp-LauncherCard[data-category=Notebook]").first, ours=False)
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible()
    expect(page.locator(".jp-NotebookPanel :focus").first).to_be_attached()
    page.keyboard.press("Enter")  # from the notebook into its cell
    page.keyboard.insert_text("print('at work'); import time; time.sleep(3600)")
    expect(page.locator(".jp-CodeCell .cm-content").first).to_contain_text("at work")
    output = page.locator(".jp-OutputArea-output").first
    again_until(page, lambda: page.keyboard.press("Shift+Enter"), output.count, "the cell runs", 10)


def test_a_student_starts_continues_and_stops_a_session_by_keyboard_alone(
    arrives: Callable[[str], Visitor], free_gpus: Callable[[], None]
) -> None:
    student = arrives("student1")
    page = log_in(student)
    press(page, page.get_by_role("link", name="Sessions", exact=True))
    page.wait_for_url("**/hub/home")
    titled(page, "Sessions")
    write(page, page.get_by_label("Name", exact=True), "keys")
    press(page, page.get_by_role("button", name="New session"))

    page.wait_for_url(f"**/hub/spawn/{student.user}/keys")
    titled(page, "New session")
    tab_to(page, page.locator("#project input:checked"))
    choose(page, page.locator("#machine"), page.get_by_role("radio", name=re.compile("One GPU")))
    write(page, page.get_by_label("Hours"), "2")
    summary = page.get_by_role("complementary", name="Your choice")
    expect(summary).to_contain_text(re.compile("One GPU.*2 hours"))
    press(page, summary.get_by_role("button", name="Start session"))

    page.wait_for_url(re.compile(f"/hub/spawn-pending/{student.user}/keys"))
    expect(page.get_by_role("heading", name="Waiting for a GPU")).to_be_visible()
    titled(page, r"(\(.+\) )?Waiting for a GPU")
    activity = page.locator("summary", has_text="Activity")
    press(page, activity)
    expect(page.locator("#progress-details")).to_have_attribute("open", "")
    seen(activity)
    free_gpus()
    page.wait_for_url(f"**/user/{student.user}/keys/lab**")
    runs_a_cell(page)

    page.goto("/hub/home")
    titled(page, "Sessions")
    go_on = page.get_by_role("button", name="Continue session keys in a new one")
    press(page, go_on)
    closed_by_escape(page, page.get_by_role("dialog", name="Continue keys in a new session?"), go_on)
    stop, dialog = page.get_by_role("button", name="Stop session keys"), page.get_by_role("dialog", name="Stop keys?")
    expect(stop).to_have_attribute("data-loses", re.compile("A cell is running."))
    press(page, stop)
    expect(dialog).to_contain_text("A cell is running.")
    closed_by_escape(page, dialog, stop)
    assert student.jobs() == ["RUNNING"], "Escape stops nothing"
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    press(page, dialog.get_by_role("button", name="Stop session"))
    expect(page.locator("#recent [data-server=keys]").first).to_contain_text(re.compile(r"Ended \d\d:\d\d · stopped"))
    expect(page.locator("#home-heading")).to_be_focused()  # its button is gone
    student.until_no_job()

    press(page, page.get_by_role("button", name=student.user, exact=True))
    press(page, page.get_by_role("link", name="Log out"))
    expect(page.get_by_label("Username")).to_be_focused()
    titled(page, "Sign in")
    assert student.errors == []


@pytest.fixture
def turbines(embedded_hub: EmbeddedRun, tmp_path: Path) -> Iterator[str]:
    """The title of a dataset that the project of the researcher may use when its agreement is accepted."""
    operator = Operator(embedded_hub, tmp_path)
    operator.offers("keys-wind", "Turbines of the north", "restricted", agreement=("1", TERMS))
    operator.does("grant", "keys-wind", "--project", "proteins")
    yield "Turbines of the north"
    operator.does("retire", "keys-wind")


def test_a_researcher_reads_and_accepts_the_terms_of_a_dataset_by_keyboard_alone(
    arrives: Callable[[str], Visitor], turbines: str
) -> None:
    researcher = arrives("researcher")
    page = log_in(researcher)
    press(page, page.get_by_role("navigation", name="Hub").get_by_role("link", name="Datasets"))
    page.wait_for_url("**/hub/datasets")
    titled(page, "Datasets")
    link = page.get_by_role("link", name=turbines, exact=True)
    until(link.count, f"{turbines} is on the page", pause=loading_again(page))
    press(page, link)

    page.wait_for_url("**/hub/datasets/keys-wind")
    titled(page, turbines)
    terms = page.get_by_role("region", name=f"Agreement of {turbines}")
    tab_to(page, terms)
    page.keyboard.press("End")  # a long text is read to its end
    until(lambda: terms.evaluate("one => one.scrollTop > 0"), "the terms are scrolled by keys")
    accept = page.get_by_role("checkbox", name=re.compile("^I accept the agreement, version 1"))
    press(page, accept, "Space")
    expect(accept).to_be_checked()
    purpose = page.get_by_label("Purpose", exact=True)
    press(page, purpose, "ArrowDown")
    expect(purpose).to_have_value("research")
    press(page, page.get_by_role("button", name="Accept", exact=True))
    expect(page.get_by_role("status")).to_contain_text("Go back to JupyterLab and press Add")
    expect(page.locator("[data-project=proteins]")).to_contain_text("Scientific research")
    titled(page, turbines)
    assert researcher.errors == []


def test_an_operator_finds_a_session_keeps_it_and_announces_by_keyboard_alone(
    embedded_hub: EmbeddedRun, arrives: Callable[[str], Visitor]
) -> None:
    student, operator = arrives("student2"), arrives("operator")
    wish = {"project": "ml-course", "profile": "cpu"}
    headers = {"Authorization": f"token {embedded_hub.token(student.user)}"}
    server = f"/hub/api/users/{student.user}/servers/keys"
    assert student.context.request.post(server, headers=headers, data=wish).status in (201, 202)
    page = log_in(operator)
    press(page, page.get_by_role("link", name="Operate", exact=True))
    page.wait_for_url("**/hub/operate")
    titled(page, "Operate")
    row = page.locator("#operate-rows tr[data-name=keys]")
    expect(row.locator("[data-state=running]")).to_be_visible()
    write(page, page.get_by_label("Filter"), "student2 KEYS")
    expect(page.locator("#operate-rows tr:visible")).to_have_count(1)
    job = page.locator("th[data-column=job]")
    press(page, job.get_by_role("button", name="Job"))
    expect(job).to_have_attribute("aria-sort", "ascending")
    seen(job.get_by_role("button", name="Job"))
    page.keyboard.press("Enter")
    expect(job).to_have_attribute("aria-sort", "descending")

    stop = page.get_by_role("button", name="Stop session keys of student2")
    dialog = page.get_by_role("dialog", name="Stop keys of student2?")
    press(page, stop)
    expect(dialog).to_be_visible()
    expect(dialog.locator(":focus")).to_have_count(1)
    write(page, dialog.get_by_label("Reason"), "The node is needed.")
    closed_by_escape(page, dialog, stop)
    expect(row.locator("[data-stop]")).to_have_count(0)
    assert student.jobs() == ["RUNNING"], "Escape stops nothing"

    words = "The cluster is slow from noon."
    said = page.locator(".fabric-announcement", has_text=words)
    write(page, page.get_by_label("Text (English)"), words)
    press(page, page.get_by_role("button", name="Preview"))
    expect(page.get_by_role("region", name="Preview: this is how it will look").locator(said)).to_be_visible()
    titled(page, "Announcements")
    expect(page.get_by_label("Text (English)")).to_have_value(words)
    press(page, page.get_by_role("button", name="Publish"))
    listed = page.locator("[data-listed]", has_text=words)
    expect(listed).to_be_visible()
    titled(page, "Announcements")
    press(page, listed.get_by_role("button", name="Delete"))
    expect(said).to_have_count(0)
    titled(page, "Announcements")
    assert operator.errors == []


class Mouse:
    """Somebody with a mouse, whose clicks are counted from the login page on."""

    def __init__(self) -> None:
        self.clicks, self.began = 0, time.monotonic()

    def on(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def says(self, what: str) -> None:
        """Print how many clicks it took, and how long: the time is this machine's."""
        print(f"{what}: {self.clicks} clicks, {time.monotonic() - self.began:.0f} s")

    def log_in(self, one: Visitor) -> Page:
        """Type name and password into the login page, and click; what it leads to is the start form."""
        page = one.page
        expect(page.get_by_label("Username")).to_be_focused()
        page.keyboard.type(one.user)
        page.keyboard.press("Tab")
        page.keyboard.type(one.run.logins[one.user])
        self.on(page.get_by_role("button", name="Sign in"))
        expect(page.get_by_role("heading", name="New session")).to_be_visible()
        return page


def test_the_first_hour_of_a_student(arrives: Callable[[str], Visitor]) -> None:
    student = arrives("student2")
    mouse = Mouse()
    page = mouse.log_in(student)
    mouse.on(page.get_by_role("button", name="Start session", exact=True))
    page.wait_for_url(re.compile(f"/user/{student.user}/(.+/)?lab"))
    until_started(page)
    mouse.on(page.locator(".jp-LauncherCard[data-category=Fabric]", has_text="Try a dataset"))
    mouse.on(page.locator("#fabric-datasets").get_by_role("button", name=re.compile("^Try it: ")).first)
    expect(page.locator(".jp-NotebookPanel .jp-OutputArea-output img").first).to_be_visible()
    mouse.says("From the login page to a plot of a dataset")
    assert mouse.clicks <= MOST_CLICKS
    assert student.errors == []


def test_a_session_with_a_gpu_that_was_saved_takes_two_clicks_from_the_login(
    arrives: Callable[[str], Visitor],
) -> None:
    student = arrives("student1")
    page = log_in(student)
    page.goto(f"/hub/spawn/{student.user}?opt-profile=gpu-1&opt-hours=1")
    unfold(page)
    page.locator("summary", has_text="Save as preset").click()
    page.get_by_label("Name of the preset").fill("With a GPU")
    page.get_by_label("Name of the preset").press("Enter")
    preset_words = re.compile("^With a GPU · One GPU · Machine learning course")
    expect(page.get_by_role("region", name="Again").get_by_role("button", name=preset_words)).to_be_visible()

    later = arrives("student1")
    mouse = Mouse()
    page = mouse.log_in(later)
    mouse.on(page.get_by_role("region", name="Again").get_by_role("button", name=preset_words))
    page.wait_for_url(re.compile(f"/user/{later.user}/(.+/)?lab"), timeout=SLOW_MS)
    mouse.says("From the login to a session with a GPU")
    assert mouse.clicks == CLICKS_TO_A_GPU
    assert later.run.slurm("squeue", "-h", "-u", later.run.unix_name(later.user), "-o", "%P %T") == "gpu RUNNING"
    page.goto(f"/hub/spawn/{later.user}/another")
    page.get_by_role("button", name="Remove With a GPU").click()  # the next test's student has saved nothing
    expect(page.get_by_role("button", name="Remove With a GPU")).to_have_count(0)
    assert later.errors == []
