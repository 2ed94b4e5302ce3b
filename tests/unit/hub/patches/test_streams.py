"""A person follows a start so many times at once, and what is done for a connection ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.hub.patches import streams
from fabric_hub.hub.spawner import watchers
from tests.support.plain_hub import PlainHub, PlainSpawner, answering, plain_hub

PATH = "/hub/api/users/ann/servers/one/progress"


class Followed(PlainSpawner):
    """Starts until it is let go; who follows it hears one thing, and is waited for to leave."""

    following: int = 0
    done: asyncio.Event

    async def start(self) -> Any:
        await self.done.wait()
        return self.where

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        type(self).following += 1
        left = watchers.left.get()
        assert left is not None
        try:
            yield {"progress": 20, "message": "It waits."}
            await left.wait()
        finally:
            type(self).following -= 1


async def _follow(stack: AsyncExitStack, hub: PlainHub) -> tuple[int, httpx.Response]:
    headers = {"Authorization": f"token {hub.ann.new_api_token()}"}
    answer = await stack.enter_async_context(hub.client.stream("GET", PATH, headers=headers))
    if answer.status_code == 200:
        lines = aiter(answer.aiter_lines())
        stack.callback(lambda: lines)  # with the last reference to them the connection would be gone
        while "It waits." not in await anext(lines):
            pass
    return answer.status_code, answer


@pytest.mark.usefixtures("libraries_stay")
async def test_the_eleventh_who_follows_a_start_is_refused_and_who_leaves_makes_room(tmp_path: Path) -> None:
    streams.apply()
    Followed.following, Followed.done = 0, asyncio.Event()
    settings = {"tornado_settings": {"slow_spawn_timeout": 0}}
    async with answering() as Followed.where, plain_hub(tmp_path, Followed, **settings) as hub:
        await hub.rest("POST", "/users/ann/servers/one")
        async with AsyncExitStack() as open_ones:
            for _ in range(watchers.MOST):
                assert (await _follow(open_ones, hub))[0] == 200
            status, answer = await _follow(open_ones, hub)
            told = (await answer.aread()).decode()
            assert status == 429
            words = "waiting pages open, as many as are kept up to date. Close one, then reload this page."
            assert f"You have 10 {words}" in told
        async with asyncio.timeout(60), AsyncExitStack() as again:
            while (await _follow(again, hub))[0] != 200:
                pass
            assert Followed.following == 1, "nothing is done any more for those who have left"
        assert hub.ann.spawners["one"].pending == "spawn", "that who followed it has left does not end a start"
        Followed.done.set()
