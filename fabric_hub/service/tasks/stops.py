"""Sessions that the service ends by itself: over on record at once, then stopped by the hub."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

import httpx

from fabric_hub.messages.text import Text
from fabric_hub.sessions.store import Session, SessionStore

log = logging.getLogger(__name__)


class Stopping(Protocol):
    """What JupyterHub is asked for; see :class:`~fabric_hub.service.hub_api.HubApi`."""

    async def stop(self, user: str, server: str) -> httpx.Response: ...


class Stops:
    """Ends sessions, and remembers which stops are under way.

    :param hub: JupyterHub's own API.
    """

    def __init__(self, store: SessionStore, hub: Stopping) -> None:
        self._store, self._hub = store, hub
        self._under_way: set[asyncio.Task[None]] = set()

    def end(self, session: Session, *, reason: str, text: Text, returned: float | None = None) -> None:
        """End a session, and say why; ``returned`` are the GPU-hours that it gives back.

        :raises FabricError: the record cannot be written; then nothing was ended.
        """
        self._store.end(session.id, reason=reason, text=text, returned=returned)
        log.info("Session %s of %s: %s", session.id, session.user, text)
        task = asyncio.create_task(self._stop(session), name=f"stop {session.id}, {reason}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _stop(self, session: Session) -> None:
        # it is over on record: should this fail, the reconciler ends its job, and the hub notices at its next poll
        try:
            answer = await self._hub.stop(session.user, session.server_name)
            if answer.status_code >= 400:
                log.warning("Session %s is over and not stopped by the hub: HTTP %s", session.id, answer.status_code)
        except httpx.HTTPError as error:
            log.warning("Session %s is over and is to be stopped later: %s", session.id, error)

    async def close(self) -> None:
        """Let stops that have begun reach the hub."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
