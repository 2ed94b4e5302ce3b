"""A real browser at a session's server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.browser.conftest import AXE

from .answering_hub import TOKEN
from .running_session import RunningSession
from .waiting import until

expect.set_options(timeout=90_000)  # a browser on a crowded machine

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
        yield context.new_page()
        browser.close()


def open_lab(page: Page, session: RunningSession) -> list[str]:
    """Open JupyterLab; the list fills with every address that the page asks."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"http://127.0.0.1:{session.port}/user/ann/lab?reset", timeout=120_000)
    return asked


def type_into(page: Page, cell: Locator, text: str) -> None:
    """Put text into an empty cell: a notebook that is still being drawn may lose the focus, and what is typed."""
    line = text.splitlines()[0]

    def typed() -> bool:
        if line not in cell.inner_text():
            cell.click()
            page.keyboard.insert_text(text)
        return line in cell.inner_text()

    until(typed, f"{line!r} is in the cell", 60, pause=lambda seconds: page.wait_for_timeout(seconds * 1000))


def run_first_cell(page: Page) -> Locator:
    """Run the notebook's first cell; its output. What is run before the kernel is connected is forgotten."""
    output = page.locator(".jp-OutputArea-output").first

    def run_again(seconds: float) -> None:
        page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(seconds * 1000)

    until(output.count, "the cell has an output", 90, every_s=1, pause=run_again)
    return output


def faults(page: Page, part: str) -> list[str]:
    """What axe-core finds wrong in a part of a page (a CSS selector), whatever its impact."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("part => axe.run(part)", part)["violations"]
    return [f"{rule['id']}: {rule['help']}: {[node['html'][:200] for node in rule['nodes']]}" for rule in found]
