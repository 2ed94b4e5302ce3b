"""FabricSpawner: what JupyterHub sees. It knows users, options and sessions; its child knows the job.

The wrapper validates options once for all doors, keeps the session's record, and
picks the child by profile. JupyterHub's hooks and timeouts act on the wrapper.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from jupyterhub.utils import maybe_future, url_path_join
from traitlets import Any as AnyTrait
from traitlets import Instance, Integer, Unicode, default

from fabric_hub.datasets.model import Acceptance
from fabric_hub.errors import FabricError
from fabric_hub.hub import tls
from fabric_hub.hub.pages.start_form import render_form
from fabric_hub.hub.tls import ANY_USER, alt_name
from fabric_hub.launch.batchspawner_compat import refuse_without_effect
from fabric_hub.launch.options import UserOptions, from_form, from_url, parse_options
from fabric_hub.messages.text import NOTHING, Text, sentences, whole
from fabric_hub.messages.texts import sessions
from fabric_hub.messages.texts import starts as texts
from fabric_hub.sessions.phases import phases_of
from fabric_hub.sessions.status import standing
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import JobSpec

from . import agreements, opening, session_tokens
from .ending import end_on_record
from .failures import SessionFailure
from .limits import with_rescue
from .metrics import record_failure, record_start
from .opening import CHILDREN
from .reach import Seen, look, tls_of
from .runtime import HubRuntime, runtime
from .site_hooks import HookedSpawner
from .slurm_child import FabricSlurmSpawner
from .start_queue import StartSlot

SNAPSHOT_PATIENCE_S = 10.0


class FabricSpawner(HookedSpawner):
    """A session of one user in one project; see the module."""

    # Waiting in Slurm's queue is not starting: only the part after the job runs has a limit
    # (FabricSlurmSpawner.start_limit_s). JupyterHub's own limit would throw people out of the queue.
    start_timeout = Integer(366 * 24 * 3600).tag(config=True)

    api_token: Any
    child_class: Any
    child_config: dict[str, Any]
    child_spawner: Any  # a SessionChild, or None

    session_id = Unicode("", help="The session of this server; empty when it has none.")
    child_kind = Unicode("")
    choice = AnyTrait(None, allow_none=True)
    job_spec: JobSpec | None = None  # the one job of this start; None: not decided yet, or it has none
    _accepted: tuple[Acceptance, ...] = ()  # agreements that were accepted with this start
    alternative_to = ""  # the session that this start may take the place of; see hub/pages/sooner.py
    chosen = UserOptions()  # what the form is to show as chosen
    next_url = ""  # where the link led that began this start; JupyterHub checks it wherever it comes back
    _notice = NOTHING  # what a limit does to this start, which it does not prevent
    _unanswered = False  # an earlier hub's session, while this hub has not had an answer from its server
    unreached_since: float | None = None  # Unix seconds; such a session is left to run, and asked again
    awaited_by: asyncio.Task[Any] | None = None  # who waits for the server to answer, and stops it if it does not
    opened = Instance(asyncio.Event, (), help="Set once this start has a session on record, or failed.")

    @property
    def shared(self) -> HubRuntime:
        return runtime()

    # -- options: one schema for form, URL and REST

    @default("options_form")
    def _default_options_form(self) -> Any:
        return lambda spawner: render_form(spawner)

    @default("options_from_form")
    def _default_options_from_form(self) -> Any:
        return self._options_from_lists

    def options_from_query(self, query_options: Mapping[str, Any]) -> dict[str, Any]:
        return self._options_from_lists(query_options, read=from_url)

    def _options_from_lists(
        self, lists: Mapping[str, Any], spawner: Any = None, *, read: Callable[..., Mapping[str, Any]] = from_form
    ) -> dict[str, Any]:
        plain = {name: value for name, value in lists.items() if name != "_xsrf"}
        try:
            options = parse_options(read(plain)).model_dump(mode="json", exclude_none=True)
        except FabricError as error:
            raise SessionFailure(error) from error
        return {name: value for name, value in options.items() if name != "agreements" or value}

    @default("apply_user_options")
    def _default_apply_user_options(self) -> Any:
        return lambda spawner, options: spawner.decide(options)

    async def decide(self, options: Mapping[str, Any] | None) -> None:
        """Turn raw options into this session's choice and its child. Of limits it asks nothing yet.

        :raises SessionFailure: they are refused.
        """
        self.next_url = self.handler.get_argument("next", "") if self.handler else ""
        agreements.forget(self.orm_spawner)
        try:
            self.choice, self._accepted = await opening.choose(self.shared, self.user.name, parse_options(options))
        except FabricError as error:
            raise self._refused(error, options) from error
        self.user_options = self.choice.options()
        self._become(self.choice.kind)

    async def run_pre_spawn_hook(self) -> None:
        """After the site's own hook, which may set ``req_*``: make the start's one job, and hold it against nodes and
        limits; then agreements are recorded.

        :raises SessionFailure: it can never run, or may not start.
        """
        if self.child_spawner is None:  # the site has an apply_user_options of its own
            await self.decide(self.user_options)
        await maybe_future(super().run_pre_spawn_hook())
        user = self.user.name
        try:
            set_by_hook = self.set_by_hook()
            account = set_by_hook.get("req_account")
            refuse_without_effect(set_by_hook, account, self.choice.project, self.choice.account)
            req = self.site_request()
            self.job_spec, self._notice = await opening.judge(
                self.shared, user, self.name, self.choice, req, self.alternative_to
            )
            by_person = agreements.in_person(self.handler, user)
            await agreements.record(self.shared, self._accepted, by_person=by_person)
        except FabricError as error:
            raise self._refused(error, self.user_options) from error
        self.child_spawner.job_spec = self.job_spec

    def _refused(self, error: FabricError, options: Mapping[str, Any] | None) -> SessionFailure:
        agreements.tell_refusal(self.shared, self.user.name, error)
        record_failure(error.reason)
        self.log.info("Refused %s for %s: %s", sorted(options or {}), self.user.name, error)
        return SessionFailure(error)

    async def choose(self, options: Mapping[str, Any]) -> None:
        """Let the start form show what a link chooses (``chosen``). Nothing is started or recorded.

        :raises SessionFailure: a start with it would be refused, as far as its job is known before it.
        """
        try:
            self.chosen = wish = parse_options(options)
            choice, _ = await opening.choose(self.shared, self.user.name, wish)
            await opening.judge(self.shared, self.user.name, self.name, choice, self.site_request())
        except FabricError as error:
            raise SessionFailure(error) from error

    def _become(self, kind: str) -> None:
        if self.child_spawner is not None and self.child_kind == kind:
            return
        self.child_spawner = None
        self.child_kind = kind
        self.child_class = CHILDREN[kind]
        self.child_config = {}  # never the class's shared default
        self.construct_child()

    # -- state

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        if self.session_id:
            state["session"] = self.session_id
            state["kind"] = self.child_kind
            state["said"] = self.said
        return state

    @property
    def said(self) -> str:
        """What the site said to the submission of this server's session (its job_submit plugin, for one)."""
        return str(getattr(self.child_spawner, "said", ""))

    def load_state(self, state: dict[str, Any]) -> None:
        self.child_spawner = None
        self.child_config = {}
        self.child_kind = state.get("kind") or "slurm"
        super().load_state({**state, "child_conf": {}})
        self.session_id = state.get("session", "")
        session = self.session()
        if session:
            self.child_spawner.session = session
            if isinstance(self.child_spawner, FabricSlurmSpawner):
                self.child_spawner.said = state.get("said", "")
            self._unanswered = session.ready_at is not None
            self._guard(session)

    def load_child_class(self, state: dict[str, Any]) -> None:
        self.child_class = CHILDREN[self.child_kind]

    def clear_state(self) -> None:
        if self.session_id:
            self.shared.forget(self.session_id)
            if self._stop_pending:  # and not before a start, which has made its token already
                session_tokens.revoke(self.user.db, self.user.name, self.name)
        super().clear_state()
        self.session_id = ""
        self.child_kind = ""
        self.job_spec = None
        self.unreached_since = None
        self.forget_hook()
        if self.opened.is_set():  # else who opened the page before JupyterHub had cleared this waits for the start
            self.opened = asyncio.Event()

    def session(self) -> Session | None:
        """This server's session as it is on record."""
        return self.shared.store.get(self.session_id) if self.session_id else None

    # -- start, poll, stop

    @default("ssl_alt_names")
    def _default_ssl_alt_names(self) -> Any:
        return lambda spawner: spawner.alt_names()

    async def alt_names(self) -> list[str]:
        """Under internal TLS a session's certificate names every node that its job may get."""
        # what is the hub's in here, for all users' hosts, would let one user's session stand in for another's
        names = [name for name in self.trusted_alt_names if not name.startswith(ANY_USER)]
        settings = self.shared.settings
        if settings.slurm and self.job_spec is not None:
            snapshot = await self.shared.current_snapshot(patience_s=SNAPSHOT_PATIENCE_S)
            partition = self.job_spec.partition
            names += sorted(
                {
                    alt_name(node.address or node.name)
                    for node in (snapshot.nodes if snapshot else ())
                    if partition is None or partition in node.partitions
                }
            )
        return names

    async def create_certs(self) -> dict[str, str]:
        """The files of this start's key and certificate, where JupyterHub has them; see :mod:`fabric_hub.hub.tls`."""
        await self.shared.start_queue.wait(StartSlot.SUBMIT)
        names = self.ssl_alt_names
        if callable(names):
            names = await maybe_future(names(self))
        if self.ssl_alt_names_include_local:
            names = ["DNS:localhost", "IP:127.0.0.1", *names]
        name = tls.pair_name(self.user.name, self.name)
        key, certificate = tls.create(Path(self.internal_certs_location), name, names)
        trusted = self.internal_trust_bundles[tls.AUTHORITY]
        return {"keyfile": str(key), "certfile": str(certificate), "cafile": trusted}

    async def move_certs(self, paths: dict[str, str]) -> dict[str, str]:
        moved: dict[str, str] = await self.child_spawner.move_certs(paths)
        if moved["keyfile"] != paths["keyfile"]:
            tls.remove(Path(paths["keyfile"]), Path(paths["certfile"]))  # they live with the session now
        return moved

    async def start(self) -> Any:
        """Start or adopt this server's session; returns where it listens, (address, port).

        :raises SessionFailure: why it did not start, with the last lines of its log.
        """
        await self.shared.open()
        alternative_to, self.alternative_to = self.alternative_to, ""
        try:
            session, again = await opening.open_session(
                self.shared, self.user.name, self.name, self.choice, self.job_spec, self.api_token, self.log,
                alternative_to,
            )  # fmt: skip
            if again and session.token:
                self.api_token = session.token
            session_tokens.revoke(self.user.db, self.user.name, self.name, keep=self.api_token, visitors=not again)
            if again and not session.token:
                session_tokens.restore(self.user.db, self.api_token, self.oauth_client_id, session.token_hash or "")
            caller = getattr(getattr(self.handler, "current_user", None), "name", "")
            if not again and not alternative_to and caller == self.user.name:
                self.shared.spawn(opening.remember(self.shared, self.user.name, self.choice))
            self.session_id = session.id
            self._unanswered = again and session.ready_at is not None
            self.opened.set()
            child = self.child_spawner
            child.session = session
            child.api_token = self.api_token
            address = await child.run_session(again)
        except FabricError as error:
            self.opened.set()
            raise await self._give_up(error) from error
        except Exception as error:
            self.opened.set()
            self.log.exception("A fault of the hub while starting %s", self._log_name)
            raise await self._give_up(_fault()) from error
        session = self.shared.store.get(self.session_id) or session
        await asyncio.to_thread(self.shared.store.update, session.id, token=None)
        self._guard(session)
        await self.shared.start_queue.wait(StartSlot.READY)
        return address

    async def _give_up(self, error: FabricError) -> SessionFailure:
        lines: tuple[str, ...] = ()
        if self.session_id:
            lines = await self.child_spawner.last_lines() if self.child_spawner else ()
            child = self.child_spawner
            steps = child.steps_reached() if isinstance(child, FabricSlurmSpawner) else None
            end_on_record(self.shared, self.session_id, error.reason, whole(error), lines, steps)
            if self.child_spawner:
                await self.child_spawner.abandon()
        record_failure(error.reason)
        self.log.warning("%s did not start: %s", self._log_name, error)
        error = await with_rescue(self.shared, self.user.name, self.choice, self.site_request(), error)
        return SessionFailure(error, lines, self.session_id)

    def add_poll_callback(self, callback: Any, *args: Any, **kwargs: Any) -> None:
        # JupyterHub does this once the server answers through the proxy: the moment the user has it
        # (or once a session of an earlier hub is left to run, which the hub does not reach yet)
        self._unanswered = self.unreached_since is not None
        super().add_poll_callback(callback, *args, **kwargs)
        session = self.session()
        if session and session.ready_at is None:
            now = time.time()
            job = standing(session, self.shared.follower.value).job
            phases = phases_of(session, job.started_at if job else None, now)
            self.shared.spawn(
                asyncio.to_thread(self.shared.store.update, session.id, ready_at=now, start_seconds=phases)
            )
            record_start(session.profile, phases)
            self.log.info("Session %s is ready: %s", session.id, phases)

    def _guard(self, session: Session) -> None:
        if session.kind == "slurm":
            self.shared.guard(session, self.poll_and_notify)

    async def poll(self) -> int | None:
        """None while the session runs or nothing is known, 0 or more when it is over."""
        if self.child_spawner is None or not self.session_id:
            return 0
        status: int | None = await self.child_spawner.poll_session()
        return status

    async def stop(self, now: bool = False) -> None:
        """End the session: on record first, then its job."""
        if self.child_spawner is None or not self.session_id:
            return
        if self.awaited_by is not None and self.awaited_by is asyncio.current_task():
            await self.end_unreached(await self.look())
        else:
            end_on_record(self.shared, self.session_id, "stopped", sessions.STOPPED())
        self.shared.forget(self.session_id)
        await self.child_spawner.stop_session(now)

    @property
    def was_running(self) -> bool:
        """Whether this is an earlier hub's session, whose server has not answered this hub yet."""
        return self._unanswered

    @property
    def unreached(self) -> Text | None:
        """What its person reads while the hub does not reach a session of an earlier hub."""
        return texts.NOT_REACHED_YET(since=self.unreached_since) if self.unreached_since is not None else None

    async def look(self) -> Seen:
        """What keeps the hub from this session's server, now."""
        session = self.session()
        url = url_path_join(self.server.url, "api") if self.server else ""
        return await look(url, (session.node if session else "") or "", tls_of(self.user))

    def answers(self) -> None:
        """The server has answered this hub: it is like any other."""
        self._unanswered, self.unreached_since = False, None

    async def end_unreached(self, seen: Seen) -> None:
        """Put on record why the hub gave up on this session's server; its job is not ended by this."""
        text = sentences(texts.AFTER_RESTART() if self._unanswered else None, whole(seen.why))
        lines = await self.child_spawner.last_lines()
        self.shared.store.end(self.session_id, reason=seen.why.reason, text=text, log=lines)
        record_failure(seen.why.reason)
        self.log.warning("%s could not be reached: %s", self._log_name, seen.why)

    # -- progress

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What is happening, one event per change: queue, node, starting, ready."""
        await self.opened.wait()
        if self.child_spawner is None or not self.session_id:
            return
        if self._notice:
            yield {"progress": 5, "message": self._notice.say()}
        async for event in self.child_spawner.session_progress():
            yield event


def _fault() -> FabricError:
    return FabricError(texts.HUB_FAULT())
