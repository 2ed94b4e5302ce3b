"""What a steward's page shows of the datasets that they answer for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.completeness import missing
from fabric_hub.datasets.model import AccessRequest, Catalogue, Dataset, Grant
from fabric_hub.datasets.stewards import is_steward
from fabric_hub.datasets.stewardship import Stewarded, grantable, is_due, looked_at
from fabric_hub.messages.text import Text
from fabric_hub.projects.membership import people as workers_of

from .sessions import called


@dataclass(frozen=True)
class Reading:
    """A project that may read a dataset.

    ``sessions`` have it on record now, of the people in ``running``, who are named where the site shows that;
    ``agreed`` are its people who accepted the agreement in force.
    """

    project: str
    title: str
    grant: Grant
    people: int
    agreed: tuple[str, ...]
    sessions: int
    running: tuple[str, ...]
    looked_at: float
    due: bool
    longer: bool


@dataclass(frozen=True)
class Asking:
    """A project whose members ask for a dataset; ``grantable``: on the page, else ``command`` does it elsewhere."""

    project: str
    title: str
    requests: tuple[AccessRequest, ...]
    grantable: bool
    command: str


@dataclass(frozen=True)
class Accepted:
    """A version of an agreement, and how many people accepted it."""

    version: str
    people: int
    current: bool


@dataclass(frozen=True)
class StewardedDataset:
    """A dataset as its steward sees it; ``lacks`` is what keeps a draft from being published."""

    name: str
    title: str
    entry: Dataset
    readers: tuple[Reading, ...]
    asking: tuple[Asking, ...]
    accepted: tuple[Accepted, ...]
    held: int
    sessions: int
    looked_at: float
    due: bool
    lacks: tuple[Text, ...] = ()


def stewarded(
    settings: Settings,
    catalogue: Catalogue,
    known: Stewarded,
    user: str,
    mounted: Mapping[str, Sequence[tuple[str, str]]],
    now: float,
) -> tuple[StewardedDataset, ...]:
    """The datasets that a hub user answers for: those with something to do first, then by title.

    :param mounted: for each dataset the project and the person of each live session that has it.
    """
    today = datetime.fromtimestamp(now).astimezone().date()
    mine = [one for one in catalogue.datasets if is_steward(settings.catalogue, one.name, user)]
    found = [_one(settings, catalogue, known, entry, mounted.get(entry.name, ()), today, now) for entry in mine]
    found += [_draft(entry) for entry in known.drafts]
    return tuple(sorted(found, key=lambda one: (not one.asking, not _any_due(one), one.title.casefold())))


def _any_due(one: StewardedDataset) -> bool:
    return one.due or any(reader.due for reader in one.readers)


def _draft(entry: Dataset) -> StewardedDataset:
    title = entry.title or entry.name
    return StewardedDataset(entry.name, title, entry, (), (), (), 0, 0, entry.created_at, False, missing(entry))


def _one(
    settings: Settings,
    catalogue: Catalogue,
    known: Stewarded,
    entry: Dataset,
    mounted: Sequence[tuple[str, str]],
    today: date,
    now: float,
) -> StewardedDataset:
    name = entry.name
    seen = looked_at(known.reviews, name, None, entry.published_at or entry.created_at)
    readers = [
        _reading(settings, catalogue, known, entry, grant, mounted, today, now)
        for grant in catalogue.grants
        if grant.dataset == name
    ]
    asking: dict[str, list[AccessRequest]] = {}
    for request in sorted(catalogue.requests, key=lambda one: one.at):
        if request.dataset == name:
            asking.setdefault(request.project, []).append(request)
    return StewardedDataset(
        name=name,
        title=entry.title or name,
        entry=entry,
        readers=tuple(sorted(readers, key=lambda one: (not one.due, one.title.casefold()))),
        asking=tuple(_asking(settings, entry, project, of, today) for project, of in asking.items()),
        accepted=_accepted(catalogue, entry),
        held=sum(one.dataset == name for one in catalogue.held),
        sessions=len(mounted),
        looked_at=seen,
        due=is_due(seen, now) and entry.retired_at is None,
    )


def _reading(
    settings: Settings,
    catalogue: Catalogue,
    known: Stewarded,
    entry: Dataset,
    grant: Grant,
    mounted: Sequence[tuple[str, str]],
    today: date,
    now: float,
) -> Reading:
    project = settings.project.get(grant.project)
    people = workers_of(project) if project else ()
    version = entry.agreement.version if entry.agreement else None
    agreed = {
        one.user
        for one in catalogue.acceptances
        if (one.dataset, one.project, one.agreement) == (entry.name, grant.project, version) and one.user in people
    }
    runs = [user for where, user in mounted if where == grant.project]
    seen = looked_at(known.reviews, entry.name, grant.project, grant.at)
    return Reading(
        project=grant.project,
        title=called(grant.project, settings.project),
        grant=grant,
        people=len(people),
        agreed=tuple(sorted(agreed)),
        sessions=len(runs),
        running=tuple(sorted(set(runs))) if settings.quotas.shown_of_people == "named" else (),
        looked_at=seen,
        due=is_due(seen, now),
        longer=grantable(settings, entry, project, today),
    )


def _asking(settings: Settings, entry: Dataset, project: str, requests: Sequence[AccessRequest], today: date) -> Asking:
    return Asking(
        project=project,
        title=called(project, settings.project),
        requests=tuple(requests),
        grantable=grantable(settings, entry, settings.project.get(project), today),
        command=f"fabric-hub datasets grant {entry.name} --project {project}",
    )


def _accepted(catalogue: Catalogue, entry: Dataset) -> tuple[Accepted, ...]:
    """How many accepted which version, the one in force first."""
    by_version: dict[str, set[str]] = {entry.agreement.version: set()} if entry.agreement else {}
    for one in catalogue.acceptances:
        if one.dataset == entry.name:
            by_version.setdefault(one.agreement, set()).add(one.user)
    current = entry.agreement.version if entry.agreement else None
    return tuple(Accepted(version, len(users), version == current) for version, users in by_version.items())
