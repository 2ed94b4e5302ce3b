"""Datasets: the catalogue as somebody may see it, and what they want of it.

A session's own token reads its project's part, and puts on record what was added or dropped while it runs. A person's
own token accepts agreements and asks for access. No session's token ever accepts anything: its code is not its owner.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from fabric_hub.datasets.model import Accepting, Line, VersionName
from fabric_hub.launch.dataset_offer import PersonDatasets, SessionDatasets
from fabric_hub.service.deps import AcceptingCaller, Datasets, SessionCaller
from fabric_hub.types import Frozen, Slug

Name = Annotated[Slug, Path(examples=["wind-farm"])]

router = APIRouter()


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


@router.get("/session/datasets")
async def session_datasets(session: SessionCaller, datasets: Datasets) -> SessionDatasets:
    """The datasets that the caller's session may know of, with what its user can do with each."""
    return await datasets.of_session(session)


@router.post("/session/datasets/{name}")
async def add_dataset(name: Name, session: SessionCaller, datasets: Datasets) -> Chosen:
    """Put a dataset on the record of the caller's running session. Refused like a start with it would be."""
    return Chosen(datasets=await datasets.add(session, name))


@router.delete("/session/datasets/{name}")
async def drop_dataset(name: Name, session: SessionCaller, datasets: Datasets) -> Chosen:
    """Take a dataset off the record of the caller's running session."""
    return Chosen(datasets=datasets.drop(session, name))


@router.post("/session/datasets/{name}/request", status_code=204)
async def request_for_session(name: Name, wish: DatasetRequest, session: SessionCaller, datasets: Datasets) -> None:
    """Ask the operators for a dataset, for the project of the caller's session."""
    await datasets.request(session.user, session.project, name, wish.why)


@router.get("/datasets")
async def person_datasets(user: AcceptingCaller, datasets: Datasets) -> PersonDatasets:
    """The datasets that the caller's projects may know of, with what the caller can do with each, by project."""
    return await datasets.of_person(user)


@router.post("/datasets/{name}/acceptance", status_code=204)
async def accept(name: Name, agreed: Agreed, user: AcceptingCaller, datasets: Datasets) -> None:
    """Accept the current agreement of a dataset, in the caller's own name, for one of its purposes."""
    accepting = Accepting(version=agreed.agreement, purpose=agreed.purpose)
    await datasets.accept(user, agreed.project, name, accepting)


@router.post("/datasets/{name}/request", status_code=204)
async def request(name: Name, wish: PersonDatasetRequest, user: AcceptingCaller, datasets: Datasets) -> None:
    """Ask the operators for a dataset, for one of the caller's projects."""
    await datasets.request(user, wish.project, name, wish.why)
