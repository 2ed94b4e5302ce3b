"""A process's view of Slurm's limits: one long poll to the gateway, read from memory by everybody in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from fabric_hub.errors import FabricError
from fabric_hub.rpc.follower import LongPoll
from fabric_hub.slurm.limits.model import Limits


class LimitsSource(Protocol):
    async def limits(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits: ...


class LimitsFollower(LongPoll):
    """Keeps the latest limits while ``wanted()`` says that somebody needs them.

    When the gateway does not answer, the last ones stay, marked silent since the first failure.
    """

    what = "limits"

    def __init__(self, source: LimitsSource, wanted: Callable[[], bool]) -> None:
        super().__init__()
        self.limits: Limits | None = None
        self._source = source
        self._wanted = wanted
        self._first = asyncio.Event()

    def wanted(self) -> bool:
        return self._wanted()

    async def current(self, patience_s: float = 1.0) -> Limits | None:
        """The latest limits; right after a start, waits this long for the first."""
        self.follow()
        if self.limits is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._first.wait()
        return self.limits

    async def ask(self, after: int | None, wait_s: float) -> None:
        self.limits = await self._source.limits(after, wait_s)
        self._first.set()

    def serial(self) -> int | None:
        return self.limits.serial if self.limits else None

    def silent(self, error: FabricError) -> None:
        last = self.limits or Limits(now=time.time())
        since = last.silent_since or time.time()
        self.limits = last.model_copy(update={"silent_since": since, "problem": str(error)})
