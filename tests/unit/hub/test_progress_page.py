"""The page of a start that is opened at any moment hears what happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets.config import Config

from fabric_hub.hub.spawner.wrapper import FabricSpawner


class Child(SimpleLocalProcessSpawner):  # type: ignore[misc]
    """The part of a child that the page listens to."""

    async def session_progress(self) -> AsyncIterator[dict[str, Any]]:
        yield {"progress": 10, "message": "It is next in line."}


async def test_a_page_opened_just_before_jupyterhub_clears_the_state_of_the_last_server_hears_of_this_start() -> None:
    spawner = FabricSpawner(config=Config())
    page = asyncio.ensure_future(anext(aiter(spawner.progress())))
    await asyncio.sleep(0)
    spawner.clear_state()  # as JupyterHub does before every start
    spawner.child_spawner, spawner.session_id = Child(config=Config()), "one"
    spawner.opened.set()
    assert (await asyncio.wait_for(page, 5))["message"] == "It is next in line."


async def test_the_page_of_the_next_start_does_not_hear_of_the_one_before() -> None:
    spawner = FabricSpawner(config=Config())
    spawner.opened.set()
    spawner.clear_state()
    page = asyncio.ensure_future(anext(aiter(spawner.progress())))
    await asyncio.sleep(0)
    assert not page.done()
    page.cancel()
