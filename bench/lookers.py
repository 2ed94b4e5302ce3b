"""``python -m bench.lookers``: people who look at pages of the hub, each with a login of their own, as browsers do.

A waiting page is asked for, and then its stream of events is kept open (pending.js); of *Sessions* what is new is asked
for every two and a half seconds (follow.js). Every page counts as seen: of hidden tabs a browser lets go of the stream.

A process of its own, like :mod:`bench.probe`: what browsers do with pages is not the hub's work. Reads a line of JSON
from standard input: ``address``, ``over_s`` (within how many seconds the pages are opened), and ``people``: each with
``name``, ``password``, ``waits`` (the servers whose waiting pages they have open) and ``home`` (whether *Sessions* is).
Writes lines of JSON: ``{"opened": pages}`` once all are, ``{"at", "page", "user", "server", "text"}`` whenever a page
says something else of a session (``at`` in seconds of the monotonic clock), and once standard input closes
``{"events", "again", "looks"}``: events taken, streams opened again, and how long each look at *Sessions* took.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx

# follow.js
EVERY_S = 2.5
# What browsers wait before they open a stream again that has ended.
AGAIN_S = 3.0
# So many logins at once.
LOGINS = 4
_STREAM = re.compile(r'data-progress-url="([^"]+)"')
_VERSION = re.compile(r'data-version="([^"]+)"')
_NEWS = re.compile(r'id="home-live" data-url="([^"]+)"')


class Waits(HTMLParser):
    """Why sessions wait, as *Sessions* says it: by server.

    :ivar said: the sentences of each card's session; "" of one that does not wait.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: dict[str, str] = {}
        self._card: str | None = None
        self._reads = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        key = known.get("data-key") or ""
        if tag == "li":
            self._card = key.removeprefix("live-") if key.startswith("live-") else None
            if self._card is not None:
                self.said[self._card] = ""
        self._reads = tag == "p" and "data-waits" in known

    def handle_endtag(self, tag: str) -> None:
        self._reads = self._reads and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._reads and self._card is not None:
            self.said[self._card] = f"{self.said[self._card]} {data}".strip()


@dataclass
class Counted:
    """What all people did: events taken, streams opened again, and the seconds that looks at *Sessions* took."""

    events: int = 0
    again: int = 0
    looks: list[float] = field(default_factory=list)


def tell(**words: Any) -> None:
    """A line for whoever started this."""
    print(json.dumps(words), flush=True)


class Looker:
    """Somebody who has logged in, with pages open."""

    def __init__(self, address: str, name: str, password: str, counted: Counted) -> None:
        self._name, self._password, self._counted = name, password, counted
        self._http = httpx.AsyncClient(
            base_url=address, follow_redirects=True, timeout=120, trust_env=False,
            limits=httpx.Limits(max_connections=None),
        )  # fmt: skip
        self._shown: dict[tuple[str, str], str] = {}

    async def log_in(self) -> None:
        """Log in through the form."""
        await self._http.get("/hub/login")
        data = {"username": self._name, "password": self._password, "_xsrf": self._http.cookies["_xsrf"]}
        answer = await self._http.post("/hub/login?next=/hub/home", data=data)
        if answer.url.path != "/hub/home" or answer.status_code != 200:
            raise RuntimeError(f"login of {self._name}: {answer.status_code}, at {answer.url}")

    async def _page(self, path: str) -> str:
        answer = await self._http.get(path)
        if answer.status_code != 200 or answer.url.path != path:
            raise RuntimeError(f"{path}: {answer.status_code}, at {answer.url}")
        return answer.text

    def _show(self, page: str, server: str, text: str) -> None:
        if self._shown.get((page, server)) != text:
            self._shown[page, server] = text
            tell(at=time.monotonic(), page=page, user=self._name, server=server, text=text)

    async def waits(self, server: str, due_s: float, opened: asyncio.Event) -> None:
        """Open the waiting page of a session that starts, and follow it."""
        await asyncio.sleep(due_s)
        path = f"/hub/spawn-pending/{self._name}/{server}"
        found = _STREAM.search(await self._page(path))
        if found is None:
            raise RuntimeError(f"{path} waits for nothing")
        while True:
            async with self._http.stream("GET", unescape(found[1])) as events:
                if events.status_code != 200:
                    raise RuntimeError(f"the events of {path}: {events.status_code} {(await events.aread())[:300]!r}")
                async for line in events.aiter_lines():
                    if line.startswith("data:"):
                        event = json.loads(line.removeprefix("data:"))
                        self._counted.events += 1
                        self._show("waiting", server, event.get("why") or event.get("message") or "")
                        opened.set()
            self._counted.again += 1
            await asyncio.sleep(AGAIN_S)

    async def home(self, due_s: float, opened: asyncio.Event) -> None:
        """Open *Sessions*, and ask what is new."""
        await asyncio.sleep(due_s)
        text = await self._page("/hub/home")
        version, news = _VERSION.search(text), _NEWS.search(text)
        if version is None or news is None:
            raise RuntimeError("/hub/home is not the page Sessions")
        known = unescape(version[1])
        self._show_all(text)
        opened.set()
        while True:
            await asyncio.sleep(EVERY_S)
            began = time.monotonic()
            answer = await self._http.get(
                unescape(news[1]), params={"version": known}, headers={"Accept": "application/json"}
            )
            self._counted.looks.append(time.monotonic() - began)
            if answer.status_code != 200:
                raise RuntimeError(f"{news[1]}: {answer.status_code} {answer.text[:300]}")
            body = answer.json()
            known = body["version"]
            if "html" in body:
                self._show_all(body["html"])

    def _show_all(self, html: str) -> None:
        for server, text in Waits(html).said.items():
            self._show("home", server, text)


async def main() -> None:
    """Open all pages, and look at them until standard input closes."""
    commands = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    told, counted, some = json.loads(await commands.readline()), Counted(), asyncio.Semaphore(LOGINS)
    people = [Looker(told["address"], one["name"], one["password"], counted) for one in told["people"]]

    async def log_in(one: Looker) -> None:
        async with some:
            await one.log_in()

    await asyncio.gather(*map(log_in, people))
    wanted = [(one, server) for one, its in zip(people, told["people"], strict=True) for server in its["waits"]]
    homes = [one for one, its in zip(people, told["people"], strict=True) if its["home"]]
    opened = [asyncio.Event() for _ in (*wanted, *homes)]
    over_s: float = told["over_s"]

    async def all_opened() -> None:
        for one in opened:
            await one.wait()
        tell(opened=len(opened))

    async with asyncio.TaskGroup() as group:
        looks = [
            group.create_task(one.waits(server, over_s * number / len(wanted), opened[number]))
            for number, (one, server) in enumerate(wanted)
        ]
        looks += [
            group.create_task(one.home(over_s * number / len(homes), opened[len(wanted) + number]))
            for number, one in enumerate(homes)
        ]
        looks.append(group.create_task(all_opened()))
        await commands.read()  # until it closes
        for look in looks:
            look.cancel()
    tell(events=counted.events, again=counted.again, looks=counted.looks)


if __name__ == "__main__":
    asyncio.run(main())
