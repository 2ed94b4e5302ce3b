"""The forms of a project's page: from what was typed to changes of the project. Pure.

The catalogue service decides whether who asks may have a change (:mod:`fabric_hub.projects.changes`); here is only
whether a form asks for one, in words for who filled it in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.settings import OrNothing, Project
from fabric_hub.config.spelling import ROLES
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Reason, Text
from fabric_hub.messages.texts import project_pages as texts
from fabric_hub.projects.changes import (
    AddPerson,
    Change,
    Create,
    GpuHours,
    Pause,
    RemovePerson,
    Resume,
    SetBudget,
    SetDates,
)
from fabric_hub.projects.membership import roles_of
from fabric_hub.types import AccountName, Frozen, HubUser, OneLine, Slug

from . import project_invitations as invitations

# What a form asks for, as the buttons of the page say it (``do``).
ADD, ROLE, REMOVE, PAUSE, RESUME, DATES, BUDGET = "add", "role", "remove", "pause", "resume", "dates", "budget"
# Where on the page a form stands, and with it what became of it.
SECTIONS: Final = {
    ADD: "people", ROLE: "people", REMOVE: "people",
    PAUSE: "state", RESUME: "state", DATES: "dates", BUDGET: "budget",
    invitations.INVITE: "invitations", invitations.WITHDRAW: "invitations", invitations.TURN_AWAY: "invitations",
}  # fmt: skip
KINDS: Final = ("research", "course", "client")
ROLE_NAMES: Final[Mapping[str, Reason]] = {
    "owner": texts.ROLE_OWNER,
    "member": texts.ROLE_MEMBER,
    "trainer": texts.ROLE_TRAINER,
    "steward": texts.ROLE_STEWARD,
    "visitor": texts.ROLE_VISITOR,
}
_USER: Final = TypeAdapter[str](HubUser)
_SLUG: Final = TypeAdapter[str](Slug)
_LINE: Final = TypeAdapter[str](OneLine)
_SHORT: Final = TypeAdapter[str](OrNothing)
_ACCOUNT: Final = TypeAdapter[str](AccountName)
_HOURS: Final = TypeAdapter[float](GpuHours)
LONGEST_WHY: Final = 100
# What is typed beyond is a slip of the hand, or meant for ever: that is to leave the field empty.
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)


class Wanted(Frozen):
    """What a form asks for: changes, one after the other, and what is said when they are made."""

    changes: tuple[Change, ...]
    done: Text


_Form = Callable[[str, Project, Mapping[str, str]], Wanted]


def wanted(name: str, project: Project, fields: Mapping[str, str]) -> Wanted:
    """What a form of a project's page asks for.

    :param fields: one text each; ``do`` says which form it is.
    :raises FabricError: it asks for nothing, or something in it cannot be.
    """
    make = _FORMS.get(fields.get("do", ""))
    if make is None:
        raise FabricError(texts.NO_SUCH_CHANGE())
    return make(name, project, fields)


def _add(name: str, project: Project, fields: Mapping[str, str]) -> Wanted:
    user, role = _user(fields), _role(fields)
    if role in roles_of(project, user):
        raise FabricError(texts.HAS_ROLE(user=user, role=ROLE_NAMES[role]()))
    done = texts.PERSON_ADDED(user=user, role=ROLE_NAMES[role]())
    return Wanted(changes=(AddPerson(project=name, user=user, role=role),), done=done)  # type: ignore[arg-type]


def _change_role(name: str, project: Project, fields: Mapping[str, str]) -> Wanted:
    """One role instead of all that somebody has: given before the others are taken, so that they are never out."""
    user, role = _user(fields), _role(fields)
    before = roles_of(project, user)
    if not before:
        raise FabricError(texts.NOT_IN_IT(user=user))
    if before == (role,):
        raise FabricError(texts.HAS_ROLE(user=user, role=ROLE_NAMES[role]()))
    given = [] if role in before else [AddPerson(project=name, user=user, role=role)]  # type: ignore[arg-type]
    taken = [RemovePerson(project=name, user=user, role=one) for one in before if one != role]  # type: ignore[arg-type]
    return Wanted(changes=(*given, *taken), done=texts.ROLE_CHANGED(user=user, role=ROLE_NAMES[role]()))


def _remove(name: str, project: Project, fields: Mapping[str, str]) -> Wanted:
    user = _user(fields)
    if not roles_of(project, user):
        raise FabricError(texts.NOT_IN_IT(user=user))
    return Wanted(changes=(RemovePerson(project=name, user=user),), done=texts.PERSON_REMOVED(user=user))


def _pause(name: str, _project: Project, fields: Mapping[str, str]) -> Wanted:
    why = fields.get("why", "").strip()
    if not 0 < len(why) <= LONGEST_WHY or not fits(_LINE, why):
        raise FabricError(texts.NO_WHY())
    return Wanted(changes=(Pause(project=name, why=why),), done=texts.PAUSE_DONE())


def _resume(name: str, _project: Project, _fields: Mapping[str, str]) -> Wanted:
    return Wanted(changes=(Resume(project=name),), done=texts.RESUME_DONE())


def _dates(name: str, project: Project, fields: Mapping[str, str]) -> Wanted:
    """Who is not shown the first day does not change it."""
    start = day(fields, "start") if "start" in fields else project.start
    end = day(fields, "end")
    _in_order(start, end)
    return Wanted(changes=(SetDates(project=name, start=start, end=end),), done=texts.DATES_SAVED())


def _budget(name: str, _project: Project, fields: Mapping[str, str]) -> Wanted:
    return Wanted(changes=(SetBudget(project=name, gpu_hours=hours(fields)),), done=texts.BUDGET_SAVED())


def _invitation(make: Callable[[str, Mapping[str, str]], tuple[Change, Text]]) -> _Form:
    def of_form(name: str, _project: Project, fields: Mapping[str, str]) -> Wanted:
        change, done = make(name, fields)
        return Wanted(changes=(change,), done=done)

    return of_form


_FORMS: Final[Mapping[str, _Form]] = {
    ADD: _add,
    ROLE: _change_role,
    REMOVE: _remove,
    PAUSE: _pause,
    RESUME: _resume,
    DATES: _dates,
    BUDGET: _budget,
    invitations.INVITE: _invitation(invitations.invite),
    invitations.WITHDRAW: _invitation(invitations.withdraw),
    invitations.TURN_AWAY: _invitation(invitations.turn_away),
}


def created(taken: Mapping[str, Project], fields: Mapping[str, str]) -> Create:
    """The project that an operator's form describes.

    :param taken: the projects that there are.
    :raises FabricError: something in the form cannot be, or its name is taken.
    """
    name = _checked(_SLUG, fields, "name", texts.NO_NAME)
    if name in taken:
        raise FabricError(texts.EXISTS(project=name))
    title = fields.get("title", "").strip()
    if not fits(_LINE, title):
        raise FabricError(texts.NO_TITLE())
    start, end = day(fields, "start"), day(fields, "end")
    _in_order(start, end)
    kind, data = fields.get("kind", "research"), fields.get("data", "public")
    if kind not in KINDS or data not in ("public", "non-public"):
        raise FabricError(texts.NO_SUCH_CHANGE())
    owners = [one for one in fields.get("owners", "").replace(",", " ").split() if one]
    for owner in owners or [""]:
        _checked(_USER, {"owners": owner}, "owners", texts.NO_USER)
    account = fields.get("account", "").strip()
    return Create(
        project=name,
        title=title,
        kind=kind,  # type: ignore[arg-type]
        data=data,  # type: ignore[arg-type]
        organisation=checked_line(fields, "organisation"),
        sector=checked_line(fields, "sector"),
        account=_checked(_ACCOUNT, fields, "account", texts.NO_ACCOUNT) if account else None,
        owners=tuple(dict.fromkeys(owners)),
        budget_gpu_hours=hours(fields),
        start=start,
        end=end,
    )


def _user(fields: Mapping[str, str]) -> str:
    return _checked(_USER, fields, "user", texts.NO_USER)


def _role(fields: Mapping[str, str]) -> str:
    role = fields.get("role", "")
    if role not in ROLES:
        raise FabricError(texts.NO_ROLE(typed=role[:40]))
    return role


def day(fields: Mapping[str, str], field: str) -> date | None:
    """A day that was typed, or none.

    :raises FabricError: it is no day.
    """
    typed = fields.get(field, "").strip()
    try:
        found = date.fromisoformat(typed) if typed else None
    except ValueError:
        raise FabricError(texts.NO_DAY(typed=typed[:40])) from None
    if found and not EARLIEST <= found <= LATEST:
        raise FabricError(texts.NO_DAY(typed=typed[:40]))
    return found


def _in_order(start: date | None, end: date | None) -> None:
    if start and end and end < start:
        raise FabricError(texts.DATES_CROSS(start=start.isoformat(), end=end.isoformat()))


def hours(fields: Mapping[str, str]) -> float | None:
    """GPU-hours that were typed, or none.

    :raises FabricError: it is no such number.
    """
    typed = fields.get("gpu_hours", "").strip()
    try:
        return _HOURS.validate_python(float(typed)) if typed else None
    except ValueError:  # pydantic's is one, too
        raise FabricError(texts.NO_HOURS(typed=typed[:40])) from None


def checked_line(fields: Mapping[str, str], field: str) -> str:
    """A short line that was typed, or "".

    :raises FabricError: it is too long, or no line.
    """
    return _checked(_SHORT, fields, field, texts.NO_LINE)


def _checked(kind: TypeAdapter[str], fields: Mapping[str, str], field: str, refusal: Reason) -> str:
    typed = fields.get(field, "").strip()
    try:
        return kind.validate_python(typed)
    except ValidationError:
        raise FabricError(refusal(typed=typed[:64])) from None


def fits(kind: TypeAdapter[Any], value: Any) -> bool:
    """Whether a value is of a type."""
    try:
        kind.validate_python(value)
    except ValidationError:
        return False
    return True
