"""A process's view of Slurm's limits: one long poll to the gateway, read from memory by everybody in it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from ..errors import FabricError
from .follower import LONG_POLL_S, RETRY_S
from .limits import Limits

log = logging.getLogger("fabric_hub.limits")


class LimitsSource(Protocol):
    async def limits(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits: ...


class LimitsFollower:
    """Keeps the latest limits while ``wanted()`` says that somebody needs them.

    When the gateway does not answer, the last ones stay, marked silent since the first failure.
    """

    def __init__(self, source: LimitsSource, wanted: Callable[[], bool]) -> None:
        self.limits: Limits | None = None
        self._source = source
        self._wanted = wanted
        self._first = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """Make sure the long poll runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="fabric-limits-follower")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def current(self, patience_s: float = 1.0) -> Limits | None:
        """The latest limits; right after a start, waits this long for the first."""
        self.follow()
        if self.limits is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._first.wait()
        return self.limits

    async def _run(self) -> None:
        failures = 0
        while self._wanted():
            try:
                after = self.limits.serial if self.limits and not failures else None
                self.limits = await self._source.limits(after, LONG_POLL_S if after is not None else 0.0)
                self._first.set()
                failures = 0
            except FabricError as error:
                if not failures:
                    log.warning("No limits: %s", error)
                last = self.limits or Limits(now=time.time())
                since = last.silent_since or time.time()
                self.limits = last.model_copy(update={"silent_since": since, "problem": str(error)})
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1
