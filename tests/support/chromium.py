"""A real browser at a session's server."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.browser.conftest import AXE, SLOW_MS

from .answering_hub import TOKEN
from .running_session import RunningSession
from .waiting import until

T = TypeVar("T")
# an address at which JupyterLab is about to forget what it had open
RESETTING = re.compile(r"[?&]reset\b")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def chromium_with_token(timezone: str | None = None) -> Iterator[Page]:
    """A page that carries the session's token, as the hub's login would give it.

    :param timezone: of the person, such as "Asia/Kolkata"; default: this machine's.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        context = browser.new_context(
            extra_http_headers={"Authorization": f"token {TOKEN}"},
            viewport={"width": 1280, "height": 900},
            timezone_id=timezone,
        )
        context.set_default_timeout(SLOW_MS)
        yield context.new_page()
        browser.close()


def open_lab(page: Page, session: RunningSession) -> list[str]:
    """Open JupyterLab at its launcher; the list fills with every address that the page asks."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"http://127.0.0.1:{session.port}/user/ann/lab?reset", timeout=120_000)
    until_started(page)
    return asked


def until_started(page: Page) -> None:
    """JupyterLab has opened what it opens by itself, its launcher mostly, and put the keyboard there or into a dialog.

    Panels and menus are there seconds before. Until then JupyterLab forgets the page before (``?reset``), which hides
    a command palette, and takes the focus from whoever has it.
    """
    expect(page).not_to_have_url(RESETTING)
    expect(page.locator(":is(#jp-main-dock-panel, .jp-Dialog) :focus").first).to_be_attached()


def again_until(page: Page, does: Callable[[], object], done: Callable[[], T], what: str, patience_s: float = 2.0) -> T:
    """Do something as a person does who sees no effect and does it again: press a key, click; what ``done`` says then.

    JupyterLab forgets what is pressed while it draws something anew.

    :param does: must do no harm when it is done twice.
    :param done: true as soon as it has had its effect.
    :param patience_s: how long the effect is waited for before it is done again.
    """
    again_at = 0.0

    def pause(seconds: float) -> None:
        nonlocal again_at
        if time.monotonic() >= again_at:
            does()
            again_at = time.monotonic() + patience_s
        page.wait_for_timeout(seconds * 1000)

    return until(done, what, SLOW_MS / 1000, pause=pause)


def type_into(page: Page, cell: Locator, text: str) -> None:
    """Add text to a cell: a notebook that is still being drawn may lose the focus, and what is typed."""
    line = text.strip().splitlines()[0]

    def typed() -> bool:
        if line not in cell.inner_text():
            cell.click()
            page.keyboard.press("Control+End")
            page.keyboard.insert_text(text)
        return line in cell.inner_text()

    until(typed, f"{line!r} is in the cell", 60, pause=lambda seconds: page.wait_for_timeout(seconds * 1000))


def from_palette(page: Page, words: str, entry: str) -> None:
    """Open JupyterLab's command palette with the keyboard, search it, and choose an entry."""
    search = page.locator(".lm-CommandPalette-input")
    found = page.locator(".lm-CommandPalette-item", has_text=entry).first

    def look() -> None:
        if not search.evaluate("input => input === document.activeElement"):
            page.keyboard.press("Control+Shift+C")
        elif not found.is_visible():
            search.fill(words)

    again_until(page, look, found.is_visible, f"the palette has {entry!r}")
    found.click()


def save(page: Page, saved: Callable[[], T]) -> T:
    """Save the document that has the keyboard; what ``saved`` says as soon as it is true."""
    return again_until(page, lambda: page.keyboard.press("Control+s"), saved, "the document is saved", 10)


def run_first_cell(page: Page) -> Locator:
    """Run the notebook's first cell; its first output."""
    output = page.locator(".jp-OutputArea-output").first
    run_cell(page, 0, output.count)
    return output


def run_cell(page: Page, number: int, ran: Callable[[], object] | None = None) -> None:
    """Run a cell of a notebook. What is run before the kernel is connected is forgotten.

    :param number: from 0.
    :param ran: what tells that it has run (default: it has an output).
    """
    cell = page.locator(".jp-CodeCell").nth(number)

    def run() -> None:
        cell.locator(".cm-content").first.click()
        page.keyboard.press("Shift+Enter")

    ran = ran or cell.locator(".jp-OutputArea-output").count
    again_until(page, run, ran, f"cell {number} has run", 10)


def dark_from_the_start(home: Path) -> None:
    """Choose JupyterLab's dark theme for a person, before their JupyterLab is opened."""
    settings = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"theme": "JupyterLab Dark"}))


def until_theme(page: Page, theme: str) -> None:
    """The stylesheet of JupyterLab's theme is there, and what is seen has its colours.

    :param theme: ``light`` or ``dark``.
    """
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", str(theme == "light").lower())
    page.wait_for_function(
        """dark => {
          const style = getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim();
          return style !== '' && (style === '#111') === dark;
        }""",
        arg=theme == "dark",
    )


def in_the_dark(page: Page) -> None:
    """Choose JupyterLab's dark theme, by its menu."""
    theme = "JupyterLab Dark"
    page.get_by_role("menuitem", name="Settings").click()
    # the settings editor, where it is open, lists a Theme, too
    page.get_by_role("menu").get_by_text("Theme", exact=True).hover()
    page.get_by_role("menuitem", name=theme, exact=True).click()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)


def faults(page: Page, part: str) -> list[str]:
    """What axe-core finds wrong in a part of a page (a CSS selector), whatever its impact."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("part => axe.run(part)", part)["violations"]
    return [f"{rule['id']}: {rule['help']}: {[node['html'][:200] for node in rule['nodes']]}" for rule in found]


# Colours as the browser paints them over each other, and their contrasts.
_COLOURS = """
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const painted = colours => {
    for (const colour of ['white', ...colours]) {
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
    }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const ground = one => (one ? [...ground(one.parentElement), getComputedStyle(one).backgroundColor] : []);
  const light = ([red, green, blue]) =>
    [red, green, blue]
      .map(one => one / 255)
      .map(one => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
      .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const controls = 'input:not([type=range], [type=checkbox], [type=radio]), select, textarea, button';
  const all = part => [...document.querySelectorAll(part)]
    .flatMap(one => [...one.querySelectorAll(controls)])
    .filter(one => one.checkVisibility());
"""
# Each control of a part, and how its edge contrasts with what is around it: what is filled in has an edge, and a button
# may do without one.
_EDGES = f"""part => {{{_COLOURS}
  return all(part)
    .map(one => [one, getComputedStyle(one)])
    .map(([one, style]) => [one, style, style.borderTopStyle === 'none' ? 0 : parseFloat(style.borderTopWidth)])
    .filter(([one, , width]) => width > 0 || one.tagName !== 'BUTTON')
    .map(([one, style, width]) => {{
      const [around, own] = [ground(one.parentElement), style.backgroundColor];
      const edge = width > 0 ? painted([...around, own, style.borderTopColor]) : painted([...around, own]);
      return [one.outerHTML.slice(0, 160), contrast(edge, painted(around))];
    }});
}}"""
# What stands in empty fields of a part, which axe-core does not look at.
_HINTS = f"""part => {{{_COLOURS}
  return all(part)
    .filter(one => one.placeholder)
    .map(one => [one, getComputedStyle(one, '::placeholder').color])
    .map(([one, colour]) => [one.placeholder, contrast(painted([...ground(one), colour]), painted(ground(one)))]);
}}"""


def faint_edges(page: Page, part: str) -> list[str]:
    """Controls of a part of a page (a CSS selector) whose edges have less than 3 to 1 (WCAG 2.2, 1.4.11), and empty
    fields whose hints have less than 4.5 to 1 (1.4.3).

    :raises AssertionError: there is no control with an edge, so nothing was looked at.
    """
    edges, hints = page.evaluate(_EDGES, part), page.evaluate(_HINTS, part)
    assert edges, f"{part} has no control with an edge"
    faint = [one for one in edges if one[1] < 3] + [one for one in hints if one[1] < 4.5]
    return [f"{control}: {contrast:.2f} to 1" for control, contrast in faint]
