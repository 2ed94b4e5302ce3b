"""The one account of usage, as the service keeps it in memory: Slurm's limits and jobs, history, and storage.

Limits and jobs come with long polls to the gateway. History is read from our own database now and then; storage is
asked of the gateway for those who look, and for those with a session, each at most every few minutes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from fabric_hub.budgets.balance import balance
from fabric_hub.budgets.history import Charged
from fabric_hub.budgets.rates import days_by_scope
from fabric_hub.budgets.schemas import DayUse, StorageUse, Usage
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.choice import gpu_ways
from fabric_hub.messages.text import NOTHING
from fabric_hub.messages.texts import budgets as texts
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.limits.usage import UsageIndex, counted
from fabric_hub.slurm.model import Snapshot
from fabric_hub.unix.accounts import unix_name

log = logging.getLogger(__name__)

TREND_DAYS = 28
HISTORY_EVERY_S = 300.0
STORAGE_EVERY_S = 300.0
# Users whose storage is asked for at the same time; the gateway sees to it that none of a file system's own waits long.
STORAGE_AT_ONCE = 16
# Summing up all running jobs takes milliseconds: what it gave holds for everybody for a moment.
HOLDS_S = 5.0
# Who has not looked for so long is asked of no file system.
INTEREST_S = 900.0


T_co = TypeVar("T_co", covariant=True)


class Latest(Protocol[T_co]):
    """What is needed of a :class:`~fabric_hub.rpc.follower.Follower`."""

    @property
    def value(self) -> T_co | None: ...


# (project, user or None for all) -> use by day, and a user's storage: thin edges, given by who makes this
Days = Callable[[str, str | None, int], Iterable[DayUse]]
# days -> what was charged to all accounts and QOS
Charges = Callable[[int], Iterable[Charged]]
Storage = Callable[[str], Awaitable[tuple[StorageUse, ...]]]


class UsageService:
    """Implements :class:`~fabric_hub.budgets.schemas.Source`.

    :param days: the history.
    :param storage: asks the file systems, or None where there is nobody to ask.
    :param charges: the history of accounts and QOS; None: nothing is known of it.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Latest[Limits],
        latest: Latest[Snapshot],
        days: Days,
        storage: Storage | None,
        charges: Charges | None = None,
    ) -> None:
        self._settings, self._limits, self._latest = settings, limits, latest
        self._days, self._ask_storage, self._charges = days, storage, charges
        self._held: tuple[UsageIndex | None, float] = None, 0.0
        self._trends: dict[tuple[str, str | None], tuple[float, tuple[DayUse, ...]]] = {}
        self._charged: tuple[float, dict[str, tuple[DayUse, ...]]] | None = None
        self._storage: dict[str, tuple[StorageUse, ...]] = {}
        self._looked: dict[str, float] = {}
        self._asked: dict[str, float] = {}

    # -- what people ask, from memory

    def limits(self) -> Limits | None:
        return self._limits.value if self._settings.slurm is not None else None

    def usage(self, project: str, user: str) -> Usage:
        limits, snapshot, now = self._limits.value, self._latest.value, time.time()
        if limits is None:
            return Usage(problem=NOTHING if self._settings.slurm is None else texts.LIMITS_NOT_KNOWN())
        known = self._settings.project.get(project)
        whole = own = None
        if known is not None:
            at, ways = self._moment(counted(limits, snapshot), now), gpu_ways(self._settings, known)
            whole = balance(limits, snapshot, known.account, now=at, ways=ways)
            if user:
                own = balance(limits, snapshot, known.account, unix_name(self._settings.users, user), now=at, ways=ways)
        return Usage(
            project=whole,
            # the project's balance tells whose limits are above
            user=own.model_copy(update={"above": ()}) if own else None,
            age_s=None if limits.at is None else max(0.0, now - limits.at),
            unavailable_since=limits.unavailable_since,
            problem=limits.problem,
        )

    def trend(self, project: str, user: str | None = None) -> tuple[DayUse, ...]:
        kept = self._trends.get((project, user))
        if kept is None or time.time() - kept[0] > HISTORY_EVERY_S:
            kept = time.time(), tuple(self._days(project, user, TREND_DAYS))
            self._trends[project, user] = kept
        return kept[1]

    def charged(self, holder: str) -> tuple[DayUse, ...]:
        kept, limits = self._charged, self._limits.value
        if limits is None or self._charges is None:
            return ()
        if kept is None or time.time() - kept[0] > HISTORY_EVERY_S:
            kept = self._charged = time.time(), days_by_scope(limits, self._charges(TREND_DAYS))
        return kept[1].get(holder, ())

    def storage(self, user: str) -> tuple[StorageUse, ...]:
        self._looked[user] = time.time()
        return self._storage.get(user, ())

    def _moment(self, book: UsageIndex, now: float) -> float:
        """The moment that balances are told of: one for all who ask within a few seconds, summed up once."""
        held, at = self._held
        if held is not book or now - at > HOLDS_S:
            self._held = book, now
        return self._held[1]

    # -- what is asked of file systems

    async def run(self) -> None:
        """Keep the storage of those who look up to date; until cancelled."""
        places = asyncio.Semaphore(STORAGE_AT_ONCE)
        async with asyncio.TaskGroup() as asking:
            while self._ask_storage is not None:
                now = time.time()
                # a copy: budgets are reviewed in a thread of their own, which looks meanwhile
                for user, at in self._looked.copy().items():
                    if now - at >= INTEREST_S:
                        self._looked.pop(user, None)
                        continue
                    if now - self._asked.get(user, 0.0) < STORAGE_EVERY_S:
                        continue
                    await places.acquire()
                    self._asked[user] = time.time()
                    asking.create_task(self._ask(self._ask_storage, user)).add_done_callback(lambda _: places.release())
                await asyncio.sleep(1.0)

    async def _ask(self, storage: Storage, user: str) -> None:
        try:
            self._storage[user] = await storage(user)
        except FabricError as error:
            log.warning("No word on the storage of %s: %s", user, error)
