"""The serving side of a long poll: the latest value of one source, and everybody who waits for another one.

One task asks the source at a pace of its own and publishes what it hears; readers get the latest value at once, or as
soon as it is what they wait for. While the source does not answer, the last value stays, marked so
(:class:`~.feed_value.FeedValue`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from fabric_hub.messages.text import Text

from .feed_value import FeedValue

T = TypeVar("T", bound=FeedValue)

# Who reads before the source was first asked waits this long for its answer, whatever they asked.
FIRST_S = 5.0


class Feed(Generic[T]):
    """Keeps the latest value, for the one task that publishes and any number of readers.

    Until something is published the source counts as unavailable. The serial goes on rising when the process starts
    anew, so that a reader who waits for another one is woken.

    :param empty: a value without any content, of the feed's type.
    :param problem: why there is no content yet.
    :param clock: monotonic seconds; ``wall``: Unix seconds.
    """

    def __init__(
        self,
        empty: T,
        problem: Text,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._clock, self._wall = clock, wall
        self.value: T = empty.unavailable(problem, wall()).model_copy(update={"serial": int(wall() * 1000)})
        self.asked_at = 0.0  # Unix seconds of the last question to the source, answered or not
        self._fresh = 0.0  # somebody waits for an answer asked at or after this
        self._read_at = clock()
        self._read = asyncio.Event()
        self._published = asyncio.Event()
        self._closing = False

    @property
    def latest(self) -> T:
        """What is known now; ``now`` is the time of this call."""
        return self.value.model_copy(update={"now": self._wall()})

    # -- readers

    async def read(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> T:
        """The value, now or as soon as it is what the caller waits for.

        :param after: wait for a serial other than this one.
        :param fresh: wait for an answer asked at or after this moment (Unix seconds), or for such a question to go
            unanswered. Comes before ``after``.
        :param wait_s: how long to wait at most, in seconds.
        """
        self._read_at = self._clock()
        if fresh is not None:
            fresh = min(fresh, self._wall())
            self._fresh = max(self._fresh, fresh)
        self._read.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s if self.asked_at else max(wait_s, FIRST_S)):
                while not self._closing and not self._is_due(after, fresh):
                    await self._published.wait()
        return self.latest

    def _is_due(self, after: int | None, fresh: float | None) -> bool:
        if not self.asked_at:
            return False  # the first question is under way
        if fresh is not None:
            return self.asked_at >= fresh
        return after is None or self.value.serial != after

    def close(self) -> None:
        """Let everyone who waits in :meth:`read` go, from now on."""
        self._closing = True
        self._wake_readers()

    # -- who asks the source

    @property
    def wants_fresh(self) -> bool:
        """Whether somebody waits for an answer to a question that is still to be asked."""
        return self._fresh > self.asked_at

    @property
    def unread_s(self) -> float:
        """Seconds since anybody last read."""
        return self._clock() - self._read_at

    async def pause(self, wait_s: float) -> None:
        """Wait so many seconds, or until somebody reads or :meth:`wake` is called."""
        self._read.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._read.wait()

    def wake(self) -> None:
        """End a :meth:`pause`."""
        self._read.set()

    def publish(self, value: T, asked_at: float | None = None) -> None:
        """Make this the latest value, with the next serial where its content is another.

        :param asked_at: when the question was asked that brought it (Unix seconds), if one did.
        """
        serial = self.value.serial + (0 if value.same_as(self.value) else 1)
        self.publish_numbered(value.model_copy(update={"serial": serial}), asked_at)

    def publish_numbered(self, value: T, asked_at: float | None = None) -> None:
        """Make this the latest value, with the serial that it has from its source."""
        self.value = value
        if asked_at is not None:
            self.asked_at = asked_at
        self._wake_readers()

    def unavailable(self, problem: Text, asked_at: float) -> None:
        """The source did not answer what it was asked at ``asked_at`` (Unix seconds); ``problem``: how."""
        self.publish(self.value.unavailable(problem, asked_at), asked_at)

    def _wake_readers(self) -> None:
        event, self._published = self._published, asyncio.Event()
        event.set()
