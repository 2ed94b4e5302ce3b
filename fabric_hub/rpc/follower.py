"""A daemon's word, kept up to date by one long poll that everybody in the process shares."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from contextlib import suppress

from fabric_hub.errors import FabricError

log = logging.getLogger(__name__)

LONG_POLL_S = 25.0
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class LongPoll(ABC):
    """Asks from the first :meth:`follow` until :meth:`stop`, while :meth:`wanted` says so; pauses after a failure."""

    what = "answer"  # as the log names it

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """Make sure the long poll runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"fabric-{self.what}-follower")

    async def stop(self) -> None:
        """End the long poll."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def wanted(self) -> bool:
        """Whether somebody still needs it."""
        return True

    @abstractmethod
    async def ask(self, after: int | None, wait_s: float) -> None:
        """Ask once and keep the answer.

        :param after: wait up to ``wait_s`` seconds for a serial other than this; None: take what there is, at once.
        :raises FabricError: the daemon does not answer.
        """

    @abstractmethod
    def serial(self) -> int | None:
        """Of the answer that is kept, or None."""

    @abstractmethod
    def silent(self, error: FabricError) -> None:
        """The daemon did not answer: the last answer stays, marked so."""

    async def _run(self) -> None:
        failures = 0
        while self.wanted():
            try:
                # without an answer, or after a failure (the daemon may be a new one): whatever there is, at once
                after = None if failures else self.serial()
                await self.ask(after, LONG_POLL_S if after is not None else 0.0)
                failures = 0
            except FabricError as error:
                if not failures:
                    log.warning("No %s: %s", self.what, error)
                self.silent(error)
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1
