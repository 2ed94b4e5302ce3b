"""What stewards have the catalogue service do with the datasets that they answer for.

Who is a steward stands in the site's file, as it is now. Whoever is none of a dataset is told the same of one that
exists and of one that does not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fabric_hub.config.assurance import Asks
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Grant
from fabric_hub.datasets.stewards import is_steward
from fabric_hub.datasets.stewardship import (
    Decline,
    Draft,
    GiveAccess,
    Review,
    Reviewed,
    StewardBody,
    Stewarded,
    TakeAccess,
    refusal_to_grant,
)
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import datasets as texts

from .audit.log import AuditLog, Entry
from .reviews import ReviewStore
from .store import CatalogueStore

_EVENTS = {"grant": "granted", "revoke": "revoked", "decline": "declined", "review": "reviewed", "draft": "described"}
STRICT = "strict: jobs that have it open end"


@dataclass(frozen=True)
class StewardService:
    """See the module.

    :param settings: the site's settings as they are now; it may block.
    :param not_too_often: raises where somebody asks for more than the catalogue service takes at once.
    :param denied: puts a refusal on record, the same within a minute once.
    :param tell: lets nodes and hub know of a change.
    """

    settings: Callable[[], Settings]
    store: CatalogueStore
    audit_log: AuditLog
    append: Callable[[list[Entry]], object]
    not_too_often: Callable[[str], None]
    denied: Callable[[Entry], Awaitable[None]]
    tell: Callable[[], Awaitable[None]]

    @property
    def reviews(self) -> ReviewStore:
        return ReviewStore(self.store.engine)

    async def of(self, user: str) -> Stewarded:
        """What the hub's catalogue does not have of a steward's datasets."""
        return await asyncio.to_thread(self._of, user)

    def _of(self, user: str) -> Stewarded:
        catalogue = self.settings().catalogue
        drafts = tuple(
            one for one in self.store.datasets() if one.published_at is None and is_steward(catalogue, one.name, user)
        )
        reviews = tuple(one for one in self.reviews.all() if is_steward(catalogue, one.dataset, user))
        return Stewarded(drafts=drafts, reviews=reviews)

    async def asked_by(self, name: str) -> tuple[Asks | None, str]:
        """What a dataset asks of the login of who accepts its agreement, and what people call it."""
        found = next((one for one in await asyncio.to_thread(self.store.datasets) if one.name == name), None)
        return (found.asks, found.title or name) if found else (None, name)

    async def change(self, body: StewardBody) -> None:
        """Make a steward's change; nodes and hub know of it when this returns.

        :raises FabricError: see :class:`fabric_hub.catalogue.client.CatalogueClient`.
        """
        settings = await asyncio.to_thread(self.settings)
        user, change = body.by, body.change
        # first: what is refused is put on record, and that is not to be had without end either
        self.not_too_often(user)
        about: dict[str, Any] = {"event": _EVENTS[change.do], "user": user, "dataset": change.dataset}
        if project := getattr(change, "project", None):
            about["project"] = project
            if known := settings.project.get(project):
                about |= {"account": known.account, "responsible": known.members.owner}
        if not is_steward(settings.catalogue, change.dataset, user):
            await self.denied(Entry.model_validate({**about, "event": "denied", "why": texts.NOT_A_STEWARD.code}))
            raise FabricError(texts.NOT_A_STEWARD(user=user, dataset=change.dataset))
        # an operator's account may have the same name as a hub user: who decided is told apart
        about["by"] = f"steward {user}"
        await asyncio.to_thread(self._change, settings, body, about)
        await self.tell()

    def _change(self, settings: Settings, body: StewardBody, about: dict[str, Any]) -> None:
        by, change = about["by"], body.change
        self.audit_log.meet(Entry.model_validate(about))
        match change:
            case GiveAccess():
                self._may_grant(settings, change, about)
                grant = Grant(dataset=change.dataset, project=change.project, until=change.until, by=by)
                self.store.grant(grant, self._record({**about, "until": change.until}))
            case TakeAccess():
                record = self._record({**about, "why": STRICT if change.strict else None})
                self.store.revoke(change.dataset, change.project, strict=change.strict, record=record)
            case Decline():
                record = self._record({**about, "why": change.why})
                if not self.store.decline(change.dataset, change.project, record, why=change.why):
                    raise FabricError(texts.NOBODY_ASKS(dataset=change.dataset, project=change.project))
            case Review():
                review = Reviewed(dataset=change.dataset, project=change.project, at=time.time(), by=by)
                self.reviews.put(review, self._record(about))
            case Draft():
                agreement = change.entry.agreement.version if change.entry.agreement else None
                self.store.put(change.entry, self._record({**about, "agreement": agreement}), draft=True)

    def _may_grant(self, settings: Settings, change: GiveAccess, about: dict[str, Any]) -> None:
        dataset = self.store.dataset(change.dataset)
        asked = any((one.dataset, one.project) == (change.dataset, change.project) for one in self.store.requests())
        today = date.today()  # noqa: DTZ011 - a grant's last day is a day of this site
        grant = self.reviews.grant(change.dataset, change.project)
        refusal = refusal_to_grant(settings, dataset, change, grant, asked=asked, today=today)
        if refusal is None:
            return
        if refusal.code == texts.GRANT_ELSEWHERE.code:
            self.append([Entry.model_validate({**about, "event": "denied", "why": "grant-from-hub"})])
        raise FabricError(refusal)

    def _record(self, about: dict[str, Any]) -> Callable[[], object]:
        return lambda: self.append([Entry.model_validate(about)])
