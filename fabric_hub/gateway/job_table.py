"""The jobs as they were last told, and what the next answer does to them. Pure.

A session's job that was alive and is missing from a later answer stays as it was
told last, until another source has a word on it (:mod:`.missing_jobs`). A state is never
invented. Sessions that ended stay in sight for a
while, because their owners want to read why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from fabric_hub.slurm.model import Job, Phase

TOMBSTONE_S = 600.0
# What squeue says for the name of a user whom the name service does not know; or it says the uid.
_NOBODY = frozenset({"", "nobody"})

# state, exit status, signal, end: what the database says of a job that left
Ending = tuple[str, int | None, int | None, float | None]


class JobTable:
    """Jobs by number, with the tombstones of ended sessions."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._tombstones: dict[int, tuple[Job, float]] = {}
        self._reservations: dict[int, str] = {}  # by job number: Slurm forgets a job's reservation when that is over

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What a snapshot shows, by job number."""
        shown = {number: job for number, (job, _) in self._tombstones.items()} | self._jobs
        return tuple(shown[number] for number in sorted(shown))

    def vanished(self, answer: Iterable[Job]) -> tuple[Job, ...]:
        """The sessions that were alive and are missing from an answer: others are to be asked about them."""
        told = {job.job_id for job in answer}
        return tuple(
            job
            for number, job in self._jobs.items()
            if number not in told and job.session is not None and job.phase is not Phase.ENDED
        )

    def get(self, number: int) -> Job | None:
        """A job of the last answer, or a session's that ended a while ago."""
        buried = self._tombstones.get(number)
        return self._jobs.get(number) or (buried[0] if buried else None)

    def keep(self, job: Job) -> None:
        """Take a job for alive that no answer had, by another source's word."""
        self._jobs[job.job_id] = job

    def kept_with(self, answer: Iterable[Job], kept: Iterable[Job]) -> tuple[Job, ...]:
        """An answer, with jobs that it lacks, and the clusters of these sessions as they were told last."""
        told, kept = tuple(answer), tuple(kept)
        there = {job.job_id for job in (*told, *kept)}
        sessions = {job.session for job in kept}
        workers = (
            job
            for number, job in self._jobs.items()
            if number not in there and (name := job.cluster) is not None and name[:2] in sessions
        )
        return (*told, *kept, *workers)

    def apply(self, answer: Iterable[Job], endings: Mapping[int, Ending], now: float) -> bool:
        """Take an answer for the truth.

        :param endings: by job number, for those of :meth:`vanished` that the database knows.
        :returns: whether what is shown has changed.
        """
        before = self.jobs
        answer = tuple(self._remembering(job) for job in answer)
        left = self.vanished(answer)
        self._reservations = {job.job_id: word for job in (*answer, *left) if (word := self._reservation_of(job))}
        self._jobs = {job.job_id: job for job in answer}
        for job in left:
            if job.job_id in endings:
                self._tombstones[job.job_id] = (self._remembering(with_ending(job, endings[job.job_id])), now)
        for job in answer:
            if job.session is None:
                continue
            if job.phase is Phase.ENDED:
                buried = self._tombstones.get(job.job_id)
                self._tombstones[job.job_id] = (job, buried[1] if buried else now)
            else:
                self._tombstones.pop(job.job_id, None)  # the number is alive after all: requeued, or used again
        self._tombstones = {
            number: (job, at) for number, (job, at) in self._tombstones.items() if now - at < TOMBSTONE_S
        }
        return self.jobs != before

    def _reservation_of(self, job: Job) -> str:
        return job.reservation or self._reservations.get(job.job_id, "")

    def _remembering(self, job: Job) -> Job:
        """A job with what Slurm forgets of it: its owner's name, while the name service has forgotten that, and the
        reservation that it was in, once it has ended."""
        before = self._jobs.get(job.job_id)
        if (job.user in _NOBODY or job.user.isdigit()) and before and before.name == job.name:
            job = job.model_copy(update={"user": before.user})
        known = self._reservation_of(job)
        over = job.phase in (Phase.ENDING, Phase.ENDED)
        return job.model_copy(update={"reservation": known}) if over and known != job.reservation else job

    def alive(self, hub: str) -> bool:
        """Whether any session of this hub, or a cluster of one, is not over."""
        return any(_lives(job, hub) for job in self._jobs.values())

    def reserved(self, hub: str) -> bool:
        """Whether any of these is in a reservation, waits for one, or for nodes that one keeps from it."""
        return any((job.reservation or _kept_off(job)) and _lives(job, hub) for job in self._jobs.values())


def with_ending(job: Job, ending: Ending) -> Job:
    """A job as the database says that it ended."""
    state, status, signal, end = ending
    update = {"state": state, "exit_status": status, "exit_signal": signal, "ends_at": end, "reason": ""}
    return job.model_copy(update=update)


def _kept_off(job: Job) -> bool:
    return job.reason.startswith("ReqNodeNotAvail") and "reserved" in job.reason.lower()


def _lives(job: Job, hub: str) -> bool:
    name = job.session or job.cluster
    return name is not None and name[0] == hub and job.phase is not Phase.ENDED


def clusters_of(jobs: Iterable[Job], hub: str, session: str, account: str) -> tuple[Job, ...]:
    """The jobs of a session's Dask clusters that belong to its Unix account and are not over."""
    return tuple(
        job
        for job in jobs
        if job.user == account
        and (name := job.cluster) is not None
        and name[:2] == (hub, session)
        and job.phase in (Phase.QUEUED, Phase.RUNNING)
    )


class Named(Protocol):
    """A job in whichever form: :class:`~fabric_hub.slurm.model.Job`, or what is asked of few jobs only."""

    @property
    def job_id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def phase(self) -> Phase: ...


J = TypeVar("J", bound=Named)


def find_live(jobs: Iterable[J], name: str, account: str) -> tuple[J, ...]:
    """The jobs of one name that belong to one Unix account and are not over, newest first.

    Names are free text: a job of the same name that belongs to somebody else is not this one.
    """
    mine = [job for job in jobs if job.name == name and job.user == account]
    alive = [job for job in mine if job.phase in (Phase.QUEUED, Phase.RUNNING)]
    return tuple(sorted(alive, key=lambda job: job.job_id, reverse=True))
