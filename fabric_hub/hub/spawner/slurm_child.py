"""The child that runs a session as a Slurm job, through the gateway.

It is a ``batchspawner.SlurmSpawner`` so that a site's ``req_*`` settings keep their
names and meaning; of its machinery (shell strings, sudo, one squeue per server)
nothing is used.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, ClassVar

from jupyterhub.utils import url_path_join
from traitlets import Any as AnyTrait
from traitlets import Float, Instance

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.choice import Choice
from fabric_hub.launch.job_spec import fit
from fabric_hub.messages.text import whole
from fabric_hub.messages.texts import starts as texts
from fabric_hub.sessions.status import SETTLE_S, JobPresence, SessionStatus, by_number, standing
from fabric_hub.sessions.steps import StepsReached
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Found, Job, JobSpec, SessionFile, Snapshot, SubmitRequest, Submitted
from fabric_hub.slurm.reasons import BY_OTHERS
from fabric_hub.slurm.records import PortNote, SessionFacts
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix.accounts import unix_name

from .bases import SlurmSpawner, configured
from .child import session_variables
from .ending import Ending, cancel
from .metrics import record_failure
from .progress import Trouble, progress_event, prologue_failed, was_killed, why_gone
from .runtime import HubRuntime, runtime
from .script_begins import Script
from .session_files import CERT_FILES, SERVICE_CA, read_certificates, service_authority
from .sooner_choices import Choices
from .waiting import of_pair, reached
from .watchers import left

FIRST_WORD_S = 10.0
QUIET_S = 10.0
PREPARING_S = 5.0  # between two looks at a node that is made ready


class FabricSlurmSpawner(SlurmSpawner):  # type: ignore[misc]
    """One session as one Slurm job."""

    start_limit_s = Float(
        300.0,
        help="How long a job's script may run before its server answers. Waiting in the queue does not count, nor does "
        "the time in which Slurm makes the node ready (Prolog).",
    ).tag(config=True)
    preparing_limit_s = Float(
        3600.0, help="How long Slurm may take to make a node ready for a job, before its script begins."
    ).tag(config=True)

    # What is not the session's stays in the hub: its own environment is never passed on.
    env_keep: ClassVar[list[str]] = []

    session = AnyTrait(None, allow_none=True)
    job_spec: JobSpec | None = None  # what is submitted, with the site's req_* settings in it
    said = ""  # what the site says to the submission
    trouble: Trouble | None = None  # while Slurm does not take the job
    _certificates: tuple[SessionFile, ...] = ()
    _told = Instance(asyncio.Event, (), help="Set, and replaced, when the submission's trouble changes.")
    other: Session | None = None  # that may start in this one's place
    _script: Script | None = None  # of this start's job
    _choices = Instance(Choices, ())

    @property
    def shared(self) -> HubRuntime:
        return runtime()

    @staticmethod
    def refuse_if_impossible(
        settings: Settings, choice: Choice, spec: JobSpec | None, snapshot: Snapshot | None
    ) -> None:
        """Refuse what no node of the latest snapshot can ever run.

        :raises FabricError: why it cannot.
        """
        if spec is None or snapshot is None or snapshot.nodes_at is None:
            return
        why = fit(spec, snapshot.nodes).why
        if why:
            raise FabricError(texts.CANNOT_RUN(profile=choice.profile, why=why))

    # -- what is asked of Slurm

    def session_environment(self) -> dict[str, str]:
        """Everything the session's server is told, tokens included; it never reaches sbatch."""
        environment = {name: str(value) for name, value in self.get_env().items() if value is not None}
        settings = self.shared.settings
        environment.update(session_variables(settings, self.session, environment["JUPYTERHUB_API_URL"]))
        if settings.hub.nodes_ca and not settings.hub.internal_ssl:
            environment["FABRIC_CA_FILE"] = SERVICE_CA
        if self._certificates:
            environment.update(
                JUPYTERHUB_SSL_KEYFILE=CERT_FILES["keyfile"],
                JUPYTERHUB_SSL_CERTFILE=CERT_FILES["certfile"],
                JUPYTERHUB_SSL_CLIENT_CA=CERT_FILES["cafile"],
            )
        return environment

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        # HOME, USER and SHELL are the node's word: the hub's host need not know the account
        return env

    def _req_homedir_default(self) -> str:
        # batchspawner looks the account up on the hub's host, which need not know it
        return ""

    def _req_keepvars_default(self) -> str:
        return ""

    def site_request(self) -> dict[str, Any]:
        """The ``req_*`` settings, names without ``req_``. The time that the configuration says is no part of it: it is
        that of the profile ``default``. One that a hook has set here is."""
        found: dict[str, Any] = self.get_req_subvars()
        if found["runtime"] == (configured(self.config, FabricSlurmSpawner, "req_runtime") or ""):
            del found["runtime"]
        return found

    async def move_certs(self, paths: dict[str, str]) -> dict[str, str]:
        """Take the certificates along with the submission; the gateway writes them as the user."""
        self._certificates = await asyncio.to_thread(read_certificates, paths)
        return dict(CERT_FILES)

    # -- start

    async def run_session(self, again: bool) -> tuple[str, int]:
        """Submit or adopt the session's job and wait until its server has announced itself.

        :returns: the node's address and the announced port.
        :raises FabricError: why there is no server.
        """
        shared, session = self.shared, self.session
        self.find_other()
        known_job = again and session.token is None and session.job_id is not None
        self._script = script = Script(shared, self.start_limit_s, self.preparing_limit_s, self.log)
        if known_job:  # its token is in that job alone: another one would be nobody's
            self.log.info("Session %s of %s is taken up as job %s", session.id, self._log_name, session.job_id)
            self.job_id, self._certificates = str(session.job_id), ()
            return await self._until_ready(script)
        self.log.info("Submitting session %s of %s", session.id, self._log_name)
        submitted = await self._submit(again)
        at = session.submitted_at or time.time()
        await asyncio.to_thread(shared.store.update, session.id, job_id=submitted.job_id, submitted_at=at)
        self.job_id, self.said = str(submitted.job_id), submitted.words or self.said
        self.log.info("Session %s is job %s%s", session.id, submitted.job_id, " (adopted)" if submitted.adopted else "")
        try:
            return await self._until_ready(script)
        finally:
            self._certificates = ()

    async def _submit(self, again: bool) -> Submitted:
        """Submit until Slurm has answered: what it does not answer may have reached it all the same."""
        assert self.job_spec is not None  # the wrapper has made it
        while True:
            session = self._reread()
            try:
                submitted = await self.shared.gateway.submit(
                    SubmitRequest(
                        session=session.id,
                        user=session.user,
                        image=session.image,
                        spec=self.job_spec,
                        environment=self.session_environment(),
                        files=(*self._certificates, *await asyncio.to_thread(service_authority, self.shared.settings)),
                        datasets=session.datasets,
                        rescue=session.profile == self.shared.settings.quotas.rescue_profile,
                        again=again,
                        job_id=session.job_id,
                        record=await asyncio.to_thread(self.shared.store.mark),
                        facts=_facts(session),
                    )
                )
            except SlurmUnavailableError as error:
                self.log.warning("Session %s is submitted later: %s", session.id, error)
                again = True
                self._tell(Trouble.next(self.trouble, error, time.time()))
                await self.shared.news(session, None, timeout_s=QUIET_S)
            else:
                self._tell(None)
                return submitted

    def _tell(self, trouble: Trouble | None) -> None:
        """The waiting page says that Slurm does not take the job, and why; None: it has."""
        self.trouble = trouble
        told, self._told = self._told, asyncio.Event()
        told.set()

    async def _until_ready(self, script: Script) -> tuple[str, int]:
        shared = self.shared
        while True:
            session = self._reread()
            now = await self._standing(session, shared.follower.value)
            if now.presence is JobPresence.GONE:
                raise await self._why_gone(now)
            if session.port is not None:
                shared.spawn(self._note_port(session, session.port))
                return await self._address(session), session.port
            left = await script.time_left(session, now.job)
            if left <= 0:
                raise script.too_slow(now.job)
            quiet_s = PREPARING_S if script.prepares else QUIET_S
            if not await shared.news(session, now.alive, timeout_s=min(left, quiet_s)):
                await script.look(session, now.job)
                # No news is not "no change": an answer with the same jobs in it may say that ours is gone.
                with suppress(FabricError):
                    await shared.follower.fresh(time.time() - QUIET_S)

    async def _note_port(self, session: Session, port: int) -> None:
        """The gateway keeps where a session's server listens, for a hub that has lost its record."""
        try:
            await self.shared.gateway.listens(session.id, PortNote(user=session.user, port=port))
        except FabricError as error:
            self.log.warning("The gateway was not told where session %s listens: %s", session.id, error)

    async def _standing(self, session: Session, snapshot: Snapshot | None) -> SessionStatus:
        """What is known of the session's job; one that a snapshot lacks is asked for by its number."""
        now = standing(session, snapshot)
        if not now.missing or session.job_id is None:
            return now
        try:
            return by_number((await self.shared.gateway.find(session.id, session.user, session.job_id)).job)
        except FabricError as error:
            self.log.warning("Job %s of session %s is in no snapshot: %s", session.job_id, session.id, error)
            return now

    def _reread(self) -> Session:
        session = self.shared.store.get(self.session.id)
        if session is None or not session.live:
            told = session.end_text if session else None
            reason = session.end_reason if session else None
            raise FabricError(told or texts.STOPPED(), reason=reason or "stopped", status=409, hint="")
        if session.pair != self.session.pair:
            self._tell(self.trouble)  # the waiting page says so
        self.session = session
        self.find_other()
        return session

    def find_other(self) -> None:
        """Look up the session that may start in this one's place."""
        known = self.other.id if self.other else None
        if self.session.pair != known:
            self.other = self.shared.store.get(self.session.pair) if self.session.pair else None

    async def _address(self, session: Session) -> str:
        """The address of the job's node, in Slurm's word.

        A session's job never moves to another node (it is not requeued), so whatever
        Slurm has said of it holds; only of a job without a node is it asked again.
        """
        snapshot = self.shared.follower.value
        now = await self._standing(session, snapshot)
        if now.job is None or not now.job.node or now.presence is JobPresence.GONE:
            snapshot = await self.shared.follower.fresh(session.announced_at or time.time())
            now = await self._standing(session, snapshot)
        while now.job is None or not now.job.node:
            if now.presence is JobPresence.GONE:
                raise await self._why_gone(now)
            # an answer that is too old to have the job is soon followed by one that must have it
            quiet_s = SETTLE_S if now.job is None and not now.missing else QUIET_S
            if not await self.shared.news(session, now.alive, timeout_s=quiet_s):
                with suppress(FabricError):
                    await self.shared.follower.fresh(time.time() - quiet_s / 2)
            now = await self._standing(session, self.shared.follower.value)
        node = now.job.node
        await asyncio.to_thread(self.shared.store.update, session.id, node=node)
        snapshot = self.shared.follower.value or snapshot
        nodes = snapshot.nodes if snapshot else ()
        return next((known.address for known in nodes if known.name == node and known.address), node)

    async def _why_gone(self, now: SessionStatus) -> FabricError:
        found = await self._explained(now.job)
        told = was_killed(now.job) or prologue_failed(now.job) or found.node_reason
        lines = await self.last_lines() if told else ()
        return why_gone(self.session, found, lines, self._unix_name)

    @property
    def _unix_name(self) -> str:
        users = self.shared.settings.users
        return "" if users.shared_account else unix_name(users, self.session.user)

    async def _explained(self, job: Job | None) -> Found:
        """What else is known of how the session's job came to its end."""
        if job is None or job.state not in BY_OTHERS or self.session.job_id is None:
            return Found(job=job)
        try:
            found = await self.shared.gateway.find(self.session.id, self.session.user, self.session.job_id)
        except FabricError as error:
            self.log.warning("Of the end of job %s no more is known: %s", job.job_id, error)
            return Found(job=job)
        return found.model_copy(update={"job": job})

    # -- poll, stop

    async def poll_session(self) -> int | None:
        """None: running, or not known. 0: over. Never raises."""
        session = self.shared.store.get(self.session.id) if self.session else None
        if session is None or not session.live:
            return 0
        self.session = session
        # a hub that has just started asks before it has heard anything: wait for the first word
        now = await self._standing(session, await self.shared.current_snapshot(FIRST_WORD_S))
        if now.presence is not JobPresence.GONE:
            return None
        error = await self._why_gone(now)
        lines = await self.last_lines()
        self.shared.store.end(session.id, reason=error.reason, text=whole(error), log=lines)
        record_failure(error.reason)
        self.log.warning("Session %s of %s is over: %s", session.id, self._log_name, error)
        await self.abandon()
        return 1

    async def last_lines(self) -> tuple[str, ...]:
        """The last lines of the session's log for a person; none when they cannot be read."""
        try:
            lines = (await self.shared.gateway.log(self.session.id, self.session.user)).lines
        except FabricError as error:
            self.log.warning("No log of session %s: %s", self.session.id, error)
            return ()
        # the launcher's marks for programs tell a person nothing
        return tuple(line for line in lines if not line.startswith('{"phase": '))

    @staticmethod
    async def end_job(shared: HubRuntime, session: Session, why: Any) -> None:
        """Cancel a session's job if it has one.

        :raises FabricError: Slurm does not answer.
        """
        await cancel(shared, session, why)

    async def abandon(self) -> None:
        await Ending(self.shared, self.log).abandon(self.session)

    async def stop_session(self, now: bool) -> None:
        await Ending(self.shared, self.log).stop(self.session, now)

    # -- progress

    async def session_progress(self) -> AsyncIterator[dict[str, Any]]:
        """One event for every change in what the user should know."""
        last: dict[str, Any] = {}
        async for snapshot in self._changes():
            session = self.session  # as the start has read it last
            job = standing(session, snapshot).job
            prepares = self._script is not None and self._script.prepares
            event = progress_event(
                session, job, snapshot, trouble=self.trouble, said=self.said, prepares=prepares,
                choices=self._choices.of(self, session, job, snapshot), pair=self._pair(),
            )  # fmt: skip
            if event != last:
                yield {**event, "now": time.time()}  # a browser's clock may be another
                last = event

    def _pair(self) -> dict[str, str] | None:
        return of_pair(self.other, url_path_join(self.hub.base_url, "spawn-pending", self.user.escaped_name))

    def steps_reached(self) -> StepsReached:
        """How far this start has come."""
        session = self.shared.store.get(self.session.id) or self.session
        job = standing(session, self.shared.follower.value).job
        return reached(session, job, self._script is not None and self._script.prepares)

    async def _changes(self) -> AsyncIterator[Snapshot | None]:
        """The snapshot now, and again when it or the submission's trouble changes, until who follows it has left."""
        gone = left.get() or asyncio.Event()
        leaving: asyncio.Future[Any] = asyncio.ensure_future(gone.wait())
        told: asyncio.Future[Any] = asyncio.ensure_future(self._told.wait())
        with self.shared.turns.bell() as bell:
            turn = asyncio.ensure_future(bell.wait())
            try:
                while True:
                    yield self.shared.follower.value
                    await asyncio.wait({turn, told, leaving}, return_when=asyncio.FIRST_COMPLETED)
                    if leaving.done():
                        return
                    if turn.done():
                        bell.clear()
                        turn = asyncio.ensure_future(bell.wait())
                    if told.done():
                        told = asyncio.ensure_future(self._told.wait())
            finally:
                turn.cancel()
                told.cancel()
                leaving.cancel()


def _facts(session: Session) -> SessionFacts:
    """What the gateway keeps of a session, for a hub that has lost its record."""
    return SessionFacts(**{name: getattr(session, name) for name in SessionFacts.model_fields})
