"""What the workers of a Dask cluster would cost: priced beside the event loop, one question of a session at a time."""

from __future__ import annotations

import asyncio
import os
import pwd
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.quote import Quote, QuoteInputs, QuoteRequest, quote
from fabric_hub.messages.texts import service as texts
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import Snapshot
from fabric_hub.unix.accounts import unix_name

from .budget_service import BudgetService

# As many workers as one scheduler can lead; also what a job array may hold by default (slurm.conf, MaxArraySize).
MOST_WORKERS = 1000
# Refusals that say how much of something is in use.
COUNTED = frozenset({"budget", "limit-account", "limit-qos"})
# Questions of one session that wait for its first; a page that asks anew while its user types has a few.
MOST_WAITING = 8


class BusyError(FabricError):
    """Too many questions at once; ``retry_after_s`` is when to ask again, in seconds."""

    retry_after_s = 1


class _Own:
    def __init__(self) -> None:
        self.lock, self.count = asyncio.Lock(), 0


class PerSessionLimiter:
    """Who has a question under way, and how many wait."""

    def __init__(self) -> None:
        self._of: dict[str, _Own] = {}

    @asynccontextmanager
    async def turn(self, session: str) -> AsyncIterator[None]:
        """Wait until the questions of a session that came before are answered.

        :raises BusyError: (429) too many wait already.
        """
        own = self._of.setdefault(session, _Own())
        if own.count > MOST_WAITING:
            raise BusyError(texts.QUESTIONS_WAIT(n=own.count))
        own.count += 1
        try:
            async with own.lock:
                yield
        finally:
            own.count -= 1
            if not own.count:
                self._of.pop(session, None)


class ClusterQuotes:
    """Prices workers by the latest snapshot and limits.

    :param latest: the latest snapshot, or None where there is no Slurm.
    :param budgets: where Slurm's limits and the project's GPU-hours are read, or None where nobody keeps count.
    """

    def __init__(
        self, settings: Settings, latest: Callable[[], Awaitable[Snapshot | None]], budgets: BudgetService | None
    ) -> None:
        self._settings, self._latest, self._budgets = settings, latest, budgets
        self._one_at_a_time, self._sessions = asyncio.Lock(), PerSessionLimiter()

    async def quote(self, session: Session, request: QuoteRequest) -> Quote:
        """What so many workers would cost, for one session.

        :raises FabricError: it may not have them (409), or asks too much at once (429).
        """
        if request.workers > MOST_WORKERS:
            raise FabricError(texts.TOO_MANY_WORKERS(workers=request.workers, most=MOST_WORKERS))
        budgets = self._budgets
        async with self._sessions.turn(session.id):
            try:
                return await self._priced(session, request, budgets.source.limits() if budgets else None)
            except FabricError as error:
                # a refusal by counts that are older than what they count would be wrong
                newer = await budgets.newer_limits() if budgets and error.reason in COUNTED else None
                if newer is None:
                    raise
                return await self._priced(session, request, newer)

    async def _priced(self, session: Session, request: QuoteRequest, limits: Limits | None) -> Quote:
        """Among all jobs of a large cluster this takes a while: beside the loop, and one at a time."""
        inputs = QuoteInputs(
            now=time.time(),
            snapshot=await self._latest(),
            limits=limits,
            balance=self._budgets.source.usage(session.project, session.user).project if self._budgets else None,
        )
        user = worker_account(self._settings, session) or pwd.getpwuid(os.geteuid()).pw_name
        today = datetime.now().astimezone().date()
        async with self._one_at_a_time:
            return await asyncio.to_thread(quote, self._settings, session, user, request, inputs, today)


def worker_account(settings: Settings, session: Session) -> str | None:
    """The Unix account of a session's workers; None: the one that all sessions share."""
    return None if settings.users.shared_account else unix_name(settings.users, session.user)
