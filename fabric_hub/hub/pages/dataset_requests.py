"""Who asks for datasets, on the operators' page, and an operator's answer.

The catalogue service decides, by the site's file as it reads it: whether who answers is an operator, and whether the
hub may grant that dataset at all. Where it may not, the page says how it is granted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import AccessRequest, Catalogue
from fabric_hub.datasets.policy import find, may_grant_from_hub
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import HubRuntime
from fabric_hub.launch.dataset_page import wish_of
from fabric_hub.messages.texts import datasets as dataset_texts
from fabric_hub.messages.texts import pages as texts

from .sessions import called

log = logging.getLogger(__name__)

GRANT, REFUSE = "grant", "refuse"  # what the page's forms ask for


@dataclass(frozen=True)
class Asked:
    """A project's open requests for a dataset: ``requests`` are those of its members, the first one first.

    ``grantable``: an operator may grant it on the page; ``command`` does it elsewhere.
    """

    dataset: str
    title: str
    project: str
    project_title: str
    requests: tuple[AccessRequest, ...]
    grantable: bool

    @property
    def command(self) -> str:
        """What grants it on the catalogue service's machine; both are slugs."""
        return f"fabric-hub datasets grant {self.dataset} --project {self.project}"


def open_requests(settings: Settings, catalogue: Catalogue) -> tuple[Asked, ...]:
    """All open requests, by dataset and project, those that have waited longest first. Pure."""
    together: dict[tuple[str, str], list[AccessRequest]] = {}
    for request in sorted(catalogue.requests, key=lambda one: one.at):
        together.setdefault((request.dataset, request.project), []).append(request)
    return tuple(_asked(settings, catalogue, *key, of) for key, of in together.items())


def _asked(
    settings: Settings, catalogue: Catalogue, dataset: str, project: str, requests: Sequence[AccessRequest]
) -> Asked:
    entry = find(catalogue, dataset)
    return Asked(
        dataset=dataset,
        title=(entry.title if entry else None) or dataset,
        project=project,
        project_title=called(project, settings.project),
        requests=tuple(requests),
        grantable=entry is not None and may_grant_from_hub(settings.catalogue, entry, settings.project.get(project)),
    )


async def known_requests(shared: HubRuntime, *, fresh: bool = False) -> tuple[Asked, ...]:
    """All open requests, as the catalogue service told them last; none where the site offers no datasets."""
    known = await shared.datasets(fresh=fresh)
    return open_requests(shared.settings, known.catalogue) if known and known.catalogue else ()


async def answer(shared: HubRuntime, operator: str, fields: Mapping[str, str]) -> str:
    """Have an operator's answer carried out; returns which it was.

    :param fields: the form's: ``do``, ``project``, ``dataset``, and ``why`` of a refusal.
    :raises FabricError: the form is none of the page's, or the catalogue service refuses.
    """
    asked, dataset = fields.get("do", ""), fields.get("dataset", "")
    if asked not in (GRANT, REFUSE) or shared.catalogue_service is None:
        raise FabricError(texts.FORM_ASKS_NOTHING())
    wish = wish_of(fields)
    if not any((one.dataset, one.project) == (dataset, wish.project) for one in await known_requests(shared)):
        raise FabricError(dataset_texts.NOBODY_ASKS(dataset=dataset[:40], project=wish.project))
    why = wish.why if asked == REFUSE else None
    await shared.catalogue_service.answer(operator, wish.project, dataset, grant=asked == GRANT, why=why)
    log.info("Operator %s: %s dataset %s for project %s", operator, asked, dataset, wish.project)
    return asked
