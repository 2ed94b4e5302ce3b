"""The one account of usage, as the service keeps it in memory: Slurm's limits and jobs, history, and storage.

Limits and jobs come with long polls to the gateway. History is read from our own database now and then; storage is
asked of the gateway for those who look, and for those with a session, each at most every few minutes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from ..accounts import unix_name
from ..errors import FabricError
from ..model import Job, Snapshot
from ..quotas.account import balance
from ..quotas.told import Balance, DayUse, StorageUse, Usage
from ..settings import Settings
from ..slurm.limits import Association, Limits

log = logging.getLogger("fabric_hub.usage")

TREND_DAYS = 28
HISTORY_EVERY_S = 300.0
STORAGE_EVERY_S = 300.0
# Summing up the jobs of a large account takes milliseconds: what it gave holds for everybody for a moment.
HOLDS_S = 5.0
# Who has not looked for so long is asked of no file system.
INTEREST_S = 900.0


class Latest(Protocol):
    @property
    def snapshot(self) -> Snapshot | None: ...


class LatestLimits(Protocol):
    @property
    def limits(self) -> Limits | None: ...


# (project, user or None for all) -> use by day, and a user's storage: thin edges, given by who makes this
Days = Callable[[str, str | None, int], Iterable[DayUse]]
Storage = Callable[[str], Awaitable[tuple[StorageUse, ...]]]


class _Index:
    """Jobs and associations by account and user, made once for each snapshot."""

    def __init__(self, limits: Limits, snapshot: Snapshot | None) -> None:
        self.limits, self.snapshot = limits, snapshot
        self.bare = limits.model_copy(update={"associations": ()})
        self.associations: dict[tuple[str, str], list[Association]] = defaultdict(list)
        self.jobs: dict[tuple[str, str], list[Job]] = defaultdict(list)
        for association in limits.associations:
            self.associations[association.account, association.user].append(association)
        for job in snapshot.jobs if snapshot else ():
            self.jobs[job.account, job.user].append(job)

    def of_user(self, account: str, user: str, now: float) -> Balance | None:
        """A user's own balance, without the limits of the account."""
        own = self.associations.get((account, user))
        if not own:
            return None
        limits = self.bare.model_copy(update={"associations": tuple(own)})
        jobs = Snapshot(jobs=()).model_copy(update={"jobs": tuple(self.jobs.get((account, user), ()))})
        return balance(limits, jobs, account, user, now=now)


class UsageDesk:
    """Implements :class:`~fabric_hub.quotas.told.Source`.

    :param days: the history.
    :param storage: asks the file systems, or None where there is nobody to ask.
    """

    def __init__(
        self, settings: Settings, limits: LatestLimits, latest: Latest, days: Days, storage: Storage | None
    ) -> None:
        self._settings, self._limits, self._latest = settings, limits, latest
        self._days, self._ask_storage = days, storage
        self._index: _Index | None = None
        self._accounts: dict[str, tuple[float, Balance | None]] = {}
        self._trends: dict[tuple[str, str | None], tuple[float, tuple[DayUse, ...]]] = {}
        self._storage: dict[str, tuple[StorageUse, ...]] = {}
        self._looked: dict[str, float] = {}
        self._asked: dict[str, float] = {}

    # -- what people ask, from memory

    def limits(self) -> Limits | None:
        return self._limits.limits if self._settings.slurm is not None else None

    def usage(self, project: str, user: str) -> Usage:
        limits, now = self._limits.limits, time.time()
        account = self._settings.project[project].account if project in self._settings.project else ""
        if limits is None:
            return Usage(problem="" if self._settings.slurm is None else "Slurm's limits are not known yet.")
        index = self._indexed(limits)
        whole = self._of_account(index, account, now)
        own = index.of_user(account, unix_name(self._settings.users, user), now) if user else None
        if own and whole and whole.left is not None and (own.left is None or whole.left < own.left):
            own = own.model_copy(update={"left": whole.left, "limited_by": whole.limited_by})
        return Usage(
            project=whole,
            user=own,
            age_s=None if limits.at is None else max(0.0, now - limits.at),
            silent_since=limits.silent_since,
            problem=limits.problem,
        )

    def trend(self, project: str, user: str | None = None) -> tuple[DayUse, ...]:
        kept = self._trends.get((project, user))
        if kept is None or time.time() - kept[0] > HISTORY_EVERY_S:
            kept = time.time(), tuple(self._days(project, user, TREND_DAYS))
            self._trends[project, user] = kept
        return kept[1]

    def storage(self, user: str) -> tuple[StorageUse, ...]:
        self._looked[user] = time.time()
        return self._storage.get(user, ())

    def _indexed(self, limits: Limits) -> _Index:
        snapshot = self._latest.snapshot
        if self._index is None or self._index.limits is not limits or self._index.snapshot is not snapshot:
            self._index = _Index(limits, snapshot)
        return self._index

    def _of_account(self, index: _Index, account: str, now: float) -> Balance | None:
        kept = self._accounts.get(account)
        if kept is None or now - kept[0] > HOLDS_S:
            kept = now, balance(index.limits, index.snapshot, account, now=now)
            self._accounts[account] = kept
        return kept[1]

    # -- what is asked of file systems

    async def run(self) -> None:
        """Keep the storage of those who look up to date; until cancelled."""
        while self._ask_storage is not None:
            now = time.time()
            self._looked = {user: at for user, at in self._looked.items() if now - at < INTEREST_S}
            for user in [user for user in self._looked if now - self._asked.get(user, 0.0) >= STORAGE_EVERY_S]:
                self._asked[user] = now
                try:
                    self._storage[user] = await self._ask_storage(user)
                except FabricError as error:
                    log.warning("No word on the storage of %s: %s", user, error)
            await asyncio.sleep(1.0)
