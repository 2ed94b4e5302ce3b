"""The catalogue service's verbs as types: what its server serves, what its client asks, what a stand-in must do."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Protocol

from pydantic import Field, StringConstraints

from fabric_hub.config.assurance import Asks
from fabric_hub.config.catalogue import Purpose, UnixAccount
from fabric_hub.datasets.model import Catalogue, Line, VersionName
from fabric_hub.datasets.stewardship import StewardBody, Stewarded
from fabric_hub.messages.text import NOTHING, Said, WithTexts
from fabric_hub.projects.assurance import Vouched
from fabric_hub.projects.changes import ChangeBody
from fabric_hub.projects.identity import LoggedIn, Login
from fabric_hub.projects.invitations import CodeBody, Invitations, ListBody, Offer
from fabric_hub.projects.requests import (
    AnswerRequestBody,
    AskBody,
    Asked,
    Requests,
    Starter,
    StarterBody,
    WithdrawBody,
)
from fabric_hub.types import Frozen, HubUser, Slug

from .leases.policy import LeaseRequest

NodeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", strict=True)]
AgentVersion = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}$", strict=True)]

# The longest that one request may wait for a change of the catalogue, in seconds.
LONGEST_WAIT_S = 30.0


class AcceptanceBody(Frozen):
    """A user accepts the agreement of a dataset, for a purpose, in a project."""

    user: HubUser
    project: Slug
    dataset: Slug
    agreement: VersionName
    purpose: Slug


class AccessBody(Frozen):
    """A user asks for a dataset for a project."""

    user: HubUser
    project: Slug
    dataset: Slug
    why: Line | None = None


class DecisionBody(Frozen):
    """A steward confirms a grant that a restore shut, or refuses it."""

    user: HubUser
    project: Slug
    dataset: Slug
    confirm: bool


class AnswerBody(Frozen):
    """An operator answers a project's requests for a dataset: ``grant`` until the end of a day, or not, with ``why``.

    ``user`` is the operator's name at the hub.
    """

    user: HubUser
    project: Slug
    dataset: Slug
    grant: bool
    until: date | None = None
    why: Line | None = None


class EventBody(Frozen):
    """What happened at the hub and belongs in the audit log; ``why`` is a refusal's reason."""

    event: Literal["denied"]
    user: HubUser
    project: Slug | None = None
    dataset: Slug
    why: Slug


class VerifiedLogin(Frozen):
    """A login that the hub has just verified, at ``verified_at`` (Unix seconds)."""

    login: Login
    verified_at: float = Field(ge=0, lt=1e11, allow_inf_nan=False)


class LinkBody(Frozen):
    """A person who is logged in with both makes the second identity theirs; ``first`` is one that they had."""

    user: HubUser
    first: VerifiedLogin
    second: VerifiedLogin


class Health(WithTexts):
    """How the catalogue service fares. Times are Unix seconds; ``problem`` is what keeps it from its work."""

    version: str
    uptime_s: float
    serial: int
    audit_seq: int
    published_at: float | None = None
    problem: Said = NOTHING


class CleanedUid(Frozen):
    """What an agent says of a uid that it cleans: how many things it removed in a round, and what it cannot."""

    uid: int = Field(ge=0, lt=2**32)
    round: int = Field(ge=0, lt=2**53)
    found: int = Field(ge=0, lt=2**53)
    why: str = Field(default="", max_length=400)


class Agent(Frozen):
    """What the agent of a node last said of itself, at ``time`` (Unix seconds, by the node's clock).

    ``told_at`` is when its file was written, by the clock of the shared file system. The counts are of what the agent
    did since it started; ``problem`` is what keeps it from opening datasets.
    """

    node: NodeName
    time: float = Field(ge=0, lt=1e11, allow_inf_nan=False)
    version: AgentVersion
    started: float = Field(ge=0, lt=1e11, allow_inf_nan=False)
    serial: int = Field(default=0, ge=0, lt=2**53)
    jobs: int = Field(default=0, ge=0, lt=2**53)
    mounts: int = Field(default=0, ge=0, lt=2**53)
    events_waiting: int = Field(default=0, ge=0, lt=2**53)
    opened: int = Field(default=0, ge=0, lt=2**53)
    refused: int = Field(default=0, ge=0, lt=2**53)
    revoked: int = Field(default=0, ge=0, lt=2**53)
    troubles: int = Field(default=0, ge=0, lt=2**53)
    problem: str = Field(default="", max_length=400)
    cleaned: Annotated[tuple[CleanedUid, ...], Field(max_length=10_000)] = ()
    told_at: float = 0.0


class Agents(Frozen):
    """The agents that were heard of in the last days, by node."""

    agents: tuple[Agent, ...] = ()


class LeaseBody(Frozen):
    """Somebody, by their name at the hub, wants an account lent."""

    by: HubUser
    request: LeaseRequest


class ReturnBody(Frozen):
    """Somebody, by their name at the hub, gives an account back."""

    by: HubUser
    account: UnixAccount


class LeasedAccount(Frozen):
    """An account that is lent; ``until`` is the last day, where it has one."""

    account: str
    uid: int
    purpose: Purpose
    project: Slug | None = None
    person: HubUser | None = None
    until: date | None = None


class LeaseVerbs(Protocol):
    """What is asked about leased accounts; every verb may raise FabricError."""

    async def lease(self, body: LeaseBody) -> LeasedAccount:
        """Lend an account, within `catalogue.from_hub`."""

    async def give_back(self, body: ReturnBody) -> None:
        """Take an account back; its cleaning begins."""


class PeopleVerbs(Protocol):
    """What is asked about people; every verb may raise FabricError."""

    async def login(self, login: Login) -> LoggedIn:
        """Who somebody is here who has just logged in; a first login makes them known."""

    async def vouched(self, user: str) -> Vouched:
        """What was said of somebody at their last login by a provider."""

    async def check(self, asks: Asks | None, what: str, user: str) -> None:
        """Refuse who has logged in less well than is asked."""

    async def link(self, request: LinkBody) -> None:
        """Make a second identity a person's."""


class RequestVerbs(Protocol):
    """What is asked about requests for projects; every verb may raise FabricError."""

    async def read(self, user: str | None = None) -> Requests:
        """Somebody's requests; None: all that are open."""

    async def one(self, number: int) -> Requests:
        """One request."""

    async def ask(self, body: AskBody) -> Asked:
        """Keep a request."""

    async def withdraw(self, body: WithdrawBody) -> None:
        """Take an open request back."""

    async def answer(self, body: AnswerRequestBody) -> None:
        """Give what is approved and tell all, or say why nothing is."""

    async def starter(self, body: StarterBody) -> Starter:
        """Give who is in no project a starter project, once."""


class InvitationVerbs(Protocol):
    """What is asked about invitations to projects; every verb may raise FabricError."""

    async def listed(self, request: ListBody) -> Invitations:
        """The invitations of a project for who answers for it."""

    async def offered(self, request: CodeBody) -> Offer:
        """What the invitation of a code offers to somebody."""

    async def accept(self, request: CodeBody) -> Offer:
        """Accept an invitation; how it stands then."""


class StewardVerbs(Protocol):
    """What is asked for stewards; every verb may raise FabricError."""

    async def of(self, user: str) -> Stewarded:
        """Drafts and reviews of a steward's datasets."""

    async def asked_by(self, name: str) -> tuple[Asks | None, str]:
        """What a dataset asks of a login, and what people call it."""

    async def change(self, body: StewardBody) -> None:
        """Make a steward's change, and tell the nodes."""


class Verbs(Protocol):
    """See the catalogue service's API in the architecture page; every verb may raise FabricError."""

    @property
    def people(self) -> PeopleVerbs:
        """What is asked about people."""

    @property
    def requests(self) -> RequestVerbs:
        """What is asked about requests for projects."""

    @property
    def leases(self) -> LeaseVerbs:
        """What is asked about leased accounts."""

    @property
    def invitations(self) -> InvitationVerbs:
        """What is asked about invitations."""

    @property
    def stewards(self) -> StewardVerbs:
        """What is asked for stewards."""

    async def start(self) -> None:
        """Begin to publish and to take in the nodes' events."""

    async def stop(self) -> None:
        """Finish what was begun, then let go of everything."""

    def close(self) -> None:
        """Let waiting readers go; the catalogue service is about to stop."""

    async def catalogue(self, after: int | None = None, wait_s: float = 0.0) -> Catalogue:
        """The catalogue, once its serial is another than ``after``, or the time is over."""

    async def accept(self, request: AcceptanceBody) -> None:
        """Record an acceptance, and tell the nodes."""

    async def request(self, request: AccessBody) -> None:
        """Record a request for access."""

    async def decide(self, request: DecisionBody) -> None:
        """Record a steward's decision on a grant that a restore shut, and tell the nodes."""

    async def answer(self, request: AnswerBody) -> None:
        """Record an operator's answer to requests for access, and tell the nodes."""

    async def change_project(self, body: ChangeBody) -> None:
        """Change a project that the catalogue service keeps, and tell nodes, hub and gateway."""

    async def told(self, event: EventBody) -> None:
        """Put an event of the hub's in the audit log."""

    async def agents(self) -> Agents:
        """How the nodes' agents fare."""

    def health(self) -> Health:
        """How the catalogue service fares; never waits."""
