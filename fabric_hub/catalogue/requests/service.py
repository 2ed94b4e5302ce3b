"""The verbs on requests for projects, over the stores and the audit log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from fabric_hub.catalogue.audit.log import AuditLog, Entry
from fabric_hub.catalogue.denials import Denials
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.project_store import RefusedError
from fabric_hub.catalogue.rate_limit import RateLimit
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import message_of
from fabric_hub.messages.texts import datasets as dataset_texts
from fabric_hub.messages.texts import project_requests as texts
from fabric_hub.projects.requests import (
    AnswerRequestBody,
    AskBody,
    Asked,
    AskMore,
    Requests,
    Starter,
    StarterBody,
    WithdrawBody,
)
from fabric_hub.types import login_name

from .policy import not_from_hub, refusal_to_answer
from .starters import StarterStore
from .store import RequestStore

# Of a person: so many at once, then so often (1/s). Withdrawing and asking anew, over and over, fills the audit log.
ASKS_AT_ONCE, ASKS_PER_S = 20, 1 / 600
# Of everybody: a first login is made into a project, and names are the hub's word.
STARTERS_AT_ONCE, STARTERS_PER_S = 200, 0.1
LONGEST_WHY = 100

Append = Callable[[Iterable[Entry]], object]


class ProjectRequests:
    """Implements :class:`fabric_hub.catalogue.api.RequestVerbs`.

    :param settings: of the site's file alone as it is now, and with all projects; it may block.
    :param append: puts entries in the audit log.
    :param changed: tells everybody of changed projects.
    """

    def __init__(
        self,
        store: CatalogueStore,
        settings: Callable[[], tuple[Settings, Settings]],
        audit_log: AuditLog,
        append: Append,
        denials: Denials,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = RequestStore(store.engine, store.projects)
        self._starters = StarterStore(store.engine, store.projects, PeopleStore(store.engine))
        self._settings, self._audit_log, self._append = settings, audit_log, append
        self._denials, self._changed = denials, changed
        self._asks = RateLimit(ASKS_AT_ONCE, ASKS_PER_S)
        self._begun = RateLimit(STARTERS_AT_ONCE, STARTERS_PER_S)

    async def read(self, user: str | None = None) -> Requests:
        """Somebody's requests; None: all that are open."""
        found = await asyncio.to_thread(self._store.all, user, only_open=user is None)
        return Requests(requests=found)

    async def one(self, number: int) -> Requests:
        """One request."""
        return Requests(requests=(await asyncio.to_thread(self._store.one, number),))

    async def ask(self, body: AskBody) -> Asked:
        """Keep a request."""
        of_file, settings = await asyncio.to_thread(self._settings)
        user = login_name(body.by, of_file.login.keep_case)
        self._not_too_often(user)
        await asyncio.to_thread(self._audit_log.meet, Entry(event="project-requested", user=user))
        try:
            number = await asyncio.to_thread(self._store.ask, body.ask, user, settings, self._append)
        except FabricError as error:
            project = body.ask.project if isinstance(body.ask, AskMore) else None
            denied = {"event": "denied", "user": user, "project": project, "why": message_of(error).code}
            await self._denials.denied(Entry.model_validate(denied))
            raise
        return Asked(number=number)

    async def withdraw(self, body: WithdrawBody) -> None:
        """Take an open request back."""
        of_file, _ = await asyncio.to_thread(self._settings)
        user = login_name(body.by, of_file.login.keep_case)
        self._not_too_often(user)
        await asyncio.to_thread(self._store.withdraw, body.number, user, self._append)

    async def answer(self, body: AnswerRequestBody) -> None:
        """Give what is approved, or say why nothing is."""
        of_file, _ = await asyncio.to_thread(self._settings)  # who is no operator any more answers nothing
        user = login_name(body.by, of_file.login.keep_case)
        asker = Asker(user, operator=user in of_file.login.admins)
        try:
            await asyncio.to_thread(self._answer, body, of_file, asker)
        except RefusedError as error:
            code = message_of(error).code
            denied = {"event": "denied", "user": user, "why": code, "after": f'{{"request":{body.number}}}'}
            await self._denials.denied(Entry.model_validate(denied))
            raise
        await self._changed()

    def _answer(self, body: AnswerRequestBody, of_file: Settings, asker: Asker) -> None:
        told = refusal_to_answer(asker)
        if told is not None:
            raise RefusedError(told, None)
        request = self._store.one(body.number)
        self._audit_log.meet(Entry(event="request-granted", user=request.user, by=asker.by(None)))
        if body.approval is None:
            if not body.why:
                raise FabricError(texts.NO_WHY(most=LONGEST_WHY))
            self._store.decline(body.number, body.why, asker, self._append)
            return
        try:
            self._store.approve(body.number, body.approval, of_file, asker, self._append)
        except RefusedError as error:
            raise RefusedError(not_from_hub(request, body.approval, message_of(error)), error.project) from error

    async def starter(self, body: StarterBody) -> Starter:
        """Give who is in no project a starter project, once."""
        of_file, settings = await asyncio.to_thread(self._settings)
        if of_file.catalogue is None or of_file.catalogue.starter is None:
            return Starter()
        user = login_name(body.user, of_file.login.keep_case)
        if not self._begun.take("", time.monotonic()):
            raise FabricError(dataset_texts.TOO_OFTEN(user=user))
        name = await asyncio.to_thread(self._starters.give, user, settings, of_file, self._append)
        if name is not None:
            await self._changed()
        return Starter(project=name)

    def _not_too_often(self, user: str) -> None:
        if not self._asks.take(user, time.monotonic()):
            raise FabricError(dataset_texts.TOO_OFTEN(user=user))
