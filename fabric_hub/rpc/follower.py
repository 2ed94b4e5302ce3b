"""The asking side of a long poll: the latest value of a daemon's feed, shared by everybody in a process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text, whole

from .feed_value import FeedValue

log = logging.getLogger(__name__)

T = TypeVar("T", bound=FeedValue)
T_co = TypeVar("T_co", bound=FeedValue, covariant=True)

LONG_POLL_S = 25.0
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class Asks(Protocol[T_co]):
    """A daemon's verb that answers with its feed's value, as :meth:`fabric_hub.rpc.feed.Feed.read` does."""

    async def __call__(self, after: int | None, wait_s: float, fresh: float | None) -> T_co: ...


class Follower(Generic[T]):
    """Keeps the latest value by one long poll, from the first :meth:`follow` until :meth:`stop`, while it is wanted.

    When the daemon itself does not answer, the last value stays, marked as unavailable since the first failure: to
    everyone above this is the same as a source that does not answer the daemon.

    :param what: the value's name in the log.
    :param asks: the daemon's verb.
    :param empty: what is known of a daemon that has never answered: a value without content.
    :param wanted: whether somebody still needs it.
    """

    def __init__(self, what: str, asks: Asks[T], empty: T, wanted: Callable[[], bool] = lambda: True) -> None:
        self._what, self._asks, self._empty, self._wanted = what, asks, empty, wanted
        self.value: T | None = None  # None: the daemon has neither answered nor failed yet
        self.answered = False  # whether the daemon has answered at all
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def follow(self) -> None:
        """Make sure the long poll runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"fabric-{self._what}-follower")

    async def stop(self) -> None:
        """End the long poll."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def current(self, patience_s: float = 1.0) -> T | None:
        """The latest value; right after a start, waits so many seconds for the first answer or failure."""
        self.follow()
        if self.value is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self.changed()
        return self.value

    async def changed(self) -> None:
        """Wait for the next change of the value."""
        event = self._changed
        self.follow()
        await event.wait()

    async def changes(self) -> AsyncIterator[T | None]:
        """The value now, and again at every change."""
        while True:
            event = self._changed
            self.follow()
            yield self.value
            await event.wait()

    def look_again(self) -> None:
        """Let all who follow look again: something else has changed that they tell together with the value."""
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    async def fresh(self, since: float) -> T:
        """A value that the source was asked for at or after ``since`` (Unix seconds), within the daemon's rate.

        :raises FabricError: the daemon does not answer.
        """
        if self.value and self.value.asked_at and self.value.asked_at >= since:
            return self.value
        return self._keep(await self._asks(None, LONG_POLL_S, since))

    async def glance(self) -> T | None:
        """The value as the daemon has it at this moment. It is not followed for that, and its source is not asked."""
        if self._task is None or self._task.done():
            try:
                self._keep(await self._asks(None, 0.0, None))
            except FabricError as error:
                self._fail(whole(error))
        return self.value

    async def _run(self) -> None:
        failures = 0
        while self._wanted():
            try:
                # without an answer, or after a failure (the daemon may be a new one): whatever there is, at once
                after = None if failures or not self.value else self.value.serial
                self._keep(await self._asks(after, 0.0 if after is None else LONG_POLL_S, None))
                failures = 0
            except FabricError as error:
                if not failures:
                    log.warning("No %s: %s", self._what, error)
                self._fail(whole(error))
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1

    def _keep(self, value: T) -> T:
        known, self.value, self.answered = self.value, value, True
        # with the same serial only its times are newer
        if known is None or (known.serial, known.unavailable_since) != (value.serial, value.unavailable_since):
            self.look_again()
        return value

    def _fail(self, problem: Text) -> None:
        known = self.value or self._empty.model_copy(update={"now": time.time()})
        marked = known.unavailable(problem, time.time())
        if not marked.same_as(known):
            self.value = marked
            self.look_again()
