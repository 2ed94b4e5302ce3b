"""One start at a time goes through the parts that hold JupyterHub's only thread."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count

# A request takes the loop a few turns: accepting, TLS, headers, the answer. Without work they take microseconds.
TURNS = 8


# A start's round: what it waits for later, in tasks of its own, is of that round, too.
_ROUND: ContextVar[int] = ContextVar("fabric_start_round", default=0)


class StartSlot(IntEnum):
    """How far a start is."""

    BEGIN = 0
    SUBMIT = 1
    READY = 2


class StartQueue:
    """Lets starts pass one by one, and the hub answer others in between.

    Fifty who click in the same moment would otherwise have their starts' work queued in
    one turn of the event loop, and whoever asks the hub for anything waits for all of it.
    Starts go by rounds, one of each user in a round, so that nobody waits for all of somebody
    else's. Within a round who is further goes first, so that the first is ready long before
    the last has begun; of the same step: first come, first served.
    """

    def __init__(self) -> None:
        self._queue: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._pump: asyncio.Task[None] | None = None
        self._round = 0  # the latest that was let through
        self._last: dict[str, int] = {}  # of users with a start in this round or a later one

    def enter(self, user: str) -> None:
        """Say that what the present task waits for from now on is one start of a user's."""
        self._last = {name: taken for name, taken in self._last.items() if taken >= self._round}
        taken = max(self._round, self._last.get(user, -1) + 1)
        self._last[user] = taken
        _ROUND.set(taken)

    async def wait(self, step: StartSlot) -> None:
        """Return when it is the caller's turn; what it then does without waiting it does alone."""
        turn = asyncio.get_running_loop().create_future()
        heappush(self._queue, (_ROUND.get(), -step, next(self._order), turn))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._keep(), name="fabric-start-queue")
        await turn

    async def _keep(self) -> None:
        while self._queue:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            taken, _, _, turn = heappop(self._queue)
            self._round = max(self._round, taken)
            if not turn.done():  # it gave up waiting
                turn.set_result(None)
