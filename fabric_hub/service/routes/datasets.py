"""The service's verbs about datasets: the catalogue as somebody may see it, and what they want of it.

A session's own token reads its project's part, and puts on record what was added or dropped while it runs. A person's
own token accepts agreements and asks for access. No session's token ever accepts anything: its code is not its owner.
"""

# No `from __future__ import annotations` here: FastAPI reads the annotations of local functions.

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from fabric_hub.config.settings import Settings
from fabric_hub.datasets import policy
from fabric_hub.datasets.model import Accepting, Line, VersionName
from fabric_hub.datasets.policy import ACCEPT_SCOPE, CatalogueView, DatasetRefusedError
from fabric_hub.errors import FabricError
from fabric_hub.launch import dataset_offer
from fabric_hub.launch.choice import closed, open_project, projects_of
from fabric_hub.launch.dataset_offer import PersonDatasets, SessionDatasets
from fabric_hub.sessions.scopes import server_of
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.types import Frozen, Slug

# As many as the options of a start may name.
MOST = 100

Name = Annotated[Slug, Path(examples=["wind-farm"])]
Who = dict[str, Any]
KnownNow = Callable[[], Awaitable[CatalogueView | None]]


class CatalogueVerbs(Protocol):
    """What the service asks of the catalogue service; see :class:`fabric_hub.catalogue.client.CatalogueClient`."""

    async def accept(self, user: str, project: str, dataset: str, agreement: str, purpose: str) -> None: ...

    async def request(self, user: str, project: str, dataset: str, why: str | None = None) -> None: ...

    async def event(self, event: str, *, user: str, project: str | None, dataset: str, why: str) -> None: ...


@dataclass(frozen=True)
class DatasetService:
    """Where the service reads of datasets, and whom it tells."""

    known: KnownNow
    catalogue_service: CatalogueVerbs


class Chosen(Frozen):
    """The datasets on a session's record."""

    datasets: tuple[str, ...]


class DatasetRequest(Frozen):
    """A request of a session's user for a dataset; ``why`` is one line for the operators."""

    why: Line | None = None


class PersonDatasetRequest(DatasetRequest):
    """A person's request for a dataset, for one of their projects."""

    project: Slug = Field(examples=["physics"])


class Agreed(Frozen):
    """A person accepts this version of a dataset's agreement, in this project, for this purpose."""

    project: Slug = Field(examples=["physics"])
    agreement: VersionName = Field(examples=["2026.1"])
    purpose: Slug = Field(examples=["research"])


def add_datasets(
    api: APIRouter,
    settings: Settings,
    store: SessionStore,
    desk: DatasetService | None,
    person: Callable[..., Awaitable[Who]],
    own_session: Callable[..., Awaitable[Session]],
) -> None:
    """Add the verbs to the service's API.

    :param desk: None where the site offers no datasets; every verb then answers 404.
    :param person: the dependency that knows who calls.
    :param own_session: the dependency for a session's own token only.
    """

    async def in_person(who: Annotated[Who, Depends(person)]) -> str:
        scopes = who.get("scopes") or []
        if (
            who.get("kind", "user") != "user"
            or ACCEPT_SCOPE not in scopes
            or server_of(who["name"], scopes) is not None
        ):
            raise FabricError(
                "This is for a person's own token, with all that they may do; a session's token may not.",
                reason="scope",
                hint="Make a token on the hub's page Token, or use the hub's page Datasets.",
                status=403,
            )
        name: str = who["name"]
        return name

    async def offered() -> DatasetService:
        if desk is None:
            raise FabricError("This hub offers no datasets.", reason="no-datasets", status=404)
        return desk

    async def known(here: Annotated[DatasetService, Depends(offered)]) -> CatalogueView:
        return await here.known() or CatalogueView()

    datasets_page = f"{settings.hub.pages_url}/hub/datasets"

    async def tell(here: DatasetService, user: str, error: DatasetRefusedError) -> None:
        with suppress(FabricError):  # a catalogue service that is silent is told of in its own place
            await here.catalogue_service.event(
                "denied", user=user, project=error.project, dataset=error.dataset, why=error.why
            )

    async def request_or_tell(
        here: DatasetService, now: CatalogueView, user: str, project: str, name: str, why: str | None
    ) -> None:
        try:
            await _request(here, now, user, project, name, why)
        except DatasetRefusedError as error:
            await tell(here, user, error)
            raise

    at_desk = Annotated[DatasetService, Depends(offered)]
    as_known = Annotated[CatalogueView, Depends(known)]
    of_caller = Annotated[Session, Depends(own_session)]
    by_person = Annotated[str, Depends(in_person)]

    @api.get("/session/datasets")
    async def session_datasets(session: of_caller, now: as_known) -> SessionDatasets:
        """The datasets that the caller's session may know of, with what its user can do with each."""
        return dataset_offer.for_session(
            settings, now, session.user, session.project, session.datasets, _today(), datasets_page
        )

    @api.post("/session/datasets/{name}")
    async def add_dataset(name: Name, session: of_caller, here: at_desk, now: as_known) -> Chosen:
        """Put a dataset on the record of the caller's running session. Refused like a start with it would be."""
        open_project(settings, session.user, session.project, _today())
        try:
            policy.may_use(policy.catalogue_of(now), name, session.user, session.project, _today())
        except DatasetRefusedError as error:
            await tell(here, session.user, error)
            raise
        if name not in session.datasets and len(session.datasets) >= MOST:
            raise FabricError(
                f"Session {session.id} has {MOST} datasets, the most that one may have.",
                reason="too-many",
                hint="Drop one first.",
                status=409,
            )
        return Chosen(datasets=store.change_datasets(session.id, add=name))

    @api.delete("/session/datasets/{name}")
    async def drop_dataset(name: Name, session: of_caller, here: at_desk) -> Chosen:
        """Take a dataset off the record of the caller's running session."""
        return Chosen(datasets=store.change_datasets(session.id, drop=name))

    @api.post("/session/datasets/{name}/request", status_code=204)
    async def request_for_session(
        name: Name, wish: DatasetRequest, session: of_caller, here: at_desk, now: as_known
    ) -> None:
        """Ask the operators for a dataset, for the project of the caller's session."""
        open_project(settings, session.user, session.project, _today())
        await request_or_tell(here, now, session.user, session.project, name, wish.why)

    @api.get("/datasets")
    async def person_datasets(user: by_person, now: as_known) -> PersonDatasets:
        """The datasets that the caller's projects may know of, with what the caller can do with each, by project."""
        today = _today()
        mine = [name for name, project in projects_of(settings, user).items() if not closed(project, today)]
        return dataset_offer.for_person(settings, now, user, mine, today, datasets_page)

    @api.post("/datasets/{name}/acceptance", status_code=204)
    async def accept(name: Name, agreed: Agreed, user: by_person, here: at_desk, now: as_known) -> None:
        """Accept the current agreement of a dataset, in the caller's own name, for one of its purposes."""
        open_project(settings, user, agreed.project, _today())
        accepting = Accepting(version=agreed.agreement, purpose=agreed.purpose)
        try:
            found = policy.may_use(policy.catalogue_of(now), name, user, agreed.project, _today(), accepting)
        except DatasetRefusedError as error:
            await tell(here, user, error)
            raise
        if found is not None:  # asked once: what was accepted before stays as it was
            await here.catalogue_service.accept(
                found.user, found.project, found.dataset, found.agreement, found.purpose
            )

    @api.post("/datasets/{name}/request", status_code=204)
    async def request(name: Name, wish: PersonDatasetRequest, user: by_person, here: at_desk, now: as_known) -> None:
        """Ask the operators for a dataset, for one of the caller's projects."""
        open_project(settings, user, wish.project, _today())
        await request_or_tell(here, now, user, wish.project, name, wish.why)


async def _request(
    here: DatasetService, now: CatalogueView, user: str, project: str, name: str, why: str | None
) -> None:
    policy.may_request(policy.catalogue_of(now), name, user, project, _today())
    await here.catalogue_service.request(user, project, name, why)


def _today() -> date:
    return datetime.now().astimezone().date()


PLACES = {field for model in (DatasetRequest, PersonDatasetRequest, Agreed) for field in model.model_fields} | {"name"}
