"""Takes people out of what is over, when the time is over that the site keeps it with them; once an hour."""

from __future__ import annotations

import asyncio
import logging
import time

import sqlalchemy as sa

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.privacy.retention import forget_old

log = logging.getLogger(__name__)

FIRST_S, EVERY_S = 60.0, 3600.0


class RetentionTask:
    """Runs in the service.

    :param engine: of the record of sessions.
    """

    def __init__(self, settings: Settings, engine: sa.Engine) -> None:
        self._settings, self._engine = settings, engine

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(FIRST_S)  # what starts has more to do
        while True:
            try:
                await asyncio.to_thread(self.forget)
            except FabricError as error:
                log.warning("People stay in what is over for an hour more: %s", error)
            await asyncio.sleep(EVERY_S)

    def forget(self) -> int:
        """Do it once; how many records changed or went.

        :raises FabricError: the record cannot be used.
        """
        n = forget_old(self._engine, time.time(), self._settings.privacy.keep_days)
        if n:
            log.info("%d records are on record without their person, or gone, now that their time is over", n)
        return n
