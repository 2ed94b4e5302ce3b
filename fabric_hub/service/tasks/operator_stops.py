"""Carries out orders to end sessions: each when it is due, those that fell due meanwhile after a restart.

Operators give them, and the hub itself where somebody has left the project (:mod:`.leaving`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Protocol

from fabric_hub.errors import FabricError
from fabric_hub.sessions.stops import StopBook
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import CancelRequest

from .stops import Stopping, Stops

log = logging.getLogger(__name__)

# How often orders are looked at: a question to our own database.
LOOK_S = 2.0
# why such a session ended, on its record
REASON, REASON_LEFT = "operator", "left"


class Cancelling(Protocol):
    """What the gateway is asked for; see :class:`~fabric_hub.gateway.client.GatewayClient`."""

    async def cancel(self, request: CancelRequest) -> None: ...


class OperatorStops:
    """Ends the sessions whose time an operator has set.

    :param hub: JupyterHub's own API.
    :param gateway: ends jobs; None where there is no Slurm.
    """

    def __init__(self, book: StopBook, store: SessionStore, hub: Stopping, gateway: Cancelling | None = None) -> None:
        self._book, self._store, self._gateway = book, store, gateway
        self._stops = Stops(store, hub)
        self._cancelling: set[asyncio.Task[None]] = set()

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
            if self._gateway is not None:
                task = asyncio.create_task(self._cancel(self._gateway, session), name=f"cancel {session.id}")
                self._cancelling.add(task)
                task.add_done_callback(self._cancelling.discard)

    @staticmethod
    async def _cancel(gateway: Cancelling, session: Session) -> None:
        """End its job and those of its clusters. A hub that polls in this moment finds the session over on record and
        has nothing to stop; the reconciler ends what is left, half a minute later."""
        try:
            await gateway.cancel(CancelRequest(session=session.id, user=session.user, why="operator"))
        except FabricError as error:
            log.warning("The job of session %s is to be ended later: %s", session.id, error)

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
        await asyncio.gather(*self._cancelling, return_exceptions=True)
