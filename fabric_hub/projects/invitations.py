"""Invitations to a project as types: what the hub asks of the catalogue service, and what it is told. Pure.

An invitation is a code that is known once, to whoever made it; what is kept is its digest. That is enough to make one
(:class:`fabric_hub.projects.changes.Invite`), and not to use one.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from fabric_hub.types import Frozen, HubUser, Slug

from .changes import InvitationId, MailDomain, Role

CODE_BYTES: Final = 24  # 192 bits: nobody guesses one
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{32}$", strict=True)]
# What became of a person's invitation: theirs to accept; accepted, and an owner is to confirm who they are; accepted.
Standing = Literal["offered", "waiting", "in"]


def new_code() -> str:
    """A code that nobody had before."""
    return secrets.token_urlsafe(CODE_BYTES)


def digest_of(code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(code.encode()).hexdigest()


def id_of(digest: str) -> str:
    """What an invitation is called where people and records name it: enough to tell one, and no part of a code."""
    return digest[:12]


def has_mail_at(mail: str | None, domain: str) -> bool:
    """Whether a mail address is one of this domain itself; "" is any, also none."""
    return not domain or domain_of(mail) == domain.casefold()


def domain_of(mail: str | None) -> str | None:
    """The domain of a mail address; None: there is none."""
    _name, at, domain = (mail or "").rpartition("@")
    return domain.casefold() if at and domain else None


class CodeBody(Frozen):
    """Somebody who has logged in presents the code of an invitation."""

    user: HubUser
    code: Code


class Offer(Frozen):
    """What an invitation offers to who presents it; ``title`` is the project's."""

    project: Slug
    title: str
    role: Role
    standing: Standing
    until: date


class ListBody(Frozen):
    """Who asks for the invitations of a project, by their name at the hub."""

    by: HubUser
    project: Slug


class Invitation(Frozen):
    """An invitation as those see it who answer for the project.

    :ivar by: who made it, as the audit log says ("owner ada"; at the command line: the account).
    :ivar at: when, in Unix seconds.
    :ivar domain: of the mail addresses that it is for; "" is any.
    """

    id: InvitationId
    role: Role
    uses: int
    used: int
    until: date
    domain: MailDomain
    by: str
    at: float


class Waiting(Frozen):
    """Somebody who accepted at ``at`` (Unix seconds), and is not in the project before an owner confirms who they are.

    Name, organisation and the domain of the mail address are as their institution claimed them; None: it sent none.
    """

    user: str
    role: Role
    at: float
    by: str
    name: str | None = None
    organisation: str | None = None
    mail_domain: str | None = None


class Source(Frozen):
    """How somebody came to have a role: by whom, since when (Unix seconds), and whether by an invitation."""

    user: str
    role: Role
    since: float
    by: str
    invited: bool = False


class Invitations(Frozen):
    """The invitations of a project that can still be accepted, who waits, and where its people come from."""

    open: tuple[Invitation, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    sources: tuple[Source, ...] = Field(default=())
