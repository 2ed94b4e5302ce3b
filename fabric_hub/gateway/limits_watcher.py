"""Limits and their use, asked on a timer of their own, for everybody.

Single-flight, and out of the same budget of questions as jobs and nodes (:mod:`.rate_limit`): a round is two
questions to slurmctld; what seldom changes (who may use which QOS) is asked of Slurm's database every tenth time.
While Slurm is silent the last answer stays, marked as such.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Protocol

from fabric_hub.config.settings import SlurmSettings
from fabric_hub.gateway.queries.queries import Rules, Turn, UnavailableError
from fabric_hub.slurm import privacy
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.types import slurm_key

from . import rate_limit as pace

log = logging.getLogger(__name__)

# Who reads before the first answer waits this long for it.
_FIRST_S = 5.0
# Without a reader for this long, rounds are this much rarer.
_INTEREST_S = 600.0
_UNREAD = 5.0
# The rules are asked again after so many rounds.
_ROUNDS = 10


class AsksLimits(Protocol):
    """What the watcher needs of :class:`~fabric_hub.gateway.queries.queries.Queries`."""

    async def limits(self, turn: Turn) -> Limits: ...
    async def rules(self, turn: Turn) -> Rules: ...


class LimitsWatcher:
    """Keeps the limits. Start :meth:`run` as a task of the loop that reads it.

    :param bucket: the budget of questions, shared with whoever else asks Slurm.
    :param accounts: those of the site's file: an answer that lacks them all, though Slurm had them or hides accounts,
        is not taken for the truth.
    :param own: the gateway's Unix account, to say what it may not see.
    :param clock: monotonic seconds; ``wall``: Unix seconds.
    """

    def __init__(
        self,
        asks: AsksLimits,
        slurm: SlurmSettings,
        bucket: pace.Bucket,
        accounts: Collection[str] = (),
        *,
        own: str = "of the gateway",
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._asks = asks
        self._interval_s = slurm.limits_interval_s
        self._bucket = bucket
        self._accounts, self._own = frozenset(map(slurm_key, accounts)), own
        self._clock = clock
        self._wall = wall
        self._limits = Limits(serial=int(wall() * 1000), silent_since=wall(), problem="Slurm has not answered yet")
        self._rules: Rules | None = None
        self._rounds = 0
        self._tried_at = 0.0
        self._last = float("-inf")
        self._fresh = 0.0
        self._failures = 0
        self._took = 0.0
        self._interest = clock()
        self._wake = asyncio.Event()
        self._told = asyncio.Event()
        self._closing = False

    @property
    def limits(self) -> Limits:
        """What is known now; ``now`` is the time of this call."""
        return self._limits.model_copy(update={"now": self._wall()})

    @property
    def over_run_s(self) -> float:
        """How long Slurm lets a job go on after its reservation; 0.0 until it has said so."""
        return self._rules.over_run_s if self._rules else 0.0

    async def read(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits:
        """The limits, now or as soon as they are what the caller waits for.

        :param after: wait for a serial above this one.
        :param fresh: wait for an answer asked at or after this moment (Unix seconds), or for such a question
            to go unanswered. Comes before ``after``.
        :param wait_s: how long to wait at most, in seconds.
        """
        self._interest = self._clock()
        if fresh is not None:
            fresh = min(fresh, self._wall())
            self._fresh = max(self._fresh, fresh)
        self._wake.set()
        deadline = self._clock() + (wait_s if self._tried_at else max(wait_s, _FIRST_S))
        while not self._closing and not self._is_due(after, fresh):
            told, left = self._told, deadline - self._clock()
            if left <= 0:
                break
            try:
                async with asyncio.timeout(left):
                    await told.wait()
            except TimeoutError:
                break
        return self.limits

    def _is_due(self, after: int | None, fresh: float | None) -> bool:
        if not self._tried_at:
            return False  # the first question is under way
        if fresh is not None:
            return self._tried_at >= fresh
        return after is None or self._limits.serial > after

    def close(self) -> None:
        """Let everyone who waits in :meth:`read` go, from now on."""
        self._closing = True
        self._tell()

    async def run(self) -> None:
        """Ask for ever; cancel the task to stop."""
        while True:
            wait_s = self._wait_s()
            if wait_s <= 0:
                await self._round()
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _wait_s(self) -> float:
        base = self._interval_s * (_UNREAD if self._clock() - self._interest > _INTEREST_S else 1.0)
        due = self._last + pace.interval_s(base, took_s=self._took, failures=self._failures) - self._clock()
        if self._fresh > self._tried_at:
            due = 0.0
        return due

    async def _turn(self) -> None:
        """Count one more question, and wait until it may be asked."""
        await asyncio.sleep(self._bucket.turn_s(self._clock()))

    async def _round(self) -> None:
        asked_at, began = self._wall(), self._clock()
        try:
            answer = await self._asks.limits(self._turn)
            if hidden := await self._hidden(answer):
                raise UnavailableError(hidden)
        except UnavailableError as error:
            self._failures += 1
            self._took = 0.0
            self._silent(str(error), asked_at)
        else:
            self._took, self._failures = self._clock() - began, 0
            answer = answer.model_copy(update={"at": asked_at})
            self._publish(self._rules.applied(answer) if self._rules else answer)
            self._told_of(asked_at)
            if self._rounds % _ROUNDS or await self._ask_rules():  # else the next round asks again
                self._rounds += 1
                self._publish(self._rules.applied(answer) if self._rules else answer)
        self._told_of(asked_at)

    async def _hidden(self, answer: Limits) -> str:
        """Why an answer cannot be all that Slurm knows; "" where it can."""
        if not self._accounts or self._has_ours(answer):
            return ""
        if self._rules is None and not await self._ask_rules():
            return ""
        private = (self._rules.private if self._rules else frozenset()) & privacy.ACCOUNTS
        if not private and not self._has_ours(self._limits):
            return ""  # they never were there: a Slurm without accounting, or accounts that are still to be made
        return privacy.why_hidden(min(private, default="accounts"), private, self._own)

    def _has_ours(self, limits: Limits) -> bool:
        return any(known.account in self._accounts for known in limits.associations)

    def _told_of(self, asked_at: float) -> None:
        self._last = self._clock()
        self._tried_at = asked_at
        self._tell()

    async def _ask_rules(self) -> bool:
        try:
            self._rules = await self._asks.rules(self._turn)
        except UnavailableError as error:
            log.warning("who may use which QOS is %s: %s", "as before" if self._rules else "unknown for now", error)
            return False
        return True

    def _silent(self, problem: str, asked_at: float) -> None:
        if problem != self._limits.problem:
            log.warning("the limits are unknown for now: %s", problem)
        since = self._limits.silent_since or asked_at
        self._publish(self._limits.model_copy(update={"silent_since": since, "problem": problem}))

    def _publish(self, found: Limits) -> None:
        same = {"serial": self._limits.serial, "at": self._limits.at, "now": 0.0}
        changed = found.model_copy(update=same) != self._limits.model_copy(update={"now": 0.0})
        self._limits = found.model_copy(update={"serial": self._limits.serial + (1 if changed else 0)})

    def _tell(self) -> None:
        self._told.set()
        self._told = asyncio.Event()
