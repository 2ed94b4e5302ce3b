"""What months' sheets need beside Slurm's accounting: whether the site was ready, and which months are over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from fabric_hub.budgets.months import MonthBook
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.projects.live import are_known
from fabric_hub.service.readiness import Observed

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
CLOSE_EVERY_S = 3600.0


class MonthTasks:
    """Runs in the service.

    :param readiness: what was found now, or some seconds ago; it asks no Slurm.
    """

    def __init__(self, settings: Settings, book: MonthBook, readiness: Callable[[], Awaitable[Observed]]) -> None:
        self._settings, self._book, self._readiness = settings, book, readiness
        self._closed_at = float("-inf")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)  # what has just begun has its first minute
            try:
                await self.look()
                if time.monotonic() - self._closed_at >= CLOSE_EVERY_S:
                    self._closed_at = time.monotonic()
                    await asyncio.to_thread(self.close)
            except FabricError as error:
                log.warning("Nothing is noted for the month's sheet now: %s", error)

    async def look(self) -> None:
        """Note whether sessions have all that they need now.

        :raises FabricError: the record cannot be used.
        """
        observed = await self._readiness()
        await asyncio.to_thread(self._book.note_readiness, ready=observed.ready)

    def close(self) -> None:
        """Keep the sheets of months that are over, where nothing of them changes any more.

        :raises FabricError: the record cannot be used.
        """
        if not are_known(self._settings):  # whose projects they are would be missing for good
            return
        for month in self._book.open_months():
            self._book.close(self._settings, month)
