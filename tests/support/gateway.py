"""A gateway without Slurm: the same verbs on the same API, with jobs that a test moves by hand.

It keeps the gateway's promises (idempotent submits, adoption of live jobs only,
tombstones, silence), so that whatever is tested against it holds for the real one;
``tests/contract`` asks both the same questions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fabric_hub.errors import FabricError
from fabric_hub.gateway.api import Health
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.gateway.job_table import find_live
from fabric_hub.gateway.jobs.extend import held
from fabric_hub.gateway.ledger import Ledger
from fabric_hub.gateway.projects.answers import ApplyBody, ProjectsApplied, ProjectsPlan
from fabric_hub.gateway.queries.on_demand import check_window
from fabric_hub.gateway.server import serve
from fabric_hub.messages.text import sentences, verbatim
from fabric_hub.messages.texts.gateway import NOT_OF_THIS_RECORD, NOT_STARTED
from fabric_hub.messages.texts.slurm_projects import NO_PARENT_SET
from fabric_hub.slurm.accounting import Accounting, PastJob
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import (
    CancelRequest,
    ExtendRequest,
    Found,
    Job,
    Node,
    Phase,
    SessionLog,
    Snapshot,
    SubmitRequest,
    Submitted,
    job_name,
)
from fabric_hub.slurm.records import PortNote, RecordStatement, Witnessed, may_end
from fabric_hub.slurm.storage import StorageAnswer, StorageQuota
from fabric_hub.slurm.unavailable import SlurmUnavailableError

NODES = tuple(
    Node(
        name=f"gpu{number}", address="127.0.0.1", partitions=("gpu",), state="idle", cpus=16, cpus_free=16,
        memory_mb=8000, memory_free_mb=8000, gpus={"h200": 2}, gpus_free={"h200": 2},
    )
    for number in (1, 2)
)  # fmt: skip


class FakeGateway:
    """Implements :class:`fabric_hub.gateway.api.Verbs` in memory.

    :param hub: the hub's id.
    :param account_of: the Unix account of a hub user; may raise FabricError as the real one does.
    :param hold: leave new jobs pending (with ``reason``) until :meth:`begin`; else they run at once.
    :param on_submit: called with each new job and its request: a test may start a notebook here.
    """

    def __init__(
        self,
        hub: str = "main",
        *,
        account_of: Callable[[str], str] = lambda user: user,
        hold: bool = False,
        reason: str = "Priority",
        on_submit: Callable[[Job, SubmitRequest], None] = lambda job, request: None,
    ) -> None:
        self.hub = hub
        self._account_of = account_of
        self.strangers: frozenset[str] = frozenset()  # who is in no project
        self.hold = hold
        self.reason = reason
        self.on_submit = on_submit
        self.refusal: FabricError | None = None  # what the next submits are refused with
        self.words = ""  # what the site says to the next submits
        self.requests: list[SubmitRequest] = []  # submits that made a job, in order
        self.cancels: list[CancelRequest] = []
        self.lingers = False  # whether what is cancelled is still completing, until a test ends it
        self.logs: dict[str, tuple[str, ...]] = {}
        self.preparing: set[str] = set()  # sessions whose job runs, and whose script has not begun
        self.removed: list[str] = []
        self._jobs: dict[int, Job] = {}
        self._made: set[int] = set()  # the jobs that this gateway submitted: no other one of a name is adopted
        self.ledger = Ledger(None, hub)
        self.held_sessions = 0
        self._nodes = NODES
        self._limits = Limits()
        self.quotas: dict[str, tuple[StorageQuota, ...]] = {}  # storage by hub user
        self.past: tuple[PastJob, ...] = ()  # what Slurm's database tells of any time
        self._serial = int(time.time() * 1000)
        self._unavailable_since: float | None = None
        self._problem = ""
        self._asked_at = time.time()
        self._hides = False
        self.ends: dict[str, dict[str, str]] = {}  # what else is known of how sessions' jobs ended
        self.found: set[str] = set()  # sessions whose job was asked for by its number
        self._changed = asyncio.Event()
        self._next_id = 100
        self._began = time.monotonic()
        self._closing = False

    def account_of(self, user: str) -> str:
        if user in self.strangers:
            raise FabricError(f"{user} isn't in a project yet.", reason="project", status=403)
        return self._account_of(user)

    # what a test does to it

    def job_of(self, session: str) -> Job:
        """The newest job of a session."""
        name = job_name(self.hub, session)
        return next(job for job in reversed(self._jobs.values()) if job.name == name)

    def begin(self, session: str, node: str = "gpu1") -> None:
        """A pending job starts."""
        now = time.time()
        job = self.job_of(session)
        ends = now + job.limit_s if job.limit_s else None
        self._put(
            job.model_copy(update={"state": "RUNNING", "reason": "", "node": node, "started_at": now, "ends_at": ends})
        )

    def end(self, session: str, state: str = "COMPLETED", *, exit_status: int = 0) -> None:
        """A job ends, in a state of Slurm's."""
        now = time.time()
        update: dict[str, Any] = {"state": state, "exit_status": exit_status, "ends_at": now, "reason": ""}
        job = self.job_of(session)
        if state == "TIMEOUT" and job.limit_s:
            update["started_at"] = now - job.limit_s  # it has had all of its time
        self._put(job.model_copy(update=update))

    def set_state(self, session: str, state: str, reason: str = "") -> None:
        """A job goes into any state."""
        self._put(self.job_of(session).model_copy(update={"state": state, "reason": reason}))

    def add(self, job: Job) -> None:
        """Somebody else's job, or one that was there before; Slurm knows of each since when."""
        self._put(job if job.submitted_at else job.model_copy(update={"submitted_at": time.time()}))

    def forge(self, session: str, user: str) -> int:
        """A Unix account gives a job of its own a session's name; the job's number."""
        now, number = time.time(), self._next_id
        self._next_id += 1
        place: dict[str, Any] = {"account": "lab", "partition": "gpu", "state": "RUNNING", "node": "gpu2"}
        times: dict[str, Any] = {"started_at": now, "ends_at": now + 300, "limit_s": 300}
        self._put(Job(job_id=number, name=job_name(self.hub, session), user=user, **place, **times))
        return number

    def forget(self, session: str) -> None:
        """Slurm no longer knows a session's job, without a word on how it ended."""
        del self._jobs[self.job_of(session).job_id]
        self._bump()

    def hide(self, hides: bool = True) -> None:
        """Slurm's answers show no job any more (PrivateData); who asks for one by its number is told of it."""
        self._hides = hides
        self._bump()

    def become_unavailable(self, problem: str = "Slurm's controller (slurmctld) does not answer") -> None:
        """Slurm stops answering: the snapshot stays as it is."""
        self._unavailable_since, self._problem = time.time(), problem
        self._bump()

    def answer_again(self) -> None:
        """Slurm is back."""
        self._unavailable_since, self._problem = None, ""
        self._bump()

    def set_nodes(self, nodes: tuple[Node, ...]) -> None:
        """What Slurm shows of its nodes, from now on."""
        self._nodes = nodes
        self._bump()

    def set_limits(self, limits: Limits) -> None:
        """Slurm's limits and their use, from now on."""
        self._limits = limits
        self._bump()

    def _put(self, job: Job) -> None:
        self._jobs[job.job_id] = job
        self._bump()

    def _bump(self) -> None:
        self._serial += 1
        self._changed.set()
        self._changed = asyncio.Event()

    # the verbs

    async def start(self) -> None:
        self._closing, self._changed = False, asyncio.Event()  # it may be served again after a stop

    async def stop(self) -> None:
        self.close()

    def close(self) -> None:
        self._closing = True
        self._changed.set()

    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot:
        now = await self._news(after, wait_s, fresh)
        return Snapshot(
            serial=self._serial,
            now=now,
            jobs_at=self._asked_at,
            nodes_at=self._asked_at,
            unavailable_since=self._unavailable_since,
            problem=verbatim(self._problem),
            interval_s=1.0,
            jobs=() if self._hides else tuple(self._jobs[number] for number in sorted(self._jobs)),
            nodes=self._nodes,
        )

    async def limits(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits:
        now = await self._news(after, wait_s, fresh)
        return self._limits.model_copy(
            update={
                "serial": self._serial,
                "now": now,
                "at": self._asked_at,
                "unavailable_since": self._unavailable_since,
                "problem": verbatim(self._problem),
            }
        )

    async def accounting(self, start: float, end: float) -> Accounting:
        check_window(start, end)
        self._check_answers()
        return Accounting(start=start, end=end, at=time.time(), jobs=self.past)

    async def storage(self, user: str) -> StorageAnswer:
        self.account_of(user)
        return StorageAnswer(at=time.time(), quotas=self.quotas.get(user, ()))

    async def _news(self, after: int | None, wait_s: float, fresh: float | None) -> float:
        if fresh is None and after is not None:
            deadline = time.monotonic() + wait_s
            while self._serial == after and not self._closing:
                try:
                    async with asyncio.timeout(deadline - time.monotonic()):
                        await self._changed.wait()
                except TimeoutError:
                    break
        now = time.time()
        if self._unavailable_since is None:
            self._asked_at = now
        return now

    async def submit(self, request: SubmitRequest) -> Submitted:
        account = self.account_of(request.user)
        self.ledger.submitted(request.session, request.user, request.record, request.facts)
        name = job_name(self.hub, request.session)
        live = find_live(self._jobs.values(), name, account)
        own = [job for job in live if job.job_id in self._made or job.job_id == request.job_id]
        if own:
            return Submitted(job_id=own[0].job_id, adopted=True)
        if self.refusal:
            raise self.refusal
        self._check_answers()
        for job in live if request.again else ():
            self._put(job.model_copy(update={"state": "CANCELLED", "reason": "", "ends_at": time.time()}))
        now = time.time()
        job = Job(
            job_id=self._next_id,
            name=name,
            user=account,
            account=request.spec.account or "",
            partition=request.spec.partition or "gpu",
            qos=request.spec.qos or "normal",
            state="PENDING",
            reason=self.reason,
            submitted_at=now,
            limit_s=request.spec.minutes * 60 if request.spec.minutes else None,
        )
        self._next_id += 1
        self._made.add(job.job_id)
        self.requests.append(request)
        self._put(job)
        if not self.hold:
            self.begin(request.session)
        self.on_submit(self._jobs[job.job_id], request)
        return Submitted(job_id=job.job_id, words=self.words)

    async def find(self, session: str, user: str, job_id: int) -> Found:
        account = self.account_of(user)
        self._check_answers()
        self.found.add(session)
        job = self._jobs.get(job_id)
        mine = job is not None and (job.name, job.user) == (job_name(self.hub, session), account)
        return Found(job=job, **self.ends.get(session, {})) if mine else Found()

    async def cancel(self, request: CancelRequest) -> None:
        account = self.account_of(request.user)
        self._check_answers()
        live = find_live(self._jobs.values(), job_name(self.hub, request.session), account)
        if request.why == "stray":
            witness = self.ledger.witnesses([request.session]).get(request.session)
            for job in live:
                if not may_end(request.lines, witness, job.submitted_at, self.ledger.began_at):
                    raise FabricError(NOT_OF_THIS_RECORD(session=request.session, job=job.job_id))
        self.cancels.append(request)
        state = "COMPLETING" if self.lingers else "CANCELLED"
        for job in live:
            self._put(job.model_copy(update={"state": state, "reason": "", "ends_at": time.time()}))

    async def extend(self, request: ExtendRequest) -> None:
        account = self.account_of(request.user)
        self._check_answers()
        job = held(find_live(self._jobs.values(), job_name(self.hub, request.session), account), request)
        if (job.limit_s or 0) >= request.minutes * 60:
            return
        assert job.started_at is not None
        ends = job.started_at + request.minutes * 60
        self._put(job.model_copy(update={"limit_s": request.minutes * 60, "ends_at": ends}))

    async def log(self, session: str, user: str) -> SessionLog:
        account = self.account_of(user)
        begun, lines = session not in self.preparing, self.logs.get(session, ())
        return SessionLog(begun=begun, lines=lines, path=f"/home/{account}/.fabric-hub/{session}/session.log")

    async def remove(self, session: str, user: str) -> None:
        self.account_of(user)
        self.removed.append(session)

    async def records(self, told: RecordStatement) -> Witnessed:
        if told.held is not None:
            self.held_sessions = told.held
        seen = self.ledger.told(told.lines[0]) if told.lines else self.ledger.seen()
        found = self.ledger.witnesses(told.sessions)
        return Witnessed(began_at=self.ledger.began_at, seen=seen, sessions=tuple(found.values()))

    async def listens(self, session: str, note: PortNote) -> None:
        self.ledger.listens(session, note.user, note.port)

    async def projects_plan(self) -> ProjectsPlan:
        raise FabricError(NO_PARENT_SET())

    async def projects_apply(self, body: ApplyBody) -> ProjectsApplied:
        raise FabricError(NO_PARENT_SET())

    def health(self) -> Health:
        return Health(
            version="fake",
            uptime_s=time.monotonic() - self._began,
            questions={"squeue": 0},
            unavailable_since=self._unavailable_since,
            problem=verbatim(self._problem),
            held_sessions=self.held_sessions,
        )

    def live(self) -> tuple[Job, ...]:
        """The jobs that are not over."""
        return tuple(job for job in self._jobs.values() if job.phase is not Phase.ENDED)

    def _check_answers(self) -> None:
        if self._unavailable_since is not None:
            raise SlurmUnavailableError(
                sentences(NOT_STARTED(), verbatim(f"{self._problem}.")), since=self._unavailable_since
            )


@asynccontextmanager
async def serving(fake: FakeGateway, socket: Path) -> AsyncIterator[GatewayClient]:
    """Serve a fake on a Unix socket, with a client on it."""
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(serve(fake, socket, stop, ready))
    started = asyncio.create_task(ready.wait())
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if task.done():
            task.result()
        async with GatewayClient(socket) as client:
            yield client
    finally:
        stop.set()
        started.cancel()
        await task
