"""One start at a time goes through the parts that hold JupyterHub's only thread."""

from __future__ import annotations

import asyncio
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count

# A request takes the loop a few turns: accepting, TLS, headers, the answer. Without work they take microseconds.
TURNS = 8


class Step(IntEnum):
    """How far a start is."""

    BEGIN = 0
    SUBMIT = 1
    READY = 2


class Turnstile:
    """Lets starts pass one by one, and the hub answer others in between.

    Fifty who click in the same moment would otherwise have their starts' work queued in
    one turn of the event loop, and whoever asks the hub for anything waits for all of it.
    Who is further goes first, so that the first is ready long before the last has begun;
    of the same step: first come, first served.
    """

    def __init__(self) -> None:
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._keeper: asyncio.Task[None] | None = None

    async def wait(self, step: Step) -> None:
        """Return when it is the caller's turn; what it then does without waiting it does alone."""
        turn = asyncio.get_running_loop().create_future()
        heappush(self._queue, (-step, next(self._order), turn))
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep(), name="fabric-turnstile")
        await turn

    async def _keep(self) -> None:
        while self._queue:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            _, _, turn = heappop(self._queue)
            if not turn.done():  # it gave up waiting
                turn.set_result(None)
