"""The verbs of a node. Each one records what should be first, and then makes it so; a crash in between heals.

Nothing here believes a job: who it is comes from Slurm (Prolog) and the kernel (the uid behind a socket), and what
it may read from the published grants.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .config import Config
from .events import Event, Events
from .grants import Answer, Grants, same_account, who_may
from .jobs import MOST_OPEN, Job, Jobs, Opened, alive, boot_id, from_slurm, holding
from .mounts import Mounts, open_source
from .plan import HOST, Action, Seen, may_stay, plan, wanted
from .published import GrantsFile
from .slurm import Slurm
from .troubles import Troubles
from .trust import NodeError

_LOG = logging.getLogger(__name__)
# Between Prolog and the first slurmstepd other Prologs run, and images of containers may be fetched.
_STEP_WITHIN_S = 120.0
_CANCEL_AGAIN_S = 10.0
_QUESTION_AGAIN_S = 60.0


@dataclass
class Reply:
    """What a caller is told: datasets it has open, and those it does not get, with reasons."""

    opened: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, name: str, reason: str, message: str) -> None:
        self.refused.append({"dataset": name, "reason": reason, "message": message})


class Agent:
    """One node's datasets."""

    def __init__(self, config: Config, mounts: Mounts | None = None, slurm: Slurm | None = None) -> None:
        self._config = config
        self._mounts = mounts or Mounts(config)
        self._slurm = slurm or Slurm(config)
        self._boot = boot_id()
        self._asked: dict[str, float] = {}  # stem -> when Slurm was last asked, or told, about a job
        self.jobs = Jobs(config.jobs)
        self.events = Events(config)
        self.grants = GrantsFile(config)
        self.troubles = 0  # what could not be made as it should be, when this node was last looked at as a whole

    def make_directories(self) -> None:
        """Everything below needs them; made once per process."""
        self._mounts.make_directories()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process, and one thread of it, changes anything at a time."""
        with open(os.open(self._config.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # ---- what Slurm says

    def register(self, environment: Mapping[str, str]) -> Job:
        """Prolog: a job starts here. Takes no lock.

        :raises NodeError: the environment is not Prolog's.
        """
        job = from_slurm(environment, time.time_ns())
        self.jobs.mark(job.node, job.job)  # one that was requeued, and whose Epilog was never seen
        self.jobs.write(job)
        return job

    def finish(self, environment: Mapping[str, str]) -> None:
        """Epilog: a job is over here. Takes no lock."""
        job = from_slurm(environment, 0)
        self.jobs.mark(job.node, job.job)

    # ---- what sessions ask

    def _mine(self, number: int, uid: int) -> list[Job]:
        """The parts of a job on this machine; it has several where one machine plays several nodes.

        :raises NodeError: no job of that number and uid was registered here.
        """
        live = alive(self.jobs.all(), self.jobs.ended(), self._boot)
        mine = [job for job in live if job.job == number and job.uid == uid]
        if not mine:
            raise NodeError(f"Job {number} is not a job of yours on this node.", "no-job")
        return mine

    def has_job(self, uid: int) -> bool:
        """Whether a job of this uid runs here."""
        return any(job.uid == uid for job in alive(self.jobs.all(), self.jobs.ended(), self._boot))

    def listed(self, number: int, uid: int) -> Reply:
        """What a job has open.

        :raises NodeError: it is not a job of this uid here.
        """
        return Reply([self._told(name, opened) for name, opened in sorted(self._mine(number, uid)[0].opened.items())])

    def _told(self, name: str, opened: Opened) -> dict[str, Any]:
        return {"dataset": name, "version": opened.version, "path": os.path.join(self._config.data_dir, name)}

    def open(self, number: int, uid: int, names: Iterable[str], why: str = "asked") -> Reply:
        """Open datasets to a job: what its uid may have, and nothing else.

        :param why: "asked", or "comment" when Slurm passed on what the job's comment asks for.
        :raises NodeError: it is not a job of this uid here.
        """
        names = list(dict.fromkeys(names))
        grants = self.grants.current()
        now, mine = time.time(), self._mine(number, uid)
        handles = self._open_ahead(grants, names, mine[0], now)
        try:
            with self._locked():
                replies = [self._open(job, names, grants, handles, why) for job in self._mine(number, uid)]
        finally:
            for handle in handles.values():
                if isinstance(handle, int):
                    os.close(handle)
        return replies[0]

    def _answer(self, grants: Grants | None, name: str, job: Job, now: float) -> Answer:
        if grants is None:
            message = f"{name} cannot be opened now: this node cannot read who may use what. Try again later."
            return Answer(False, reason="unusable", message=message)
        if job.uid < self._config.min_uid:
            message = f"Datasets are for people; uid {job.uid} is below {self._config.min_uid}."
            return Answer(False, reason="not-granted", message=message)
        return who_may(grants, name, job.uid, job.account, now)

    def _open_ahead(self, grants: Grants | None, names: list[str], job: Job, now: float) -> dict[str, int | NodeError]:
        """Open what has to be mounted, before the lock is taken: the store's file system may take its time."""
        handles: dict[str, int | NodeError] = {}
        ready = self._mounts.look(()).bases
        for name in names:
            if grants is None or name in job.opened or not self._answer(grants, name, job, now).allowed:
                continue
            for source in grants.datasets[name].versions.values():
                if not ready.get(source.key) and source.key not in handles:
                    try:
                        handles[source.key] = open_source(self._config, source)
                    except NodeError as error:
                        handles[source.key] = error
        return handles

    def _open(
        self, job: Job, names: list[str], grants: Grants | None, handles: Mapping[str, int | NodeError], why: str
    ) -> Reply:
        reply, now = Reply(), time.time()
        place = self._mounts.place_of(job)
        after = replace(job, namespace=place)
        news: list[str] = []
        for name in names:
            answer = self._answer(grants, name, job, now)
            if name in job.opened and may_stay(job, name, grants, now):
                reply.opened.append(self._told(name, job.opened[name]))
            elif not answer.allowed:
                after = self._refuse(after, name, answer, reply)
            elif len(after.opened) >= MOST_OPEN:
                message = f"A job has at most {MOST_OPEN} datasets open; close one that you do not need."
                reply.refuse(name, "unusable", message)
            else:
                assert grants is not None
                try:
                    after = after.with_opened(name, self._opened(name, job.uid, place, grants, answer, now, handles))
                    after = holding(after, grants)
                    self.events.write(self._event("opened", after, name, why))
                    news.append(name)
                except NodeError as error:
                    after = after.with_opened(name, None)
                    after = self._refuse(after, name, Answer(False, reason=error.reason, message=error.message), reply)
        return self._store(job, after, news, place, grants, reply)

    def _opened(
        self,
        name: str,
        uid: int,
        place: str,
        grants: Grants,
        answer: Answer,
        now: float,
        handles: Mapping[str, int | NodeError],
    ) -> Opened:
        """What a job will have open, once root's own mounts of it are there.

        :raises NodeError: the version that ``latest`` leads to (any, without one) cannot be mounted.
        """
        dataset = grants.datasets[name]
        if dataset.access == "non-public" and place == HOST and self._config.containers:
            raise NodeError(f"{name} is only for inside a job, and this one has no mount namespace yet. Ask again.")
        ready = self._mounts.look(()).bases
        troubles = Troubles()
        sources = dataset.shown_to(uid, apart=place != HOST)
        for version, source in sources.items():
            handle = handles.get(dataset.versions[version].key)
            if isinstance(handle, NodeError):
                troubles.bases[source.key] = handle.message
            elif not ready.get(source.key):
                step = Action("mount_base", key=source.key)
                opened = {} if handle is None else {source.key: handle}
                troubles.bases.update(self._mounts.do([step], {source.key: source}, opened).bases)
        good = [version for version, source in sources.items() if source.key not in troubles.bases]
        if dataset.latest not in good if dataset.latest is not None else not good:
            for line in troubles.lines():
                _LOG.error("%s is not usable: %s", name, line)
            raise NodeError(f"{name} is granted, but this node cannot mount it; tell the operator. ({name} in its log)")
        latest = None if dataset.latest is None else dataset.versions[dataset.latest]
        return Opened(dataset.latest, latest.sha256 if latest else None, now, answer.until)

    def _store(
        self, before: Job, after: Job, news: list[str], place: str, grants: Grants | None, reply: Reply
    ) -> Reply:
        """Record what a job has open, make it so, and tell what came of it."""
        problem = ""
        try:
            if after != before:
                self.jobs.write(after)
        except OSError as error:
            problem = f"this node cannot record it ({error.strerror})"
            _LOG.error("%s: %s", after.stem, problem)
        troubles = Troubles() if problem or not news else self._apply(grants, {place}, after)
        failed = []
        for name in news:
            wrong = problem or troubles.of(place, name, after.opened[name].version)
            if wrong:
                _LOG.error("%s for job %d: %s", name, after.job, wrong)
                reply.refuse(name, "unusable", f"{name} is granted, but cannot be opened here: {wrong}.")
                failed.append(name)
            else:
                reply.opened.append(self._told(name, after.opened[name]))
        if failed:
            self._close(after, failed, place, grants, "unusable")
        return reply

    def _refuse(self, job: Job, name: str, answer: Answer, reply: Reply) -> Job:
        """Tell why not; each refusal is in the audit log once per job, so that nobody can flood it."""
        reply.refuse(name, answer.reason, answer.message)
        told = f"{name} {answer.reason}"
        if told in job.refused or len(job.refused) >= MOST_OPEN:
            return job
        try:
            self.events.write(self._event("refused", job, name, answer.reason))
        except NodeError as error:
            _LOG.error("A refusal of %s to job %d is not in the audit log: %s", name, job.job, error)
            return job
        return replace(job, refused=(*job.refused, told))

    def _event(self, what: str, job: Job, name: str, why: str) -> Event:
        opened = job.opened.get(name)
        when = opened.since if opened and what == "opened" else time.time()
        version, sha256 = (opened.version, opened.sha256) if opened else (None, None)
        return Event(what, when, job.node, job.job, job.uid, job.account, name, version, sha256, why)

    def close(self, number: int, uid: int, names: Iterable[str]) -> Reply:
        """Close datasets of a job.

        :raises NodeError: it is not a job of this uid here.
        """
        names = list(names)
        grants = self.grants.current()
        with self._locked():
            for job in self._mine(number, uid):
                self._close(job, [name for name in names if name in job.opened], self._mounts.place_of(job), grants)
        return self.listed(number, uid)

    def _close(self, job: Job, names: list[str], place: str, grants: Grants | None, why: str = "asked") -> None:
        after = job
        for name in names:
            after = after.with_opened(name, None)
        self._apply(grants, {place}, after)
        for name in names:
            self._record(self._event("closed", job, name, why))
        with contextlib.suppress(OSError):  # a full disk: it is opened again at the next look, and can be closed again
            self.jobs.write(after)

    def _record(self, event: Event) -> bool:
        try:
            self.events.write(event)
        except NodeError as error:
            _LOG.error("The end of %s for job %d is not in the audit log yet: %s", event.dataset, event.job, error)
            return False
        return True

    # ---- making it so

    def _apply(self, grants: Grants | None, only: set[str], changed: Job) -> Troubles:
        """Make some places as they should be, with one job as it is now."""
        jobs = [job for job in alive(self.jobs.all(), self.jobs.ended(), self._boot) if job.stem != changed.stem]
        places = {job.stem: self._mounts.place_of(job) for job in [*jobs, changed]}
        here = [job for job in [*jobs, changed] if places[job.stem] in only]
        return self._make(grants, here, places, self._mounts.look(only), whole=False)

    def _make(
        self, grants: Grants | None, jobs: Iterable[Job], places: Mapping[str, str], seen: Seen, *, whole: bool
    ) -> Troubles:
        should = wanted(jobs, grants, places, seen, time.time())
        return self._mounts.do(plan(should, seen, whole=whole), should.bases, {})

    def reconcile(self) -> None:
        """Make everything on this node as it should be: after a change of grants, an end, a crash, a restart."""
        grants = self.grants.current()
        with self._locked():
            jobs, ended, now = self.jobs.all(), self.jobs.ended(), time.time()
            live = list(alive(jobs, ended, self._boot))
            stems = frozenset(job.stem for job in live)
            places = {job.stem: self._mounts.place_of(job) for job in live}
            seen = self._mounts.look({HOST, *places.values()})
            troubles = self._make(grants, live, places, seen, whole=True)
            self.troubles = len(troubles.lines())
            for line in troubles.lines():
                _LOG.error("%s", line)
            for job in live:
                self._settle(job, places[job.stem], grants, now)
            for job in jobs:
                if job.stem not in stems:
                    self._forget(job, "job-ended" if job.stem in ended else "gone")
            self._mounts.keep_only(stems)
            self.jobs.tidy()

    def _settle(self, job: Job, place: str, grants: Grants | None, now: float) -> None:
        """Record where a job sees what it has open, what it has just lost, and whether it must end for that."""
        after = replace(job, namespace=place)
        after = after if grants is None else holding(after, grants)
        for name in job.opened:
            if not may_stay(job, name, grants, now):
                reason = "expired" if grants is None else who_may(grants, name, job.uid, job.account, now).reason
                reason = "retired" if grants is not None and name not in grants.datasets else reason
                if self._record(self._event("revoked", job, name, reason)):
                    after = after.with_opened(name, None)
        if grants is not None and not after.end and _must_end(after, grants, now):
            after = replace(after, end=True)
        if after != job:
            with contextlib.suppress(OSError):  # a full disk: recorded again at the next look
                self.jobs.write(after)

    def _forget(self, job: Job, why: str) -> None:
        told = [self._record(self._event("closed", job, name, why)) for name in job.opened]
        if all(told):
            self.jobs.remove(job)

    def look_after(self) -> None:
        """Now and then: end jobs that must end, and find jobs whose Epilog never ran."""
        live = list(alive(self.jobs.all(), self.jobs.ended(), self._boot))
        now = time.monotonic()
        with_steps = self._slurm.with_steps(live)
        for job in live:
            asked = self._asked.get(job.stem, float("-inf"))
            if job.end and now - asked > _CANCEL_AGAIN_S:
                self._asked[job.stem] = now
                took = self._slurm.cancel(job)
                _LOG.warning("Job %d lost a dataset for good; %s.", job.job, "it ends" if took else "scancel failed")
            silent = job.stem not in with_steps and time.time() - job.started / 1e9 > _STEP_WITHIN_S
            if silent and now - asked > _QUESTION_AGAIN_S:
                self._asked[job.stem] = now
                if self._slurm.lives(job) is False:
                    self.jobs.mark(job.node, job.job)
                break  # one question at a time
        self._asked = {job.stem: self._asked[job.stem] for job in live if job.stem in self._asked}

    def next_end(self) -> float | None:
        """When the first of what is open has to close, in Unix seconds; None when nothing has an end."""
        live = alive(self.jobs.all(), self.jobs.ended(), self._boot)
        return min((o.until for job in live for o in job.opened.values() if o.until is not None), default=None)


def _must_end(job: Job, grants: Grants, now: float) -> bool:
    used = {**job.past, **{name: opened.since for name, opened in job.opened.items()}}
    return any(
        used.get(entry.dataset, entry.at) < entry.at
        and (entry.account is None or job.account is None or same_account(entry.account, job.account))
        and not who_may(grants, entry.dataset, job.uid, job.account, now).allowed
        for entry in grants.end_jobs
    )
