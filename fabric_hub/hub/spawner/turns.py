"""Those who follow starts hear of a snapshot one after the other, and the hub answers others between two of them.

The hub is one thread. Two hundred pages that all wake at the same moment hold up everybody else for as long as it takes
to make what each of them says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fabric_hub.rpc.follower import Follower


class Turns:
    """Wakes everybody who follows, in turn, whenever a value changes.

    :param follower: whose value that is.
    """

    def __init__(self, follower: Follower[Any]) -> None:
        self._follower = follower
        self._bells: dict[asyncio.Event, None] = {}  # in the order in which they came
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def bell(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever it is one's turn to look at the value; who waits for it clears it before."""
        bell = asyncio.Event()
        self._bells[bell] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._ring(), name="fabric-turns")
        try:
            yield bell
        finally:
            del self._bells[bell]
            if not self._bells and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _ring(self) -> None:
        async for _ in self._follower.changes():
            for bell in tuple(self._bells):
                bell.set()
                await asyncio.sleep(0)
