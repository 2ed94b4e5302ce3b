"""The invitations on a project's page, for who answers for it: the forms, and what is shown. Pure but for one question.

The catalogue service decides whether who asks may have a change; see :mod:`.project_forms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.spelling import ROLES
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import invitations as texts
from fabric_hub.messages.texts import project_pages
from fabric_hub.projects.changes import Invite, MailDomain, TurnAway, Uses, Withdraw
from fabric_hub.projects.invitations import Invitations, Source

# What a form asks for (``do``).
INVITE, WITHDRAW, TURN_AWAY = "invite", "withdraw", "turn-away"
_DOMAIN: Final = TypeAdapter[str](MailDomain)
_USES: Final = TypeAdapter[int](Uses)


def invite(name: str, fields: Mapping[str, str]) -> tuple[Invite, Text]:
    """The invitation that a form describes; ``digest`` is of its code, which no form has.

    :raises FabricError: something in it cannot be.
    """
    role = fields.get("role", "")
    if role not in ROLES:
        raise FabricError(project_pages.NO_ROLE(typed=role[:40]))
    uses = fields.get("uses", "").strip()
    try:
        number = _USES.validate_python(int(uses))
    except ValueError:  # pydantic's is one, too
        raise FabricError(texts.NO_USES(typed=uses[:40])) from None
    typed = fields.get("until", "").strip()
    if not typed:
        raise FabricError(texts.NO_UNTIL())
    try:
        until = date.fromisoformat(typed)
    except ValueError:
        raise FabricError(project_pages.NO_DAY(typed=typed[:40])) from None
    domain = fields.get("domain", "").strip().removeprefix("@").casefold()
    try:
        _DOMAIN.validate_python(domain)
    except ValidationError:
        raise FabricError(texts.NO_DOMAIN(typed=domain[:64])) from None
    change = Invite(
        project=name,
        digest=fields["digest"],
        role=role,  # type: ignore[arg-type]
        uses=number,
        until=until,
        domain=domain,
    )
    return change, texts.MADE()


def withdraw(name: str, fields: Mapping[str, str]) -> tuple[Withdraw, Text]:
    """:raises FabricError: the form names none."""
    made = fields.get("invitation", "")
    try:
        return Withdraw(project=name, invitation=made), texts.WITHDRAWN_NOW()
    except ValidationError:
        raise FabricError(texts.NO_SUCH_INVITATION(invitation=made[:40], project=name)) from None


def turn_away(name: str, fields: Mapping[str, str]) -> tuple[TurnAway, Text]:
    """:raises FabricError: the form names nobody."""
    user = fields.get("user", "")
    try:
        return TurnAway(project=name, user=user), texts.TURNED_AWAY_NOW(user=user)
    except ValidationError:
        raise FabricError(project_pages.NO_USER(typed=user[:64])) from None


def came_by(source: Source) -> Text:
    """How somebody came to have a role, in words."""
    _role, space, name = source.by.partition(" ")
    if space:
        return (texts.BY_INVITATION if source.invited else texts.BY_SOMEBODY)(by=name)
    return (texts.BY_COMMAND_INVITATION if source.invited else texts.BY_COMMAND)(by=source.by)


def by_person(found: Invitations) -> dict[str, tuple[Text, ...]]:
    """How each person of a project came to be in it, each way once."""
    told: dict[str, dict[Text, None]] = {}
    for one in found.sources:
        told.setdefault(one.user, {})[came_by(one)] = None
    return {user: tuple(ways) for user, ways in told.items()}


async def of_project(service: Any, viewer: str, name: str) -> tuple[Invitations, FabricError | None]:
    """The invitations of a project, and why they cannot be shown.

    :param service: the catalogue service's client.
    """
    try:
        return await service.invitations(viewer, name), None
    except FabricError as error:
        return Invitations(), error if error.status < 500 else FabricError(texts.NO_LIST())
