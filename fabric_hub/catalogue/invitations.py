"""The verbs of invitations on the real catalogue and audit log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from fabric_hub.catalogue.audit.log import AuditLog, Entry
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import invitations as texts
from fabric_hub.messages.texts import project_changes
from fabric_hub.projects.invitations import CodeBody, Invitations, ListBody, Offer
from fabric_hub.types import login_name

from .invitation_store import Guest, InvitationStore
from .people.store import PeopleStore
from .project_edits import ACCEPTED
from .rate_limit import RateLimit

# A code is not guessed; who tries is stopped all the same: so many at once of a person, then so often (1/s).
TRIES_AT_ONCE, TRIES_PER_S = 60, 0.1


class InvitationDesk:
    """Implements :class:`fabric_hub.catalogue.api.InvitationVerbs`.

    :param people: also says which database it is.
    :param of_file: the settings of the site's file alone, as it is now. It may block.
    :param append: puts entries in the audit log.
    :param tell: makes hub, gateway and nodes know of a change.
    """

    def __init__(
        self,
        people: PeopleStore,
        audit_log: AuditLog,
        of_file: Callable[[], Settings],
        append: Callable[[Iterable[Entry]], object],
        tell: Callable[[], Awaitable[object]],
    ) -> None:
        self._store, self._people, self._audit_log = InvitationStore(people.engine), people, audit_log
        self._of_file, self._append, self._tell = of_file, append, tell
        self._tries = RateLimit(TRIES_AT_ONCE, TRIES_PER_S)

    async def listed(self, request: ListBody) -> Invitations:
        return await asyncio.to_thread(self._listed, request)

    async def offered(self, request: CodeBody) -> Offer:
        self._not_too_often(request.user)
        return await asyncio.to_thread(self._offered, request)

    async def accept(self, request: CodeBody) -> Offer:
        self._not_too_often(request.user)
        offer = await asyncio.to_thread(self._accept, request)
        await self._tell()
        return offer

    def _listed(self, request: ListBody) -> Invitations:
        settings = self._of_file()
        user = login_name(request.by, settings.login.keep_case)
        if user not in settings.login.admins and user not in self._store.owners(request.project):
            raise FabricError(project_changes.NO_SUCH_PROJECT(project=request.project))
        return self._store.of(request.project)

    def _offered(self, request: CodeBody) -> Offer:
        return self._store.offer(self._of_file(), request.code, self._guest(request.user))

    def _accept(self, request: CodeBody) -> Offer:
        settings, guest = self._of_file(), self._guest(request.user)
        # first: a number is for ever, and who has no invitation gets none by trying
        self._store.offer(settings, request.code, guest)
        self._audit_log.meet(Entry(event=ACCEPTED, user=guest.user))
        return self._store.accept(settings, request.code, guest, settings.login.admins, self._append)

    def _guest(self, name: str) -> Guest:
        user = login_name(name, self._of_file().login.keep_case)
        number = self._people.number_of(user)
        person = self._people.person(number) if number is not None else None
        identities = sorted(person.identities, key=lambda one: -one.last_at) if person else ()
        return Guest(user=user, identities=tuple(identities))

    def _not_too_often(self, user: str) -> None:
        if not self._tries.take(user, time.monotonic()):
            raise FabricError(texts.TOO_OFTEN())
