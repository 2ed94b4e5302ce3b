"""``prepared``: from the click on a session that was started ahead to JupyterLab's page in the browser."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.support.embedded_run import EmbeddedRun

from . import ours
from .figures import Result, median_row
from .hub_client import HubClient, Server, StartFailedError

OPENINGS = 7


async def logged_in(run: EmbeddedRun, user: str) -> httpx.AsyncClient:
    """A browser's cookies after the login; nothing of the session is opened yet."""
    browser = httpx.AsyncClient(base_url=run.address, follow_redirects=True, timeout=30, trust_env=False)
    page = await browser.get("/hub/login")
    found = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)
    if not found:
        raise StartFailedError("the login page has no form")
    data = {"username": user, "password": run.logins[user], "_xsrf": found.group(1)}
    answer = await browser.post("/hub/login?next=%2Fhub%2Ftoken", data=data)
    if answer.status_code != 200 or "/hub/token" not in str(answer.url):
        raise StartFailedError(f"{user} cannot log in: {answer.status_code} at {answer.url}")
    return browser


async def opened(run: EmbeddedRun, server: Server) -> float:
    """Seconds from the click to the whole page of JupyterLab, for someone who has just logged in."""
    async with aclosing(await logged_in(run, server.user)) as browser:
        began = time.monotonic()
        page = await browser.get(f"/user/{server.user}/{server.name}/lab")
        took = time.monotonic() - began
        if page.status_code != 200 or "jupyter-config-data" not in page.text:
            raise StartFailedError(f"{page.url} is not JupyterLab: {page.status_code}")
    return took


@asynccontextmanager
async def aclosing(browser: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is in use already; closed with the block."""
    try:
        yield browser
    finally:
        await browser.aclose()


async def run(_arguments: argparse.Namespace, images: Path, _environment: Path) -> Result:
    """Start a session ahead, then open it several times, each time as someone who has just logged in."""
    async with ours.running(images) as embedded:
        server = ours.servers(1, "ahead")[0]
        async with HubClient(embedded.address, ours.token(embedded)) as hub:
            await hub.start(server)
        took = [await opened(embedded, server) for _ in range(OPENINGS)]
    return Result(
        "prepared",
        (
            median_row("open a prepared session", "s", took, [], aim=1.0, of="ours"),
            median_row("  of these the first", "s", took[:1], []),
        ),
        (
            "A session started ahead, opened by its user: hub, OAuth and JupyterLab's page, over the proxy.",
            "Peers have no sessions that are started ahead.",
        ),
    )
