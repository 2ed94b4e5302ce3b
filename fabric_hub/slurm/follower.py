"""The hub's view of Slurm: one long poll to the gateway, shared by every spawner."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Protocol

from ..errors import FabricError
from ..model import Snapshot

log = logging.getLogger("fabric_hub.follower")

LONG_POLL_S = 25.0
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class SnapshotSource(Protocol):
    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot: ...


class SnapshotFollower:
    """Keeps the latest snapshot while ``wanted()`` says that somebody needs it.

    When the gateway itself does not answer, the last snapshot stays, marked silent
    since the first failure: to everyone above this is the same as a silent Slurm.
    """

    def __init__(self, source: SnapshotSource, wanted: Callable[[], bool]) -> None:
        self.snapshot: Snapshot | None = None
        self._source = source
        self._wanted = wanted
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """Make sure the long poll runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="fabric-snapshot-follower")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

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

    async def fresh(self, since: float) -> Snapshot:
        """A snapshot no older than ``since`` (Unix seconds), within the watcher's rate.

        :raises FabricError: the gateway does not answer.
        """
        if self.snapshot and self.snapshot.jobs_at and self.snapshot.jobs_at >= since:
            return self.snapshot
        self._take(await self._source.snapshot(fresh=since, wait_s=LONG_POLL_S))
        assert self.snapshot is not None
        return self.snapshot

    async def _run(self) -> None:
        failures = 0
        while self._wanted():
            try:
                # without a snapshot, or after a failure (the gateway may be a new one): whatever there is, at once
                after = self.snapshot.serial if self.snapshot and not failures else None
                self._take(await self._source.snapshot(after, LONG_POLL_S if after is not None else 0.0))
                failures = 0
            except FabricError as error:
                if not failures:
                    log.warning("No snapshot: %s", error)
                self._silent(str(error))
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1

    def _silent(self, problem: str) -> None:
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
        event, self._changed = self._changed, asyncio.Event()
        event.set()
