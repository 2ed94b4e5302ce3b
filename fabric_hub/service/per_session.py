"""What takes a while to answer: each session has one question of it under way, so that none makes the others wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fabric_hub.errors import FabricError

# Questions of one session that wait for its first; a page that asks anew while its user types has a few.
MOST_WAITING = 8


class BusyError(FabricError):
    """Too many questions at once; ``retry_after_s`` is when to ask again, in seconds."""

    retry_after_s = 1


class _Own:
    def __init__(self) -> None:
        self.lock, self.count = asyncio.Lock(), 0


class PerSessionLimiter:
    """Who has a question under way, and how many wait."""

    def __init__(self) -> None:
        self._of: dict[str, _Own] = {}

    @asynccontextmanager
    async def turn(self, session: str) -> AsyncIterator[None]:
        """Wait until the questions of a session that came before are answered.

        :raises BusyError: (429) too many wait already.
        """
        own = self._of.setdefault(session, _Own())
        if own.count > MOST_WAITING:
            raise BusyError(
                f"{own.count} questions of this session wait for an answer already.",
                reason="busy",
                hint="Ask again in a second.",
                status=429,
            )
        own.count += 1
        try:
            async with own.lock:
                yield
        finally:
            own.count -= 1
            if not own.count:
                self._of.pop(session, None)
