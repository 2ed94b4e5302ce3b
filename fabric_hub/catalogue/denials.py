"""Refusals at the hub's door in the audit log: each once a minute, and never so many that they fill the disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from .audit.log import Entry
from .rate_limit import RateLimit

log = logging.getLogger(__name__)

SAME_DENIAL_S = 60.0  # who repeats a refused start fills no disk
# Nor does a session's code that tries one made-up name after the other: so many at once of a user, then so often (1/s).
DENIALS_AT_ONCE, DENIALS_PER_S = 50, 0.1
# And of all users together, whose names are the hub's word.
ALL_AT_ONCE, ALL_PER_S = 2000, 5.0


class Denials:
    """Puts refusals on record.

    :param record: appends an entry to the audit log.
    """

    def __init__(self, record: Callable[[Entry], Awaitable[None]]) -> None:
        self._record = record
        self._denied: dict[tuple[str | None, ...], float] = {}
        self._denials, self._all = RateLimit(DENIALS_AT_ONCE, DENIALS_PER_S), RateLimit(ALL_AT_ONCE, ALL_PER_S)
        self._too_many: set[str] = set()  # users of whom the audit log says already that not every refusal is in it

    async def denied(self, entry: Entry) -> None:
        """Put a refusal on record; the same one within a minute counts once."""
        user, now = entry.user or "", time.monotonic()
        key = (user, entry.project, entry.dataset, entry.why, entry.after)
        self._denied = {one: at for one, at in self._denied.items() if now - at < SAME_DENIAL_S}
        if key in self._denied:
            return
        if (whose := self._flooding(user, now)) is not None:
            if whose not in self._too_many:
                self._too_many.add(whose)
                log.warning("%s is refused so often that not every refusal is recorded", whose or "Everybody")
                words = "refused so often that not every refusal is recorded"
                await self._record(Entry(event=entry.event, user=whose or None, why=words))
            return
        self._too_many -= {"", user}
        await self._record(entry)
        self._denied[key] = now

    def _flooding(self, user: str, now: float) -> str | None:
        """Whose refusals are too many to record them all: the user's, or ("") all users' together; None is nobody's."""
        if not self._all.take("", now):
            return ""
        return None if self._denials.take(user, now) else user
