"""The job of each session: submitted once, found again, given more time, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

from fabric_hub.config.settings import Settings, SlurmSettings
from fabric_hub.errors import FabricError
from fabric_hub.gateway import refusals
from fabric_hub.gateway.job_table import Named, clusters_of, find_live
from fabric_hub.gateway.limits_watcher import LimitsWatcher
from fabric_hub.gateway.watcher import Watcher
from fabric_hub.messages.text import sentences
from fabric_hub.messages.texts.gateway import JOB_NOT_KNOWN
from fabric_hub.messages.texts.slurm_reasons import SLURM_NOT_YET
from fabric_hub.slurm.model import (
    CancelRequest,
    ExtendRequest,
    JobSpec,
    Phase,
    Snapshot,
    SubmitRequest,
    Submitted,
    job_name,
)
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix import accounts
from fabric_hub.unix.accounts import Account

from . import extend, script, session_dir
from .clients import Clients
from .own_jobs import OwnJobs, submitted

log = logging.getLogger(__name__)

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


class SessionJobs:
    """What is done to the jobs of sessions; of one session one thing at a time, which is the caller's to see to."""

    def __init__(
        self,
        settings: Settings,
        slurm: SlurmSettings,
        *,
        watcher: Watcher,
        limits: LimitsWatcher,
        clients: Clients,
        own: OwnJobs,
    ) -> None:
        self._settings, self._slurm = settings, slurm
        self._watcher, self._limits = watcher, limits
        self._clients, self._own = clients, own
        self._known: dict[str, _Known] = {}

    async def submit(self, request: SubmitRequest, account: Account) -> Submitted:
        """Submit a session's job, or adopt the live one that it has.

        :raises FabricError: it was refused, or Slurm did not answer: then it may have gone through.
        """
        name = job_name(self._settings.hub.id, request.session)
        known = self._known.get(request.session)
        job, sure = self._remembered(known, account)
        if request.again or not sure:
            job = await self._look(name, account, known, request)
        if job is not None:
            self._remember(request.session, account, job)
            log.info("session %s of %s: adopted job %d", request.session, account.name, job)
            return Submitted(job_id=job, adopted=True)
        async with self._clients.slot(account):
            job, words = await self._prepare_and_sbatch(request, account, name)
        log.info("session %s of %s: submitted job %d%s", request.session, account.name, job, words and f": {words}")
        self._watcher.nudge()
        return Submitted(job_id=job, words=words)

    async def cancel(self, request: CancelRequest, account: Account) -> None:
        """End a session's job, and those of its clusters; no job is no error.

        :raises FabricError: Slurm did not end one, or did not answer.
        """
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
            await self._clients.scancel(number, account)
            log.info("session %s of %s: cancelled its cluster's job %d", request.session, account.name, number)
        for number in sorted(targets):
            await self._clients.scancel(number, account)
            log.info("session %s of %s: cancelled job %d (%s)", request.session, account.name, number, request.why)
        if clusters:
            self._watcher.nudge()
        if targets:
            self._known[request.session] = _Known(account.name, max(targets), time.time(), cancelled=True)
            self._watcher.nudge()

    async def extend(self, request: ExtendRequest, account: Account) -> None:
        """Give a session's running job more time.

        :raises FabricError: it is not the one on record, or may not have so much; see :mod:`.extend`.
        """
        now, name = await self._fresh(), job_name(self._settings.hub.id, request.session)
        job = extend.held(find_live(now.jobs, name, account.name), request)
        nodes = next(
            (detail.nodes for detail in await self._own.details(name, account) if detail.job_id == job.job_id), job.node
        )
        limits = await self._limits.read()  # as they are kept anyway: nothing more is asked of Slurm
        async with self._clients.slot(account):
            extender = extend.Extender(self._slurm, self._clients.timeout_s)
            await extender.extend(job, nodes, account, request.minutes, limits, now)
        log.info("session %s of %s: job %d has %d minutes", request.session, account.name, job.job_id, request.minutes)
        self._watcher.nudge()

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
            await self._clients.scancel(number, account)
        return None

    async def _fresh(self) -> Snapshot:
        """A snapshot that Slurm is asked for from now on: what this process has submitted is in it.

        :raises SlurmUnavailableError: it does not answer.
        """
        asked_at = time.time()
        limit = self._slurm.query_timeout_s * 2 + 4 / self._slurm.max_queries_per_s
        now = await self._watcher.read(fresh=asked_at, wait_s=limit)
        if (now.unavailable_since is not None and not now.narrowed) or now.jobs_at is None or now.jobs_at < asked_at:
            why = now.problem or SLURM_NOT_YET()
            raise SlurmUnavailableError(sentences(JOB_NOT_KNOWN(), why), since=now.unavailable_since)
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
        # where datasets and folders are is this site file's word, not the hub's
        own = self._settings.dataset_environment(request.datasets) | self._settings.folder_environment
        if request.rescue and users.rescue_dir:
            own["FABRIC_RESCUE"] = "1"  # the session writes nothing in the home directory by itself
        files["env.json"] = json.dumps({"environment": {**request.environment, **own}})
        await session_dir.prepare(account, root, request.session, files, timeout_s=self._clients.timeout_s)
        self._remember(request.session, account, None)
        try:
            number, words = await self._sbatch(argv, account, text, spec)
        except SlurmUnavailableError:
            raise  # it may have gone through: the next submit looks for it first
        except FabricError as error:
            del self._known[request.session]
            log.warning("session %s of %s: not submitted: %s", request.session, account.name, error)
            with contextlib.suppress(FabricError):  # no secret stays behind for a job that will not be
                await session_dir.remove(account, root, request.session, timeout_s=self._clients.timeout_s)
            raise
        self._remember(request.session, account, number)
        return number, words

    async def _sbatch(self, argv: list[str], account: Account, text: str, spec: JobSpec) -> tuple[int, str]:
        """Submit; returns the job's id and what the site says to it."""
        done = await self._clients.run(argv, account, text.encode())
        if done.returncode == 0:
            number, words = refusals.submitted(done.printed, done.words)
            if number is not None:
                return number, words
        raise refusals.refused(f"{done.printed}\n{done.words}", spec)

    def _is_over(self, number: int) -> bool:
        return any(job.job_id == number and job.phase is Phase.ENDED for job in self._watcher.snapshot.jobs)
