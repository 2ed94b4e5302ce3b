"""The routes of requests for projects on the catalogue service's socket."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fabric_hub.catalogue.api import Verbs
from fabric_hub.projects.requests import (
    AnswerRequestBody,
    AskBody,
    Asked,
    RequestNumber,
    Requests,
    Starter,
    StarterBody,
    WithdrawBody,
)
from fabric_hub.types import HubUser


def router(verbs: Verbs) -> APIRouter:
    """The routes over any implementation of the verbs."""
    routes = APIRouter(prefix="/v1/projects")

    @routes.get("/requests")
    async def read(user: Annotated[HubUser | None, Query()] = None) -> Requests:
        """The requests of a person, whatever became of them; without one: all that are open."""
        return await verbs.requests.read(user)

    @routes.get("/requests/{number}")
    async def one(number: RequestNumber) -> Requests:
        """One request."""
        return await verbs.requests.one(number)

    @routes.post("/requests")
    async def ask(body: AskBody) -> Asked:
        """Somebody asks for a project, or an owner for more of theirs; it gives nobody anything."""
        return await verbs.requests.ask(body)

    @routes.post("/requests/withdrawals", status_code=204)
    async def withdraw(body: WithdrawBody) -> None:
        """Who asked takes an open request back."""
        await verbs.requests.withdraw(body)

    @routes.post("/requests/answers", status_code=204)
    async def answer(body: AnswerRequestBody) -> None:
        """An operator whom the site's file names approves, within `catalogue.from_hub`, or declines."""
        await verbs.requests.answer(body)

    @routes.post("/starters")
    async def starter(body: StarterBody) -> Starter:
        """Who has logged in and is in no project gets a starter project, once, where the site has them."""
        return await verbs.requests.starter(body)

    return routes
