"""Ends the sessions of people who have left their project, as an operator's stop ends one.

Who leaves is told, has open documents saved, and then the session ends with all that runs in its job, and the jobs of
its Dask clusters. It is an order like an operator's (:class:`~fabric_hub.sessions.stops.StopBook`): it outlives this
process, is shown at home, and is withdrawn if the person is back before it is due.

A project that is gone ends nobody here: projects end, they do not vanish, and a catalogue that was lost looks so.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.projects.live import are_known
from fabric_hub.projects.membership import is_member
from fabric_hub.sessions.stops import LEFT, Stop, StopBook
from fabric_hub.sessions.store import Session, SessionStore

log = logging.getLogger(__name__)

# Between two looks: a question to our own database.
LOOK_S = 2.0
# From when somebody has left until their session ends, in seconds. The session asks for its end every 20 s, and a
# document has 15 s to be saved; all is to be over a minute after somebody was removed.
NOTICE_S = 38.0


class Orders(NamedTuple):
    """What is to be done: the sessions to end, each with the notice, and those whose order is to be withdrawn."""

    ending: tuple[tuple[Session, float], ...]
    back: tuple[Session, ...]


def has_left(settings: Settings, session: Session) -> bool:
    """Whether a session's person is no longer in its project, which is there. Pure."""
    project = settings.project.get(session.project)
    return project is not None and are_known(settings) and not is_member(project, session.user)


def orders(settings: Settings, live: Iterable[Session], standing: Mapping[str, Stop], now: float) -> Orders:
    """What is to be ordered and withdrawn. Pure.

    :param live: the sessions that are not over.
    :param standing: the orders that stand, by session.
    """
    ending, back = [], []
    for session in live:
        stop = standing.get(session.id)
        notice = NOTICE_S if session.began_at is not None or session.ready_at is not None else 0.0
        if not has_left(settings, session):
            if stop is not None and stop.by_leaving:
                back.append(session)
        # an operator's order that comes sooner stays
        elif stop is None or (not stop.by_leaving and stop.due_at > now + notice):
            ending.append((session, notice))
    return Orders(tuple(ending), tuple(back))


class Leaving:
    """Gives the orders; :class:`~fabric_hub.service.tasks.operator_stops.OperatorStops` carries them out."""

    def __init__(self, settings: Settings, book: StopBook, store: SessionStore) -> None:
        self._settings, self._book, self._store = settings, book, store

    def look(self, now: float) -> None:
        """Once.

        :raises FabricError: the record cannot be read or written; the next look does what is left.
        """
        live = self._store.live_all()
        ending, back = orders(self._settings, live, self._book.of(session.id for session in live), now)
        for session, notice in ending:
            self._book.order(session.id, LEFT, session.project, notice, now)
            log.info("Session %s of %s ends in %.0f s: they left %s", session.id, session.user, notice, session.project)
        for session in back:
            self._book.withdraw(session.id, LEFT, now)
            log.info("Session %s of %s goes on: they are in %s again", session.id, session.user, session.project)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                self.look(time.time())
            except FabricError as error:
                log.warning("Sessions of people who left a project are ended later: %s", error)
            await asyncio.sleep(LOOK_S)
