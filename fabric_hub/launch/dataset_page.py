"""The hub's pages of datasets: all that a person may know of, and one with its terms. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import Field, ValidationError

from fabric_hub.config.settings import Settings
from fabric_hub.datasets import policy
from fabric_hub.datasets.model import Catalogue, Dataset, Line, PersonalData
from fabric_hub.datasets.policy import CatalogueView, State
from fabric_hub.errors import FabricError
from fabric_hub.messages.formats import size
from fabric_hub.messages.text import NOTHING, Reason, Said, WithTexts
from fabric_hub.messages.texts import datasets as texts
from fabric_hub.messages.texts import pages as page_texts
from fabric_hub.projects.membership import closed, projects_of
from fabric_hub.types import Frozen, Slug

from .dataset_offer import ACCESS, CatalogueHeader, DatasetAccess, DatasetEntry, entry, shelf, standing_in

STATES = {
    State.OPEN: texts.AVAILABLE,
    State.AGREEMENT: texts.TERMS,
    State.NOT_GRANTED: texts.NO_ACCESS_YET,
    State.RETIRED: texts.RETIRED_NOW,
}

PERSONAL_DATA = {
    PersonalData.NONE: texts.NO_PERSONAL_DATA,
    PersonalData.PSEUDONYMISED: texts.PSEUDONYMISED,
    PersonalData.PERSONAL: texts.PERSONAL,
    PersonalData.SPECIAL: texts.SPECIAL,
}


class ProjectPart(DatasetAccess):
    """A dataset in one of a person's projects; ``says`` is its state in words.

    ``changed``: an earlier version of the agreement was accepted. ``purpose`` is the one that the current version
    was accepted for, in words, "" before.
    """

    name: str
    title: str
    says: Said
    changed: bool
    purpose: str


class DatasetPart(DatasetEntry, WithTexts):
    """A dataset as a person sees it: its latest version's size, and a short name of its licence where there is one.

    ``access_name`` and ``personal`` are its access and its personal data in words.
    """

    size: str
    access_name: Said
    personal: Said
    licence_name: str
    projects: tuple[ProjectPart, ...]

    def where(self, state: State) -> tuple[ProjectPart, ...]:
        """The projects in which it has a state."""
        return tuple(one for one in self.projects if one.state is state)

    @property
    def to_request(self) -> tuple[ProjectPart, ...]:
        """The projects for which it may be asked for now."""
        return tuple(one for one in self.projects if one.may_request)


class DatasetPages(CatalogueHeader):
    """Everything that a person may know of."""

    datasets: tuple[DatasetPart, ...]

    def find(self, name: str) -> DatasetPart | None:
        return next((one for one in self.datasets if one.name == name), None)


def for_pages(settings: Settings, known: CatalogueView, user: str, today: date, page: str) -> DatasetPages:
    """What a person's open projects may know of, in the order of titles.

    :param page: the path of the page with all datasets.
    """
    mine = {name: project for name, project in projects_of(settings, user).items() if not closed(project, today)}
    catalogue = known.catalogue or Catalogue()
    found = policy.visible(catalogue, user, mine, today)

    def part(dataset: Dataset, name: str, one: policy.AccessDecision) -> ProjectPart:
        told = standing_in(catalogue, dataset.name, user, name, one, today)
        return ProjectPart(
            **told.model_dump(),
            name=name,
            title=mine[name].title or name,
            says=_in_words(told)(),
            changed=one.state is State.AGREEMENT and bool(policy.accepted(catalogue, dataset.name, user, name)),
            purpose=_purpose(catalogue, dataset, user, name),
        )

    parts = [
        DatasetPart(
            **entry(settings, dataset).model_dump(),
            size=_size(dataset),
            licence_name=licence_in_words(dataset.licence or ""),
            access_name=ACCESS[dataset.access]() if dataset.access else NOTHING,
            personal=PERSONAL_DATA[dataset.personal_data]() if dataset.personal_data else NOTHING,
            projects=tuple(part(dataset, name, one) for name, one in found[dataset.name].items()),
        )
        for dataset in catalogue.datasets
        if dataset.name in found
    ]
    parts.sort(key=lambda one: one.title.lower())
    return DatasetPages(**shelf(settings, known, page).model_dump(), datasets=tuple(parts))


def _in_words(told: DatasetAccess) -> Reason:
    if told.waits:
        return texts.WAITS_FOR_STEWARD
    if told.requested and told.state is State.NOT_GRANTED:
        return texts.REQUESTED
    return texts.REFUSED_NOW if told.refused else STATES[told.state]


def why_no_page(settings: Settings, known: CatalogueView, user: str, today: date, name: str) -> FabricError:
    """Why a person sees no page of a dataset: the same for what does not exist and for what is none of their business.

    What a project of theirs had until a restore, and its steward has not confirmed, is said to be so.
    """
    catalogue = known.catalogue or Catalogue()
    for project, found in projects_of(settings, user).items():
        if not closed(found, today) and policy.is_held(catalogue, name, project, today):
            decision = policy.standing(catalogue, name, user, project, today)
            return policy.refusal(decision, name, project)
    return FabricError(page_texts.NO_DATASET_FOR_YOU(dataset=name))


def licence_in_words(address: str) -> str:
    """A licence by its short name where the address tells one ("CC BY 4.0"), else the address."""
    if found := re.search(r"creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)", address):
        return f"CC {found[1].upper()} {found[2]}"
    if found := re.search(r"creativecommons\.org/publicdomain/(zero|mark)/(\d\.\d)", address):
        return f"{'CC0' if found[1] == 'zero' else 'Public Domain Mark'} {found[2]}"
    if found := re.search(r"publications\.europa\.eu/resource/authority/licence/([A-Z0-9_]+)", address):
        return re.sub(r"_(\d)_(\d)", r" \1.\2", found[1]).replace("_", " ")
    return address


def _size(dataset: Dataset) -> str:
    latest = next((version for version in dataset.versions if version.version == dataset.latest), None)
    return size(latest.bytes) if latest else ""


def _purpose(catalogue: Catalogue, dataset: Dataset, user: str, project: str) -> str:
    version = dataset.agreement.version if dataset.agreement else None
    wanted = (user, project, dataset.name, version)
    for one in catalogue.acceptances:
        if (one.user, one.project, one.dataset, one.agreement) == wanted:
            return next((known.text for known in dataset.purposes if known.name == one.purpose), one.purpose)
    return ""


class OpenRequest(Frozen):
    """A request for access as the page's form sends it; ``why`` is one line for the operators."""

    project: Slug
    why: Line | None = Field(default=None)


def wish_of(fields: Mapping[str, Any]) -> OpenRequest:
    """The request in a form's fields (one text each).

    :raises FabricError: it names no project, or the reason is not one line.
    """
    try:
        return OpenRequest(project=fields.get("project", ""), why=str(fields.get("why", "")).strip() or None)
    except ValidationError as error:
        wrong = error.errors()[0]["loc"][0]
        told = texts.REQUEST_NO_PROJECT() if wrong == "project" else texts.REQUEST_REASON()
        raise FabricError(told) from error
