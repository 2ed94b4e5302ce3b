"""What all spawners of one hub process share: settings, store, gateway, snapshot, notify socket."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fabric_hub.budgets.history import History
from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.catalogue.view import follower_of, known_by
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Catalogue
from fabric_hub.datasets.policy import CatalogueView
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.messages.texts import startup
from fabric_hub.notices.book import NoticeBook
from fabric_hub.rpc.follower import Follower
from fabric_hub.service.usage_service import UsageService
from fabric_hub.sessions.announcements import AnnouncementBook
from fabric_hub.sessions.choices import StartChoices
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.notify import listen, notify_path
from fabric_hub.sessions.problems import ReportDesk
from fabric_hub.sessions.readers import ReaderBook
from fabric_hub.sessions.reports import ReportBook
from fabric_hub.sessions.status import JobPresence, standings
from fabric_hub.sessions.stops import StopBook
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import Job, Snapshot

from .metrics import SLURM_SILENT, SNAPSHOT_AGE
from .start_queue import StartQueue
from .turns import Turns

log = logging.getLogger(__name__)

# How long the follower keeps asking after the last page that showed the snapshot.
INTEREST_S = 90.0
# How often at most it is asked what became of a job that snapshots lack.
MISSING_EVERY_S = 15.0


class HubRuntime:
    """One per hub process; made on first use, on its event loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = SessionStore(database_url(settings))
        self.readers = ReaderBook(self.store.engine)
        self.choices = StartChoices(self.store.engine)
        self.gateway = GatewayClient(settings.gateway.socket)
        self.follower = Follower("snapshot", self.gateway.snapshot, Snapshot(), self._wanted)
        self.limits = Follower("limits", self.gateway.limits, Limits())
        self.catalogue_service = CatalogueClient(settings.catalogue.socket) if settings.catalogue else None
        self._catalogue = follower_of(self.catalogue_service) if self.catalogue_service else None
        history = History(self.store.engine)
        self.usage = UsageService(settings, self.limits, self.follower, history.daily, None, history.charged)
        self.reports = ReportBook(self.store.engine)
        self.stops = StopBook(self.store.engine)
        self.announcements = AnnouncementBook(self.store.engine)
        self.problems = ReportDesk(self.store.engine)
        self.notices = NoticeBook(self.store.engine)
        self.start_queue = StartQueue()
        self.turns = Turns(self.follower)
        self._bells: dict[str, asyncio.Event] = {}
        self._waiting: dict[str, tuple[asyncio.Event, int | None, Job | None]] = {}  # bell, and what they know
        self._asked: dict[str, float] = {}  # when a session's job was missing, and asked about
        self._on_gone: dict[str, tuple[Session, Callable[[], Awaitable[object]]]] = {}
        self._watch_task: asyncio.Task[None] | None = None
        self._interest_until = 0.0
        self._notifications: asyncio.DatagramTransport | None = None
        self.on_news: Callable[[Session], object] | None = (
            None  # called when the service has ended or adopted a session
        )
        self.when_open: list[Callable[[HubRuntime], Awaitable[object]]] = []  # begun once, in the background
        self._tasks: set[asyncio.Future[object]] = set()
        SNAPSHOT_AGE.set_function(self._snapshot_age)
        SLURM_SILENT.set_function(lambda: float(bool(self.follower.value and self.follower.value.unavailable_since)))

    async def open(self) -> None:
        """Start listening on the notify socket; safe to call again."""
        if self._notifications is not None:
            return
        self._notifications = await listen(notify_path(self.settings), self._notified)
        # What the hub has loaded by its first start stays. The searches for garbage, which stop the hub,
        # take a quarter of the time without it; with it they took 0.13 to 0.19 s each.
        gc.freeze()
        for work in self.when_open:
            self.spawn(work(self))

    def interest(self) -> None:
        """Somebody looks at the snapshot: keep it fresh for a while."""
        self._interest_until = asyncio.get_running_loop().time() + INTEREST_S
        self.follower.follow()

    async def current_snapshot(self, patience_s: float = 1.0) -> Snapshot | None:
        """The latest snapshot; right after a start, waits this long for the first."""
        self.interest()
        return await self.follower.current(patience_s)

    async def current_limits(self) -> Limits | None:
        """Slurm's limits as last told; right after a start, waits a moment for the first word."""
        return await self.limits.current() if self.settings.slurm else None

    async def datasets(self, *, fresh: bool = False) -> CatalogueView | None:
        """What is known of the datasets now; None where the site offers none.

        :param fresh: ask the catalogue service first, so that what it has just been told is in it.
        """
        if self._catalogue is None:
            return None
        if fresh:
            with suppress(FabricError):  # that it does not answer is in what is known
                await self._catalogue.fresh(time.time())
        return await known_by(self._catalogue)

    @property
    def catalogue_known(self) -> Catalogue | None:
        """The catalogue as it was told last; None before that, and where the site offers no datasets. Asks nobody."""
        return self._catalogue.value if self._catalogue and self._catalogue.answered else None

    async def news(self, session: Session, job: Job | None, timeout_s: float) -> bool:
        """Wait for news of a session: True, or False when so many seconds have passed without any.

        News is the notify socket, and another word of Slurm on its job; other sessions' jobs wake nobody.

        :param job: a live job as the caller knows it; None: every change of the snapshot is news.
        """
        listener = self._bells.setdefault(session.id, asyncio.Event())
        self._waiting[session.id] = listener, session.job_id, job
        self._follow()
        try:
            async with asyncio.timeout(timeout_s):
                return await listener.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(session.id, None)
            listener.clear()

    def guard(self, session: Session, gone: Callable[[], Awaitable[object]]) -> None:
        """Call ``gone`` as soon as a snapshot says that a running session's job is gone.

        It is also called for a job that a snapshot lacks: whoever it wakes asks Slurm for it by its number.
        """
        self._on_gone[session.id] = session, gone
        self._follow()

    def forget(self, session_id: str) -> None:
        self._on_gone.pop(session_id, None)
        self._asked.pop(session_id, None)
        self._bells.pop(session_id, None)

    def spawn(self, work: Awaitable[object]) -> None:
        """Run something in the background, kept from being garbage collected, errors logged."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Future[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            log.error("In the background: %s", task.exception())

    def _snapshot_age(self) -> float:
        snapshot = self.follower.value
        return -1.0 if snapshot is None or snapshot.jobs_at is None else time.time() - snapshot.jobs_at

    def _wanted(self) -> bool:
        waiting = bool(self._bells or self._on_gone)
        return waiting or asyncio.get_running_loop().time() < self._interest_until

    def ring(self, session_id: str) -> None:
        """A session's row has news: whoever waits for its start reads it."""
        if listener := self._bells.get(session_id):
            listener.set()

    def _notified(self, session_id: str) -> None:
        self.ring(session_id)
        # one that waits for news reads its row itself
        if session_id not in self._waiting and self.on_news:
            session = self.store.get(session_id)
            if session:
                self.on_news(session)

    def _follow(self) -> None:
        self.follower.follow()
        if self._watch_task is None or self._watch_task.done():
            self._watch_task = asyncio.create_task(self._watch(), name="fabric-session-guard")

    async def _watch(self) -> None:
        async for snapshot in self.follower.changes():
            self._wake(snapshot)
            found = standings([session for session, _ in self._on_gone.values()], snapshot)
            for session_id in [name for name, now in found.items() if now.presence is JobPresence.GONE]:
                _, gone = self._on_gone.pop(session_id)
                session = self.store.get(session_id)
                if session is None or not session.live:
                    self.forget(session_id)
                else:
                    self.spawn(gone())
            self._ask_about([name for name, now in found.items() if now.missing])
            if not self._on_gone and not self._waiting:
                return

    def _ask_about(self, missing: list[str]) -> None:
        """Look after sessions whose jobs a snapshot lacks; JupyterHub does so, too, though less often."""
        now = time.monotonic()
        for session_id in missing:
            if session_id in self._on_gone and now - self._asked.get(session_id, -MISSING_EVERY_S) >= MISSING_EVERY_S:
                self._asked[session_id] = now
                self.spawn(self._on_gone[session_id][1]())

    def _wake(self, snapshot: Snapshot | None) -> None:
        """Ring for those who wait and whose job is not as they know it."""
        wanted = {job_id for _, job_id, _ in self._waiting.values()}
        jobs = {job.job_id: job for job in (snapshot.jobs if snapshot else ()) if job.job_id in wanted}
        for listener, job_id, known in self._waiting.values():
            if known is None or job_id is None or not _same_word(jobs.get(job_id), known):
                listener.set()


def _same_word(job: Job | None, known: Job) -> bool:
    """Whether Slurm says the same of a job; that others before it have left the queue is no news to its start."""
    return job is not None and (job == known or job.model_copy(update={"rank": known.rank}) == known)


_settings: Settings | None = None
_runtime: HubRuntime | None = None


def install(settings: Settings) -> None:
    """Say with which settings this process's runtime shall be made (jupyterhub_config.py does)."""
    global _settings, _runtime
    if _runtime is not None:
        _runtime.store.close()
    _settings, _runtime = settings, None


def runtime() -> HubRuntime:
    """The runtime of this hub process.

    :raises FabricError: the hub was not configured with ``fabric_hub.hub.configuration.configure``.
    """
    global _runtime
    if _runtime is None:
        if _settings is None:
            raise FabricError(startup.NO_SITE_FILE())
        _runtime = HubRuntime(_settings)
    return _runtime
