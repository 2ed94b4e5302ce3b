"""The hub's view of the catalogue: one long poll to the catalogue service, shared by everybody."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from fabric_hub.datasets.model import Catalogue
from fabric_hub.errors import FabricError
from fabric_hub.rpc.follower import LongPoll


class CatalogueSource(Protocol):
    async def catalogue(self, after: int | None = None, wait_s: float = 0.0) -> Catalogue: ...


class CatalogueFollower(LongPoll):
    """Keeps the latest catalogue from the first :meth:`follow` until :meth:`stop`.

    When the catalogue service does not answer, the last catalogue stays, and ``silent_since`` (Unix seconds) and
    ``problem`` say so: what is shown may be out of date, and what is used is decided on the nodes anyway.
    """

    what = "catalogue"

    def __init__(self, source: CatalogueSource) -> None:
        super().__init__()
        self.catalogue: Catalogue | None = None
        self.silent_since: float | None = None
        self.problem = ""
        self._source = source
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Wait for the next change of the catalogue."""
        event = self._changed
        self.follow()
        await event.wait()

    async def fresh(self) -> Catalogue:
        """The catalogue as the catalogue service has it now.

        :raises FabricError: the catalogue service does not answer.
        """
        self._take(await self._source.catalogue())
        assert self.catalogue is not None
        return self.catalogue

    async def ask(self, after: int | None, wait_s: float) -> None:
        self._take(await self._source.catalogue(after, wait_s))

    def serial(self) -> int | None:
        return self.catalogue.serial if self.catalogue else None

    def silent(self, error: FabricError) -> None:
        self.silent_since = self.silent_since or time.time()
        self.problem = error.message

    def _take(self, catalogue: Catalogue) -> None:
        old, self.catalogue = self.catalogue, catalogue
        self.silent_since, self.problem = None, ""
        if old is None or old.serial != catalogue.serial:
            event, self._changed = self._changed, asyncio.Event()
            event.set()
