"""What a change makes of a project, and what is put on record of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import Field

from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.config.spelling import ROLES
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import project_changes as texts
from fabric_hub.projects.changes import (
    AddPerson,
    Change,
    Create,
    Describe,
    InvitationChange,
    Pause,
    RemovePerson,
    Resume,
    SetBudget,
    SetDates,
    TurnAway,
)
from fabric_hub.projects.membership import roles_of
from fabric_hub.types import Frozen, HubUser, Slug, login_name, slurm_key

from .audit.log import Entry
from .project_policy import account_of

EVENTS = {
    "create": "project-created",
    "describe": "described",
    "add": "person-added",
    "remove": "person-removed",
    "budget": "budget-set",
    "dates": "dates-set",
    "pause": "paused",
    "resume": "resumed",
    "invite": "invited",
    "withdraw": "invitation-withdrawn",
    "turn-away": "turned-away",
}
ACCEPTED = "invitation-accepted"
# What a project was made, by the log alone: an invitation is none of it, and is not brought back.
OF_PROJECT = frozenset(EVENTS.values()) - {EVENTS["invite"], EVENTS["withdraw"], EVENTS["turn-away"]}
PEOPLES = frozenset({EVENTS["add"], EVENTS["remove"]})
_SAID_ONLY_ONCE = frozenset({"budget-set", "dates-set", "described", "paused", "resumed"})


class Recorded(Frozen):
    """A change of a project as the audit log has it; ``at`` in Unix seconds."""

    event: Slug
    project: Slug
    by: str
    at: float
    user: HubUser | None = None
    after: dict[str, Any] = Field(default_factory=dict)


def with_hub_names(change: Change, *, keep_case: bool) -> Change:
    """A change whose people are named as JupyterHub names them after the login."""
    if isinstance(change, Create):
        owners = dict.fromkeys(login_name(owner, keep_case) for owner in change.owners)
        return change.model_copy(update={"owners": tuple(owners)})
    if isinstance(change, AddPerson | RemovePerson | TurnAway):
        return change.model_copy(update={"user": login_name(change.user, keep_case)})
    return change


def created(change: Create, settings: Settings, kept: Mapping[str, str]) -> Project:
    """A new project.

    :param settings: of the site's file alone.
    :param kept: the Slurm account of each project that the catalogue service keeps.
    :raises FabricError: its name or its account is another's; it names what the site does not have; its days are
        turned around.
    """
    assert settings.catalogue is not None
    name, account = change.project, change.account or account_of(change.project, settings.catalogue)
    known = {**kept, **{other: project.account for other, project in settings.project.items()}}
    if name in known:
        raise FabricError(texts.EXISTS(project=name))
    for other, of_other in known.items():
        if slurm_key(of_other) == account:
            raise FabricError(texts.ACCOUNT_TAKEN(account=account, other=other, project=name))
    for profile in change.profiles:
        if profile not in settings.profile:
            raise FabricError(texts.NO_PROFILE(profile=profile, profiles=tuple(settings.profile)))
    for image in change.images:
        if image not in settings.image:
            raise FabricError(texts.NO_IMAGE(image=image, images=tuple(settings.image)))
    _in_order(name, change.start, change.end)
    fields = change.model_dump(exclude={"do", "project", "owners", "account"})
    return Project(account=account, members=Members(owner=change.owners), **fields)


def edited(change: Change, project: Project) -> Project:
    """A project after a change; it may be as before.

    :raises FabricError: the change cannot be made: see the texts.
    """
    name = change.project
    match change:
        case Describe():
            fields = ("title", "organisation", "sector", "data", "asks")
            told = {field: value for field in fields if (value := getattr(change, field)) is not None}
            if change.asks is not None and not change.asks.anything:
                told["asks"] = None
            return project.model_copy(update=told)
        case AddPerson(role=role, user=user):
            people = getattr(project.members, role)
            return project if user in people else _with_role(project, role, (*people, user))
        case RemovePerson():
            return _without(change, project)
        case SetBudget():
            return project.model_copy(update={"budget_gpu_hours": change.gpu_hours})
        case SetDates():
            _in_order(name, change.start, change.end)
            return project.model_copy(update={"start": change.start, "end": change.end})
        case Pause():
            return project.model_copy(update={"paused": change.why})
        case Resume():
            return project.model_copy(update={"paused": ""})
    raise AssertionError(change)


def _without(change: RemovePerson, project: Project) -> Project:
    user, name = change.user, change.project
    roles = roles_of(project, user)
    if not roles:
        raise FabricError(texts.NOT_IN_IT(user=user, project=name))
    if change.role and change.role not in roles:
        raise FabricError(texts.NOT_IN_ROLE(user=user, role=change.role, project=name, roles=roles))
    for role in (change.role,) if change.role else roles:
        left = tuple(other for other in getattr(project.members, role) if other != user)
        if role == "owner" and not left:
            raise FabricError(texts.LAST_OWNER(user=user, project=name))
        project = _with_role(project, role, left)
    return project


def _with_role(project: Project, role: str, people: tuple[str, ...]) -> Project:
    return project.model_copy(update={"members": project.members.model_copy(update={role: people})})


def _in_order(name: str, start: date | None, end: date | None) -> None:
    if start and end and end < start:
        raise FabricError(texts.DATES_TURNED(project=name, end=end.isoformat(), start=start.isoformat()))


def people_in(change: Change) -> tuple[str, ...]:
    """The people whom a change is about."""
    if isinstance(change, Create):
        return change.owners
    return (change.user,) if isinstance(change, AddPerson | RemovePerson | TurnAway) else ()


def people_of(project: Project | None) -> set[tuple[str, str]]:
    """Everybody in a project with each of their roles."""
    return {(user, role) for role in ROLES for user in getattr(project.members, role)} if project else set()


def entries(
    change: Change, before: Project | None, after: Project, by: str, user: str | None = None
) -> tuple[Entry, ...]:
    """What the audit log gets of a change that was made; ``before`` and ``after`` of an entry are JSON of what differs.

    :param by: who decided, as :meth:`project_policy.Asker.by` says; ``user`` their name at the hub.
    """
    event = EVENTS[change.do]
    owners = (before or after).members.owner
    common: dict[str, Any] = {"by": by, "project": change.project, "account": after.account, "responsible": owners}
    made: list[Entry] = []
    if event in _SAID_ONLY_ONCE or before is None:
        old, new = _facts(before) if before else {}, _facts(after)
        differ = [name for name in new if before is None or old[name] != new[name]]
        made.append(
            Entry.model_validate(
                {
                    "event": event,
                    "user": user,
                    "before": as_line({name: old[name] for name in differ}) if before else None,
                    "after": as_line({name: new[name] for name in differ if before or new[name] not in (None, "", [])}),
                    **common,
                }
            )
        )
    for person in sorted({one for one, _ in people_of(before) ^ people_of(after)}):
        had, has = (roles_of(before, person) if before else ()), roles_of(after, person)
        made.append(
            Entry.model_validate(
                {
                    "event": "person-added" if len(has) > len(had) else "person-removed",
                    "user": person,
                    "before": as_line({"roles": had}) if had else None,
                    "after": as_line({"roles": has}) if has else None,
                    **common,
                }
            )
        )
    return tuple(made)


def of_invitation(
    event: str, name: str, project: Project, by: str, user: str | None, facts: Mapping[str, Any]
) -> Entry:
    """What the audit log gets of an invitation: never its code.

    :param user: who made or withdrew it at the hub; of one who accepted or was turned away: they.
    """
    return Entry.model_validate(
        {
            "event": event,
            "user": user,
            "by": by,
            "project": name,
            "account": project.account,
            "responsible": project.members.owner,
            "after": as_line(facts) if facts else None,
        }
    )


def invitation_entry(
    change: InvitationChange, project: Project, by: str, user: str | None, facts: Mapping[str, Any]
) -> Entry:
    """What the audit log gets of a change of invitations; ``user`` is who asked for it at the hub."""
    about = change.user if isinstance(change, TurnAway) else user
    return of_invitation(EVENTS[change.do], change.project, project, by, about, facts)


def replayed(project: Project | None, record: Recorded) -> Project | None:
    """A project after a change that is on record; None: there is none to change.

    :raises ValidationError: the record is not as this release writes them.
    """
    if record.event == EVENTS["create"]:
        return Project.model_validate(record.after)
    if project is None:
        return None
    if record.event not in PEOPLES:
        return Project.model_validate({**project.model_dump(), **record.after})
    user, roles = record.user or "", record.after.get("roles", ())
    for role in ROLES:
        others = tuple(one for one in getattr(project.members, role) if one != user)
        project = _with_role(project, role, (*others, user) if role in roles else others)
    return project


def denial(change: Change, project: Project | None, asker: str, code: str) -> Entry:
    """What the audit log gets of a change that was refused: by whom it was asked for, what it was, and why not."""
    wanted = change.model_dump(
        mode="json", exclude={"project", "user", "digest"}, exclude_none=True
    )  # no names in a record
    if isinstance(change, Create):  # a title and a list of owners are long, and prove nothing
        wanted = {name: wanted[name] for name in ("do", "kind", "data", "budget_gpu_hours") if name in wanted}
    return Entry.model_validate(
        {
            "event": "denied",
            "user": asker,
            "project": change.project,
            "account": project.account if project else None,
            "responsible": project.members.owner if project else (),
            "why": code,
            "after": as_line(wanted),
        }
    )


def _facts(project: Project) -> dict[str, Any]:
    return project.model_dump(mode="json", exclude={"members"})


def as_line(facts: Mapping[str, Any]) -> str:
    """Facts as they stand in a record: JSON on one line."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
