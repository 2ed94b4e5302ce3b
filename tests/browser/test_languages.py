"""Every page of the hub in every language: a picture of each in build/pages, and no fault in axe-core's judgement.

Each page is looked at on a screen, and on phones in the dark; none mixes languages, and none is wider than a phone.
What was found is in build/accessibility, for scripts/make_accessibility.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from babel.messages.pofile import read_po
from jupyterhub import orm
from playwright.sync_api import Browser, Page, expect

from fabric_hub.messages.reader import Reader, current, languages, reading
from fabric_hub.messages.translation import gettext, ngettext
from fabric_hub.sessions.database import hub_database_url
from scripts.make_accessibility import LIST, LOOKS, Look
from scripts.make_messages import DOMAINS, parameters
from scripts.make_messages import languages as catalogues
from tests.support import pictures
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from .conftest import ROOT, SIZE, SLOW_MS, WCAG, Visitor, audit, loading_again, stop

pytestmark = [pytest.mark.browser, pytest.mark.slurm]

PICTURES = ROOT / "build" / "pages"
PHONE, NARROWEST = {"width": 390, "height": 844}, {"width": 320, "height": 640}
OF_THEME_AND_SIZE = ("color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size")
LONGEST = "nl"  # the language with the longest words
# Sentences that are as long as that are no names, nor words that two languages share.
LONG = 12
# What a page says in its own language: its texts, and what screen readers and tooltips say.
SAID = """() => {
  const page = document.body.cloneNode(true);
  const own = document.documentElement.lang;
  page.querySelectorAll(`script, style, [lang]:not([lang=${own}])`).forEach(one => one.remove());
  const names = ['aria-label', 'title', 'alt', 'placeholder'];
  const attributes = [...page.querySelectorAll('*')].flatMap(one => names.map(name => one.getAttribute(name) || ''));
  return [page.textContent, ...attributes].join('\\n').replace(/\\s+/g, ' ');
}"""
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(one).position !== 'absolute')
  .map(one => `${one.tagName} ${one.id} ${one.className}`).slice(0, 5)"""

# What a page's own script may add to it: a moment, and a dialog with what opens it.
ADDED = """() => document.getElementById('main').insertAdjacentHTML('beforeend', `
  <time id="then" datetime="2001-01-01T00:00:00Z" data-clock="in">?</time>
  <button data-opens="asked">Open</button>
  <dialog class="fabric-dialog" id="asked"><form method="dialog"><button>Close</button></form></dialog>`)"""

# A page that loads itself again after a while stays as it is.
STAY = "() => { for (let timer = setTimeout(() => {}); timer > 0; timer -= 1) clearTimeout(timer); }"


@cache
def foreign(language: str) -> re.Pattern[str]:
    """Any sentence of the other languages that is not said in this one; of those without parameters."""
    domain = next(domain for domain in DOMAINS if domain.name == "fabric_hub")
    said: dict[str, set[str]] = {name: set() for name in languages()}
    for name, path in catalogues(domain):
        with path.open("rb") as file:
            for message in read_po(file, locale=name):
                for language_of, text in (("en", message.id), (name, message.string)):
                    said[language_of].update((text,) if isinstance(text, str) else text or ())
    own = "\n".join(said.pop(language))
    texts = (
        re.escape(text)
        for text in sorted(set.union(*said.values()))
        if len(text) >= LONG and " " in text and not parameters(text) and text not in own
    )
    return re.compile(rf"(?<!\w)({'|'.join(texts)})(?!\w)")


def look(page: Page, name: str, *, leave_out: str = "") -> None:
    """The page is in the reader's language, without a fault; pictures of it are kept.

    :param leave_out: a part of it that is JupyterHub's own, in English (a CSS selector).
    """
    language = current().language
    directory = PICTURES / language
    directory.mkdir(parents=True, exist_ok=True)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page).to_have_title(re.compile(r".+ · Fabric Hub$"))
    expect(page.get_by_role("main")).to_have_count(1)
    page.screenshot(path=directory / f"{name}.png", animations="disabled", full_page=True)
    looks = [at_look(page, name, "light", SIZE, leave_out)]
    assert foreign(language).findall(page.evaluate(SAID)) == [], name
    if pictures.wanted(name):
        for theme in ("dark", "light"):
            dress(page, theme, SIZE)
            pictures.keep(page, name, language, theme)
    dress(page, "dark", PHONE)
    page.screenshot(path=directory / f"{name}-phone.png", animations="disabled", full_page=True)
    if language == LONGEST:  # colours and sizes are the same in all
        looks.append(at_look(page, name, "dark", PHONE, leave_out, OF_THEME_AND_SIZE))
    dress(page, "dark", NARROWEST)
    if language == LONGEST:
        looks.append(at_look(page, name, "dark", NARROWEST, leave_out, OF_THEME_AND_SIZE))
    if not leave_out:
        assert page.evaluate(TOO_WIDE) == [], f"{name} is to be read without scrolling sideways"
    dress(page, "light", SIZE)
    LOOKS.mkdir(parents=True, exist_ok=True)
    (LOOKS / f"{name}-{language}.json").write_bytes(LIST.dump_json(tuple(looks)))


def at_look(
    page: Page, name: str, theme: str, size: dict[str, int], leave_out: str, rules: tuple[str, ...] = ()
) -> Look:
    """Look at the page as it is dressed; nothing is wrong with it."""
    found = audit(page, leave_out, rules, WCAG)
    assert found.faults == [], f"{name}, {theme}, {size['width']} px"
    return Look(
        page=name,
        title=page.title().rpartition(" · ")[0],
        language=current().language,
        theme=theme,
        width=size["width"],
        axe=found.version,
        day=datetime.now(UTC).date().isoformat(),
        rules=found.rules,
        faults=tuple(found.broken),
    )


def dress(page: Page, theme: str, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)


class Person:
    """Somebody with a browser for each language."""

    def __init__(self, run: EmbeddedRun, browser: Browser, user: str) -> None:
        self.visitor = Visitor(run, browser, user)
        self.pages: dict[str, Page] = {}
        for language in languages():
            context = browser.new_context(viewport=SIZE, base_url=run.address, locale=language)  # type: ignore[arg-type]
            self.pages[language] = page = context.new_page()
            page.on("pageerror", lambda error: self.visitor.errors.append(str(error)))

    def each(self) -> Iterator[Page]:
        """Each page, while what is looked for is in its language, too."""
        for language, page in self.pages.items():
            with reading(Reader(language)):
                yield page

    def log_in(self, page: Page) -> None:
        self.sign_in(page, self.visitor.run.logins[self.visitor.user])
        page.wait_for_url("**/hub/**")

    def sign_in(self, page: Page, password: str) -> None:
        page.get_by_label(gettext("Username")).fill(self.visitor.user)
        page.get_by_label(gettext("Password"), exact=True).fill(password)
        page.get_by_role("button", name=gettext("Sign in")).click()
        page.wait_for_load_state("networkidle")

    def see(self, address: str, name: str, ready: Callable[[Page], Any] = lambda _page: None, **how: Any) -> None:
        """Look at the page of an address in each language."""
        for page in self.each():
            page.goto(address)
            ready(page)
            look(page, name, **how)

    def close(self) -> None:
        for page in self.pages.values():
            page.context.close()
        self.visitor.close()
        assert self.visitor.errors == []


@pytest.fixture
def person(embedded_hub: EmbeddedRun, browser: Browser) -> Iterator[Callable[[str], Person]]:
    """``person("student1")``: a demo account who has logged in, in each language."""
    people: list[Person] = []

    def come(user: str) -> Person:
        one = Person(embedded_hub, browser, user)
        people.append(one)
        for page in one.each():
            page.goto("/hub/login")
            one.log_in(page)
        return one

    yield come
    for one in people:
        one.close()


def test_every_page_that_needs_no_session(embedded_hub: EmbeddedRun, browser: Browser) -> None:
    student = Person(embedded_hub, browser, "student1")
    user = student.visitor.user
    student.see("/hub/accessibility", "accessibility")
    student.see("/hub/login", "login")
    for page in student.each():
        student.sign_in(page, "wrong")
        look(page, "login-refused")
        student.log_in(page)
        page.goto("/hub/home")
        expect(page.get_by_role("heading", name=gettext("Sessions"))).to_be_visible()
        look(page, "home")
    for address, name in (
        (f"/hub/spawn/{user}", "start"),
        (f"/hub/spawn/{user}?opt-profile=nonsense", "start-refused"),
        (f"/hub/user/{user}/", "not-running"),
        ("/hub/datasets", "datasets"),
        ("/hub/datasets/bearing-vibration", "dataset-terms"),
        ("/hub/datasets/nosuch", "dataset-unknown"),
        ("/hub/token", "tokens"),
        ("/hub/nosuch", "not-found"),
        ("/hub/admin", "forbidden"),
        ("/hub/language", "error"),
        ("/hub/accept-share?code=nosuch", "invitation-unknown"),
    ):
        student.see(address, name)
    for page in student.each():
        page.goto("/hub/token")
        page.get_by_label(gettext("What it is for"), exact=True).fill("A test")
        page.get_by_role("button", name=gettext("Make a token")).click()
        expect(page.locator("#token-result")).to_have_text(re.compile("^[0-9a-zA-Z_-]{20,}$"))
        look(page, "token-made")
        page.reload()
        page.get_by_role("button", name=re.compile(": A test$")).click()
        expect(page.get_by_role("cell", name="A test", exact=True)).to_have_count(0)
        page.get_by_role("button", name=user).click()
        look(page, "menu")
        page.get_by_role("link", name=gettext("Log out")).click()
        look(page, "logged-out")
    student.close()


def test_every_page_of_a_start(person: Callable[[str], Person], filled: None) -> None:
    student = person("student1")
    user, run = student.visitor.user, student.visitor.run
    start, pending = f"/hub/spawn/{user}", f"/hub/spawn-pending/{user}"

    def begin(page: Page) -> None:
        page.goto(start)
        page.locator("#profile-gpu-1").check()
        expect(page.locator("#hours-help")).to_contain_text(gettext("Maximum %(time)s").partition("%")[0].strip())
        page.get_by_role("button", name=gettext("Start session"), exact=True).click()
        waits(page)

    def waits(page: Page) -> None:
        expect(page.locator("[data-step='20']")).to_have_attribute("aria-current", "step", timeout=SLOW_MS)

    def waits_for_a_gpu(page: Page) -> None:
        expect(
            page.get_by_role("heading", name=ngettext("Waiting for a GPU", "Waiting for {n} GPUs", 1))
        ).to_be_visible(timeout=SLOW_MS)
        page.get_by_text(gettext("Activity")).click()

    def is_held(page: Page) -> None:
        words = gettext("The operators put it on hold. Ask them why.")
        expect(page.locator("#progress-message")).to_contain_text(words, timeout=SLOW_MS)
        expect(page.get_by_role("heading", name=gettext("Waiting in the queue"))).to_be_visible()

    first = next(iter(student.pages.values()))
    with reading(Reader(languages()[0])):
        begin(first)
    student.see(pending, "waiting", waits_for_a_gpu)
    student.see("/hub/home", "home-starting")
    run.slurm("scontrol", "hold", run.slurm("squeue", "-h", "-u", run.unix_name(user), "-o", "%i"))
    student.see(pending, "waiting-held", is_held)
    for page in student.pages.values():
        if page is not first:
            page.goto("about:blank")  # what follows the start may load itself again at its end, whatever we ask it for
    with reading(Reader(languages()[0])):
        first.get_by_role("button", name=gettext("Cancel")).click()
        expect(first.get_by_role("heading", name=gettext("New session"))).to_be_visible(timeout=SLOW_MS)
    for page in student.each():
        page.goto(f"{start}?")  # the hash alone would not load it
        page.goto(f"{start}#cancelled")
        expect(page.get_by_text(gettext("Cancelled. Your job was removed from the queue."))).to_be_visible()
        look(page, "cancelled")
    student.visitor.until_no_job()
    with reading(Reader(languages()[0])):
        begin(first)
    for page in student.each():
        page.goto(pending)
        waits(page)
    run.slurm("scancel", "-u", run.unix_name(user))
    for page in student.each():
        expect(page.get_by_role("heading", name=gettext("The session did not start"))).to_be_visible(timeout=SLOW_MS)
        look(page, "failed")
        page.reload()
        look(page, "failed-later")
        page.goto("/hub/home")
        look(page, "home-ended")


def share_code(run: EmbeddedRun, user: str, server: str) -> str:
    """An invitation to a person's server, as JupyterHub makes it where a site lets people invite others."""
    db = orm.new_session_factory(hub_database_url(run.settings))()
    spawner = db.query(orm.Spawner).join(orm.User).filter(orm.User.name == user, orm.Spawner.name == server).one()
    _, code = orm.ShareCode.new(db, spawner, scopes=[f"access:servers!server={user}/{server}"])
    db.close()
    return str(code)


@pytest.mark.long
def test_every_page_of_a_session_that_runs_and_of_those_who_come_to_it(person: Callable[[str], Person]) -> None:
    student, operator = person("student1"), person("operator")
    user, run = student.visitor.user, student.visitor.run
    first = next(iter(student.pages.values()))
    first.goto(f"/hub/spawn/{user}/evening?opt-profile=cpu")
    first.get_by_role("button", name="Start session", exact=True).click()
    first.wait_for_url(f"**/user/{user}/evening/lab**", timeout=SLOW_MS)
    first.goto("about:blank")
    student.see("/hub/home", "home-running", lambda page: expect(page.locator("[data-ends]")).to_be_visible())
    operator.see("/hub/operate", "operate")
    operator.see(f"/hub/accept-share?code={share_code(run, user, 'evening')}", "invitation")
    with reading(Reader(languages()[0])):
        next(iter(operator.pages.values())).get_by_role("button", name=gettext("Accept")).click()
    asks = f"client_id=jupyterhub-user-{user}-evening&redirect_uri=/user/{user}/evening/oauth_callback"
    allow = f"/hub/api/oauth2/authorize?{asks}&response_type=code&state=none"
    operator.see(allow, "allow-access", lambda page: expect(page.locator("form .card")).to_be_visible())
    with run.silent("gateway"):  # so that it is still stopping when all have looked
        first.goto("/hub/home")
        stop(first, "evening")
        for page in student.each():
            address = f"/hub/spawn-pending/{user}/evening"
            stopping = page.get_by_role("heading", name=gettext("Your session is stopping"))
            until(stopping.count, "the page says that it stops", pause=loading_again(page, address))
            page.evaluate(STAY)  # it takes longer to look at it than it waits
            expect(stopping).to_be_visible()
            look(page, "stopping")
            page.goto("/hub/home")
            look(page, "home-stopping")


def test_what_operators_announce_before_it_is_published(person: Callable[[str], Person]) -> None:
    for page in person("operator").each():
        page.goto("/hub/operate/announcements")
        page.get_by_label(gettext("Text (%(language)s)") % {"language": "English"}).fill("Read https://example.org.")
        page.get_by_label(gettext("Text (%(language)s)") % {"language": "Nederlands"}).fill("Lees https://example.org.")
        page.get_by_role("button", name=gettext("Preview")).click()
        expect(page.locator("#operate-preview .fabric-announcement")).to_have_count(2)
        look(page, "announcements")


@pytest.mark.long
def test_every_page_of_reports_and_of_a_month(person: Callable[[str], Person]) -> None:
    student, operator = person("student2"), person("operator")
    student.see("/hub/report?page=/hub/home", "report")
    sent = []
    for page in student.each():
        page.goto("/hub/report?page=/hub/home")
        page.get_by_label(gettext("What happened?")).fill("abc")
        page.get_by_role("button", name=gettext("Send report")).click()
        expect(page.locator("#report-words")).to_have_text("abc")
        look(page, "report-sent")
        sent.append(page.url.rpartition("/")[2])
    operator.see("/hub/operate/reports", "reports")
    operator.see(f"/hub/operate/reports/{sent[0]}", "report-of-somebody")
    operator.see("/hub/operate/month", "month")


def test_the_switch_is_reached_by_keyboard_and_keeps_the_page(visitor: Callable[[str], Visitor]) -> None:
    page = visitor("student2").page
    page.goto("/hub/token")
    page.keyboard.press("Tab")
    expect(page.locator("#skip")).to_be_focused()
    switch = page.get_by_role("button", name="Nederlands")
    expect(switch).to_have_attribute("lang", "nl")
    switch.focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    expect(page.get_by_role("heading", name="API-tokens")).to_be_visible()
    expect(page.get_by_role("button", name="Nederlands")).to_have_attribute("aria-current", "true")
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert f"fabric-zone={zone}" in page.evaluate("document.cookie")
    page.evaluate(ADDED)
    expect(page.locator("#then")).to_have_text("nu")
    opener = page.locator("[data-opens]")
    opener.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    page.get_by_role("button", name="English").click()  # the next test's student reads English
    expect(page.locator("html")).to_have_attribute("lang", "en")
