"""Those who follow starts wake in turn, and everybody else is answered between them."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from fabric_hub.hub.spawner.turns import Turns
from fabric_hub.rpc.follower import Follower
from fabric_hub.slurm.model import Snapshot
from tests.support.builders import a_snapshot

PAGES = 40


class Source:
    """A daemon's verb: answers with the next value that is put."""

    def __init__(self) -> None:
        self._values: asyncio.Queue[Snapshot] = asyncio.Queue()

    async def __call__(self, after: int | None, wait_s: float, fresh: float | None) -> Snapshot:
        return await self._values.get()

    def put(self, serial: int) -> None:
        self._values.put_nowait(a_snapshot(serial=serial))


async def test_everybody_else_is_answered_between_the_pages_that_hear_of_a_snapshot() -> None:
    source = Source()
    follower = Follower("snapshot", source, Snapshot())
    turns = Turns(follower)
    woken: list[int] = []
    heard = asyncio.Event()  # all pages have heard of the first snapshot
    asked: list[int] = []  # how many pages had been woken by each answer to somebody else

    async def page(number: int) -> None:
        with turns.bell() as bell:
            for _ in range(2):
                await bell.wait()
                bell.clear()
                woken.append(number)
                if len(woken) == PAGES:
                    heard.set()

    async def somebody_else() -> None:
        while len(woken) < 2 * PAGES:
            asked.append(len(woken))
            await asyncio.sleep(0)

    source.put(1)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for number in range(PAGES):
            group.create_task(page(number))
        await asyncio.sleep(0)
        other = group.create_task(somebody_else())
        await heard.wait()
        source.put(2)
        await other
    assert woken == [*range(PAGES)] * 2
    assert max(later - before for before, later in pairwise(asked)) <= 2
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "fabric-turns"]
    await follower.stop()


async def test_nothing_runs_when_nobody_follows_and_it_begins_anew_with_the_next() -> None:
    source = Source()
    follower = Follower("snapshot", source, Snapshot())
    turns = Turns(follower)
    for serial in (1, 2):
        with turns.bell() as bell:
            source.put(serial)
            async with asyncio.timeout(10):
                await bell.wait()
        await asyncio.sleep(0)
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "fabric-turns"]
    await follower.stop()
