"""Limits and their use, asked on a timer of their own, for everybody.

Single-flight, and out of the same budget of questions as jobs and nodes (:mod:`.rate_limit`): a round is two
questions to slurmctld; what seldom changes (who may use which QOS) is asked of Slurm's database every tenth time.
Everyone reads the last answer (:class:`~fabric_hub.rpc.feed.Feed`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Protocol

from fabric_hub.config.settings import SlurmSettings
from fabric_hub.gateway.queries.queries import Rules, Turn, UnavailableError
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.messages.texts.slurm_reasons import SLURM_NOT_YET
from fabric_hub.rpc.feed import Feed
from fabric_hub.slurm import privacy
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.types import slurm_key

from . import rate_limit

log = logging.getLogger(__name__)

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
    :param accounts: those of projects, as they are when it is called: an answer that lacks them all, though Slurm had
        them or hides accounts, is not taken for the truth.
    :param own: the gateway's Unix account, to say what it may not see.
    :param clock: monotonic seconds; ``wall``: Unix seconds.
    """

    def __init__(
        self,
        asks: AsksLimits,
        slurm: SlurmSettings,
        bucket: rate_limit.Bucket,
        accounts: Callable[[], Collection[str]] = tuple,
        *,
        own: str = "of the gateway",
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._asks = asks
        self._interval_s = slurm.limits_interval_s
        self._bucket = bucket
        self._accounts, self._own = accounts, own
        self._clock = clock
        self._wall = wall
        self._feed = Feed(Limits(), SLURM_NOT_YET(), clock=clock, wall=wall)
        self._rules: Rules | None = None
        self._rounds = 0
        self._last = float("-inf")
        self._failures = 0
        self._took = 0.0

    @property
    def limits(self) -> Limits:
        """What is known now; ``now`` is the time of this call."""
        return self._feed.latest

    @property
    def over_run_s(self) -> float:
        """How long Slurm lets a job go on after its reservation; 0.0 until it has said so."""
        return self._rules.over_run_s if self._rules else 0.0

    async def read(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits:
        """The limits, now or as soon as they are what the caller waits for; see :meth:`.Feed.read`."""
        return await self._feed.read(after, wait_s, fresh)

    def close(self) -> None:
        """Let everyone who waits in :meth:`read` go, from now on."""
        self._feed.close()

    async def run(self) -> None:
        """Ask for ever; cancel the task to stop."""
        while True:
            wait_s = self._wait_s()
            if wait_s <= 0:
                await self._round()
                continue
            await self._feed.pause(wait_s)

    def _wait_s(self) -> float:
        if self._feed.wants_fresh:
            return 0.0
        base = self._interval_s * (_UNREAD if self._feed.unread_s > _INTEREST_S else 1.0)
        return self._last + rate_limit.interval_s(base, took_s=self._took, failures=self._failures) - self._clock()

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
            self._unavailable(error.text, asked_at)
        else:
            self._took, self._failures = self._clock() - began, 0
            self._publish(answer, asked_at)
            if self._rounds % _ROUNDS or await self._ask_rules():  # else the next round asks again
                self._rounds += 1
                self._publish(answer, asked_at)
        self._last = self._clock()

    async def _hidden(self, answer: Limits) -> Text:
        """Why an answer cannot be all that Slurm knows; empty where it can."""
        ours = frozenset(map(slurm_key, self._accounts()))
        if not ours or _has_any(answer, ours):
            return NOTHING
        if self._rules is None and not await self._ask_rules():
            return NOTHING
        private = (self._rules.private if self._rules else frozenset()) & privacy.ACCOUNTS
        if not private and not _has_any(self._feed.value, ours):
            return NOTHING  # they never were there: a Slurm without accounting, or accounts that are still to be made
        return privacy.why_hidden(min(private, default="accounts"), private, self._own)

    async def _ask_rules(self) -> bool:
        try:
            self._rules = await self._asks.rules(self._turn)
        except UnavailableError as error:
            log.warning("who may use which QOS is %s: %s", "as before" if self._rules else "unknown for now", error)
            return False
        return True

    def _unavailable(self, problem: Text, asked_at: float) -> None:
        if problem != self._feed.value.problem:
            log.warning("the limits are unknown for now: %s", problem)
        self._feed.unavailable(problem, asked_at)

    def _publish(self, answer: Limits, asked_at: float) -> None:
        answer = answer.model_copy(update={"at": asked_at})
        self._feed.publish(self._rules.applied(answer) if self._rules else answer, asked_at)


def _has_any(limits: Limits, accounts: frozenset[str]) -> bool:
    return any(known.account in accounts for known in limits.associations)
