"""Who follows starts: how many at a time, and that what is done for one of them ends with their connection."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.messages.texts.waiting import TOO_MANY_STREAMS

# A browser follows a start once, in however many tabs; this is for several browsers, and for programs.
MOST = 10

# Set, in what is done for a request, once whoever asked has left.
left: ContextVar[asyncio.Event | None] = ContextVar("fabric_watcher_left", default=None)


class Watchers:
    """Counts the connections that follow starts, by who asks and whose session it is."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._open: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def one_more(self, caller: str, owner: str) -> Iterator[None]:
        """Hold a place while a connection is open.

        :raises RefusedRequestError: the caller has as many as they may have.
        """
        key = caller, owner
        if self._open[key] >= self._most:
            raise RefusedRequestError(TOO_MANY_STREAMS(n=self._most))
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    def of(self, caller: str, owner: str) -> int:
        """How many connections of this caller's follow starts of this person's now."""
        return self._open[caller, owner]
