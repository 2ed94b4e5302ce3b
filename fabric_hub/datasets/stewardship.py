"""What a steward does with the datasets that they answer for, as types, and what they may do at the hub. Pure.

What narrows (revoke, an earlier end, decline, review) is a steward's own. What widens is taken only within
``catalogue.from_hub``, for the hub that passes it on may be in somebody else's hands. A draft opens nothing: who
publishes it, at the command line, has read it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from fabric_hub.config.settings import Project, Settings
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import dataset_files as file_texts
from fabric_hub.messages.texts import datasets as texts
from fabric_hub.projects.membership import closed
from fabric_hub.types import Frozen, HubUser, Slug

from .model import Dataset, Grant, Line
from .policy import may_grant_from_hub

# How long a dataset or a grant may go without anybody looking at it.
REVIEW_EVERY: Final = timedelta(days=365)


class GiveAccess(Frozen):
    """Let a project use a dataset until the end of a day; of a grant in force: another last day. None: no end."""

    do: Literal["grant"] = "grant"
    dataset: Slug
    project: Slug
    until: date | None = None


class TakeAccess(Frozen):
    """Take a project's grant away; ``strict`` also ends the jobs that have the dataset open."""

    do: Literal["revoke"] = "revoke"
    dataset: Slug
    project: Slug
    strict: bool = False


class Decline(Frozen):
    """Close a project's requests for a dataset; ``why`` is read by who asked."""

    do: Literal["decline"] = "decline"
    dataset: Slug
    project: Slug
    why: Line | None = None


class Review(Frozen):
    """Somebody has looked at a dataset, or at a project's grant of it, and it is right as it is."""

    do: Literal["review"] = "review"
    dataset: Slug
    project: Slug | None = None


class Draft(Frozen):
    """Make a draft, or replace one; an entry that was ever published is not changed so."""

    do: Literal["draft"] = "draft"
    entry: Dataset

    @property
    def dataset(self) -> str:
        return self.entry.name


StewardChange = Annotated[GiveAccess | TakeAccess | Decline | Review | Draft, Field(discriminator="do")]


class StewardBody(Frozen):
    """A change, and who asks for it by their name at the hub."""

    by: HubUser
    change: StewardChange


class Reviewed(Frozen):
    """When a dataset, or a project's grant of it, was last looked at (Unix seconds), and by whom."""

    dataset: Slug
    project: Slug | None = None
    at: float
    by: Line


class Stewarded(Frozen):
    """What the catalogue service alone knows of a steward's datasets: drafts, and reviews."""

    drafts: tuple[Dataset, ...] = ()
    reviews: tuple[Reviewed, ...] = ()


def refusal_to_grant(
    settings: Settings, dataset: Dataset, change: GiveAccess, grant: Grant | None, *, asked: bool, today: date
) -> Text | None:
    """Why a steward may not grant that at the hub; None: they may.

    :param grant: the project's grant as it stands, also one that has ended.
    :param asked: whether a member of the project asks for the dataset.
    """
    if change.until is not None and change.until < today:
        return file_texts.OVER_ALREADY(until=change.until.isoformat())
    if grant is not None and _is_narrower(grant, change.until):
        return None
    if grant is None and not asked:
        return texts.NOBODY_ASKS(dataset=change.dataset, project=change.project)
    if not grantable(settings, dataset, settings.project.get(change.project), today):
        return texts.GRANT_ELSEWHERE(dataset=change.dataset, project=change.project)
    return None


def grantable(settings: Settings, dataset: Dataset, project: Project | None, today: date) -> bool:
    """Whether the site lets a steward grant a dataset to a project at the hub, or for longer than it has it."""
    if project is None or closed(project, today) or dataset.published_at is None or dataset.retired_at is not None:
        return False
    return may_grant_from_hub(settings.catalogue, dataset, project)


def _is_narrower(grant: Grant, until: date | None) -> bool:
    return until == grant.until or (until is not None and (grant.until is None or until < grant.until))


def looked_at(reviews: Collection[Reviewed], dataset: str, project: str | None, begun: float) -> float:
    """When a dataset (``project`` None) or a grant was last looked at; ``begun``: when it was published or granted."""
    return max(begun, *(one.at for one in reviews if (one.dataset, one.project) == (dataset, project)), 0.0)


def is_due(looked_at: float, now: float) -> bool:
    """Whether nobody has looked for a year."""
    return now - looked_at >= REVIEW_EVERY.total_seconds()
