"""The hub's view of Slurm: one long poll to the gateway, shared by every spawner."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from fabric_hub.errors import FabricError
from fabric_hub.rpc.follower import LONG_POLL_S, LongPoll
from fabric_hub.slurm.model import Snapshot


class SnapshotSource(Protocol):
    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot: ...


class SnapshotFollower(LongPoll):
    """Keeps the latest snapshot while ``wanted()`` says that somebody needs it.

    When the gateway itself does not answer, the last snapshot stays, marked silent
    since the first failure: to everyone above this is the same as a silent Slurm.
    """

    what = "snapshot"

    def __init__(self, source: SnapshotSource, wanted: Callable[[], bool]) -> None:
        super().__init__()
        self.snapshot: Snapshot | None = None
        self._source = source
        self._wanted = wanted
        self._changed = asyncio.Event()

    def wanted(self) -> bool:
        return self._wanted()

    async def changed(self) -> None:
        """Wait for the next change of the snapshot."""
        self.follow()
        await self._changed.wait()

    async def changes(self) -> AsyncIterator[Snapshot | None]:
        """The snapshot now, and again at every change."""
        while True:
            event = self._changed
            self.follow()
            yield self.snapshot
            await event.wait()

    def look_again(self) -> None:
        """Let all who follow look again: something else has changed that they tell together with the snapshot."""
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    async def fresh(self, since: float) -> Snapshot:
        """A snapshot no older than ``since`` (Unix seconds), within the watcher's rate.

        :raises FabricError: the gateway does not answer.
        """
        if self.snapshot and self.snapshot.jobs_at and self.snapshot.jobs_at >= since:
            return self.snapshot
        self._take(await self._source.snapshot(fresh=since, wait_s=LONG_POLL_S))
        assert self.snapshot is not None
        return self.snapshot

    async def ask(self, after: int | None, wait_s: float) -> None:
        self._take(await self._source.snapshot(after, wait_s))

    def serial(self) -> int | None:
        return self.snapshot.serial if self.snapshot else None

    def silent(self, error: FabricError) -> None:
        problem = str(error)
        last = self.snapshot or Snapshot(now=time.time())
        if last.silent_since is None or last.problem != problem:
            self._publish(
                last.model_copy(update={"silent_since": last.silent_since or time.time(), "problem": problem})
            )

    def _take(self, snapshot: Snapshot) -> None:
        old = self.snapshot
        if old is not None and old.serial == snapshot.serial and old.silent_since == snapshot.silent_since:
            self.snapshot = snapshot  # same content, newer times
            return
        self._publish(snapshot)

    def _publish(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.look_again()
