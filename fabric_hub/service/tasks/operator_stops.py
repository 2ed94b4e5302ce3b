"""Carries out orders to end sessions: each when it is due, those that fell due meanwhile after a restart.

Operators give them, and the hub itself where somebody has left the project (:mod:`.leaving`).
"""

from __future__ import annotations

import asyncio
import logging
import time

from fabric_hub.errors import FabricError
from fabric_hub.sessions.stops import StopBook
from fabric_hub.sessions.store import SessionStore

from .stops import Stopping, Stops

log = logging.getLogger(__name__)

# How often orders are looked at: a question to our own database.
LOOK_S = 2.0
# why such a session ended, on its record
REASON, REASON_LEFT = "operator", "left"


class OperatorStops:
    """Ends the sessions whose time an operator has set.

    :param hub: JupyterHub's own API.
    """

    def __init__(self, book: StopBook, store: SessionStore, hub: Stopping) -> None:
        self._book, self._store = book, store
        self._stops = Stops(store, hub)

    def carry_out(self, now: float) -> None:
        """End every session whose order is due.

        :raises FabricError: the record cannot be read or written; what was not ended is due still.
        """
        for stop in self._book.due(now):
            session = self._store.get(stop.session)
            if session is None or not session.live:
                continue
            log.info("Session %s of %s is ended: %s ordered it", session.id, session.user, stop.operator)
            self._stops.end(session, reason=REASON_LEFT if stop.by_leaving else REASON, text=stop.carried_out)

    async def run(self) -> None:
        """Carry out orders until cancelled."""
        while True:
            try:
                self.carry_out(time.time())
            except FabricError as error:
                log.warning("Sessions that operators end are ended later: %s", error)
            await asyncio.sleep(LOOK_S)

    async def close(self) -> None:
        """Let stops that have begun reach the hub."""
        await self._stops.close()
