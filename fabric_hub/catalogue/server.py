"""The catalogue service's HTTP API on its Unix socket.

Only the hub's account may open the socket. It can read the catalogue and record what users accept and ask
for. No verb widens anything where the site's file does not say so (``catalogue.from_hub``): a steward whom it names
confirms what an operator had granted before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response

from fabric_hub import __version__
from fabric_hub.datasets.model import Catalogue
from fabric_hub.projects.assurance import Vouched
from fabric_hub.projects.changes import ChangeBody
from fabric_hub.projects.identity import LoggedIn, Login
from fabric_hub.rpc import server as unix_server
from fabric_hub.types import HubUser

from . import steward_routes
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
    Verbs,
)
from .invitation_routes import add_routes
from .requests.routes import router as request_routes


def create_app(verbs: Verbs) -> FastAPI:
    """The API over any implementation of the verbs."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await verbs.start()
        try:
            yield
        finally:
            await verbs.stop()

    app = FastAPI(
        title="Fabric Hub catalogue service", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    unix_server.answer_with_problems(app, "catalogue service")

    @app.get("/v1/catalogue", responses={200: {"model": Catalogue}})
    async def catalogue(after: int | None = None, wait: Annotated[float, Query(ge=0)] = 0.0) -> Response:
        """The catalogue; waits up to ``wait`` seconds (at most 30) for a serial other than ``after``."""
        found = await verbs.catalogue(after, min(wait, LONGEST_WAIT_S))
        # serialise once, without FastAPI's second validation
        # a hub of an earlier release refuses a field that it does not know, and there is mostly nothing in these
        left_out: dict[str, Any] = {name: True for name in ("held", "declined") if not getattr(found, name)}
        if not any(one.asks for one in found.datasets):
            left_out["datasets"] = {"__all__": {"asks"}}
        content = found.model_dump_json(exclude=left_out)
        return Response(content, media_type="application/json")

    @app.post("/v1/acceptances", status_code=204)
    async def accept(request: AcceptanceBody) -> None:
        """A user accepts the current agreement of a dataset for a purpose; the nodes know when it answers."""
        await verbs.accept(request)

    @app.post("/v1/requests", status_code=204)
    async def request_access(request: AccessBody) -> None:
        """A user asks for a dataset for a project; asking again changes nothing."""
        await verbs.request(request)

    @app.post("/v1/decisions", status_code=204)
    async def decide(request: DecisionBody) -> None:
        """A dataset's steward confirms a grant that a restore shut, or refuses it; the nodes know when it answers."""
        await verbs.decide(request)

    @app.post("/v1/answers", status_code=204)
    async def answer(request: AnswerBody) -> None:
        """An operator whom the site's file names answers requests for a dataset; the nodes know when it answers."""
        await verbs.answer(request)

    @app.post("/v1/projects/changes", status_code=204)
    async def change_project(body: ChangeBody) -> None:
        """Somebody changes a project that the catalogue service keeps; it is in force when it answers.

        What narrows is taken from who has the role, what widens within `catalogue.from_hub`.
        """
        await verbs.change_project(body)

    app.include_router(request_routes(verbs))

    @app.post("/v1/events", status_code=204)
    async def told(event: EventBody) -> None:
        """Put a refusal at the hub's door in the audit log; the same one within a minute counts once."""
        await verbs.told(event)

    @app.post("/v1/logins")
    async def login(login: Login) -> LoggedIn:
        """Who somebody is here who has just logged in; a first login makes them known, or is refused."""
        return await verbs.people.login(login)

    @app.get("/v1/logins/{user}")
    async def vouched(user: HubUser) -> Vouched:
        """What was said of somebody at their last login by a provider, for what a project asks of a login."""
        return await verbs.people.vouched(user)

    @app.post("/v1/links", status_code=204)
    async def link(request: LinkBody) -> None:
        """A person who is logged in with both makes the second identity theirs; it must be nobody's before."""
        await verbs.people.link(request)

    @app.post("/v1/leases")
    async def lease(body: LeaseBody) -> LeasedAccount:
        """An operator has an account of a pool lent, within `catalogue.from_hub`; a service account never."""
        return await verbs.leases.lease(body)

    @app.post("/v1/leases/returns", status_code=204)
    async def give_back(body: ReturnBody) -> None:
        """An operator, or an owner of the project that it is lent to, gives an account back."""
        await verbs.leases.give_back(body)

    add_routes(app, verbs)
    steward_routes.add_routes(app, lambda: verbs.stewards)

    @app.get("/v1/agents")
    async def agents() -> Agents:
        """How the nodes' agents fare, by what they last said of themselves."""
        return await verbs.agents()

    @app.get("/v1/health")
    async def health() -> Health:
        """How the catalogue service fares."""
        return verbs.health()

    return app


async def serve(verbs: Verbs, path: Path, stop: asyncio.Event, ready: asyncio.Event | None = None) -> None:
    """Serve the verbs on a Unix socket until ``stop`` is set; see :func:`fabric_hub.rpc.server.serve`."""
    await unix_server.serve(create_app(verbs), path, stop, who="catalogue service", closing=verbs.close, ready=ready)
