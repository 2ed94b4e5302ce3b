"""Nothing is lost, and nobody's job stays: records, jobs and the hub are brought together.

Nothing is ended without the lease on the record (:mod:`.lease`). Three loops. Once at
the start: every session on record that JupyterHub does not know is started again (its
``start()`` then adopts the job). Then with every snapshot: jobs of this hub whose
session is over, or was never on record, end. And tokens and keys of sessions that are
over go when their jobs have ended, also when nobody could remove them then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.gateway.request_policy import is_paid
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import sessions as texts
from fabric_hub.projects.membership import is_user
from fabric_hub.rpc.follower import Follower
from fabric_hub.service.hub_api import HubApi, message, options
from fabric_hub.sessions.notify import notify, notify_path
from fabric_hub.sessions.status import standings
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import CancelRequest, Job, Phase, Snapshot
from fabric_hub.types import Frozen, HubUser
from fabric_hub.unix.accounts import hub_name, unix_name

from .lease import Lease

log = logging.getLogger(__name__)

# A job may be seen before its row says so only if someone else made it: rows come first. A session
# that has just ended is given this long, in seconds, for its own cancel to take effect.
GRACE_S = 20.0
RETRY_S = 5.0
LOOK_S = 10.0
# How often left-over files are looked for, and how long it is tried to remove a session's.
CLEAR_S = 30.0
CLEAR_FOR_S = 24 * 3600.0

_HUB_USER: TypeAdapter[str] = TypeAdapter(HubUser)


class Orphan(Frozen):
    """A job to end: whose it is to the hub, and its session."""

    job_id: int
    session: str
    user: str


def orphans(settings: Settings, jobs: tuple[Job, ...], known: dict[str, Session], now: float) -> list[Orphan]:
    """Jobs of this hub that nobody owns: sessions, and the workers of sessions' Dask clusters. Pure.

    A job's name is text that its owner chose: one that names a session of another
    Unix account is not that session's job, and is left alone; so is one of somebody
    who is in no project, in an account that is no project's.
    """
    found = []
    for job in jobs:
        identity = job.session or job.cluster
        if identity is None or identity[0] != settings.hub.id or job.phase in (Phase.ENDED, Phase.ENDING):
            continue
        session = known.get(identity[1])
        if session is None:
            shared = settings.users.shared_account
            user = "orphan" if shared else hub_name(settings.users, job.user)
            if user and _is_hub_user(user) and (shared or is_user(settings, user) or is_paid(settings, job)):
                found.append(Orphan(job_id=job.job_id, session=identity[1], user=user))
            continue
        if not settings.users.shared_account and job.user != unix_name(settings.users, session.user):
            continue
        if session.ended_at is not None and now - session.ended_at > GRACE_S:
            found.append(Orphan(job_id=job.job_id, session=session.id, user=session.user))
    return found


def _is_hub_user(name: str) -> bool:
    # Unix accounts have names that no hub user can have (DOMAIN\jan): their jobs are not ours
    try:
        _HUB_USER.validate_python(name)
    except ValidationError:
        return False
    return True


class _OneEach:
    """One task at a time for each user: nobody waits behind another's."""

    def __init__(self) -> None:
        self._busy: set[str] = set()

    def begin(self, group: asyncio.TaskGroup, user: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin a user's work, unless there is some under way."""
        if user not in self._busy:
            self._busy.add(user)
            group.create_task(work(), name=user).add_done_callback(lambda _: self._busy.discard(user))


class Reconciler:
    """Runs in the service."""

    def __init__(
        self,
        settings: Settings,
        store: SessionStore,
        gateway: GatewayClient,
        follower: Follower[Snapshot],
        hub: HubApi,
        lease: Lease,
    ) -> None:
        self._settings, self._store, self._gateway = settings, store, gateway
        self._follower, self._hub, self._lease = follower, hub, lease
        self._started_at = time.time()
        self._asked: dict[int, float] = {}
        self._cleared: set[str] = set()
        self._clearing, self._ending = _OneEach(), _OneEach()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as loops:  # a hub that does not answer must not keep orphans alive
            loops.create_task(self._resume_all(), name="resume")
            if self._settings.slurm is not None:
                loops.create_task(self._watch_for_orphans(), name="orphans")
                loops.create_task(self._clear_away(), name="left-over files")

    async def _watch_for_orphans(self) -> None:
        async with asyncio.TaskGroup() as ending:
            while True:
                try:
                    self._end_orphans(self._follower.value, ending)
                except FabricError as error:
                    log.warning("Orphans are to be ended later: %s", error)
                with suppress(TimeoutError):  # grace runs out also when nothing changes
                    async with asyncio.timeout(LOOK_S):  # wait_for of Python 3.11 may swallow a cancellation
                        await self._follower.changed()

    async def _resume_all(self) -> None:
        """Sessions that were starting when the hub died: ask the hub to start them again."""
        waiting = [session for session in self._store.live_all() if session.created_at < self._started_at]
        await asyncio.gather(*(self._resume(session) for session in waiting))

    async def _resume(self, session: Session) -> None:
        while True:
            try:
                if await self._resumed(session):
                    return
            except (httpx.HTTPError, FabricError, ValueError) as error:  # ValueError: an answer that is not JSON
                log.info("Session %s is resumed later: %s", session.id, error)
            await asyncio.sleep(RETRY_S)

    async def _resumed(self, session: Session) -> bool:
        """Whether nothing is left to do for a session: the hub has it again, or will never have it."""
        servers = await self._hub.servers(session.user)
        if servers is None:
            if not self._lease.held():
                return False
            await self._end(session, "no-user", texts.NO_USER(user=session.user))
            return True
        if session.server_name in servers:
            return True  # JupyterHub kept it, or somebody was quicker
        answer = await self._hub.start(session.user, session.server_name, options(session))
        if answer.status_code < 400 or session.server_name in (await self._hub.servers(session.user) or {}):
            log.info("Session %s of %s is taken up again", session.id, session.user)
            return True
        if answer.status_code >= 500 or answer.status_code == 429:
            return False
        if not self._lease.held():
            return False
        # what was allowed when it began no longer is: its job must not run on where nobody reaches it
        why = message(answer)
        log.warning("Session %s of %s is not taken up again: %s", session.id, session.user, why)
        await self._end(session, "refused", why)
        return True

    async def _end(self, session: Session, reason: str, text: Text) -> None:
        self._store.end(session.id, reason=reason, text=text)
        await notify(notify_path(self._settings), session.id)  # the hub deletes its tokens

    def _end_orphans(self, snapshot: Snapshot | None, ending: asyncio.TaskGroup) -> None:
        """Begin to end them, one after the other for each user: nobody waits behind another's."""
        if snapshot is None or snapshot.unavailable_since is not None:
            return
        named = [identity[1] for job in snapshot.jobs if (identity := job.session or job.cluster)]
        now = time.time()
        waiting: dict[str, list[Orphan]] = {}
        for orphan in orphans(self._settings, snapshot.jobs, self._store.known(named), now):
            if now - self._asked.get(orphan.job_id, 0.0) >= RETRY_S:
                waiting.setdefault(orphan.user, []).append(orphan)
        for user, mine in waiting.items():
            self._ending.begin(ending, user, partial(self._end_all, mine))

    async def _end_all(self, mine: list[Orphan]) -> None:
        for orphan in mine:
            if not self._lease.held():  # after the record was read: a newer service may know of more
                return
            log.warning("Job %s of session %s has no owner and is ended", orphan.job_id, orphan.session)
            try:
                await self._gateway.cancel(CancelRequest(session=orphan.session, user=orphan.user, why="orphan"))
                await self._gateway.remove(orphan.session, orphan.user)  # what its job would have read
            except FabricError as error:  # one that cannot be ended must not keep the others alive
                log.warning("Job %s is to be ended later: %s", orphan.job_id, error)
            self._asked[orphan.job_id] = time.time()

    async def _clear_away(self) -> None:
        """Remove the private files of sessions that are over, for each user apart; mostly they are gone already."""
        async with asyncio.TaskGroup() as clearing:
            while True:
                with suppress(FabricError):  # the record is locked: the next look reads it
                    for user, mine in self._left().items():
                        self._clearing.begin(clearing, user, partial(self._clear, mine))
                await asyncio.sleep(CLEAR_S)

    def _left(self) -> dict[str, list[Session]]:
        """The sessions whose files are to be removed, by user: a job that still ends may write to its own."""
        now, snapshot = time.time(), self._follower.value
        if snapshot is None:
            return {}
        ended = self._store.ended_since(now - CLEAR_FOR_S)
        self._cleared.intersection_update(session.id for session in ended)
        jobs = standings(ended, snapshot)
        left: dict[str, list[Session]] = {}
        for session in ended:
            over = session.ended_at is not None and now - session.ended_at > GRACE_S
            if over and session.id not in self._cleared and jobs[session.id].alive is None:
                left.setdefault(session.user, []).append(session)
        return left

    async def _clear(self, mine: list[Session]) -> None:
        for session in mine:
            try:
                await self._gateway.remove(session.id, session.user)
            except FabricError as error:
                log.info("Files of session %s of %s are to be removed later: %s", session.id, session.user, error)
                return  # the same home: the others would wait there, too
            self._cleared.add(session.id)
