"""The verbs on the real catalogue and audit log, and their two loops: publish, and take in what nodes tell."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from fabric_hub import __version__
from fabric_hub.catalogue.audit.log import AuditLog, Entry, Head, audit_directory, read_head
from fabric_hub.config.catalogue import AT_ONCE_IN_FORCE, NOTHING_MORE
from fabric_hub.config.settings import Project, Settings, load
from fabric_hub.datasets.model import Acceptance, AccessRequest, Catalogue, Grant
from fabric_hub.datasets.policy import may_grant_from_hub
from fabric_hub.datasets.stewards import is_steward
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text, message_of, sentences, whole
from fabric_hub.messages.texts import dataset_files as file_texts
from fabric_hub.messages.texts import datasets as texts
from fabric_hub.messages.texts import startup
from fabric_hub.messages.texts.daemons import CATALOGUE_NOT_READ
from fabric_hub.messages.translation import N_
from fabric_hub.projects.changes import ChangeBody
from fabric_hub.projects.membership import closed, is_member
from fabric_hub.rpc.feed import Feed
from fabric_hub.types import login_name

from .agents import AgentReports
from .api import AcceptanceBody, AccessBody, Agents, AnswerBody, DecisionBody, EventBody, Health
from .denials import Denials
from .files import state_of
from .ingest import AGENTS, AT_ONCE, Ingest, events_directory, recorded_sources
from .invitations import InvitationDesk
from .leases.service import Leases
from .people.logins import People
from .people.store import PeopleStore
from .project_edits import EVENTS, denial, people_in, with_hub_names
from .project_policy import Asker
from .project_store import RefusedError
from .publish import Uids, publish, publish_projects
from .rate_limit import RateLimit
from .requests.service import ProjectRequests
from .steward_service import StewardService
from .store import NOT_CONFIRMED, CatalogueStore

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0  # `fabric-hub datasets` changes the same database: how soon the hub hears of it
PUBLISH_EVERY_S = 60.0  # accounts may come and go without a word to us
TAKE_IN_EVERY_S = 2.0  # a shared file system tells nobody that a node has written
AGENTS_EVERY_S = 10.0  # how often the agents' files are looked at, however many ask
WISHES_AT_ONCE, WISHES_PER_S = 200, 0.1  # a start may accept a hundred agreements
CHANGES_AT_ONCE, CHANGES_PER_S = 2000, 1.0  # a course of hundreds comes and goes


class CatalogueService:
    """Implements :class:`fabric_hub.catalogue.api.Verbs`.

    :param site: the site's file, which is read again when it changes.
    :param settings: what it said at the start.
    """

    def __init__(self, site: Path, settings: Settings, store: CatalogueStore) -> None:
        assert settings.catalogue is not None
        self._site = site
        self._site_state = state_of(site)
        self._reloading = threading.Lock()
        self._of_file = self._settings = settings  # with the projects that the catalogue has: see _reload
        self._datasets = settings.catalogue
        self._store = store
        known = PeopleStore(store.engine)
        self._audit_log = AuditLog(audit_directory(self._datasets), known.numbers)
        self.people = People(lambda: self._now()[1], known, self._append)
        self.invitations = InvitationDesk(known, self._audit_log, self._reload, self._append, self._tell)
        self._uids = Uids()
        self._reports = AgentReports(
            events_directory(self._datasets) / AGENTS, frozenset({0, os.geteuid()}), cached_s=AGENTS_EVERY_S
        )
        self._feed = Feed(Catalogue(), CATALOGUE_NOT_READ())
        self._closing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._begun = time.monotonic()
        self._published_at: float | None = None
        self._published_for: tuple[int, date] | None = None
        self._head = Head()
        self._problems: dict[str, Text] = {}
        self._wishes = RateLimit(WISHES_AT_ONCE, WISHES_PER_S)
        self._changes = RateLimit(CHANGES_AT_ONCE, CHANGES_PER_S)
        self._denials = Denials(self._record)
        self.requests = ProjectRequests(store, self._now, self._audit_log, self._append, self._denials, self._tell)
        self.leases = Leases(self._reload, store, self._audit_log.meet, self._append, self._denials, self._reports)
        doing = (self._append, self._not_too_often, self._denials.denied, self._tell)
        self.stewards = StewardService(lambda: self._now()[1], store, self._audit_log, *doing)

    # -- life

    async def start(self) -> None:
        await asyncio.to_thread(self._note_head)
        with self._saying(N_("catalogue")):
            await self._look()
        loops = (
            (LOOK_EVERY_S, self._look, N_("catalogue")),
            (TAKE_IN_EVERY_S, self._take_in, N_("nodes' events")),
            (LOOK_EVERY_S, self.leases.look, N_("leased accounts")),
        )
        self._tasks = [asyncio.create_task(self._every(*loop), name=f"catalogue: {loop[2]}") for loop in loops]

    async def stop(self) -> None:
        self.close()
        await asyncio.gather(*self._tasks)
        self._store.close()

    def close(self) -> None:
        self._closing.set()
        self._feed.close()

    # -- verbs

    async def catalogue(self, after: int | None = None, wait_s: float = 0.0) -> Catalogue:
        if after is None or self._known is None:
            return await self._refresh()
        return await self._feed.read(after, wait_s)

    async def accept(self, request: AcceptanceBody) -> None:
        project = await self._project(request.user, request.project)
        self._not_too_often(request.user)
        await self.people.check(*await self.stewards.asked_by(request.dataset), request.user)
        entry = Entry(event="accepted", responsible=project.members.owner, **request.model_dump())
        acceptance = Acceptance(**request.model_dump(), at=time.time())
        await asyncio.to_thread(self._audit_log.meet, entry)
        # what cannot be proved later does not happen: the audit log comes before the transaction's end
        await asyncio.to_thread(self._store.accept, acceptance, lambda: self._append([entry]))
        await self._tell()  # before the session is submitted: its node must find the acceptance there

    async def request(self, request: AccessBody) -> None:
        project = await self._project(request.user, request.project)
        self._not_too_often(request.user)
        entry = Entry(event="requested", responsible=project.members.owner, **request.model_dump())
        wanted = AccessRequest(**request.model_dump(), at=time.time())
        await asyncio.to_thread(self._audit_log.meet, entry)
        await asyncio.to_thread(self._store.request, wanted, lambda: self._append([entry]))
        await self._refresh()

    async def decide(self, request: DecisionBody) -> None:
        user, dataset, project = request.user, request.dataset, request.project
        # the site's file as it is now: who is no steward any more decides nothing
        await asyncio.to_thread(self._reload)
        if not is_steward(self._settings.catalogue, dataset, user):
            raise FabricError(texts.NOT_A_STEWARD(user=user, dataset=dataset))
        self._not_too_often(user)
        # an operator's account may have the same name as a hub user: who decided is told apart
        about: dict[str, Any] = {"user": user, "by": f"steward {user}", "project": project, "dataset": dataset}
        if known := self._settings.project.get(project):
            about |= {"account": known.account, "responsible": known.members.owner}

        await asyncio.to_thread(self._audit_log.meet, Entry.model_validate({"event": "confirmed", **about}))

        def confirmed(grant: Grant) -> None:
            self._append([Entry.model_validate({"event": "confirmed", "until": grant.until, **about})])

        def refused() -> None:
            self._append([Entry.model_validate({"event": "revoked", "why": NOT_CONFIRMED, **about})])

        try:
            if request.confirm:
                await asyncio.to_thread(self._store.confirm, dataset, project, confirmed)
            else:
                await asyncio.to_thread(self._store.dismiss, dataset, project, refused)
        except FabricError as error:
            if error.reason == "not-held":
                raise FabricError(texts.DECIDED_ALREADY(dataset=dataset, project=project)) from error
            raise
        await self._tell()

    async def answer(self, request: AnswerBody) -> None:
        user, dataset, project = request.user, request.dataset, request.project
        # the site's file as it is now, as for a steward
        await asyncio.to_thread(self._reload)
        settings = self._settings
        if user not in settings.login.admins:
            raise FabricError(texts.NOT_AN_OPERATOR(user=user))
        self._not_too_often(user)
        asked = await asyncio.to_thread(self._store.requests)
        if not any((one.dataset, one.project) == (dataset, project) for one in asked):
            raise FabricError(texts.NOBODY_ASKS(dataset=dataset, project=project))
        about: dict[str, Any] = {"user": user, "by": f"operator {user}", "project": project, "dataset": dataset}
        if known := settings.project.get(project):
            about |= {"account": known.account, "responsible": known.members.owner}
        await asyncio.to_thread(self._audit_log.meet, Entry.model_validate({"event": "granted", **about}))
        if not request.grant:
            entry = Entry.model_validate({"event": "declined", "why": request.why, **about})
            await asyncio.to_thread(
                self._store.decline, dataset, project, lambda: self._append([entry]), why=request.why
            )
        else:
            found = await asyncio.to_thread(self._store.dataset, dataset)
            today = date.today()  # noqa: DTZ011 - a grant's last day is a day of this site
            if known is None or closed(known, today) or not may_grant_from_hub(settings.catalogue, found, known):
                await self._record(Entry.model_validate({"event": "denied", "why": "grant-from-hub", **about}))
                raise FabricError(texts.GRANT_ELSEWHERE(dataset=dataset, project=project))
            if request.until and request.until < today:
                raise FabricError(file_texts.OVER_ALREADY(until=str(request.until)))
            entry = Entry.model_validate({"event": "granted", "until": request.until, **about})
            grant = Grant(dataset=dataset, project=project, until=request.until, by=f"operator {user}")
            await asyncio.to_thread(self._store.grant, grant, lambda: self._append([entry]))
            await self._publish()
        await self._refresh()

    async def told(self, event: EventBody) -> None:
        project = self._settings.project.get(event.project or "")
        owners = project.members.owner if project else ()
        await self._denials.denied(Entry(responsible=owners, **event.model_dump()))

    async def change_project(self, body: ChangeBody) -> None:
        keep_case = self._of_file.login.keep_case
        change, user = with_hub_names(body.change, keep_case=keep_case), login_name(body.by, keep_case)
        if not self._changes.take(user, time.monotonic()):
            raise FabricError(texts.TOO_OFTEN(user=user))
        await asyncio.to_thread(self._reload)  # who is no operator any more widens nothing
        asker = Asker(user, operator=user in self._of_file.login.admins)
        projects = self._store.projects
        met = Entry(event=EVENTS[change.do], user=user, responsible=people_in(change))
        try:
            # first: a number is for ever, and names in what is refused may be made up
            await asyncio.to_thread(projects.check, self._of_file, change, asker)
            await asyncio.to_thread(self._audit_log.meet, met)
            await asyncio.to_thread(projects.change, self._of_file, change, asker, self._append)
        except RefusedError as error:
            await self._denials.denied(denial(change, error.project, user, message_of(error).code))
            raise
        await self._tell()  # also after no change: the last one's word may not have reached everybody

    async def agents(self) -> Agents:
        return Agents(agents=await asyncio.to_thread(self._reports.read))

    def health(self) -> Health:
        return Health(
            version=__version__,
            uptime_s=time.monotonic() - self._begun,
            serial=self._known.serial if self._known else 0,
            audit_seq=self._head.seq,
            published_at=self._published_at,
            problem=sentences(*self._problems.values()),
        )

    # -- the loops

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]], about: str) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._closing.wait()
                    return
            with self._saying(about):
                await work()

    async def _look(self) -> None:
        """Publish when the catalogue, the site's file or the day is another, and once a minute."""
        await asyncio.to_thread(self._reload)
        serial = await asyncio.to_thread(self._store.serial)
        if self._known is None or serial != self._known.serial:
            await self._refresh()
        today = date.today()  # noqa: DTZ011 - a grant's last day is a day of this site
        if self._published_for and self._published_for[1] != today:
            await asyncio.to_thread(self._note_head)
        old = self._published_at is None or time.time() - self._published_at >= PUBLISH_EVERY_S
        if old or self._published_for != (serial, today):
            await self._publish()
            self._published_for = (serial, today)

    async def _take_in(self) -> None:
        taken = AT_ONCE
        while taken >= AT_ONCE and not self._closing.is_set():
            taken = await asyncio.to_thread(self._ingest_once)

    def _ingest_once(self) -> int:
        ingest = self._ingest
        try:
            taken = ingest.once(self._settings, self._known or self._store.catalogue())
            ingest.tidy()
        except OSError as error:
            raise FabricError(
                startup.CANNOT_TAKE_IN(why=str(error.strerror or error), path=str(events_directory(self._datasets)))
            ) from error
        return taken

    @cached_property
    def _ingest(self) -> Ingest:
        trusted, known = frozenset({0, os.geteuid()}), recorded_sources(self._audit_log.directory)
        return Ingest(events_directory(self._datasets), trusted, self._append, known)

    # -- edges

    def _append(self, entries: Iterable[Entry]) -> None:
        self._head = self._audit_log.append(*entries)
        self._problems.pop("audit log", None)

    async def _record(self, entry: Entry) -> None:
        await asyncio.to_thread(self._append, [entry])

    async def _publish(self) -> None:
        # first: the nodes' file system may hang, and who has left a project starts nothing meanwhile
        await asyncio.to_thread(publish_projects, self._datasets, self._store.projects)
        if await asyncio.to_thread(publish, self._of_file, self._store, self._uids):
            log.info("the nodes are told of catalogue %d", self._known.serial if self._known else 0)
        self._published_at = time.time()

    async def _tell(self) -> None:
        await asyncio.to_thread(self._reload)
        await self._publish()
        await self._refresh()

    async def _refresh(self) -> Catalogue:
        asked_at = time.time()
        catalogue = await asyncio.to_thread(self._store.catalogue)
        self._feed.publish_numbered(catalogue, asked_at)
        return catalogue

    @property
    def _known(self) -> Catalogue | None:
        """The catalogue as it was last read; None before."""
        return self._feed.value if self._feed.asked_at else None

    def _now(self) -> tuple[Settings, Settings]:
        """The site's file, and the same with who is in which project, as they are now. It may block."""
        self._reload()
        return self._of_file, self._settings

    def _reload(self) -> Settings:
        """Read the site's file again when it changed; one with mistakes changes nothing. And what the catalogue has."""
        with self._reloading:
            self._reload_changed()
            self._settings = self._store.projects.over(self._of_file)
            return self._of_file

    def _reload_changed(self) -> None:
        state = state_of(self._site)
        if state == self._site_state:
            return
        self._site_state = state
        fresh = None
        with self._saying(N_("site's file")):
            fresh = load(self._site)
        if fresh is None:
            return
        # who the stewards are, and what the hub may, holds at once; the places that the service has open do not change
        now = {name: getattr(fresh.catalogue, name) for name in AT_ONCE_IN_FORCE} if fresh.catalogue else NOTHING_MORE
        kept = self._datasets.model_copy(update=now)
        if fresh.catalogue != kept or fresh.users != self._of_file.users:
            log.warning("[catalogue] or [users] changed in %s: start the catalogue service again for that.", self._site)
            fresh = fresh.model_copy(update={"catalogue": kept, "users": self._of_file.users})
        self._of_file = fresh
        self._published_for = None

    def _note_head(self) -> None:
        """Say the audit log's head in the log: where logs are collected, that is a copy in other hands."""
        with self._saying(N_("audit log")):
            self._head = read_head(self._audit_log.directory)
            log.info("the audit log's head is %d:%s", self._head.seq, self._head.digest)

    async def _project(self, user: str, name: str) -> Project:
        await asyncio.to_thread(self._reload)  # as they are now: somebody may have left by a command
        project = self._settings.project.get(name)
        if project is None or not is_member(project, user):
            raise FabricError(texts.NOT_A_MEMBER(user=user, project=name))
        return project

    def _not_too_often(self, user: str) -> None:
        if not self._wishes.take(user, time.monotonic()):
            raise FabricError(texts.TOO_OFTEN(user=user))

    @contextlib.contextmanager
    def _saying(self, about: str) -> Iterator[None]:
        """Keep a failure of the catalogue service's own work as its problem, and say it once."""
        try:
            yield
        except FabricError as error:
            words = whole(error)
            if self._problems.get(about) != words:
                log.error("%s", error)
            self._problems[about] = words
        except Exception as error:
            # a loop that ends is worse than one that fails: nothing would be published or recorded, and nobody told
            words = startup.FAILED_AT(what=about)
            if self._problems.get(about) != words:
                log.exception("%s: %s", about, type(error).__name__)
            self._problems[about] = words
        else:
            if self._problems.pop(about, None):
                log.info("the %s: in order again", about)
