"""Starting and stopping servers of any JupyterHub over its REST API, timed as a person's browser would see it."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.waiting import until_async

LOOK_AGAIN_S = 0.02
# A server that is ready but does not answer for so long: is it still there?
LOST_AFTER_S = 2.0


class StartFailedError(Exception):
    """A server did not start; the text is what the hub said."""


@dataclass(frozen=True)
class Server:
    """A named server of a user, and the options to start it with."""

    user: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/hub/api/users/{self.user}/servers/{self.name}"


class HubClient:
    """A hub as somebody with a token sees it.

    :param address: its public address, without a final slash.
    :param token: may start and stop everybody's servers.
    """

    def __init__(self, address: str, token: str, limit_s: float = 900.0) -> None:
        self._http = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"token {token}"},
            timeout=limit_s,
            limits=httpx.Limits(max_connections=None),
            trust_env=False,
        )
        self._limit_s = limit_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def add_user(self, user: str) -> None:
        """Make a hub user; one who exists is no error."""
        answer = await self._http.post(f"/hub/api/users/{user}")
        if answer.status_code not in (201, 409):
            raise StartFailedError(f"user {user}: {answer.status_code} {answer.text[:300]}")

    async def order(self, server: Server) -> None:
        """Ask for a server: the click. Returns when the hub has answered."""
        answer = await self._http.post(server.path, json=server.options)
        if answer.status_code not in (201, 202):
            raise StartFailedError(f"{server.path}: {answer.status_code} {answer.text[:1000]}")

    async def start(self, server: Server) -> float:
        """Start a server and wait until it answers through the proxy; the seconds that took.

        :raises StartFailedError: it did not start.
        """
        began = time.monotonic()
        async with asyncio.timeout(self._limit_s):
            await self.order(server)
            await self.ready(server)
            await self.answering(server)
        return time.monotonic() - began

    async def ready(self, server: Server) -> None:
        """Wait until the hub says that a server is ready."""
        while not await self._progress(server):
            known = await self._known(server)
            if known and known.get("ready"):
                return
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _progress(self, server: Server) -> bool:
        async with self._http.stream("GET", f"{server.path}/progress") as events:
            if events.status_code != 200:
                return False
            async for line in events.aiter_lines():
                if not line.startswith("data:"):
                    continue
                event = json.loads(line.removeprefix("data:"))
                if event.get("failed"):
                    raise StartFailedError(f"{server.path}: {event.get('message')}")
                if event.get("ready"):
                    return True
        return False

    async def answering(self, server: Server) -> None:
        """Wait until the server itself answers through the proxy.

        :raises StartFailedError: the hub has lost it since it said that it was ready.
        """
        look_at = time.monotonic() + LOST_AFTER_S
        while True:
            answer = await self._http.get(f"/user/{server.user}/{server.name}/api")
            if answer.status_code == 200 and "version" in answer.text:
                return
            if time.monotonic() > look_at:
                if not ((await self._known(server)) or {}).get("ready"):
                    raise StartFailedError(f"{server.path} was ready, and is gone")
                look_at = time.monotonic() + LOST_AFTER_S
            await asyncio.sleep(LOOK_AGAIN_S)

    async def stop(self, server: Server) -> None:
        """Stop and remove a server, and wait until the hub has forgotten it."""
        answer = await self._http.request("DELETE", server.path, json={"remove": True})
        if answer.status_code not in (202, 204, 404):
            raise StartFailedError(f"stopping {server.path}: {answer.status_code} {answer.text[:300]}")
        await until_async(lambda: self._forgotten(server), f"{server.path} is stopped", 300, 0.2)

    async def _forgotten(self, server: Server) -> bool:
        return await self._known(server) is None

    async def _known(self, server: Server) -> dict[str, Any] | None:
        user = await self._http.get(f"/hub/api/users/{server.user}")
        user.raise_for_status()
        known: dict[str, Any] | None = (user.json().get("servers") or {}).get(server.name)
        return known


async def healthy(address: str, token: str) -> bool:
    """Whether the hub that knows this token answers at this address."""
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        try:
            answer = await http.get(f"{address}/hub/api/user", headers={"Authorization": f"token {token}"})
        except httpx.TransportError:
            return False
        return answer.status_code == 200
