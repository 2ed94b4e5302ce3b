"""Jobs that should be in an answer of squeue's and are not: what other sources say of them.

Absence ends nothing. A job that is missing may have ended and left slurmctld's memory, or be hidden from the gateway's
account (PrivateData, a right that was taken away), or be lost. The database is asked about all of them at once, and
slurmctld about each by its number, as the job's owner, from whom it hides nothing of theirs. Until one of them has a
word the job stays as it was last told.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fabric_hub.gateway.queries.queries import UnavailableError
from fabric_hub.gateway.queries.scontrol import AnotherJobError
from fabric_hub.messages.texts import slurm_reasons as texts
from fabric_hub.slurm.model import Job, Phase, phase_of

from .job_table import Ending, with_ending

log = logging.getLogger(__name__)

# Asked about by number with one answer of squeue's: everybody's next snapshot waits for it.
_AT_A_TIME = 3
_FIRST_S, _SLOWEST_S = 4.0, 30.0
# slurmctld says that it has no such job, and the database that it runs: one of them is late. It is slurmctld's to
# know, if it still says so after this time.
_AGREE_S = 30.0
# What nobody has a word on for so long is not waited for any more.
_PATIENCE_S = 24 * 3600.0


class AsksAboutJobs(Protocol):
    async def job(self, wanted: Job) -> Job | None: ...
    async def endings(self, numbers: Sequence[int]) -> dict[int, Ending]: ...


@dataclass
class _MissingJob:
    since: float
    next_at: float
    tries: int = 0
    alive: bool = False  # another source says that it is there

    def asked(self, now: float) -> None:
        self.next_at = now + min(_SLOWEST_S, _FIRST_S * 2**self.tries)
        self.tries += 1


@dataclass
class Words:
    """What the other sources say of jobs that are missing.

    ``over``: ends in the database; ``found``: jobs as slurmctld tells their owners; ``nowhere``: jobs that it
    does not have; ``hidden``: jobs that are there, by another word than squeue's.
    """

    over: dict[int, Ending] = field(default_factory=dict)
    found: dict[int, Job] = field(default_factory=dict)
    nowhere: set[int] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)


class MissingJobs:
    """See the module.

    :param turn: waited for before each question.
    :param clock: monotonic seconds.
    """

    def __init__(self, asks: AsksAboutJobs, turn: Callable[[], Awaitable[None]], clock: Callable[[], float]) -> None:
        self._asks, self._turn, self._clock = asks, turn, clock
        self._doubts: dict[int, _MissingJob] = {}
        self._denied: dict[int, float] = {}  # when slurmctld first had no such job, though the database has

    async def about(self, missing: Sequence[Job]) -> Words:
        """What is known of the jobs that are missing now; who was asked about a moment ago is not asked about again."""
        now, words = self._clock(), Words()
        self._doubts = {job.job_id: self._doubts.get(job.job_id) or _MissingJob(now, now) for job in missing}
        self._denied = {number: at for number, at in self._denied.items() if now - at < _PATIENCE_S}
        due = sorted(
            (job for job in missing if self._doubts[job.job_id].next_at <= now),
            key=lambda job: self._doubts[job.job_id].next_at,
        )
        if due:
            told = await self._database([job.job_id for job in due])
            words.over = {number: ending for number, ending in told.items() if ended_for_good(ending)}
            for job in [job for job in due if job.job_id not in words.over][:_AT_A_TIME]:
                await self._ask(job, told.get(job.job_id), words)
        given_up = {n for n, doubt in self._doubts.items() if not doubt.alive and now - doubt.since > _PATIENCE_S}
        words.nowhere |= given_up - words.over.keys()
        words.hidden = self.alive - words.over.keys() - words.nowhere
        return words

    @property
    def alive(self) -> set[int]:
        """Of the jobs that are missing those that are there, by another source's last word."""
        return {number for number, doubt in self._doubts.items() if doubt.alive}

    async def of(self, wanted: Job) -> Job | None:
        """One job that somebody says there is; None: it is not.

        :param wanted: its number, its name, and its owner's Unix account.
        :raises UnavailableError: no source has a word on it now.
        """
        await self._turn()
        try:
            found = await self._asks.job(wanted)
        except AnotherJobError:
            return None  # what the database has of that number is another job, too
        if found is not None:
            return found
        ending = (await self._database([wanted.job_id])).get(wanted.job_id)
        if ending and ended_for_good(ending):
            return with_ending(wanted, ending)
        if ending and not self._is_agreed(wanted.job_id):
            raise UnavailableError(texts.SOURCES_DISAGREE(job=wanted.job_id, state=ending[0]))
        return None

    async def _database(self, numbers: Sequence[int]) -> dict[int, Ending]:
        await self._turn()
        try:
            return await self._asks.endings(numbers)
        except UnavailableError as error:
            log.warning("%d sessions are not in Slurm's answer, nor does the database answer: %s", len(numbers), error)
            return {}

    async def _ask(self, job: Job, ending: Ending | None, words: Words) -> None:
        """Add slurmctld's word on a job, of which the database says at most that it has not ended."""
        number, doubt = job.job_id, self._doubts[job.job_id]
        doubt.asked(self._clock())
        doubt.alive = doubt.alive or ending is not None
        await self._turn()
        try:
            found = await self._asks.job(job)
        except AnotherJobError:
            words.nowhere.add(number)
            return
        except UnavailableError as error:
            log.warning("Job %d is not in Slurm's answer, and its owner cannot ask about it: %s", number, error)
            return
        if found is not None:
            doubt.alive = found.phase is not Phase.ENDED
            words.found[number] = found
        elif ending is None or self._is_agreed(number):
            words.nowhere.add(number)

    def _is_agreed(self, number: int) -> bool:
        now = self._clock()
        return now - self._denied.setdefault(number, now) >= _AGREE_S


def ended_for_good(ending: Ending) -> bool:
    """Whether the database's word is an end; it may lag behind and still say RUNNING."""
    return phase_of(ending[0]) is Phase.ENDED
