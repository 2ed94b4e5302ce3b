"""What can be changed of a project that the catalogue service keeps, as types. Pure.

One union for the page, the command line and the catalogue service's API. What a change needs is in the catalogue
service's policy (catalogue/project_policy.py); who asked for it stands beside it (:class:`ChangeBody`).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from fabric_hub.config.assurance import Asks
from fabric_hub.config.settings import OrNothing
from fabric_hub.types import AccountName, Frozen, HubUser, OneLine, Slug, said

Role = Literal["owner", "member", "trainer", "steward", "visitor"]
Why = Annotated[OneLine, Field(max_length=100)]
InvitationId = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{12}$"),
    said("twelve digits and letters a to f, as the list has them", "0123456789ab"),
]
CodeDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", strict=True)]
MailDomain = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){1,5})?$", max_length=190
    ),
    said("the part of a mail address after the @, in small letters", "example.org"),
]
Uses = Annotated[int, Field(ge=1, le=1000)]
GpuHours = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class Create(Frozen):
    """Make a project. ``account`` is its Slurm account; None: the site's prefix and its name."""

    do: Literal["create"] = "create"
    project: Slug
    title: OneLine
    kind: Literal["research", "course", "client"] = "research"
    organisation: OrNothing = ""
    sector: OrNothing = ""
    data: Literal["public", "non-public"] = "public"
    account: AccountName | None = None
    owners: Annotated[tuple[HubUser, ...], Field(min_length=1, max_length=20)]
    budget_gpu_hours: GpuHours | None = None
    profiles: tuple[Slug, ...] = ()
    images: tuple[Slug, ...] = ()
    start: date | None = None
    end: date | None = None


class Describe(Frozen):
    """What a project is called, whose it is, and what it asks of a login; None leaves a field as it is."""

    do: Literal["describe"] = "describe"
    project: Slug
    title: OneLine | None = None
    organisation: OrNothing | None = None
    sector: OrNothing | None = None
    data: Literal["public", "non-public"] | None = None
    asks: Asks | None = None


class AddPerson(Frozen):
    """Give somebody a role; they keep the others that they have."""

    do: Literal["add"] = "add"
    project: Slug
    user: HubUser
    role: Role


class RemovePerson(Frozen):
    """Take a role from somebody; None: all of them, they leave the project."""

    do: Literal["remove"] = "remove"
    project: Slug
    user: HubUser
    role: Role | None = None


class SetBudget(Frozen):
    """Grant GPU-hours, in all that the project may ever use; None: no limit of its own."""

    do: Literal["budget"] = "budget"
    project: Slug
    gpu_hours: GpuHours | None


class SetDates(Frozen):
    """The first and the last day on which sessions start; None: no such day."""

    do: Literal["dates"] = "dates"
    project: Slug
    start: date | None
    end: date | None


class Pause(Frozen):
    """Nothing starts in a project for now. ``why`` is read by its people."""

    do: Literal["pause"] = "pause"
    project: Slug
    why: Why


class Resume(Frozen):
    """A paused project goes on."""

    do: Literal["resume"] = "resume"
    project: Slug


class Invite(Frozen):
    """Let whoever has a code come in, in a role: so many people, until the end of a day.

    :ivar digest: of the code (:func:`.invitations.digest_of`).
    :ivar domain: of the mail addresses that it is for; "" is any.
    """

    do: Literal["invite"] = "invite"
    project: Slug
    digest: CodeDigest
    role: Role = "member"
    uses: Uses = 1
    until: date
    domain: MailDomain = ""


class Withdraw(Frozen):
    """Nobody comes in by an invitation any more; who has accepted it stays."""

    do: Literal["withdraw"] = "withdraw"
    project: Slug
    invitation: InvitationId


class TurnAway(Frozen):
    """Somebody who accepted an invitation, and waits, does not come in."""

    do: Literal["turn-away"] = "turn-away"
    project: Slug
    user: HubUser


InvitationChange = Invite | Withdraw | TurnAway
Change = Annotated[
    Create | Describe | AddPerson | RemovePerson | SetBudget | SetDates | Pause | Resume | Invite | Withdraw | TurnAway,
    Field(discriminator="do"),
]


class ChangeBody(Frozen):
    """A change, and who asks for it by their name at the hub."""

    by: HubUser
    change: Change
