"""A session that goes on in another one: a named server with the same choices, started before the first one ends.

Its job waits in Slurm's queue like any other; when there is room it starts beside the first one, and else as soon as
that ends. Kernels' memory is not carried over: what is opened again are files.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol
from urllib.parse import quote
from weakref import WeakValueDictionary

import httpx

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Said, Text, WithTexts, sentences
from fabric_hub.messages.texts import service as texts
from fabric_hub.service.hub_api import message, options
from fabric_hub.sessions.names import next_name
from fabric_hub.sessions.status import standing
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import Phase, Snapshot
from fabric_hub.slurm.reasons import explain

from .stops import Stopping, Stops

log = logging.getLogger(__name__)

# A session that is to end when its successor is ready has so long to save what is open; it is looked at so often.
GRACE_S = 120.0
LOOK_S = 15.0


class Servers(Stopping, Protocol):
    """What JupyterHub is asked for; see :class:`~fabric_hub.service.hub_api.HubApi`."""

    async def servers(self, user: str) -> dict[str, dict[str, Any]] | None: ...
    async def start(self, user: str, server: str, options: dict[str, Any]) -> httpx.Response: ...


class Continued(WithTexts):
    """How the successor of a session fares. ``url`` is where it is opened; it waits there while it starts."""

    server_name: str
    url: str
    state: str
    session: str | None
    text: Said
    reopen: tuple[str, ...]


class Continuation:
    """Starts successors, one at a time for each session, and ends the sessions that were to end then.

    :param hub: JupyterHub's own API.
    """

    def __init__(self, settings: Settings, store: SessionStore, hub: Servers) -> None:
        self._settings, self._store, self._hub = settings, store, hub
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._stops = Stops(store, hub)

    def find(self, session: Session) -> Session | None:
        """The live successor of a session."""
        return self._store.successor(session.id)

    async def start(
        self, session: Session, reopen: tuple[str, ...], snapshot: Snapshot | None, *, end_this: bool = False
    ) -> Continued:
        """Start the successor of a session, unless it has one: asking again tells how that fares.

        :param end_this: the session ends when its successor is ready; the last word on it counts.

        :raises FabricError: the hub refuses it, in the hub's own words, or does not answer.
        """
        lock = self._locks.setdefault(session.id, asyncio.Lock())
        async with lock:
            found = self._store.successor(session.id)
            try:
                told = self.describe(found, snapshot) if found else await self._start(session, reopen, snapshot)
            except httpx.HTTPError as error:
                raise FabricError(texts.HUB_SILENT()) from error
            self._store.update(session.id, ends_when_followed=end_this)
            return told

    async def _start(self, session: Session, reopen: tuple[str, ...], snapshot: Snapshot | None) -> Continued:
        taken = {session.server_name, *(await self._hub.servers(session.user) or {})}
        name = next_name(session.server_name, taken)
        self._store.prepare_successor(session, name, reopen)
        try:
            answer = await self._hub.start(session.user, name, options(session))
        except httpx.HTTPError:
            self._store.forget_successor(session.id)
            raise
        if answer.status_code >= 400:
            self._store.forget_successor(session.id)
            raise FabricError(
                message(answer),
                reason=texts.CONTINUE_ELSE.label,
                hint=texts.CONTINUE_ELSE(),
                status=503 if answer.status_code in (429, 502, 503, 504) else 409,
            )
        found = self._store.successor(session.id)
        if found is not None:
            return self.describe(found, snapshot)
        return self._described(session.user, name, "starting", None, texts.SUCCESSOR_BEGINS(name=name), reopen)

    def end(self, session: Session, snapshot: Snapshot | None) -> Continued:
        """End a session whose successor is ready; returns how that one fares.

        :raises FabricError: reason ``no-successor`` (404), ``not-ready`` (409).
        """
        found = self._store.successor(session.id)
        if found is None:
            raise FabricError(texts.NO_SUCCESSOR())
        if found.ready_at is None:
            raise FabricError(texts.SUCCESSOR_NOT_READY(name=found.server_name))
        self._end(session, found)
        return self.describe(found, snapshot)

    async def run(self) -> None:
        """Until cancelled: end the sessions that are to end, also those whose pages were closed meanwhile."""
        while True:
            try:
                for session, successor in self._store.followed(time.time() - GRACE_S):
                    self._end(session, successor)
            except FabricError as error:  # the record cannot be read or written: it is looked at again
                log.warning("Sessions that go on in others are ended later: %s", error)
            await asyncio.sleep(LOOK_S)

    def _end(self, session: Session, successor: Session) -> None:
        self._stops.end(session, reason="continued", text=texts.CONTINUED_IN(name=successor.server_name))

    async def close(self) -> None:
        """Let stops that have begun reach the hub."""
        await self._stops.close()

    def describe(self, successor: Session, snapshot: Snapshot | None) -> Continued:
        """How a successor fares, by its record and Slurm's word on its job."""
        ready, name = successor.ready_at is not None, successor.server_name
        job = standing(successor, snapshot).job
        if ready:
            text = texts.SUCCESSOR_READY(name=name)
        elif job is not None and job.phase is Phase.QUEUED:
            text = sentences(texts.SUCCESSOR_WAITS(name=name), explain(job, snapshot))
        else:
            text = texts.SUCCESSOR_STARTS(name=name)
        state = "ready" if ready else "starting"
        return self._described(successor.user, name, state, successor.id, text, successor.reopen or ())

    def _described(
        self, user: str, name: str, state: str, session: str | None, text: Text, reopen: tuple[str, ...]
    ) -> Continued:
        page = f"{self._settings.hub.pages_url}/hub/spawn-pending/{quote(user, safe='')}/{quote(name, safe='')}"
        return Continued(
            server_name=name,
            url=page,
            state=state,
            session=session,
            # first how it fares: a notification shows no more than the first words
            text=sentences(text, texts.NOT_CARRIED_FILES(n=len(reopen)) if reopen else texts.NOT_CARRIED()),
            reopen=reopen,
        )
