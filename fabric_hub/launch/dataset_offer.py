"""The datasets that a user may choose from: start form, REST API and JupyterLab's panel show the same. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import Field

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Settings
from fabric_hub.datasets import policy
from fabric_hub.datasets.markdown import rendered
from fabric_hub.datasets.model import (
    Access,
    AccessRequest,
    Agent,
    Agreement,
    Catalogue,
    Contact,
    Dataset,
    Declined,
    PersonalData,
    Purpose,
)
from fabric_hub.datasets.policy import CatalogueView, State
from fabric_hub.errors import FabricError
from fabric_hub.messages.formats import size
from fabric_hub.messages.text import NOTHING, Said, Text, WithTexts, sentences
from fabric_hub.messages.texts import datasets as texts
from fabric_hub.types import Frozen

# What each access is called.
ACCESS = {
    Access.PUBLIC: texts.PUBLIC,
    Access.RESTRICTED: texts.RESTRICTED,
    Access.NON_PUBLIC: texts.NON_PUBLIC,
}


class OfferedVersion(Frozen):
    """A published version. ``path`` on the cluster's file system is not told: sessions find it below ``data_dir``."""

    version: str
    kind: str
    sha256: str
    bytes: int
    files: int
    formats: dict[str, int]
    published_at: float | None


class DatasetEntry(Frozen):
    """What the catalogue says of a dataset; ``path`` is where a session finds it.

    ``description_html`` is the description as HTML, of which nothing runs and nothing is fetched.
    """

    name: str
    title: str
    description: str
    description_html: str = ""
    publisher: Agent | None
    creator: Agent | None
    contact: Contact | None
    licence: str | None
    access: Access
    themes: tuple[str, ...]
    keywords: tuple[str, ...]
    languages: tuple[str, ...]
    personal_data: PersonalData | None
    purposes: tuple[Purpose, ...]
    agreement: Agreement | None
    provenance: str | None
    retention: str | None
    retain_until: date | None
    page: str | None
    versions: tuple[OfferedVersion, ...]
    latest: str | None
    path: str


class DatasetAccess(WithTexts):
    """What the user can do with it in one project. ``why`` and ``hint`` are empty when it is open.

    ``until`` is the last day of the project's grant; ``requested`` says that somebody has asked for it, ``waits`` that
    a restore shut it and its steward decides, and ``refused`` that the user's own
    last request was. ``may_request``: a request
    would be taken. ``told`` is what became of the last request, in words, or empty.
    """

    state: State
    why: Said
    hint: Said
    until: date | None
    requested: bool
    waits: bool = False
    refused: bool = False
    may_request: bool = False
    told: Said = NOTHING


class SessionDataset(DatasetEntry, DatasetAccess):
    """An entry as a session sees it; ``chosen`` are those on the session's own record."""

    chosen: bool


class PersonDataset(DatasetEntry):
    """An entry as a person sees it, with what they can do with it in each of their projects that may know of it."""

    standing: dict[str, DatasetAccess]


class CatalogueHeader(WithTexts):
    """What holds for all datasets of the site.

    ``enforced`` says whether the kernel keeps people apart here, and ``notice`` in words that it does not.
    While the catalogue service does not answer, ``unavailable_since`` (Unix seconds, where it is known) and ``problem``
    say so, and the list is the last that it told. ``data_dir`` is where sessions find datasets.
    ``datasets_page`` is the hub's page with all of them; ``/NAME?project=PROJECT`` below it shows one, takes the
    acceptance of its agreement, and asks for access, also while a session runs.
    """

    enforced: bool
    notice: Said
    unavailable_since: float | None
    problem: Said
    data_dir: str
    datasets_page: str


class SessionDatasets(CatalogueHeader):
    project: str
    datasets: tuple[SessionDataset, ...]


class PersonDatasets(CatalogueHeader):
    datasets: tuple[PersonDataset, ...]


class FormDataset(WithTexts):
    """A dataset on the start form. ``size`` is its latest version's, in words; ``words`` is what a search finds.

    ``access_name`` is its access in words.
    """

    name: str
    title: str
    description: str
    size: str
    access: Access
    access_name: Said
    licence: str | None
    agreement: Agreement | None
    purposes: tuple[Purpose, ...]
    words: str


class FormProject(Frozen):
    """What a project may use: at once, after its agreement is accepted (``changed``: again), or once it is granted."""

    open: tuple[str, ...] = ()
    agreement: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    others: int = 0


class DatasetForm(WithTexts):
    """The start form's part about datasets; ``offered`` is False where the site has none."""

    offered: bool = False
    notice: Said = NOTHING
    problem: Said = NOTHING
    projects: dict[str, FormProject] = Field(default_factory=dict)
    datasets: tuple[FormDataset, ...] = ()


def for_form(
    settings: Settings, known: CatalogueView | None, user: str, projects: Iterable[str], today: date
) -> DatasetForm:
    """What the start form shows of datasets; none while the catalogue service is silent: none could be started with.

    :param known: None where the site offers no datasets.
    """
    if known is None:
        return DatasetForm()
    notice, problem, mine = not_enforced(settings), silence(known), tuple(projects)
    if problem or known.catalogue is None:
        problem = sentences(problem, texts.STARTS_WITHOUT())
        return DatasetForm(
            offered=True, notice=notice, problem=problem, projects={name: FormProject() for name in mine}
        )
    found = policy.visible(known.catalogue, user, mine, today)

    def named(project: str, *states: State) -> tuple[str, ...]:
        return tuple(
            name for name, standings in found.items() if project in standings and standings[project].state in states
        )

    by_project = {
        project: FormProject(
            open=named(project, State.OPEN),
            agreement=named(project, State.AGREEMENT),
            changed=tuple(
                name
                for name in named(project, State.AGREEMENT)
                if policy.accepted(known.catalogue, name, user, project)
            ),
            others=len(named(project, State.NOT_GRANTED)),
        )
        for project in mine
    }
    usable = {name for project in by_project.values() for name in (*project.open, *project.agreement)}
    shown = [_for_form(dataset) for dataset in known.catalogue.datasets if dataset.name in usable]
    shown.sort(key=lambda one: one.title.lower())
    return DatasetForm(offered=True, notice=notice, projects=by_project, datasets=tuple(shown))


def _for_form(dataset: Dataset) -> FormDataset:
    latest = next((version for version in dataset.versions if version.version == dataset.latest), None)
    title = dataset.title or dataset.name
    assert dataset.access is not None  # without it nobody sees it
    return FormDataset(
        name=dataset.name,
        title=title,
        description=dataset.description or "",
        size=size(latest.bytes) if latest else "",
        access=dataset.access,
        access_name=ACCESS[dataset.access](),
        licence=dataset.licence,
        agreement=dataset.agreement,
        purposes=dataset.purposes,
        words=" ".join((dataset.name, title, *dataset.keywords)).lower(),
    )


def not_enforced(settings: Settings) -> Text:
    """Why access to datasets is not enforced on this site; an empty text where the kernel enforces it."""
    if settings.users.shared_account:
        return texts.NOT_ENFORCED_ONE_ACCOUNT()
    if not settings.enforces_datasets:
        return texts.NOT_ENFORCED_ONE_MACHINE()
    return NOTHING


def shelf(settings: Settings, known: CatalogueView, datasets_page: str) -> CatalogueHeader:
    """What holds for all datasets.

    :param datasets_page: the address of the hub's page with all of them, below which each has its own.
    """
    notice = not_enforced(settings)
    return CatalogueHeader(
        enforced=not notice,
        notice=notice,
        unavailable_since=known.unavailable_since,
        problem=silence(known),
        data_dir=str(_datasets(settings).data_dir),
        datasets_page=datasets_page,
    )


def silence(known: CatalogueView) -> Text:
    """That the catalogue service does not answer; an empty text while it does."""
    if known.unavailable_since is not None:
        return sentences(texts.NOT_ANSWERED_SINCE(since=known.unavailable_since), known.problem)
    return texts.NOT_ANSWERED() if known.catalogue is None else NOTHING


def for_session(
    settings: Settings,
    known: CatalogueView,
    user: str,
    project: str,
    chosen: Iterable[str],
    today: date,
    datasets_page: str,
) -> SessionDatasets:
    """What a session's server may know of the catalogue: its own project's part."""
    mine, catalogue = set(chosen), known.catalogue or Catalogue()
    found = policy.visible(catalogue, user, [project], today)
    return SessionDatasets(
        **shelf(settings, known, datasets_page).model_dump(),
        project=project,
        datasets=tuple(
            SessionDataset(
                **entry(settings, dataset).model_dump(),
                **standing_in(catalogue, dataset.name, user, project, found[dataset.name][project], today).model_dump(),
                chosen=dataset.name in mine,
            )
            for dataset in catalogue.datasets
            if dataset.name in found
        ),
    )


def for_person(
    settings: Settings, known: CatalogueView, user: str, projects: Iterable[str], today: date, datasets_page: str
) -> PersonDatasets:
    """What a person may know of the catalogue: what any of their projects may."""
    catalogue = known.catalogue or Catalogue()
    found = policy.visible(catalogue, user, projects, today)
    return PersonDatasets(
        **shelf(settings, known, datasets_page).model_dump(),
        datasets=tuple(
            PersonDataset(
                **entry(settings, dataset).model_dump(),
                standing={
                    project: standing_in(catalogue, dataset.name, user, project, one, today)
                    for project, one in found[dataset.name].items()
                },
            )
            for dataset in catalogue.datasets
            if dataset.name in found
        ),
    )


def entry(settings: Settings, dataset: Dataset) -> DatasetEntry:
    """A dataset of the catalogue without what is only the catalogue service's and the nodes' business."""
    same = DatasetEntry.model_fields.keys() & Dataset.model_fields.keys() - {"versions", "title", "description"}
    fields = {name: getattr(dataset, name) for name in same}
    return DatasetEntry(
        **fields,
        title=dataset.title or dataset.name,
        description=dataset.description or "",
        description_html=rendered(dataset.description or ""),
        path=str(_datasets(settings).data_dir / dataset.name),
        versions=tuple(
            OfferedVersion.model_validate(version.model_dump(include=set(OfferedVersion.model_fields)))
            for version in dataset.versions
            if version.published_at is not None and version.retired_at is None
        ),
    )


def standing_in(
    catalogue: Catalogue, name: str, user: str, project: str, found: policy.AccessDecision, today: date
) -> DatasetAccess:
    """What a user can do with a dataset in a project, with what became of the last request for it."""
    shut = found.state is State.NOT_GRANTED
    waits = shut and policy.is_held(catalogue, name, project, today)
    asked, no = policy.open_request(catalogue, name, user, project), policy.said_no(catalogue, name, project, user)
    refused = no if shut and not waits and not asked else None
    return DatasetAccess(
        **found.model_dump(),
        requested=asked is not None,
        waits=waits,
        refused=refused is not None,
        may_request=shut and not waits and not asked,
        told=_of_refusal(refused) if refused else _of_request(asked, user) if asked and shut and not waits else NOTHING,
    )


def _of_request(asked: AccessRequest, user: str) -> Text:
    if asked.user != user:
        return texts.REQUESTED_BY_ANOTHER(at=asked.at)  # who asks for what, and why, is theirs
    if asked.why:
        return texts.REQUESTED_BY_YOU_FOR(at=asked.at, why=asked.why)
    return texts.REQUESTED_BY_YOU(at=asked.at)


def _of_refusal(no: Declined) -> Text:
    return texts.DECLINED_BECAUSE(at=no.at, why=no.why) if no.why else texts.DECLINED(at=no.at)


def _datasets(settings: Settings) -> CatalogueSettings:
    if settings.catalogue is None:
        raise FabricError(texts.NO_DATASETS())
    return settings.catalogue
