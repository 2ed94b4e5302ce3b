"""The hub's view of the catalogue: one long poll to the keeper, shared by everybody."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Protocol

from ..errors import FabricError
from .model import Catalogue

log = logging.getLogger("fabric_hub.catalogue")

LONG_POLL_S = 25.0
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class CatalogueSource(Protocol):
    async def catalogue(self, after: int | None = None, wait_s: float = 0.0) -> Catalogue: ...


class CatalogueFollower:
    """Keeps the latest catalogue from the first :meth:`follow` until :meth:`stop`.

    When the keeper does not answer, the last catalogue stays, and ``silent_since`` (Unix seconds) and
    ``problem`` say so: what is shown may be out of date, and what is used is decided on the nodes anyway.
    """

    def __init__(self, source: CatalogueSource) -> None:
        self.catalogue: Catalogue | None = None
        self.silent_since: float | None = None
        self.problem = ""
        self._source = source
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """Make sure the long poll runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="fabric-catalogue-follower")

    async def stop(self) -> None:
        """End the long poll."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def changed(self) -> None:
        """Wait for the next change of the catalogue."""
        event = self._changed
        self.follow()
        await event.wait()

    async def fresh(self) -> Catalogue:
        """The catalogue as the keeper has it now.

        :raises FabricError: the keeper does not answer.
        """
        self._take(await self._source.catalogue())
        assert self.catalogue is not None
        return self.catalogue

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                # without a catalogue, or after a failure (the keeper may be a new one): whatever there is, at once
                after = self.catalogue.serial if self.catalogue and not failures else None
                self._take(await self._source.catalogue(after, LONG_POLL_S if after is not None else 0.0))
                failures = 0
            except FabricError as error:
                if not failures:
                    log.warning("No catalogue: %s", error)
                self.silent_since = self.silent_since or time.time()
                self.problem = error.message
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1

    def _take(self, catalogue: Catalogue) -> None:
        old, self.catalogue = self.catalogue, catalogue
        self.silent_since, self.problem = None, ""
        if old is None or old.serial != catalogue.serial:
            event, self._changed = self._changed, asyncio.Event()
            event.set()
