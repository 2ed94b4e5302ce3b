"""Who may change what of a project that the catalogue service keeps. Pure.

An owner of a project manages its people and may narrow it: fewer hours, less time, a pause. Operators
(``login.admins``) make projects and widen them. The hub only passes on who asks, and may be in somebody else's hands:
what it asks for widens nothing beyond ``catalogue.from_hub``, and never a project of a client or with non-public data.
At the command line, which only root and the catalogue service's account can use, everything is allowed.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Project
from fabric_hub.config.spelling import ROLES
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import project_changes as texts
from fabric_hub.projects.changes import (
    AddPerson,
    Change,
    Create,
    Describe,
    Invite,
    Pause,
    RemovePerson,
    Resume,
    SetBudget,
    SetDates,
    TurnAway,
    Withdraw,
)
from fabric_hub.projects.membership import roles_of
from fabric_hub.types import slurm_key

_OPERATOR, _OWNER = "operator ", "owner "
# What stands where somebody was who is erased: only their role. They add nobody, and no account has their rights.
_WITHOUT_NAME = frozenset({*ROLES, "operator", "user", "account"})


@dataclass(frozen=True)
class Asker:
    """Who asks for a change.

    :ivar name: at the hub; at the command line: the Unix account.
    :ivar operator: whether the site's file names them in ``login.admins``.
    :ivar from_hub: whether the hub passes it on.
    """

    name: str
    operator: bool = False
    from_hub: bool = True

    def by(self, project: Project | None) -> str:
        """Who decides, for the record: a hub user by the role that lets them, an account by its name."""
        if not self.from_hub:
            return self.name
        roles = roles_of(project, self.name) if project else ()
        if "owner" not in roles and self.operator:
            return f"{_OPERATOR}{self.name}"
        return f"{roles[0] if roles else 'user'} {self.name}"


def refusal(
    change: Change, project: Project | None, asker: Asker, catalogue: CatalogueSettings, paused_by: str | None = None
) -> Text | None:
    """Why somebody may not make a change; None: they may.

    :param project: as it is; None: there is none of this name.
    :param paused_by: who paused it, as :meth:`Asker.by` says.
    """
    if not asker.from_hub:
        return None
    if isinstance(change, Create):
        # whoever may not make it is not told whether it is there
        return _of_create(change, asker, catalogue)
    roles = roles_of(project, asker.name) if project else ()
    if project is None or not (roles or asker.operator):
        return texts.NO_SUCH_PROJECT(project=change.project)  # nobody learns another project's name
    if isinstance(change, RemovePerson) and change.user == asker.name:
        return None
    if "owner" not in roles and not asker.operator:
        return texts.NOT_OWNER(user=asker.name, project=change.project, owners=project.members.owner)
    return _of_owner(change, project, asker, catalogue, paused_by)


def _of_create(change: Create, asker: Asker, catalogue: CatalogueSettings) -> Text | None:
    if not asker.operator:
        return texts.CREATE_NEEDS_OPERATOR(project=change.project)
    because = (
        _closed_to_hub(change.kind, change.data)
        or _not_in("projects", catalogue)
        or _above(change.budget_gpu_hours, catalogue)
        or _not_named_after(change, catalogue)
    )
    return _not_from_hub(change, because)


def _not_named_after(change: Create, catalogue: CatalogueSettings) -> Text | None:
    """Another account may be there, with a budget of its own that the new project's people would share."""
    own = account_of(change.project, catalogue)
    return None if change.account in (None, own) else texts.OTHER_ACCOUNT(account=change.account, own=own)


def _of_owner(
    change: Change, project: Project, asker: Asker, catalogue: CatalogueSettings, paused_by: str | None
) -> Text | None:
    """A change that an owner or an operator asks for at the hub, of a project that there is."""
    name = change.project
    closed = _closed_to_hub(project.kind, project.data)
    if isinstance(change, AddPerson | Invite):  # an invitation is taken as the adding that it becomes
        return _not_from_hub(change, closed or _not_in("people", catalogue))
    if isinstance(change, Describe) and change.data == "public" and project.data == "non-public":
        needed = texts.DATA_NEED_OPERATOR(project=name)
        return _not_from_hub(change, texts.NON_PUBLIC()) if asker.operator else needed
    # less asked of a login lets in who is kept out now; more is an owner's own
    if isinstance(change, Describe) and change.asks is not None and project.asks not in (None, change.asks):
        return _not_from_hub(change, texts.ASKS_ALREADY())
    if isinstance(change, SetBudget) and _more_hours(project.budget_gpu_hours, change.gpu_hours):
        if not asker.operator:
            return texts.BUDGET_NEEDS_OPERATOR(project=name)
        return _not_from_hub(change, closed or _not_in("budgets", catalogue) or _above(change.gpu_hours, catalogue))
    if isinstance(change, SetDates) and _more_time(project, change):
        if not asker.operator:
            return texts.DATES_NEED_OPERATOR(project=name)
        return _not_from_hub(change, closed or _not_in("projects", catalogue))
    # also a pause that stands already: who may not lift it does not make it theirs, to lift it then
    if isinstance(change, Pause | Resume) and project.paused:
        return _of_pause(change, project, asker, paused_by or "")
    return None


def must_wait(role: str, project: Project, catalogue: CatalogueSettings) -> bool:
    """Whether who accepts an invitation comes in only when somebody has confirmed who they are.

    A visitor is often known to nobody here; and what widens at the hub is not widened by an invitation either.
    """
    closed = _closed_to_hub(project.kind, project.data) or _not_in("people", catalogue)
    return role == "visitor" or closed is not None


def inviter(by: str, operators: Collection[str]) -> Asker:
    """Who made an invitation, as they may add people now.

    :param by: as it is on record: :meth:`Asker.by`.
    """
    _role, space, name = by.partition(" ")
    if space or by in _WITHOUT_NAME:
        return Asker(name, operator=name in operators)
    return Asker(by, operator=True, from_hub=False)


def _of_pause(change: Pause | Resume, project: Project, asker: Asker, paused_by: str) -> Text | None:
    if paused_by.startswith(_OWNER):
        return None
    if not asker.operator:
        return texts.PAUSED_BY_OPERATOR(project=change.project, why=project.paused)
    return None if paused_by.startswith(_OPERATOR) else _not_from_hub(change, texts.PAUSED_ELSEWHERE())


def _closed_to_hub(kind: str, data: str) -> Text | None:
    """Why a project is widened at the command line alone; None: the hub may ask for it, too."""
    if data != "public":
        return texts.NON_PUBLIC()
    return texts.OF_CLIENT() if kind == "client" else None


def _not_in(word: Literal["people", "budgets", "projects"], catalogue: CatalogueSettings) -> Text | None:
    return None if word in catalogue.from_hub else texts.NOT_IN_FROM_HUB(word=word)


def _above(hours: float | None, catalogue: CatalogueSettings) -> Text | None:
    cap = catalogue.from_hub_gpu_hours
    if hours is None:
        return texts.WITHOUT_LIMIT(cap=_number(cap))
    return texts.ABOVE_CAP(hours=_number(hours), cap=_number(cap)) if hours > cap else None


def _more_hours(before: float | None, after: float | None) -> bool:
    return before is not None and (after is None or after > before)


def _more_time(project: Project, change: SetDates) -> bool:
    earlier = project.start is not None and (change.start is None or change.start < project.start)
    return earlier or (project.end is not None and (change.end is None or change.end > project.end))


def _not_from_hub(change: Change, because: Text | None) -> Text | None:
    if because is None:
        return None
    return texts.NOT_FROM_HUB(project=change.project, because=because, command=command(change))


def account_of(project: str, catalogue: CatalogueSettings) -> str:
    """The Slurm account that is named after a project."""
    return slurm_key(f"{catalogue.account_prefix}{project}")


def command(change: Change) -> str:
    """The command that makes a change, as it can be pasted into a shell."""
    words = ["fabric-hub", "projects", change.do, change.project]
    match change:
        case Create():
            words += ["--title", change.title]
            words += [word for owner in change.owners for word in ("--owner", owner)]
            defaults = {"kind": "research", "data": "public", "organisation": "", "sector": "", "account": None}
            for option, default in defaults.items():
                if (value := getattr(change, option)) != default:
                    words += [f"--{option}", str(value)]
            words += [word for name in change.profiles for word in ("--profile", name)]
            words += [word for name in change.images for word in ("--image", name)]
            if change.budget_gpu_hours is not None:
                words += ["--budget", _number(change.budget_gpu_hours)]
            words += _days(change.start, change.end)
        case Describe():
            for option in ("title", "organisation", "sector", "data"):
                if (value := getattr(change, option)) is not None:
                    words += [f"--{option}", value]
            if change.asks is not None:
                words += [word for one in change.asks.assurance for word in ("--assurance", one)]
                words += [word for one in change.asks.acr for word in ("--acr", one)]
                if change.asks.max_age_minutes is not None:
                    words += ["--max-age", str(change.asks.max_age_minutes)]
                if not change.asks.anything:
                    words += ["--asks-nothing"]
        case AddPerson():
            words += [change.user, "--role", change.role]
        case RemovePerson():
            words += [change.user, *(["--role", change.role] if change.role else [])]
        case SetBudget():
            words.append("none" if change.gpu_hours is None else _number(change.gpu_hours))
        case SetDates():
            words += ["--start", str(change.start or "none"), "--end", str(change.end or "none")]
        case Pause():
            words += ["--why", change.why]
        case Invite():
            words += ["--role", change.role, "--uses", str(change.uses), "--until", str(change.until)]
            words += ["--domain", change.domain] if change.domain else []
        case Withdraw():
            words.append(change.invitation)
        case TurnAway():
            words.append(change.user)
        case Resume():
            pass
    return shlex.join(words)


def _days(start: object, end: object) -> list[str]:
    return [word for option, day in (("--start", start), ("--end", end)) if day for word in (option, str(day))]


def _number(hours: float) -> str:
    return str(int(hours)) if hours == int(hours) else str(hours)
