"""What the service reads of datasets, and what it has the catalogue service record of a session's or a person's wishes.

Every refusal goes into the audit log, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from fabric_hub.config.settings import Settings
from fabric_hub.datasets import policy
from fabric_hub.datasets.model import Accepting
from fabric_hub.datasets.policy import CatalogueView, DatasetRefusedError
from fabric_hub.errors import FabricError
from fabric_hub.launch import dataset_offer
from fabric_hub.launch.choice import open_project
from fabric_hub.launch.dataset_offer import PersonDatasets, SessionDatasets
from fabric_hub.messages.texts import service as texts
from fabric_hub.projects.membership import closed, projects_of
from fabric_hub.sessions.store import Session, SessionStore

# As many as the options of a start may name.
MOST = 100


class CatalogueVerbs(Protocol):
    """What the service asks of the catalogue service; see :class:`fabric_hub.catalogue.client.CatalogueClient`."""

    async def accept(self, user: str, project: str, dataset: str, agreement: str, purpose: str) -> None: ...

    async def request(self, user: str, project: str, dataset: str, why: str | None = None) -> None: ...

    async def event(self, event: str, *, user: str, project: str | None, dataset: str, why: str) -> None: ...


@dataclass(frozen=True)
class DatasetService:
    """Datasets as somebody may see them, and what they want of them.

    :param known: the catalogue, or None while it is not known.
    """

    settings: Settings
    store: SessionStore
    known: Callable[[], Awaitable[CatalogueView | None]]
    catalogue_service: CatalogueVerbs

    async def of_session(self, session: Session) -> SessionDatasets:
        """The datasets that a session may know of."""
        view = await self._view()
        return dataset_offer.for_session(
            self.settings, view, session.user, session.project, session.datasets, _today(), self._page
        )

    async def of_person(self, user: str) -> PersonDatasets:
        """The datasets that a person's open projects may know of."""
        view, today = await self._view(), _today()
        mine = [name for name, project in projects_of(self.settings, user).items() if not closed(project, today)]
        return dataset_offer.for_person(self.settings, view, user, mine, today, self._page)

    async def add(self, session: Session, name: str) -> tuple[str, ...]:
        """Put a dataset on a session's record; returns all that are on it. Refused like a start with it would be."""
        view = await self._view()
        open_project(self.settings, session.user, session.project, _today())
        async with self._audited(session.user):
            policy.may_use(policy.catalogue_of(view), name, session.user, session.project, _today())
        if name not in session.datasets and len(session.datasets) >= MOST:
            raise FabricError(texts.TOO_MANY_DATASETS(session=session.id, most=MOST))
        return self.store.change_datasets(session.id, add=name)

    def drop(self, session: Session, name: str) -> tuple[str, ...]:
        """Take a dataset off a session's record; returns what is left on it."""
        return self.store.change_datasets(session.id, drop=name)

    async def request(self, user: str, project: str, name: str, why: str | None) -> None:
        """Ask the operators for a dataset, for a project.

        :param why: one line for them.
        """
        view = await self._view()
        open_project(self.settings, user, project, _today())
        async with self._audited(user):
            policy.may_request(policy.catalogue_of(view), name, user, project, _today())
            await self.catalogue_service.request(user, project, name, why)

    async def accept(self, user: str, project: str, name: str, accepting: Accepting) -> None:
        """Accept the current agreement of a dataset; what was accepted before stays as it was."""
        view = await self._view()
        open_project(self.settings, user, project, _today())
        async with self._audited(user):
            found = policy.may_use(policy.catalogue_of(view), name, user, project, _today(), accepting)
        if found is not None:
            await self.catalogue_service.accept(
                found.user, found.project, found.dataset, found.agreement, found.purpose
            )

    async def _view(self) -> CatalogueView:
        return await self.known() or CatalogueView()

    @property
    def _page(self) -> str:
        return f"{self.settings.hub.pages_url}/hub/datasets"

    @asynccontextmanager
    async def _audited(self, user: str) -> AsyncIterator[None]:
        try:
            yield
        except DatasetRefusedError as error:
            with suppress(FabricError):  # a catalogue service that is silent is told of in its own place
                await self.catalogue_service.event(
                    "denied", user=user, project=error.project, dataset=error.dataset, why=error.why
                )
            raise


def _today() -> date:
    return datetime.now().astimezone().date()
