"""Time that nobody waits for: where all tasks of a loop sleep, its clock goes on to the next that wakes."""

from __future__ import annotations

import asyncio
import time
from selectors import SelectorKey

import pytest


class SkippedTime:
    """The clocks of the running loop and of the test, which agree.

    For code that waits in the loop only: what a thread or a process does takes no time by these clocks.

    :param patch: puts the loop's own clock back.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._skipped_s = 0.0
        loop = asyncio.get_running_loop()
        selector = loop._selector  # type: ignore[attr-defined]
        self._select = selector.select
        patch.setattr(selector, "select", self._next)
        patch.setattr(loop, "time", self.monotonic)

    def monotonic(self) -> float:
        """In the place of :func:`time.monotonic`."""
        return time.monotonic() + self._skipped_s

    def wall(self) -> float:
        """In the place of :func:`time.time`."""
        return time.time() + self._skipped_s

    def _next(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """What the loop asks when it has nothing to do for ``timeout`` seconds; None: until something comes."""
        ready: list[tuple[SelectorKey, int]] = self._select(0 if timeout is not None else None)
        if not ready and timeout:
            self._skipped_s += timeout
        return ready
