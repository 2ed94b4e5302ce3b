"""The forms of requests: from what was typed to a request, or to an operator's answer. Pure.

The catalogue service decides whether it is taken (catalogue/requests/policy.py); here is only whether a form asks for
something, in words for who filled it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.templates import TemplateSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import project_pages as page_texts
from fabric_hub.messages.texts import project_requests as texts
from fabric_hub.projects.changes import Why
from fabric_hub.projects.requests import (
    LONGEST_PURPOSE,
    Approval,
    AskMore,
    AskProject,
    HoursAsked,
    Purpose,
    Request,
    RequestNumber,
    Title,
)
from fabric_hub.types import AccountName, Slug

from .project_forms import KINDS, LONGEST_WHY, checked_line, day, fits, hours

_HOURS: Final = TypeAdapter[float](HoursAsked)
_NUMBER: Final = TypeAdapter[int](RequestNumber)
_PURPOSE: Final = TypeAdapter[str](Purpose)
_TITLE: Final = TypeAdapter[str](Title)
_SLUG: Final = TypeAdapter[str](Slug)
_ACCOUNT: Final = TypeAdapter[str](AccountName)
_WHY: Final = TypeAdapter[str](Why)

STATES: Final[Mapping[str, Text]] = {
    "open": texts.OPEN(),
    "granted": texts.GRANTED(),
    "declined": texts.DECLINED(),
    "withdrawn": texts.WITHDRAWN(),
}


def asked_for(fields: Mapping[str, str]) -> AskProject | AskMore:
    """What the form of a request asks for.

    :raises FabricError: something in it is missing, or cannot be.
    """
    # who writes several lines does not mean them: an operator reads it in a table, and the record has one line
    purpose = " ".join(fields.get("purpose", "").split())
    until = day(fields, "until")
    if fields.get("do") == "more":
        project = fields.get("project", "")
        if not fits(_SLUG, project):
            raise FabricError(page_texts.NO_SUCH_CHANGE())
        _purpose(purpose)
        wanted = _hours(fields) if fields.get("gpu_hours", "").strip() else None
        return AskMore(project=project, purpose=purpose, gpu_hours=wanted, until=until)
    title, data = " ".join(fields.get("title", "").split()), fields.get("data", "public")
    if not fits(_TITLE, title):
        raise FabricError(texts.NO_TITLE())
    _purpose(purpose)
    if data not in ("public", "non-public"):
        raise FabricError(page_texts.NO_SUCH_CHANGE())
    return AskProject(
        title=title,
        purpose=purpose,
        organisation=checked_line(fields, "organisation"),
        sector=checked_line(fields, "sector"),
        data=data,  # type: ignore[arg-type]
        gpu_hours=_hours(fields),
        until=until,
    )


def number_in(fields: Mapping[str, str]) -> int:
    """The request that a form is about.

    :raises FabricError: it names none.
    """
    typed = fields.get("number", "")
    if not typed.isascii() or not typed.isdigit() or not fits(_NUMBER, int(typed[:12])):
        raise FabricError(page_texts.NO_SUCH_CHANGE())
    return int(typed)


def approved(request: Request, fields: Mapping[str, str], template: TemplateSettings | None) -> Approval:
    """What an operator's form gives.

    :raises FabricError: something in it cannot be.
    """
    given, end = hours(fields), day(fields, "end")
    if request.kind == "more":
        return Approval(gpu_hours=given, end=end)
    name, title, account = (fields.get(field, "").strip() for field in ("name", "title", "account"))
    if not fits(_SLUG, name):
        raise FabricError(page_texts.NO_NAME(typed=name[:64]))
    if not fits(_TITLE, title):
        raise FabricError(page_texts.NO_TITLE())
    if account and not fits(_ACCOUNT, account):
        raise FabricError(page_texts.NO_ACCOUNT(typed=account[:64]))
    kind = fields.get("kind", "research")
    if kind not in KINDS:
        raise FabricError(page_texts.NO_SUCH_CHANGE())
    return Approval(
        name=name,
        title=title,
        kind=kind,  # type: ignore[arg-type]
        account=account or None,
        gpu_hours=given,
        end=end,
        profiles=template.profiles if template else (),
        images=template.images if template else (),
    )


def refusal_in(fields: Mapping[str, str]) -> str:
    """Why an operator declines.

    :raises FabricError: the form does not say.
    """
    why = fields.get("why", "").strip()
    if not fits(_WHY, why):
        raise FabricError(texts.NO_WHY(most=LONGEST_WHY))
    return why


def _purpose(purpose: str) -> None:
    if not fits(_PURPOSE, purpose):
        raise FabricError(texts.NO_PURPOSE(most=LONGEST_PURPOSE))


def _hours(fields: Mapping[str, Any]) -> float:
    typed = fields.get("gpu_hours", "").strip()
    try:
        return _HOURS.validate_python(float(typed))
    except (ValueError, ValidationError):
        raise FabricError(texts.NO_HOURS(typed=typed[:40])) from None
