"""Nothing is lost, and nobody's job stays: records, jobs and the hub are brought together.

Nothing is ended without the lease on the record (:mod:`.lease`). Three loops. Once at
the start: every session on record that JupyterHub does not know is started again (its
``start()`` then adopts the job). Then with every snapshot: jobs of this hub whose
session is over end; so does one that was never on record, if that is known of it
(:mod:`.strays`): what may be another record's, and what would be many ends at once, is
held for an operator's word instead. And tokens and keys of sessions that are
over go when their jobs have ended, also when nobody could remove them then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import httpx

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import sessions as texts
from fabric_hub.projects.live import are_known
from fabric_hub.projects.membership import is_user
from fabric_hub.rpc.follower import Follower
from fabric_hub.service.hub_api import HubApi, message, options
from fabric_hub.sessions.held import Held, HeldSessions, Why
from fabric_hub.sessions.notify import notify, notify_path
from fabric_hub.sessions.status import standings
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import CancelRequest, Snapshot
from fabric_hub.slurm.records import SESSIONS_MOST, RecordMark, RecordStanding, RecordStatement, standing_of
from fabric_hub.types import Frozen
from fabric_hub.unix.accounts import unix_name

from . import strays
from .lease import Lease
from .strays import Orphan, orphans, sort, too_many

log = logging.getLogger(__name__)

RETRY_S = 5.0
LOOK_S = 10.0
# How often the hub is told of a member whom it does not know.
USER_TRIES = 3
# How often left-over files are looked for, and how long it is tried to remove a session's.
CLEAR_S = 30.0
CLEAR_FOR_S = 24 * 3600.0


class _OneEach:
    """One task at a time for each user: nobody waits behind another's."""

    def __init__(self) -> None:
        self._busy: set[str] = set()

    def begin(self, group: asyncio.TaskGroup, user: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin a user's work, unless there is some under way."""
        if user not in self._busy:
            self._busy.add(user)
            group.create_task(work(), name=user).add_done_callback(lambda _: self._busy.discard(user))


class _Unwanted(Frozen):
    """A session that the hub will never have again, and why."""

    session: Session
    reason: str
    text: Text


def _held_row(session: Session, account: str) -> Held:
    """A session on record that is not taken up again, and not ended either."""
    return Held(
        session=session.id,
        user=session.user,
        unix_account=account,
        job_id=session.job_id or 0,
        account=session.account,
        node=session.node or "",
        server_name=session.server_name,
        project=session.project,
        profile=session.profile,
        why=Why.MANY,
        since=time.time(),
    )


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
        self._book = HeldSessions(store.engine)
        # what waits for a person's word, by session: of no record of ours, and on record but not to be taken up
        self._shown = {one.session: one for one in self._book.all()}
        rows = store.known(self._shown)
        self._held = {name: one for name, one in self._shown.items() if name not in rows}
        self._unwanted = {name: one for name, one in self._shown.items() if name in rows and rows[name].live}
        self._resuming: set[str] = set()
        self._unknown_users: Counter[str] = Counter()
        self._cleared: set[str] = set()
        self._clearing, self._ending = _OneEach(), _OneEach()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as loops:  # a hub that does not answer must not keep orphans alive
            loops.create_task(self._resume_all(), name="resume")
            if self._settings.slurm is not None:
                loops.create_task(self._tell_gateway(), name="record")
                loops.create_task(self._watch_for_orphans(), name="orphans")
                loops.create_task(self._clear_away(), name="left-over files")

    async def _tell_gateway(self) -> None:
        """Say how far this record is, and on the log what it is beside what the gateway was told last."""
        while True:
            try:
                lines = self._store.lines()
                told = await self._gateway.records(RecordStatement(lines=lines, held=len(self._shown)))
            except FabricError as error:
                log.info("The gateway is told of the record later: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            standing = standing_of(lines, told.seen)
            if standing is not RecordStanding.CURRENT:
                log.error(
                    "This hub's record of sessions is not the one that the gateway was told of last, but %s: sessions "
                    "that it does not have are left alone, see `fabric-hub sessions list`",
                    "an older copy" if standing is RecordStanding.OLDER else "another",
                )
            return

    async def _watch_for_orphans(self) -> None:
        async with asyncio.TaskGroup() as ending:
            while True:
                try:
                    await self._end_orphans(self._follower.value, ending)
                    self._take_up_adopted(ending)
                except FabricError as error:
                    log.warning("Orphans are to be ended later: %s", error)
                with suppress(TimeoutError):  # grace runs out also when nothing changes
                    async with asyncio.timeout(LOOK_S):  # wait_for of Python 3.11 may swallow a cancellation
                        await self._follower.changed()

    async def _resume_all(self) -> None:
        """Sessions that were starting when the hub died: ask the hub to start them again."""
        await self._resume([session for session in self._store.live_all() if session.created_at < self._started_at])

    def _take_up_adopted(self, group: asyncio.TaskGroup) -> None:
        """Sessions that an operator has put on record: ask the hub to take them up."""
        fresh = [session for session in self._store.adopted() if session.id not in self._resuming]
        if fresh:
            group.create_task(self._resume(fresh), name="adopted")

    async def _resume(self, waiting: list[Session]) -> None:
        """Until the hub has them all; those that it will never have end, unless they are many."""
        self._resuming.update(session.id for session in waiting)
        while waiting:
            found = await asyncio.gather(*(self._tried(session) for session in waiting))
            later = [session for session, outcome in zip(waiting, found, strict=True) if outcome is False]
            unwanted = [outcome for outcome in found if isinstance(outcome, _Unwanted)]
            later += await self._end_unless_many(unwanted) if unwanted else []
            waiting = later
            if waiting:
                await asyncio.sleep(RETRY_S)

    async def _tried(self, session: Session) -> bool | _Unwanted:
        try:
            return await self._resumed(session)
        except (httpx.HTTPError, FabricError, ValueError) as error:  # ValueError: an answer that is not JSON
            log.info("Session %s is resumed later: %s", session.id, error)
            return False

    async def _resumed(self, session: Session) -> bool | _Unwanted:
        """Whether nothing is left to do for a session; or why the hub will never have it again."""
        if session.id in self._unwanted and not self._lives(session):
            del self._unwanted[session.id]
            return True
        servers = await self._hub.servers(session.user)
        if servers is None and not are_known(self._settings) and not is_user(self._settings, session.user):
            return False  # they may be in a project that is not known yet
        if servers is None and is_user(self._settings, session.user):
            self._unknown_users[session.id] += 1
            if self._unknown_users[session.id] < USER_TRIES:
                await notify(notify_path(self._settings), session.id)  # JupyterHub's own record lacks them
                return False
        if servers is None:
            return _Unwanted(session=session, reason="no-user", text=texts.NO_USER(user=session.user))
        if session.server_name in servers:
            self._unwanted.pop(session.id, None)
            return True  # JupyterHub kept it, or somebody was quicker
        answer = await self._hub.start(session.user, session.server_name, options(session))
        if answer.status_code < 400 or session.server_name in (await self._hub.servers(session.user) or {}):
            log.info("Session %s of %s is taken up again", session.id, session.user)
            self._unwanted.pop(session.id, None)
            return True
        if answer.status_code >= 500 or answer.status_code == 429:
            return False
        # what was allowed when it began no longer is: its job must not run on where nobody reaches it
        return _Unwanted(session=session, reason="refused", text=message(answer))

    def _lives(self, session: Session) -> bool:
        now = self._store.get(session.id)
        return now is not None and now.live

    async def _end_unless_many(self, unwanted: list[_Unwanted]) -> list[Session]:
        """End what the hub will never have again; returns those that are to be tried again, of which nobody is sure."""
        fresh = [one for one in unwanted if one.session.id not in self._unwanted]
        if too_many(len(fresh) + len(self._unwanted), len(self._store.live_all())):
            for one in fresh:
                log.error(
                    "Session %s of %s is not ended though it is not taken up again (%s): more than a few would be, "
                    "see `fabric-hub sessions list`", one.session.id, one.session.user, one.text,
                )  # fmt: skip
                self._unwanted[one.session.id] = _held_row(
                    one.session, unix_name(self._settings.users, one.session.user)
                )
            fresh = []
        if fresh and not self._lease.held():
            return [one.session for one in unwanted]
        for one in fresh:
            log.warning("Session %s of %s is not taken up again: %s", one.session.id, one.session.user, one.text)
            await self._end(one.session, one.reason, one.text)
        ended = {one.session.id for one in fresh}
        return [one.session for one in unwanted if one.session.id not in ended]

    async def _end(self, session: Session, reason: str, text: Text) -> None:
        self._store.end(session.id, reason=reason, text=text)
        await notify(notify_path(self._settings), session.id)  # the hub deletes its tokens

    async def _end_orphans(self, snapshot: Snapshot | None, ending: asyncio.TaskGroup) -> None:
        """Begin to end them, one after the other for each user: nobody waits behind another's."""
        if snapshot is None or snapshot.unavailable_since is not None:
            return
        named = [identity[1] for job in snapshot.jobs if (identity := job.session or job.cluster)]
        now = time.time()
        found = orphans(self._settings, snapshot.jobs, self._store.known(named), now)
        lines = self._store.lines()
        over = [orphan for orphan in found if orphan.on_record]
        ending_too, held = await self._judged([orphan for orphan in found if not orphan.on_record], snapshot, lines)
        if self._hold(held):
            await self._gateway.records(RecordStatement(lines=lines, held=len(self._shown)))  # for its health
        waiting: dict[str, list[Orphan]] = {}
        for orphan in (*over, *ending_too):
            if now - self._asked.get(orphan.job_id, 0.0) >= RETRY_S:
                waiting.setdefault(orphan.user, []).append(orphan)
        for user, mine in waiting.items():
            self._ending.begin(ending, user, partial(self._end_all, mine, lines))

    async def _judged(
        self, found: list[Orphan], snapshot: Snapshot, lines: tuple[RecordMark, ...]
    ) -> tuple[list[Orphan], list[Held]]:
        """Those on no record of ours that may end, and what is left alone; without the gateway's word all of it."""
        if not found:
            return [], []
        sessions = tuple(sorted({orphan.session for orphan in found}))[:SESSIONS_MOST]
        asked = [orphan for orphan in found if orphan.session in sessions]
        try:
            told = await self._gateway.records(RecordStatement(lines=lines, sessions=sessions, held=len(self._shown)))
        except FabricError as error:
            log.warning("What the gateway has submitted is not known: %s", error)
            return [], list(self._held.values())
        return sort(self._settings, asked, snapshot.jobs, lines, told, self._held, time.time())

    def _hold(self, held: list[Held]) -> bool:
        """Put on record what waits for a person's word; whether that has changed."""
        for one in held:
            if one.session not in self._held:
                log.error(
                    "Job %s of session %s of %s is not known to be this hub's and is left alone (%s): "
                    "see `fabric-hub sessions list`", one.job_id, one.session, one.user, one.why,
                )  # fmt: skip
        now = {one.session: one for one in held}
        shown = {**now, **self._unwanted}
        changed = shown != self._shown
        if changed:
            self._book.replace(shown.values())
        self._held, self._shown = now, shown
        return changed

    async def _end_all(self, mine: list[Orphan], lines: tuple[RecordMark, ...]) -> None:
        for orphan in mine:
            if not self._lease.held():  # after the record was read: a newer service may know of more
                return
            if not orphan.on_record and self._store.get(orphan.session):  # it was adopted meanwhile
                continue
            log.warning("Job %s of session %s has no owner and is ended", orphan.job_id, orphan.session)
            why = CancelRequest(session=orphan.session, user=orphan.user, why="orphan")
            if not orphan.on_record:
                why = CancelRequest(session=orphan.session, user=orphan.user, why="stray", lines=lines)
            try:
                await self._gateway.cancel(why)
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
            over = session.ended_at is not None and now - session.ended_at > strays.GRACE_S
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
