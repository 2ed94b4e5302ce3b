"""Requests for a project, or for more of one, as types; and what an operator's answer begins with. Pure.

One union for the page, the command line and the catalogue service's API. Who may ask and answer is in the catalogue
service's policy (catalogue/requests/policy.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field

from fabric_hub.config.settings import OrNothing, Project
from fabric_hub.config.templates import TemplateSettings
from fabric_hub.types import AccountName, Frozen, HubUser, OneLine, Slug, matching

from .changes import Change, Create, GpuHours, SetBudget, SetDates, Why

LONGEST_PURPOSE = 1000
LONGEST_SLUG = 40

Purpose = Annotated[str, matching(rf"[^\x00-\x1f\x7f]{{1,{LONGEST_PURPOSE}}}")]
HoursAsked = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
RequestNumber = Annotated[int, Field(ge=1, lt=2**31)]
State = Literal["open", "granted", "declined", "withdrawn"]
Title = Annotated[OneLine, Field(max_length=200)]


class AskProject(Frozen):
    """Ask for a project of one's own. ``gpu_hours`` are in all; ``until`` is the last day."""

    do: Literal["project"] = "project"
    title: Title
    purpose: Purpose
    organisation: OrNothing = ""
    sector: OrNothing = ""
    data: Literal["public", "non-public"] = "public"
    gpu_hours: HoursAsked
    until: date | None = None


class AskMore(Frozen):
    """Ask for more of a project: GPU-hours in all, or a later last day; None: as it is."""

    do: Literal["more"] = "more"
    project: Slug
    purpose: Purpose
    gpu_hours: HoursAsked | None = None
    until: date | None = None


Ask = Annotated[AskProject | AskMore, Field(discriminator="do")]


class Request(Frozen):
    """A request as it is kept. ``at`` and ``answered_at`` are Unix seconds.

    :ivar project: which one more is asked for, or which one was made of it.
    :ivar why: of a request that was declined.
    """

    number: RequestNumber
    kind: Literal["project", "more"]
    user: HubUser
    at: float
    title: str
    purpose: str
    organisation: str = ""
    sector: str = ""
    data: Literal["public", "non-public"] = "public"
    gpu_hours: float | None = None
    until: date | None = None
    project: Slug | None = None
    state: State = "open"
    answered_at: float | None = None
    answered_by: str | None = None
    why: str | None = None


class Requests(Frozen):
    """Requests, the oldest first."""

    requests: tuple[Request, ...] = ()


class Asked(Frozen):
    """The number that a request was given."""

    number: RequestNumber


class Approval(Frozen):
    """What is given. Of more of a project only ``gpu_hours`` (in all) and ``end`` count, and None is as it is.

    :ivar account: None: the site's prefix and the name.
    """

    name: Slug | None = None
    title: Title | None = None
    kind: Literal["research", "course", "client"] = "research"
    account: AccountName | None = None
    gpu_hours: GpuHours | None = None
    end: date | None = None
    profiles: tuple[Slug, ...] = ()
    images: tuple[Slug, ...] = ()


class AskBody(Frozen):
    """A request, and who asks by their name at the hub."""

    by: HubUser
    ask: Ask


class WithdrawBody(Frozen):
    """Who asked takes it back."""

    by: HubUser
    number: RequestNumber


class AnswerRequestBody(Frozen):
    """An operator's answer: what is given, or why nothing is."""

    by: HubUser
    number: RequestNumber
    approval: Approval | None = None
    why: Why | None = None


class StarterBody(Frozen):
    """Somebody has logged in who is in no project."""

    user: HubUser


class Starter(Frozen):
    """The starter project that somebody was given; None: none."""

    project: Slug | None = None


def changes_of(request: Request, approval: Approval, project: Project | None) -> tuple[Change, ...]:
    """What an approval makes of the projects.

    :param project: the one that more is asked for.
    """
    if request.kind == "project":
        name = approval.name or slug_of(request.title)
        return (
            Create(
                project=name,
                title=approval.title or request.title,
                kind=approval.kind,
                organisation=request.organisation,
                sector=request.sector,
                data=request.data,
                account=approval.account,
                owners=(request.user,),
                budget_gpu_hours=approval.gpu_hours,
                profiles=approval.profiles,
                images=approval.images,
                end=approval.end,
            ),
        )
    assert request.project is not None
    changes: list[Change] = []
    if approval.gpu_hours is not None:
        changes.append(SetBudget(project=request.project, gpu_hours=approval.gpu_hours))
    if approval.end is not None:
        start = project.start if project else None
        changes.append(SetDates(project=request.project, start=start, end=approval.end))
    return tuple(changes)


def proposal(
    request: Request,
    template: TemplateSettings | None,
    taken: Collection[str],
    today: date,
) -> Approval:
    """What an operator's form begins with: what was asked for, and where the template says something, that.

    :param taken: the names of all projects.
    """
    if request.kind == "more":
        return Approval(gpu_hours=request.gpu_hours, end=request.until)
    hours, end = request.gpu_hours, request.until
    if template is None:
        return Approval(name=free_name(request.title, taken), title=request.title, gpu_hours=hours, end=end)
    last = today + timedelta(days=template.days) if template.days else None
    return Approval(
        name=free_name(request.title, taken),
        title=request.title,
        kind=template.kind,
        gpu_hours=hours if template.budget_gpu_hours is None else template.budget_gpu_hours,
        end=min((day for day in (last, end) if day), default=None),  # nobody gets more time than they asked for
        profiles=template.profiles,
        images=template.images,
    )


def template_for(request: Request, templates: Mapping[str, TemplateSettings]) -> str | None:
    """The template that fits a request: the smallest one whose budget covers what was asked; None: there is none."""
    hours = request.gpu_hours or 0.0
    budgets = {name: one.budget_gpu_hours for name, one in templates.items() if one.kind != "client"}
    enough = [(budget, name) for name, budget in budgets.items() if budget is not None and budget >= hours]
    open_ended = [name for name, budget in budgets.items() if budget is None]
    return min(enough)[1] if enough else next(iter(open_ended), None)


def free_name(title: str, taken: Collection[str]) -> str:
    """A project's name made of its title that no project has."""
    name = slug_of(title)
    number, found = 2, name
    while found in taken:
        ending = f"-{number}"
        found = name[: LONGEST_SLUG - len(ending)].rstrip("-") + ending
        number += 1
    return found


def slug_of(title: str) -> str:
    """A title as a project's name may be written: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    found = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:LONGEST_SLUG].strip("-")
    return found or "project"
