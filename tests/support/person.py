"""A person at the hub: the same wishes through REST, the form and the spawn URL."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx
import websocket

from .waiting import until


class Person:
    """Somebody with an API token, and a browser without JavaScript."""

    def __init__(self, address: str, name: str, password: str, token: str) -> None:
        self.name = name
        self.address = address
        self.api = httpx.Client(
            base_url=f"{address}/hub/api", headers={"Authorization": f"token {token}"}, timeout=60, verify=False
        )
        self.browser = httpx.Client(base_url=address, follow_redirects=True, timeout=60, verify=False)
        self._password = password
        self._hands = ThreadPoolExecutor(4)

    def close(self) -> None:
        self._hands.shutdown()
        self.api.close()
        self.browser.close()

    # REST

    def _server(self, server: str) -> str:
        return f"/users/{self.name}/servers/{server}" if server else f"/users/{self.name}/server"

    def start(self, server: str = "", **options: Any) -> httpx.Response:
        return self.api.post(self._server(server), json=options)

    def start_later(self, server: str = "", **options: Any) -> Future[httpx.Response]:
        """A start whose answer comes once it is up, has failed, or has waited long enough for the hub (10 s)."""
        return self._hands.submit(self.start, server, **options)

    def stop(self, server: str = "", **body: Any) -> httpx.Response:
        return self.api.request("DELETE", self._server(server), json=body or None)

    def stop_later(self, server: str = "") -> Future[httpx.Response]:
        """A stop whose answer comes once it is down, or has taken long enough for the hub (10 s)."""
        return self._hands.submit(self.stop, server)

    def servers(self) -> dict[str, dict[str, Any]]:
        """What the hub says of the servers that start or run, by name."""
        answer = self.api.get(f"/users/{self.name}")
        answer.raise_for_status()
        found: dict[str, dict[str, Any]] = answer.json()["servers"]
        return found

    def until_ready(self, server: str = "") -> dict[str, Any]:
        return until(
            lambda: next((found for name, found in self.servers().items() if name == server and found["ready"]), None),
            f"server {server!r} of {self.name} is ready",
        )

    def until_gone(self, server: str = "") -> None:
        until(lambda: server not in self.servers(), f"server {server!r} of {self.name} is gone")

    def progress(self, server: str = "") -> Iterator[dict[str, Any]]:
        """The events of the progress page, as they come."""
        with self.api.stream("GET", f"{self._server(server)}/progress") as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def run_cell(self, code: str, server: str = "") -> str:
        """What a cell in a new notebook's kernel prints, through the proxy and the session's own server."""
        base = f"{self.address}/user/{self.name}/{f'{server}/' if server else ''}api/kernels"
        header = {"Authorization": str(self.api.headers["Authorization"])}
        kernel = self.browser.post(base, headers=header, json={"name": "python3"}, timeout=60)
        assert kernel.status_code == 201, kernel.text
        url = f"{base.replace('http', 'ws', 1)}/{kernel.json()['id']}/channels"
        wire = websocket.create_connection(url, header=header, timeout=60)
        try:
            message = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3", "username": "",
                       "session": uuid.uuid4().hex, "date": ""}  # fmt: skip
            content = {"code": code, "silent": False}
            request = {"channel": "shell", "header": message, "parent_header": {}, "metadata": {}, "content": content}
            wire.send(json.dumps(request))
            while True:
                said = json.loads(wire.recv())
                if said["parent_header"].get("msg_id") == message["msg_id"] and said["msg_type"] in ("stream", "error"):
                    return str(said["content"].get("text") or said["content"])
        finally:
            wire.close()

    # pages

    def log_in(self) -> Person:
        self.browser.get("/hub/login")
        data = {"username": self.name, "password": self._password, "_xsrf": self.browser.cookies["_xsrf"]}
        answer = self.browser.post("/hub/login?next=/hub/home", data=data)
        assert answer.url.path == "/hub/home", f"login ended at {answer.url}: {words(answer)}"
        return self

    def form(self, server: str = "", **fields: Any) -> httpx.Response:
        """Send the start form."""
        return self._send(self.browser.get(self._spawn(server)), server, fields)

    def _send(self, page: httpx.Response, server: str, fields: dict[str, Any]) -> httpx.Response:
        xsrf = re.search(r'xsrf_token: "([^"]+)"', page.text)
        assert xsrf, page.text
        return self.browser.post(self._spawn(server), data={**fields, "_xsrf": xsrf[1]})

    def open_spawn_url(self, server: str = "", **options: Any) -> httpx.Response:
        """Open a link to the start page, which fills its form."""
        return self.browser.get(self._spawn(server), params={f"opt-{name}": value for name, value in options.items()})

    def start_from_url(self, server: str = "", **options: Any) -> httpx.Response:
        """Open such a link, and send the form as it stands."""
        page = self.open_spawn_url(server, **options)
        return self._send(page, server, filled(page))

    def _spawn(self, server: str) -> str:
        return f"/hub/spawn/{self.name}/{server}" if server else f"/hub/spawn/{self.name}"


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "select":
            self._select = told.get("name") or ""
        picked = (tag == "option" and "selected" in told) or "checked" in told or told.get("type") == "number"
        name = self._select if tag == "option" else told.get("name")
        if picked and name and told.get("value"):
            self.fields.setdefault(name, []).append(str(told["value"]))


def filled(page: httpx.Response) -> dict[str, list[str]]:
    """What the start form on a page has chosen, without JavaScript."""
    form = _Form()
    form.feed(page.text)
    return form.fields


def words(page: httpx.Response) -> str:
    """A page as one reads it: no tags, no script, single spaces."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))
