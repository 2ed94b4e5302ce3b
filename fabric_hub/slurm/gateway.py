"""The gateway's verbs against a real Slurm."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from .. import __version__
from ..errors import FabricError, SlurmUnavailableError
from ..model import (
    CancelRequest,
    ExtendRequest,
    Found,
    Job,
    JobSpec,
    Phase,
    SessionLog,
    Snapshot,
    SubmitRequest,
    Submitted,
    job_name,
)
from ..settings import Settings, SlurmSettings
from . import accounts, command, ends, extend, home, pace, permits, refusals, script
from .accounting import Accounting
from .accounts import Account
from .limits import Limits
from .limits_watcher import LimitsWatcher
from .own_jobs import OwnJobs, load_key, submitted
from .questions import Questions, SilentError
from .reading import AccountingDesk, StorageDesk
from .storage import StorageAnswer
from .table import Named, clusters_of, find_live
from .verbs import Health
from .watcher import Watcher

log = logging.getLogger(__name__)
T = TypeVar("T")

# Clients run for users at the same time: more would only make each of them slower.
_AT_ONCE = 8
_AT_ONCE_PER_ACCOUNT = 2
# What was submitted is remembered this long; after that the snapshot knows it.
_REMEMBER_S = 24 * 3600.0
# What waits in a slurmctld that hung is carried out within this long after its first answer.
_ARRIVAL_S = 3.0


@dataclass
class _Known:
    """What this process did for a session. ``job_id`` is None while sbatch's outcome is unknown."""

    account: str
    job_id: int | None
    at: float
    cancelled: bool = False


class Gateway:
    """Implements :class:`~fabric_hub.slurm.verbs.Verbs`.

    :param died: called when the watcher ends by a fault of ours; the process should end.
    """

    def __init__(
        self, settings: Settings, *, watcher: Watcher | None = None, died: Callable[[], None] = lambda: None
    ) -> None:
        if settings.slurm is None:
            raise FabricError("The site's file has no [slurm] section, so there is no gateway.", reason="site-file")
        self._settings = settings
        self._slurm: SlurmSettings = settings.slurm
        asks, bucket = Questions(self._slurm, settings.users), pace.Bucket(self._slurm.max_queries_per_s)
        self._asks = asks
        self._own = OwnJobs(load_key(settings.gateway.socket.with_name("submissions.key")), asks, bucket, self._slot)
        charged = {project.account for project in settings.project.values()}
        own = accounts.own_name()
        self._limits = limits = LimitsWatcher(asks, self._slurm, bucket, charged, own=own)
        self._watcher = watcher or Watcher(
            asks,
            self._slurm,
            settings.hub.id,
            bucket=bucket,
            account=own,
            over_run_s=lambda: limits.over_run_s,
        )
        self._watchers = (self._watcher, self._limits)
        self._accounting = AccountingDesk(asks, self._limits, charged)
        self._storage = StorageDesk(settings.quotas.storage)
        self._died = died
        self._known: dict[str, _Known] = {}
        self._had_accounts: set[str] = set()  # users whose account this process has seen
        # a lock lives as long as somebody holds it or waits for it
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._all_slots = asyncio.Semaphore(_AT_ONCE)
        self._slots: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        self._work: set[asyncio.Task[Any]] = set()
        self._watching: list[asyncio.Task[None]] = []
        self._began = time.monotonic()

    async def start(self) -> None:
        self._watching = [asyncio.create_task(each.run(), name=type(each).__name__) for each in self._watchers]
        for task in self._watching:
            task.add_done_callback(self._watcher_ended)

    def _watcher_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.critical("%s failed; the gateway stops", task.get_name(), exc_info=error)
            self._died()

    def close(self) -> None:
        for watcher in self._watchers:
            watcher.close()

    async def stop(self) -> None:
        self.close()
        if self._work:
            await asyncio.wait(self._work)  # each has its own time limits
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot:
        return await self._watcher.read(after, wait_s, fresh)

    async def limits(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits:
        return await self._limits.read(after, wait_s, fresh)

    async def accounting(self, start: float, end: float) -> Accounting:
        return await self._accounting.read(start, end)

    async def storage(self, user: str) -> StorageAnswer:
        account = await self._person(user)
        found = ((name, one) for name, one in self._settings.project.items() if user in one.members)
        # no place among the clients: a file system that hangs must not hold up starts
        return await self._storage.read(account, {name: one.account for name, one in found})

    def health(self) -> Health:
        now = self._watcher.snapshot
        return Health(
            version=__version__,
            uptime_s=time.monotonic() - self._began,
            questions=dict(self._watcher.counts),
            silent_since=now.silent_since,
            problem=now.problem,
        )

    async def submit(self, request: SubmitRequest) -> Submitted:
        permits.check_spec(self._settings, request.spec)
        permits.check_submission(self._settings, request)
        account = await self._account(request.user, live=request.again)
        return await self._finish(request.session, self._submit(request, account))

    async def find(self, session: str, user: str, job_id: int) -> Found:
        account = await self._account(user, live=True)
        name = job_name(self._settings.hub.id, session)
        try:
            job = await self._watcher.find(Job(job_id=job_id, name=name, user=account.name, state="UNKNOWN"))
        except SilentError as error:
            raise SlurmUnavailableError(f"What became of job {job_id} is not known now: {error}.") from None
        return await ends.explained(self._asks, job)

    async def cancel(self, request: CancelRequest) -> None:
        account = await self._person(request.user, request.session, live=True)
        await self._finish(request.session, self._cancel(request, account))

    async def extend(self, request: ExtendRequest) -> None:
        extend.check(self._settings, request.minutes)
        account = await self._person(request.user, request.session)
        await self._finish(request.session, self._extend(request, account))

    async def _extend(self, request: ExtendRequest, account: Account) -> None:
        now, name = await self._fresh(), job_name(self._settings.hub.id, request.session)
        job = extend.held(find_live(now.jobs, name, account.name), request)
        nodes = next(
            (detail.nodes for detail in await self._own.details(name, account) if detail.job_id == job.job_id), job.node
        )
        limits = await self._limits.read()  # as they are kept anyway: nothing more is asked of Slurm
        async with self._slot(account):
            extender = extend.Extender(self._slurm, self._timeout_s)
            await extender.extend(job, nodes, account, request.minutes, limits, now)
        log.info("session %s of %s: job %d has %d minutes", request.session, account.name, job.job_id, request.minutes)
        self._watcher.nudge()

    async def log(self, session: str, user: str) -> SessionLog:
        account = await self._person(user, session)
        roots = accounts.session_roots(user, account, self._settings.users)
        async with self._slot(account):
            return await home.find_log(account, roots, session, timeout_s=self._timeout_s)

    async def remove(self, session: str, user: str) -> None:
        account = await self._person(user, session)
        roots = accounts.session_roots(user, account, self._settings.users)

        async def work() -> None:
            async with self._slot(account):
                await home.remove_all(account, roots, session, timeout_s=self._timeout_s)

        await self._finish(session, work())

    @property
    def _timeout_s(self) -> float:
        return self._settings.gateway.submit_timeout_s

    @contextlib.asynccontextmanager
    async def _slot(self, account: Account) -> AsyncIterator[None]:
        """A place among the clients that run at the same time; one account, whose programs may hang, has only a few."""
        most = _AT_ONCE if self._settings.users.shared_account else _AT_ONCE_PER_ACCOUNT
        own = self._slots.setdefault(account.uid, asyncio.Semaphore(most))
        async with own, self._all_slots:
            yield

    async def _person(self, user: str, session: str = "", *, live: bool = False) -> Account:
        """The account of somebody for whom this gateway may act; see :func:`permits.check_person`."""
        permits.check_person(self._settings, user, session, self._watcher.snapshot.jobs)
        return await self._account(user, live=live)

    async def _account(self, user: str, *, live: bool = False) -> Account:
        """A user's account.

        :param live: it is asked about a session that is on record, and so had an account.
        :raises SlurmUnavailableError: the name service has forgotten an account that was there: nothing is refused,
            nor ended, for that.
        :raises FabricError: it may not be used.
        """
        try:
            # the name service may be a directory server far away
            account = await asyncio.to_thread(accounts.resolve, user, self._settings.users)
        except accounts.UnknownAccountError as error:
            if not live and user not in self._had_accounts:
                raise
            raise SlurmUnavailableError(
                f"{error.message} There was one before, so this is taken for trouble of the name service.",
                hint="Nothing is lost: sessions keep running, and it is tried again. Operators: getent passwd ACCOUNT, "
                "on the gateway's host.",
            ) from None
        self._had_accounts.add(user)
        return account

    async def _finish(self, session: str, work: Coroutine[Any, Any, T]) -> T:
        """Do one thing of a session at a time, to its end, even if the one who asked has gone."""
        lock = self._locks.setdefault(session, asyncio.Lock())

        async def alone() -> T:
            async with lock:
                return await work

        task = asyncio.create_task(alone())
        self._work.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled():
            task.exception()  # it was told to whoever still listens

    async def _submit(self, request: SubmitRequest, account: Account) -> Submitted:
        name = job_name(self._settings.hub.id, request.session)
        known = self._known.get(request.session)
        job, sure = self._remembered(known, account)
        if request.again or not sure:
            job = await self._look(name, account, known, request)
        if job is not None:
            self._remember(request.session, account, job)
            log.info("session %s of %s: adopted job %d", request.session, account.name, job)
            return Submitted(job_id=job, adopted=True)
        async with self._slot(account):
            job, words = await self._prepare_and_sbatch(request, account, name)
        log.info("session %s of %s: submitted job %d%s", request.session, account.name, job, words and f": {words}")
        self._watcher.nudge()
        return Submitted(job_id=job, words=words)

    def _remembered(self, known: _Known | None, account: Account) -> tuple[int | None, bool]:
        """(the session's job that this process submitted, unless it is over; whether that is sure)."""
        if known is None or known.cancelled or known.account != account.name:
            return None, True
        if known.job_id is None:
            return None, False
        last = next((job for job in self._watcher.snapshot.jobs if job.job_id == known.job_id), None)
        if last is not None and last.phase in (Phase.ENDED, Phase.ENDING):
            return None, True
        seen = self._watcher.snapshot.jobs_at
        # an answer that should have it and has not says nothing of it
        return known.job_id, last is not None or seen is None or seen <= known.at

    async def _look(self, name: str, account: Account, known: _Known | None, request: SubmitRequest) -> int | None:
        """The live job of a session that may have been submitted before: the one on record, or one with our mark.

        The one on record is found in the snapshot that everybody reads. That there is none is not for that to say, from
        whose reader Slurm may hide the job, but takes two answers to its owner: a submission that went unanswered may
        still be among the requests that wait in slurmctld when it answers again, and then comes after our first
        question. A job of that name that is not this session's ends, so that a session has one job.
        """
        cancelled = known.job_id if known and known.cancelled else None
        on_record = (request.job_id, known.job_id if known else None)

        def live(jobs: Iterable[Named]) -> set[int]:
            return {job.job_id for job in find_live(jobs, name, account.name)} - {cancelled}

        seen = live((await self._fresh()).jobs)
        if (job := next((number for number in on_record if number in seen), None)) is not None:
            return job
        mark = self._own.mark(request, account.name)
        for wait_s in (0.0, _ARRIVAL_S):
            await asyncio.sleep(wait_s)
            mine = await self._own.details(name, account)
            seen = live(mine)
            ours = (*on_record, submitted(mine, account.name, mark))
            if (job := next((number for number in ours if number in seen), None)) is not None:
                return job
        who = request.session, account.name
        for number in sorted(seen):
            log.warning("session %s of %s: job %d, which only has its name, is ended", *who, number)
            await self._scancel(number, account)
        return None

    async def _fresh(self) -> Snapshot:
        """A snapshot that Slurm is asked for from now on: what this process has submitted is in it.

        :raises SlurmUnavailableError: it does not answer.
        """
        asked_at = time.time()
        limit = self._slurm.query_timeout_s * 2 + 4 / self._slurm.max_queries_per_s
        now = await self._watcher.read(fresh=asked_at, wait_s=limit)
        if (now.silent_since is not None and not now.narrowed) or now.jobs_at is None or now.jobs_at < asked_at:
            why = now.problem or "Slurm has not answered yet"
            raise SlurmUnavailableError(
                f"It is not known whether the session's job is there: {why}.", since=now.silent_since
            )
        return now

    def _remember(self, session: str, account: Account, job: int | None) -> None:
        now = time.time()
        self._known = {name: entry for name, entry in self._known.items() if now - entry.at < _REMEMBER_S}
        self._known[session] = _Known(account.name, job, now)

    async def _prepare_and_sbatch(self, request: SubmitRequest, account: Account, name: str) -> tuple[int, str]:
        users, spec = self._settings.users, request.spec
        root = accounts.session_root(request.user, account, users, rescue=request.rescue)
        directory = f"{root}/{request.session}"
        argv = script.sbatch_argv(
            self._slurm.bin_dir / "sbatch",
            spec,
            name=name,
            home=account.home,
            directory=directory,
            mark=self._own.mark(request, account.name),
        )
        text = script.script(
            spec,
            session=request.session,
            directory=directory,
            python=self._settings.images.dir / request.image / "current" / "bin" / "python",
            home=account.home if users.home else None,
            prologue=self._settings.gateway.prologue,
            umask=users.umask,
        )
        files = {file.name: file.content for file in request.files}
        # where datasets are is this site file's word, not the hub's
        own = self._settings.dataset_environment(request.datasets)
        if request.rescue and users.rescue_dir:
            own["FABRIC_RESCUE"] = "1"  # the session writes nothing in the home directory by itself
        files["env.json"] = json.dumps({"environment": {**request.environment, **own}})
        await home.prepare(account, root, request.session, files, timeout_s=self._timeout_s)
        self._remember(request.session, account, None)
        try:
            number, words = await self._sbatch(argv, account, text, spec)
        except SlurmUnavailableError:
            raise  # it may have gone through: the next submit looks for it first
        except FabricError as error:
            del self._known[request.session]
            log.warning("session %s of %s: not submitted: %s", request.session, account.name, error)
            with contextlib.suppress(FabricError):  # no secret stays behind for a job that will not be
                await home.remove(account, root, request.session, timeout_s=self._timeout_s)
            raise
        self._remember(request.session, account, number)
        return number, words

    async def _sbatch(self, argv: list[str], account: Account, text: str, spec: JobSpec) -> tuple[int, str]:
        """Submit; returns the job's id and what the site says to it."""
        done = await self._client(argv, account, text.encode())
        if done.returncode == 0:
            number, words = refusals.submitted(done.printed, done.words)
            if number is not None:
                return number, words
        raise refusals.refused(f"{done.printed}\n{done.words}", spec)

    async def _client(self, argv: list[str], account: Account, stdin: bytes = b"") -> command.Finished:
        """Run one of Slurm's clients as a user.

        :raises SlurmUnavailableError: it did not end in time; what it asked for may have happened.
        :raises FabricError: it cannot be run.
        """
        env = script.environment(account, self._slurm.conf)
        try:
            return await command.run(
                argv,
                env=env,
                stdin=stdin,
                timeout_s=self._timeout_s,
                account=account,
                max_output=1 << 20,
            )
        except command.TimedOutError as error:
            raise SlurmUnavailableError(f"Slurm is too slow: {error}.") from None
        except (OSError, command.TooMuchOutputError) as error:
            raise FabricError(
                f"{argv[0]} cannot be run as {account.name}: {error}.",
                reason="gateway",
                hint="The operators must check slurm.bin_dir and the gateway's capabilities.",
                status=503,
            ) from None

    async def _cancel(self, request: CancelRequest, account: Account) -> None:
        name = job_name(self._settings.hub.id, request.session)
        known = self._known.get(request.session)
        if known and known.account != account.name:
            known = None
        now = self._watcher.snapshot
        targets = {job.job_id for job in find_live(now.jobs, name, account.name)}
        clusters = clusters_of(now.jobs, self._settings.hub.id, request.session, account.name)
        if known and known.job_id is not None and not self._is_over(known.job_id):
            targets.add(known.job_id)
        if not targets and not clusters:
            jobs = (await self._fresh()).jobs
            if not any(job.name == name and job.user == account.name for job in jobs):
                jobs = await self._own.jobs(account)  # that the gateway is told of none is no word on it
            targets = {job.job_id for job in find_live(jobs, name, account.name)}
            clusters = clusters_of(jobs, self._settings.hub.id, request.session, account.name)
        for number in sorted({job.array_id or job.job_id for job in clusters}):
            await self._scancel(number, account)
            log.info("session %s of %s: cancelled its cluster's job %d", request.session, account.name, number)
        for number in sorted(targets):
            await self._scancel(number, account)
            log.info("session %s of %s: cancelled job %d (%s)", request.session, account.name, number, request.why)
        if clusters:
            self._watcher.nudge()
        if targets:
            self._known[request.session] = _Known(account.name, max(targets), time.time(), cancelled=True)
            self._watcher.nudge()

    def _is_over(self, number: int) -> bool:
        return any(job.job_id == number and job.phase is Phase.ENDED for job in self._watcher.snapshot.jobs)

    async def _scancel(self, number: int, account: Account) -> None:
        async with self._slot(account):
            done = await self._client([str(self._slurm.bin_dir / "scancel"), str(number)], account)
        words = done.words
        if done.returncode == 0 or "Invalid job id" in words or "already completing or completed" in words:
            return
        problem = refusals.silence(words)
        if problem:
            raise SlurmUnavailableError(f"Job {number} was not cancelled: {problem}.")
        raise FabricError(
            f"Slurm did not cancel job {number}; it said: {refusals.quoted(words)}",
            reason="cancel",
            hint="Try again, or show these words to the operators.",
            status=409,
        )
