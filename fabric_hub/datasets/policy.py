"""Who may use which dataset, by the catalogue as the catalogue service tells it. Pure.

The kernel decides on the nodes, by the catalogue service's own word; what is decided here is what pages, the
API and a start say, so that nobody waits for a session whose data stays shut.

A name that a project may not know of is treated as one that does not exist: same state, same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Self

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Project
from fabric_hub.errors import FabricError, Sayable
from fabric_hub.messages.text import NOTHING, Reason, Said, Text, WithTexts
from fabric_hub.messages.texts import datasets as texts
from fabric_hub.types import Frozen

from .model import Acceptance, Accepting, Access, AccessRequest, Catalogue, Dataset, Declined, Grant

# The right to accept agreements and to ask for access in one's own name. Every user has it, a session's token never:
# an agreement is accepted by a person, not by code that runs in their notebook.
ACCEPT_SCOPE = "custom:fabric:datasets"


class State(StrEnum):
    """What a user can do with a dataset in a project today."""

    OPEN = "open"
    AGREEMENT = "agreement"  # it can be opened once the current agreement is accepted
    NOT_GRANTED = "not-granted"  # it is shown, and may be asked for
    RETIRED = "retired"
    UNKNOWN = "unknown"  # it does not exist, or its existence is not this project's business


class AccessDecision(WithTexts):
    """A dataset for one user in one project on one day; ``why`` and ``hint`` are empty when it is open.

    ``until`` is the last day of the project's grant, where it has an end.
    """

    state: State
    why: Said = NOTHING
    hint: Said = NOTHING
    until: date | None = None

    @classmethod
    def shut(cls, state: State, reason: Reason, until: date | None = None, **params: str) -> Self:
        """One that is not open, with the reason and what to do next."""
        why = reason(**params)
        return cls(state=state, why=why, hint=why.hint or NOTHING, until=until)


class CatalogueView(Frozen):
    """What this process knows of the catalogue.

    ``unavailable_since`` (Unix seconds) and ``problem`` are set while the catalogue service does not answer;
    ``catalogue`` is None until it has answered once.
    """

    catalogue: Catalogue | None = None
    unavailable_since: float | None = None
    problem: Text = NOTHING


class CatalogueUnavailableError(FabricError):
    """The catalogue service does not answer, so nothing is known of who may use what.

    :param since: Unix seconds of the first unanswered question, or None.
    """

    def __init__(self, since: float | None = None) -> None:
        super().__init__(texts.NOT_ANSWERED_SINCE(since=since) if since else texts.NOT_ANSWERED())
        self.since = since


class DatasetRefusedError(FabricError):
    """A dataset that may not be used: told to the user, and written into the audit log.

    :param why: the state that it was refused for.
    """

    def __init__(
        self, message: Sayable | str, *, dataset: str, project: str, why: State, hint: Sayable | str | None = None
    ) -> None:
        reason = "agreement" if why is State.AGREEMENT else "dataset"
        super().__init__(message, reason=reason, hint=hint, status=403)
        self.dataset, self.project, self.why = dataset, project, why


def find(catalogue: Catalogue, name: str) -> Dataset | None:
    """A published dataset, retired ones included."""
    return next((one for one in catalogue.datasets if one.name == name and one.published_at is not None), None)


def grant_of(catalogue: Catalogue, dataset: str, project: str, today: date) -> Grant | None:
    """The grant of a project that is in force, the longest where there are several."""
    found = [grant for grant in _grants(catalogue, dataset, project) if not grant.until or today <= grant.until]
    return max(found, key=lambda grant: grant.until or date.max, default=None)


def _grants(catalogue: Catalogue, dataset: str, project: str) -> list[Grant]:
    return [grant for grant in catalogue.grants if (grant.dataset, grant.project) == (dataset, project)]


def is_held(catalogue: Catalogue, dataset: str, project: str, today: date) -> bool:
    """Whether a restore shut a project's grant, which waits for the dataset's steward."""
    return any(
        (one.dataset, one.project) == (dataset, project) and (not one.until or today <= one.until)
        for one in catalogue.held
    )


def standing(catalogue: Catalogue, name: str, user: str, project: str, today: date) -> AccessDecision:
    """What a user can do with a dataset in a project. Membership is not asked here: see ``projects.policy``."""
    dataset = find(catalogue, name)
    if dataset is None or dataset.access is None:
        return _no_access(name, project, State.UNKNOWN)
    grant = grant_of(catalogue, name, project, today)
    held = grant is None and is_held(catalogue, name, project, today)
    if dataset.access is Access.NON_PUBLIC and grant is None:
        # not in a list, for the grant may have been revoked; who knows the name is told why it is shut
        return _held(name, project, State.UNKNOWN) if held else _no_access(name, project, State.UNKNOWN)
    if dataset.retired_at is not None or dataset.latest is None:
        return _retired(dataset)
    if dataset.access is not Access.PUBLIC and grant is None:
        return (_held if held else _no_access)(name, project, State.NOT_GRANTED)
    until = grant.until if grant and dataset.access is not Access.PUBLIC else None
    if dataset.agreement is None:
        if dataset.access is Access.PUBLIC:
            return AccessDecision(state=State.OPEN)
        # nothing that somebody could accept: published wrongly, so it stays shut
        return _no_access(name, project, State.NOT_GRANTED)
    before = accepted(catalogue, name, user, project)
    if dataset.agreement.version in before:
        return AccessDecision(state=State.OPEN, until=until)
    reason = texts.AGREEMENT_CHANGED if before else texts.AGREEMENT
    return AccessDecision.shut(
        State.AGREEMENT, reason, until, dataset=name, version=dataset.agreement.version, project=project
    )


def accepted(catalogue: Catalogue, dataset: str, user: str, project: str) -> tuple[str, ...]:
    """The versions of a dataset's agreement that a user has accepted in a project."""
    return tuple(
        one.agreement
        for one in catalogue.acceptances
        if (one.dataset, one.user, one.project) == (dataset, user, project)
    )


def _no_access(name: str, project: str, state: State) -> AccessDecision:
    # the same words for what is not granted and for what does not exist: names are not to be guessed
    return AccessDecision.shut(state, texts.NO_ACCESS, project=project, dataset=name)


def _held(name: str, project: str, state: State) -> AccessDecision:
    return AccessDecision.shut(state, texts.HELD, project=project, dataset=name)


def _retired(dataset: Dataset) -> AccessDecision:
    contact = dataset.contact
    where = (contact.email or contact.url) if contact else None
    if contact is None or not where:
        return AccessDecision.shut(State.RETIRED, texts.RETIRED, dataset=dataset.name)
    return AccessDecision.shut(
        State.RETIRED, texts.RETIRED_WITH_CONTACT, dataset=dataset.name, contact=contact.name, where=where
    )


def visible(
    catalogue: Catalogue, user: str, projects: Iterable[str], today: date
) -> dict[str, dict[str, AccessDecision]]:
    """The datasets that a user's projects may know of: name -> project -> standing, in the catalogue's order.

    A project that may not know of a dataset is left out there; a dataset that none may know of is, too.
    Retired ones are shown only to projects with a grant.
    """
    mine = tuple(projects)
    found: dict[str, dict[str, AccessDecision]] = {}
    for dataset in catalogue.datasets:
        by_project = {}
        for project in mine:
            one = standing(catalogue, dataset.name, user, project, today)
            if one.state is State.RETIRED and grant_of(catalogue, dataset.name, project, today) is None:
                continue
            if one.state is not State.UNKNOWN:
                by_project[project] = one
        if by_project:
            found[dataset.name] = by_project
    return found


def open_request(catalogue: Catalogue, dataset: str, user: str, project: str) -> AccessRequest | None:
    """The request for a dataset for a project that nobody has answered yet: the user's own, else the first of all."""
    asked = [one for one in catalogue.requests if (one.dataset, one.project) == (dataset, project)]
    return min(asked, key=lambda one: (one.user != user, one.at), default=None)


def may_grant_from_hub(settings: CatalogueSettings | None, dataset: Dataset, project: Project | None) -> bool:
    """Whether the site lets operators grant a dataset to a project at the hub.

    A restricted one, and to no client's project nor one with non-public data; the command line grants others.
    """
    if settings is None or project is None or project.kind == "client" or project.data != "public":
        return False
    return "grants" in settings.from_hub and dataset.access is Access.RESTRICTED


def said_no(catalogue: Catalogue, dataset: str, project: str, user: str) -> Declined | None:
    """How a user's last request for a dataset for a project was declined; None: it was not."""
    mine = (dataset, project, user)
    return next((one for one in catalogue.declined if (one.dataset, one.project, one.user) == mine), None)


def catalogue_of(known: CatalogueView | None) -> Catalogue:
    """The catalogue as it is now.

    :param known: None where the site offers no datasets.
    :raises FabricError: there is none, or the catalogue service does not answer.
    """
    if known is None:
        raise FabricError(texts.NOT_OFFERED())
    if known.catalogue is None or known.unavailable_since is not None:
        raise CatalogueUnavailableError(known.unavailable_since)
    return known.catalogue


def may_use(
    catalogue: Catalogue, name: str, user: str, project: str, today: date, accepting: Accepting | None = None
) -> Acceptance | None:
    """Refuse a dataset that a user cannot use now.

    :param accepting: what the user accepts with this start.
    :returns: the acceptance that the catalogue service must record first, or None where none is needed.
    :raises DatasetRefusedError: why it cannot be used, and what to do next.
    """
    found = standing(catalogue, name, user, project, today)
    if found.state is State.OPEN:
        return None
    if found.state is not State.AGREEMENT or accepting is None:
        raise refusal(found, name, project)
    dataset = find(catalogue, name)
    assert dataset is not None
    assert dataset.agreement is not None
    if accepting.version != dataset.agreement.version:
        message = texts.OLD_AGREEMENT(accepted=accepting.version, dataset=name, version=dataset.agreement.version)
    elif accepting.purpose not in {purpose.name for purpose in dataset.purposes}:
        message = texts.NO_SUCH_PURPOSE(
            dataset=name, purpose=accepting.purpose, purposes=tuple(purpose.name for purpose in dataset.purposes)
        )
    else:
        return Acceptance(
            user=user, project=project, dataset=name, agreement=accepting.version, purpose=accepting.purpose
        )
    raise DatasetRefusedError(message, dataset=name, project=project, why=State.AGREEMENT)


def may_use_all(
    catalogue: Catalogue,
    names: Iterable[str],
    user: str,
    project: str,
    today: date,
    accepting: Mapping[str, Accepting],
) -> tuple[Acceptance, ...]:
    """:func:`may_use` for every dataset of a start; an acceptance for one that is not asked for is refused."""
    wanted = tuple(names)
    for name in accepting:
        if name not in wanted:
            raise FabricError(texts.ACCEPTED_NOT_CHOSEN(dataset=name))
    found = (may_use(catalogue, name, user, project, today, accepting.get(name)) for name in wanted)
    return tuple(one for one in found if one is not None)


def may_request(catalogue: Catalogue, name: str, user: str, project: str, today: date) -> None:
    """Refuse a request for a dataset that the project may use already, may not know of, or had before a restore.

    :raises FabricError: which of the three.
    """
    found = standing(catalogue, name, user, project, today)
    if found.state in (State.OPEN, State.AGREEMENT):
        raise FabricError(texts.OPEN_ALREADY(project=project, dataset=name), hint=found.hint)
    if found.state is not State.NOT_GRANTED or is_held(catalogue, name, project, today):
        raise refusal(found, name, project)


def refusal(found: AccessDecision, name: str, project: str) -> DatasetRefusedError:
    """A standing that is not open as an error."""
    return DatasetRefusedError(found.why, hint=found.hint, dataset=name, project=project, why=found.state)
