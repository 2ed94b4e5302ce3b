"""Looks all the time at what people are to be told of, and puts it in the outbox: each fact makes one notice.

Nothing waits for it: what changes projects, ends sessions or answers requests knows nothing of notices.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from fabric_hub.budgets.schemas import Warned
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.policy import CatalogueView
from fabric_hub.errors import FabricError
from fabric_hub.notices import planning
from fabric_hub.notices.book import NoticeBook
from fabric_hub.notices.model import DAY_S, Channel, Kind, Notice, address_of, channels_of
from fabric_hub.projects.live import are_known
from fabric_hub.sessions.stops import Stop, StopBook
from fabric_hub.sessions.store import Session, SessionStore

log = logging.getLogger(__name__)

EVERY_S = 5.0
# Orders of operators and requests from longer ago are told nobody.
STOPS_S, REQUESTS_S = DAY_S, 400 * DAY_S


class Noticing:
    """Runs in the service.

    :param in_force: the warnings in force.
    :param catalogue: what is known of datasets; None: the site has none.
    """

    def __init__(
        self,
        settings: Settings,
        store: SessionStore,
        book: NoticeBook,
        in_force: Callable[[], tuple[Warned, ...]],
        catalogue: Callable[[], Awaitable[CatalogueView | None]] | None,
    ) -> None:
        self._settings, self._store, self._book = settings, store, book
        self._in_force, self._catalogue = in_force, catalogue
        self._stops = StopBook(store.engine)
        self._serial: int | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look(time.time())
            except FabricError as error:
                log.warning("What people are to be told is looked at later: %s", error)
            except Exception:  # a fault here ends no service that sessions need
                log.critical("What people are to be told is looked at later", exc_info=True)
            await asyncio.sleep(EVERY_S)

    async def look(self, now: float) -> int:
        """Look once; how many notices are new.

        :raises FabricError: the database cannot be used; what was not put down is found again.
        """
        found = await asyncio.to_thread(self._of_record, now)
        view = await self._catalogue() if self._catalogue else None
        if view is not None and view.catalogue is not None and view.catalogue.serial != self._serial:
            catalogue = view.catalogue
            found += await asyncio.to_thread(self._tell, planning.of_requests(catalogue), now)
            asked = await asyncio.to_thread(self._book.of_kind, Kind.ASKED, now - REQUESTS_S)
            found += await asyncio.to_thread(self._tell, planning.of_answers(asked, catalogue), now)
            self._serial = catalogue.serial
        return found

    def _of_record(self, now: float) -> int:
        found = self._tell(planning.of_stops(self._orders(now)), now)
        if are_known(self._settings):
            found += self._tell(planning.of_warnings(self._settings, self._in_force()), now)
            today = datetime.fromtimestamp(now).astimezone().date()
            found += self._tell(planning.of_dates(self._settings, self._book.dates(), today), now)
        return found

    def _tell(self, told: list[Notice], now: float) -> int:
        return self._book.tell(told, self._channels, now)

    def _channels(self, kind: Kind, person: str, wants_mail: bool) -> tuple[Channel, ...]:
        address = address_of(self._settings, person)
        return channels_of(self._settings, kind, wants_mail=wants_mail, address=address)

    def _orders(self, now: float) -> list[tuple[Stop, Session]]:
        orders = self._stops.since(now - STOPS_S)
        return [(stop, session) for stop in orders if (session := self._store.get(stop.session)) is not None]
