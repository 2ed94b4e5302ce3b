"""The catalogue service's API for the hub and its service: types in, types out, errors as FabricErrors."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from urllib.parse import quote

from fabric_hub.datasets.model import Catalogue
from fabric_hub.datasets.stewardship import StewardBody, StewardChange, Stewarded
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts.daemons import START_CATALOGUE_SERVICE
from fabric_hub.projects.assurance import Vouched
from fabric_hub.projects.changes import ChangeBody
from fabric_hub.projects.identity import LoggedIn, Login
from fabric_hub.projects.invitations import CodeBody, Invitations, ListBody, Offer
from fabric_hub.projects.requests import (
    AnswerRequestBody,
    Ask,
    AskBody,
    Asked,
    Request,
    Requests,
    Starter,
    StarterBody,
    WithdrawBody,
)
from fabric_hub.rpc.client import UnixClient

from .api import (
    LONGEST_WAIT_S,
    AcceptanceBody,
    AccessBody,
    Agents,
    AnswerBody,
    DecisionBody,
    EventBody,
    Health,
    LeaseBody,
    LeasedAccount,
    LinkBody,
    ReturnBody,
    VerifiedLogin,
)
from .leases.policy import LeaseRequest


class CatalogueServiceUnavailableError(FabricError):
    """The catalogue service does not answer: nothing is known of the datasets, and nothing has changed."""


class CatalogueClient(UnixClient):
    """Asks the catalogue service on its Unix socket.

    :param socket: the site's ``catalogue.socket``.
    """

    who = "catalogue service"
    when_unavailable = START_CATALOGUE_SERVICE

    def __init__(self, socket: Path, *, timeout_s: float = 30.0) -> None:
        super().__init__(socket, timeout_s=timeout_s)

    def unavailable(self, message: Text, hint: Text | None = None) -> FabricError:
        return CatalogueServiceUnavailableError(message, reason="catalogue-unavailable", hint=hint, status=503)

    async def catalogue(self, after: int | None = None, wait_s: float = 0.0) -> Catalogue:
        """The catalogue.

        :param after: wait for a serial other than this one (a catalogue service on a restored database may have a
            lower one).
        :param wait_s: at most this long, and never longer than 30 s.
        """
        wait_s = min(wait_s, LONGEST_WAIT_S)
        query: dict[str, float] = {"wait": wait_s} if after is None else {"after": after, "wait": wait_s}
        return await self.ask(Catalogue, "GET", "/v1/catalogue", params=query, timeout=wait_s + 30.0)

    async def accept(self, user: str, project: str, dataset: str, agreement: str, purpose: str) -> None:
        """A user accepts the current agreement of a dataset for a purpose; the nodes know when this returns.

        :raises FabricError: 404 no such dataset, 409 not its current agreement, 422 not one of its purposes,
            403 not a member of the project.
        """
        body = AcceptanceBody(user=user, project=project, dataset=dataset, agreement=agreement, purpose=purpose)
        await self.send("POST", "/v1/acceptances", content=body.model_dump_json())

    async def request(self, user: str, project: str, dataset: str, why: str | None = None) -> None:
        """A user asks for a dataset for a project; asking again changes nothing.

        :raises FabricError: 404 no such dataset, 403 not a member of the project.
        """
        body = AccessBody(user=user, project=project, dataset=dataset, why=why)
        await self.send("POST", "/v1/requests", content=body.model_dump_json())

    async def decide(self, user: str, project: str, dataset: str, *, confirm: bool) -> None:
        """A steward confirms a grant that a restore shut, or refuses it; the nodes know when this returns.

        :raises FabricError: 403 not a steward of the dataset, 404 no such grant waits (any more).
        """
        body = DecisionBody(user=user, project=project, dataset=dataset, confirm=confirm)
        await self.send("POST", "/v1/decisions", content=body.model_dump_json())

    async def answer(
        self, user: str, project: str, dataset: str, *, grant: bool, until: date | None = None, why: str | None = None
    ) -> None:
        """An operator grants what a project's members asked for, or declines it; the nodes know when this returns.

        :raises FabricError: 403 not an operator, or not to be granted from the hub; 404 nobody asks for it (any more).
        """
        body = AnswerBody(user=user, project=project, dataset=dataset, grant=grant, until=until, why=why)
        await self.send("POST", "/v1/answers", content=body.model_dump_json())

    async def stewarded(self, user: str) -> Stewarded:
        """What the catalogue does not have of a steward's datasets: drafts, and when somebody looked at what."""
        return await self.ask(Stewarded, "GET", f"/v1/stewards/{quote(user, safe='')}")

    async def change_as_steward(self, user: str, change: StewardChange) -> None:
        """Make a steward's change; the nodes know when this returns.

        :raises FabricError: 403 not a steward of the dataset, or not to be granted from the hub; 404 no such dataset,
            grant or request (any more); 409 a draft that was published.
        """
        body = StewardBody(by=user, change=change)
        await self.send("POST", "/v1/stewards/changes", content=body.model_dump_json())

    async def change_project(self, body: ChangeBody) -> None:
        """Change a project that the catalogue service keeps; it is in force when this returns.

        :raises FabricError: 403 they may not, or not from the hub; 404 no such project, or the person is not in it;
            409 it stands in the site's file, there is one already, or it would have no owner; 422 see its words.
        """
        await self.send("POST", "/v1/projects/changes", content=body.model_dump_json())

    async def project_requests(self, user: str | None = None) -> tuple[Request, ...]:
        """The requests of a person, whatever became of them; without one: all that are open. The oldest first."""
        query = {} if user is None else {"user": user}
        return (await self.ask(Requests, "GET", "/v1/projects/requests", params=query, timeout=10.0)).requests

    async def project_request(self, number: int) -> Request:
        """One request.

        :raises FabricError: 404 there is none.
        """
        return (await self.ask(Requests, "GET", f"/v1/projects/requests/{number}", timeout=10.0)).requests[0]

    async def ask_for_project(self, by: str, asked: Ask) -> int:
        """Somebody asks for a project, or for more of one; the number of their request.

        :raises FabricError: 403 not at this hub, or no owner; 409 they have too many open; 422 it asks for nothing.
        """
        body = AskBody(by=by, ask=asked)
        return (await self.ask(Asked, "POST", "/v1/projects/requests", content=body.model_dump_json())).number

    async def withdraw_request(self, by: str, number: int) -> None:
        """Who asked takes an open request back.

        :raises FabricError: 404 it is not theirs; 409 it is not open any more.
        """
        body = WithdrawBody(by=by, number=number)
        await self.send("POST", "/v1/projects/requests/withdrawals", content=body.model_dump_json())

    async def answer_request(self, body: AnswerRequestBody) -> None:
        """An operator approves a request, or declines it; it is in force when this returns.

        :raises FabricError: 403 not an operator, or not from the hub; 404, 409 not open (any more); 422 see its words.
        """
        await self.send("POST", "/v1/projects/requests/answers", content=body.model_dump_json())

    async def starter(self, user: str) -> Starter:
        """Give who has logged in and is in no project a starter project, where the site has them, once."""
        body = StarterBody(user=user)
        return await self.ask(Starter, "POST", "/v1/projects/starters", content=body.model_dump_json())

    async def event(self, event: str, *, user: str, project: str | None, dataset: str, why: str) -> None:
        """Put a refusal at the hub's door in the audit log.

        :param event: ``denied``.
        :param why: the refusal's reason, a slug.
        """
        body = EventBody.model_validate(
            {"event": event, "user": user, "project": project, "dataset": dataset, "why": why}
        )  # event is a word of few
        await self.send("POST", "/v1/events", content=body.model_dump_json())

    async def login(self, login: Login) -> LoggedIn:
        """Who somebody is here who has just logged in; the first login makes them known.

        :raises FabricError: 403 the site's mapping has no account for them, in words; 429 too many are new at once.
        """
        return await self.ask(LoggedIn, "POST", "/v1/logins", content=login.model_dump_json())

    async def vouched(self, user: str) -> Vouched:
        """What was said of somebody at their last login by a provider."""
        return await self.ask(Vouched, "GET", f"/v1/logins/{quote(user, safe='')}")

    async def link(self, user: str, first: VerifiedLogin, second: VerifiedLogin) -> None:
        """Make the second identity a person's who is logged in with both.

        :raises FabricError: 403 one login is older than ten minutes, or the first is not this user's; 409 the second
            has an account of its own.
        """
        body = LinkBody(user=user, first=first, second=second)
        await self.send("POST", "/v1/links", content=body.model_dump_json())

    async def lease(self, by: str, request: LeaseRequest) -> LeasedAccount:
        """Have an account lent.

        :raises FabricError: 403 they may not, or not from the hub; 404 no such project; 409 none is free.
        """
        body = LeaseBody(by=by, request=request)
        return await self.ask(LeasedAccount, "POST", "/v1/leases", content=body.model_dump_json())

    async def give_back(self, by: str, account: str) -> None:
        """Give an account back; it is free when all that it left is removed.

        :raises FabricError: 404 it is not leased, or not to a project of theirs; 409 it is kept for now.
        """
        await self.send("POST", "/v1/leases/returns", content=ReturnBody(by=by, account=account).model_dump_json())

    async def invitations(self, by: str, project: str) -> Invitations:
        """The invitations of a project that can still be accepted, who waits, and where its people come from.

        :raises FabricError: 404 no such project, or ``by`` is neither an owner of it nor an operator.
        """
        body = ListBody(by=by, project=project)
        return await self.ask(Invitations, "POST", "/v1/invitations/list", content=body.model_dump_json())

    async def offered(self, user: str, code: str) -> Offer:
        """What the invitation of a code offers to somebody.

        :raises FabricError: 404 it is not known; 410 withdrawn, over or used up; 403 not for them; 429 too often.
        """
        body = CodeBody(user=user, code=code)
        return await self.ask(Offer, "POST", "/v1/invitations/offer", content=body.model_dump_json())

    async def accept_invitation(self, user: str, code: str) -> Offer:
        """Somebody accepts an invitation; they are in the project, or wait, when this returns.

        :raises FabricError: as :meth:`offered`; 403 who made it may add nobody any more.
        """
        body = CodeBody(user=user, code=code)
        return await self.ask(Offer, "POST", "/v1/invitations/accept", content=body.model_dump_json())

    async def agents(self) -> Agents:
        """How the nodes' agents fare."""
        return await self.ask(Agents, "GET", "/v1/agents", timeout=10.0)

    async def health(self) -> Health:
        """How the catalogue service fares."""
        return await self.ask(Health, "GET", "/v1/health", timeout=10.0)
