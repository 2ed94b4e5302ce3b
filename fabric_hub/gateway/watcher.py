"""One question to Slurm for everybody.

A single task asks about all jobs and all nodes at a bounded rate, and about reservations: now and then for whoever
wants to know what can start, and as often as about nodes while a session's job is in one. Everyone reads its snapshot
(:class:`~fabric_hub.rpc.feed.Feed`). A session's job that is missing from an answer stays in the snapshot until another
source has a word on it; while one says that it is there, the view is narrowed, and that is said.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from fabric_hub.config.settings import SlurmSettings
from fabric_hub.gateway.queries.queries import UnavailableError
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.messages.texts.slurm_reasons import SLURM_NOT_YET
from fabric_hub.rpc.feed import Feed
from fabric_hub.slurm import privacy
from fabric_hub.slurm.model import Job, Node, Phase, Reservation, Snapshot

from . import rate_limit
from .job_table import Ending, JobTable
from .missing_jobs import MissingJobs, Words

log = logging.getLogger(__name__)

Kind = Literal["jobs", "nodes", "reservations"]

# After this long without anybody reading, and with none of our jobs alive, the watcher slows down.
INTEREST_S = 60.0
# The other sources get this long for their word on missing jobs; everybody's next snapshot waits for it.
_DOUBTS_TIMEOUT_S = 8.0
# A job that was just submitted has no node yet, and one that was just cancelled is not gone yet: who asks
# at once asks in vain, and has used up what the rate allows when the answer is there (0.2 to 1 s were measured).
_SETTLE_S = 0.8
# Between two questions about reservations while no session is in one: they are made hours or days before they begin.
_RESERVATIONS_S = 300.0


class Asks(Protocol):
    """What the watcher needs of :class:`~fabric_hub.gateway.queries.queries.Queries`."""

    counts: Counter[str]

    async def jobs(self) -> tuple[Job, ...]: ...
    async def nodes(self) -> tuple[Node, ...]: ...
    async def reservations(self) -> tuple[Reservation, ...]: ...
    async def endings(self, numbers: Sequence[int]) -> dict[int, Ending]: ...
    async def job(self, wanted: Job) -> Job | None: ...
    async def private_data(self) -> frozenset[str]: ...


class Watcher:
    """Keeps the snapshot. Start :meth:`run` as a task of the loop that reads it.

    :param bucket: the budget of questions, where it is shared; default: its own.
    :param account: the gateway's own Unix account, to say what it may not see.
    :param over_run_s: how long Slurm lets jobs go on after their reservation, which somebody else asks.
    :param clock: monotonic seconds; ``wall``: Unix seconds.
    """

    def __init__(
        self,
        asks: Asks,
        slurm: SlurmSettings,
        hub: str,
        *,
        bucket: rate_limit.Bucket | None = None,
        account: str = "of the gateway",
        over_run_s: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._asks = asks
        self._slurm = slurm
        self._hub = hub
        self._clock = clock
        self._wall = wall
        self._bucket = bucket or rate_limit.Bucket(slurm.max_queries_per_s)
        self._over_run_s = over_run_s
        self._account = account
        self._table = JobTable()
        self._doubts = MissingJobs(asks, self._turn, clock)
        self._private: tuple[float, frozenset[str]] | None = None  # PrivateData, and when it was asked
        self._one_answer = asyncio.Lock()  # held while the table is changed
        # until Slurm has answered it is unavailable: nobody may conclude that a job is gone
        self._feed = Feed(Snapshot(), SLURM_NOT_YET(), clock=clock, wall=wall)
        self._soon = 0.0  # an answer asked after this (wall clock), a moment that may be still to come, is wanted
        self._failures: Counter[Kind] = Counter()
        self._took: dict[Kind, float] = {}
        self._last: dict[Kind, float] = {}
        self._before: Kind = "jobs"

    @property
    def snapshot(self) -> Snapshot:
        """What is known now; ``now`` is the time of this call."""
        more = {"interval_s": self._interval("jobs"), "over_run_s": self._over_run_s()}
        return self._feed.latest.model_copy(update=more)

    @property
    def counts(self) -> Counter[str]:
        """Questions asked, by program."""
        return self._asks.counts

    async def read(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot:
        """The snapshot, now or as soon as it is what the caller waits for.

        As :meth:`fabric_hub.rpc.feed.Feed.read`; what is wanted fresh is asked for as soon as the rate allows.
        """
        await self._feed.read(after, wait_s, fresh)
        return self.snapshot

    async def find(self, wanted: Job) -> Job | None:
        """A session's job that is in no snapshot, by its number; None: Slurm has no such job.

        :param wanted: its number, its name, and its owner's Unix account.
        :raises UnavailableError: no source has a word on it now.
        """
        async with self._one_answer:
            known = self._table.get(wanted.job_id)
            if known is not None and (known.name, known.user) == (wanted.name, wanted.user):
                return known
            found = await self._doubts.of(wanted)
            if found is not None and found.phase is not Phase.ENDED:
                self._table.keep(found)  # the next answer that lacks it is known to lack something
                self.nudge()
            return found

    def nudge(self) -> None:
        """Something was just changed in Slurm: ask as soon as it will show, and the rate allows."""
        if self._soon <= self._feed.asked_at:  # else a question is due already, and a busy hour must not put it off
            self._soon = self._wall() + _SETTLE_S
            self._feed.wake()

    def close(self) -> None:
        """Let everyone who waits in :meth:`read` go, from now on."""
        self._feed.close()

    async def run(self) -> None:
        """Ask for ever; cancel the task to stop."""
        while True:
            kind, wait_s = self._next()
            if wait_s > 0:
                await self._feed.pause(wait_s)  # who reads may end an idle spell
                continue
            self._bucket.take(self._clock())
            await (self._ask_jobs() if kind == "jobs" else self._ask_beside(kind))

    def _next(self) -> tuple[Kind, float]:
        """What to ask next, and in how many seconds."""
        now = self._clock()
        kinds: tuple[Kind, ...] = ("jobs", "nodes", "reservations")
        due = {kind: self._last.get(kind, float("-inf")) + self._interval(kind) - now for kind in kinds}
        if self._feed.wants_fresh:
            due["jobs"] = 0.0
        elif self._soon > self._feed.asked_at:
            due["jobs"] = min(due["jobs"], self._soon - self._wall())
        # the others are asked less often: when they are due they go first, or fresh wishes could starve them;
        # never two in a row before jobs that are due, or they could starve these
        beside = [kind for kind in kinds[1:] if due[kind] <= 0 and self._feed.value.jobs_at is not None]
        jobs_first = not beside or (self._before != "jobs" and due["jobs"] <= 0)
        kind: Kind = "jobs" if jobs_first else min(beside, key=lambda name: due[name])
        if due[kind] > 0:
            kind = min(due, key=lambda name: due[name])
        return kind, max(0.0, due[kind], self._bucket.wait_s(now))

    def _interval(self, kind: Kind) -> float:
        idle = self._feed.unread_s > INTEREST_S and not self._table.alive(self._hub)
        base = self._slurm.watch_interval_s if kind == "jobs" else self._slurm.nodes_interval_s
        if kind == "reservations" and not self._table.reserved(self._hub):
            base = max(base, _RESERVATIONS_S)
        return rate_limit.interval_s(base, took_s=self._took.get(kind, 0.0), failures=self._failures[kind], idle=idle)

    async def _turn(self) -> None:
        """Count one more question, and wait until it may be asked."""
        await asyncio.sleep(self._bucket.turn_s(self._clock()))

    async def _ask_jobs(self) -> None:
        asked_at, began = self._wall(), self._clock()
        try:
            answer = await self._asks.jobs()
        except UnavailableError as error:
            self._answered("jobs", began, failed=True)
            self._unavailable(error.text, asked_at)
        else:
            self._answered("jobs", began)
            async with self._one_answer:
                snapshot = await self._take(answer, asked_at)
            self._feed.publish(snapshot, asked_at)

    async def _take(self, answer: tuple[Job, ...], asked_at: float) -> Snapshot:
        """The snapshot that an answer makes, with what other sources say of jobs that it lacks."""
        missing = [job for job in self._table.vanished(answer) if job.session and job.session[0] == self._hub]
        words = await self._words(missing)
        over = words.over.keys() | words.nowhere
        kept = [words.found.get(job.job_id, job) for job in missing if job.job_id not in over]
        self._table.apply(self._table.kept_with(answer, kept), words.over, self._clock())
        before = self._feed.value
        for number in sorted(words.nowhere):
            log.warning("Slurm has no job %d any more, and says nothing of its end", number)
        problem = await self._why_hidden("jobs") if words.hidden else NOTHING
        since = before.unavailable_since if before.narrowed else None
        if problem != before.problem and problem:
            log.warning("%d sessions are missing from Slurm's answer: %s", len(words.hidden), problem)
        if before.unavailable_since is not None and before.jobs_at is not None and not problem:
            log.warning("Slurm answers again after %.0f s", self._wall() - before.unavailable_since)
        return before.model_copy(
            update={
                "jobs": self._table.jobs,
                "jobs_at": asked_at,
                "unavailable_since": (since or asked_at) if problem else None,
                "problem": problem,
                "narrowed": bool(problem),
            }
        )

    async def _words(self, missing: Sequence[Job]) -> Words:
        try:
            async with asyncio.timeout(_DOUBTS_TIMEOUT_S):
                return await self._doubts.about(missing)
        except TimeoutError:
            log.warning("%d sessions are not in Slurm's answer, and nothing else is known of them yet", len(missing))
            return Words(hidden=self._doubts.alive)

    async def _why_hidden(self, kind: str) -> Text:
        """Why an answer lacks what is there; ``kind`` is a word of PrivateData."""
        if self._private is None or self._clock() - self._private[0] > rate_limit.SLOWEST_S:
            try:
                await self._turn()
                self._private = self._clock(), await self._asks.private_data()
            except UnavailableError as error:
                log.warning("PrivateData is not known: %s", error)
        private = self._private[1] if self._private else frozenset()
        return privacy.why_hidden(kind, private, self._account)

    async def _ask_beside(self, kind: Literal["nodes", "reservations"]) -> None:
        asked_at, began = self._wall(), self._clock()
        told: tuple[Node, ...] | tuple[Reservation, ...]
        try:
            told = await (self._asks.nodes() if kind == "nodes" else self._asks.reservations())
            if kind == "nodes" and not told:  # no cluster is without nodes
                raise UnavailableError(await self._why_hidden("nodes"))
        except UnavailableError as error:
            self._answered(kind, began, failed=True)
            log.warning("the %s are unknown for now: %s", kind, error)
        else:
            self._answered(kind, began)
            self._feed.publish(self._feed.value.model_copy(update={kind: told, f"{kind}_at": asked_at}))

    def _answered(self, kind: Kind, began: float, *, failed: bool = False) -> None:
        self._last[kind], self._before = self._clock(), kind
        self._took[kind] = 0.0 if failed else self._clock() - began
        self._failures[kind] = self._failures[kind] + 1 if failed else 0

    def _unavailable(self, problem: Text, asked_at: float) -> None:
        snapshot = self._feed.value
        if problem != snapshot.problem:
            log.warning("Slurm is unavailable: %s", problem)
        if snapshot.narrowed:  # that it did not show all is over: it shows nothing
            snapshot = snapshot.model_copy(update={"unavailable_since": None, "narrowed": False})
        self._feed.publish(snapshot.unavailable(problem, asked_at), asked_at)
