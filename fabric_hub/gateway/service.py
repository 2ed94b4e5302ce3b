"""The gateway's verbs against a real Slurm: for whom, one at a time, and by whom they are done."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import date
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from fabric_hub import __version__
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.clients import Clients
from fabric_hub.gateway.jobs.own_jobs import OwnJobs, load_key
from fabric_hub.gateway.jobs.session_jobs import SessionJobs
from fabric_hub.gateway.queries.on_demand import AccountingReader, StorageReader
from fabric_hub.gateway.queries.queries import Queries, UnavailableError
from fabric_hub.messages.text import Text, sentences
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.messages.texts import slurm_projects as of_projects
from fabric_hub.messages.texts.accounts import FORGOTTEN_ACCOUNT
from fabric_hub.projects.membership import accounts as project_accounts
from fabric_hub.projects.membership import projects_of
from fabric_hub.slurm.accounting import Accounting
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import (
    CancelRequest,
    ExtendRequest,
    Found,
    Job,
    Phase,
    SessionLog,
    Snapshot,
    SubmitRequest,
    Submitted,
    job_name,
)
from fabric_hub.slurm.records import PortNote, RecordStatement, Witnessed, may_end
from fabric_hub.slurm.storage import StorageAnswer
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix import accounts
from fabric_hub.unix.accounts import Account

from . import rate_limit, request_policy
from .api import LONGEST_WAIT_S, Health
from .folders.reconciler import FolderReconciler
from .jobs import ends, extend, session_dir
from .leased_accounts import LeasedAccounts
from .ledger import Ledger, ledger_path
from .limits_watcher import LimitsWatcher
from .projects.answers import ApplyBody, ProjectsApplied, ProjectsPlan
from .projects.reconciler import Reconciler
from .projects.record import FILE, Record
from .watcher import Watcher

log = logging.getLogger(__name__)
T = TypeVar("T")


class Gateway:
    """Implements :class:`~fabric_hub.gateway.api.Verbs`.

    :param died: called when the watcher ends by a fault of ours; the process should end.
    """

    def __init__(self, settings: Settings, *, died: Callable[[], None] = lambda: None) -> None:
        if settings.slurm is None:
            raise FabricError(texts.NO_SLURM_SECTION())
        self._settings, slurm = settings, settings.slurm
        self._asks = asks = Queries(slurm, settings.users)
        bucket, own = rate_limit.Bucket(slurm.max_queries_per_s), accounts.own_name()
        self._limits = limits = LimitsWatcher(asks, slurm, bucket, self._charged, own=own)
        self._watcher = Watcher(
            asks, slurm, settings.hub.id, bucket=bucket, account=own, over_run_s=lambda: limits.over_run_s
        )
        self._clients = Clients(settings, slurm)
        self._jobs = SessionJobs(
            settings,
            slurm,
            watcher=self._watcher,
            limits=limits,
            clients=self._clients,
            own=OwnJobs(
                load_key(settings.gateway.socket.with_name("submissions.key")), asks, bucket, self._clients.slot
            ),
        )
        self._ledger = Ledger(ledger_path(settings), settings.hub.id)
        self._watchers = (self._watcher, self._limits)
        self._accounting = AccountingReader(asks, self._limits, self._charged)
        self._storage = StorageReader(settings.quotas.storage)
        self._leased = LeasedAccounts(settings, asks, self._clients, bucket)
        self._held = 0  # sessions that the hub leaves alone, as it said last
        self._died = died
        self._had_accounts: set[str] = set()  # users whose account this process has seen
        # a lock lives as long as somebody holds it or waits for it
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._work: set[asyncio.Task[Any]] = set()
        self._watching: list[asyncio.Task[None]] = []
        self._looking: set[asyncio.Task[Limits]] = set()
        self._record: Record | None = None
        self._projects: Reconciler | None = None
        if slurm.parent_account:
            self._record = Record(ledger_path(settings).with_name(FILE), slurm.parent_account)
            self._projects = Reconciler(settings, slurm, asks, self._record, bucket, changed=self._look_at_limits)
        self._folders = FolderReconciler(settings, settings.folders) if settings.folders else None
        self._began = time.monotonic()

    def _charged(self) -> frozenset[str]:
        """The accounts of projects, as they are now."""
        return project_accounts(self._settings)

    async def start(self) -> None:
        self._watching = [asyncio.create_task(each.run(), name=type(each).__name__) for each in self._watchers]
        if self._projects:
            self._watching.append(asyncio.create_task(self._projects.run(), name="Reconciler"))
        if self._folders:
            self._watching.append(asyncio.create_task(self._folders.run(), name="FolderReconciler"))
        self._watching.append(asyncio.create_task(self._leased.run(), name="LeasedAccounts"))
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
        self._ledger.close()
        if self._record:
            self._record.close()

    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot:
        return await self._watcher.read(after, wait_s, fresh)

    async def limits(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits:
        return await self._limits.read(after, wait_s, fresh)

    async def accounting(self, start: float, end: float) -> Accounting:
        request_policy.check_known(self._settings)  # what is missing would be taken for not used
        return await self._accounting.read(start, end)

    async def storage(self, user: str) -> StorageAnswer:
        account = await self._person(user)
        # no place among the clients: a file system that hangs must not hold up starts
        projects = projects_of(self._settings, user)
        answer = await self._storage.read(account, {name: one.account for name, one in projects.items()})
        return self._folders.beside(answer, projects) if self._folders else answer

    def health(self) -> Health:
        now = self._watcher.snapshot
        return Health(
            version=__version__,
            uptime_s=time.monotonic() - self._began,
            questions=dict(self._watcher.counts),
            unavailable_since=now.unavailable_since,
            problem=now.problem,
            held_sessions=self._held,
            projects=self._projects.health if self._projects else None,
            folders=self._folders.health if self._folders else None,
        )

    async def projects_plan(self) -> ProjectsPlan:
        return await self._following().plan()

    async def projects_apply(self, body: ApplyBody) -> ProjectsApplied:
        # the gateway may stop in the midst of it: what was begun is on record
        return await self._following().apply(closings=body.closings)

    def _following(self) -> Reconciler:
        if self._projects is None:
            raise FabricError(of_projects.NO_PARENT_SET())
        return self._projects

    def _look_at_limits(self) -> None:
        """Have the limits asked for anew, as they are after a change of ours."""
        task = asyncio.create_task(self._limits.read(None, LONGEST_WAIT_S, time.time()))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def submit(self, request: SubmitRequest) -> Submitted:
        request_policy.check_spec(self._settings, request.spec)
        # a project's last day is a day of this site
        request_policy.check_submission(self._settings, request, date.today())  # noqa: DTZ011
        account = await self._account(request.user, live=request.again)
        request_policy.check_account(self._settings, account.name)
        # before there is a job: none of ours is without a witness
        witness = (request.session, request.user, request.record, request.facts)
        await asyncio.to_thread(self._ledger.submitted, *witness)
        return await self._finish(request.session, self._jobs.submit(request, account))

    async def find(self, session: str, user: str, job_id: int) -> Found:
        account = await self._account(user, live=True)
        name = job_name(self._settings.hub.id, session)
        try:
            job = await self._watcher.find(Job(job_id=job_id, name=name, user=account.name, state="UNKNOWN"))
        except UnavailableError as error:
            raise SlurmUnavailableError(sentences(texts.FATE_NOT_KNOWN(job=job_id), error.text)) from None
        return await ends.explained(self._asks, job)

    async def cancel(self, request: CancelRequest) -> None:
        account = await self._person(request.user, request.session, live=True)
        if request.why == "stray":
            self._refuse_to_end(request, account)
        await self._finish(request.session, self._jobs.cancel(request, account))

    def _refuse_to_end(self, request: CancelRequest, account: Account) -> None:
        """Refuse to end what may be the session of another record; see :func:`may_end`.

        :raises FabricError: that may be so.
        """
        witness = self._ledger.witnesses([request.session]).get(request.session)
        if witness is not None and witness.user != request.user and not self._settings.users.shared_account:
            witness = None  # a job with the name of somebody else's session
        for job in self._watcher.snapshot.jobs:
            named = (job.session or job.cluster or ())[:2] == (self._settings.hub.id, request.session)
            mine = named and job.user == account.name and job.phase in (Phase.QUEUED, Phase.RUNNING)
            if mine and not may_end(request.lines, witness, job.submitted_at, self._ledger.began_at):
                raise FabricError(texts.NOT_OF_THIS_RECORD(session=request.session, job=job.job_id))

    async def records(self, told: RecordStatement) -> Witnessed:
        if told.held is not None:
            self._held = told.held
        seen = await asyncio.to_thread(self._ledger.told, told.lines[0]) if told.lines else self._ledger.seen()
        found = self._ledger.witnesses(told.sessions)
        return Witnessed(began_at=self._ledger.began_at, seen=seen, sessions=tuple(found.values()))

    async def listens(self, session: str, note: PortNote) -> None:
        await asyncio.to_thread(self._ledger.listens, session, note.user, note.port)

    async def extend(self, request: ExtendRequest) -> None:
        extend.check(self._settings, request.minutes)
        account = await self._person(request.user, request.session)
        await self._finish(request.session, self._jobs.extend(request, account))

    async def log(self, session: str, user: str) -> SessionLog:
        account = await self._person(user, session)
        roots = accounts.session_roots(user, account, self._settings.users)
        async with self._clients.slot(account):
            return await session_dir.find_log(account, roots, session, timeout_s=self._clients.timeout_s)

    async def remove(self, session: str, user: str) -> None:
        account = await self._person(user, session)
        roots = accounts.session_roots(user, account, self._settings.users)

        async def work() -> None:
            async with self._clients.slot(account):
                await session_dir.remove_all(account, roots, session, timeout_s=self._clients.timeout_s)

        await self._finish(session, work())

    async def _person(self, user: str, session: str = "", *, live: bool = False) -> Account:
        """The account of somebody for whom this gateway may act; see :func:`permits.check_person`."""
        request_policy.check_person(self._settings, user, session, self._watcher.snapshot.jobs)
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
            forgotten = FORGOTTEN_ACCOUNT()
            raise SlurmUnavailableError(
                sentences(Text.model_validate(error.said), forgotten), hint=forgotten.hint
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
