"""The stewards of datasets, and the grants that wait for their word after a restore. Pure.

Who is a steward stands in the site's file alone: what a backup brings back names none.
"""

from __future__ import annotations

from datetime import date

from fabric_hub.config.catalogue import EVERY_OTHER, CatalogueSettings
from fabric_hub.config.settings import Settings
from fabric_hub.types import Frozen

from .model import Catalogue
from .policy import find


class WaitingGrant(Frozen):
    """A grant that a restore shut at ``held_at`` (Unix seconds), as its steward reads it.

    ``by`` gave it at ``at``; ``until`` is its last day, None where it has no end.
    """

    dataset: str
    dataset_title: str
    project: str
    project_title: str
    by: str
    at: float
    until: date | None
    held_at: float


def stewards_of(settings: CatalogueSettings, dataset: str) -> tuple[str, ...]:
    """The hub users who answer for a dataset; nobody where the site's file names none."""
    named = settings.stewards
    return named[dataset] if dataset in named else named.get(EVERY_OTHER, ())


def is_steward(settings: CatalogueSettings | None, dataset: str, user: str) -> bool:
    """Whether a hub user answers for a dataset."""
    return settings is not None and user in stewards_of(settings, dataset)


def stewards(settings: CatalogueSettings | None) -> frozenset[str]:
    """Every hub user who answers for a dataset."""
    return frozenset(user for named in settings.stewards.values() for user in named) if settings else frozenset()


def waiting_for(settings: Settings, catalogue: Catalogue, user: str, today: date) -> tuple[WaitingGrant, ...]:
    """The grants on which a steward is to decide, by dataset and project; what has ended since waits for nobody."""
    found = []
    for grant in catalogue.held:
        if not is_steward(settings.catalogue, grant.dataset, user) or (grant.until and grant.until < today):
            continue
        dataset, project = find(catalogue, grant.dataset), settings.project.get(grant.project)
        found.append(
            WaitingGrant(
                dataset_title=(dataset.title if dataset else None) or grant.dataset,
                project_title=(project.title if project else "") or grant.project,
                **grant.model_dump(),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.dataset, one.project)))
