"""The gateway's HTTP API on a Unix socket.

Who may open the socket may submit for every user.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Response
from fastapi import Path as PathPart

from fabric_hub import __version__
from fabric_hub.rpc import server as unix_server
from fabric_hub.rpc.server import answer_with_problems
from fabric_hub.slurm.model import CancelRequest, ExtendRequest, Found, SessionLog, SubmitRequest, Submitted
from fabric_hub.slurm.records import PortNote, RecordStatement, Witnessed
from fabric_hub.slurm.storage import StorageAnswer
from fabric_hub.types import HubUser, SessionId

from .api import LONGEST_WAIT_S, Health, Verbs
from .projects.answers import ApplyBody, ProjectsApplied, ProjectsPlan


def create_app(verbs: Verbs) -> FastAPI:
    """The API over any implementation of the verbs."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await verbs.start()
        try:
            yield
        finally:
            await verbs.stop()

    app = FastAPI(title="Fabric Hub gateway", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)

    answer_with_problems(app, "gateway")

    @app.get("/v1/snapshot")
    async def snapshot(
        after: int | None = None,
        wait: Annotated[float, Query(ge=0)] = 0.0,
        fresh: float | None = None,
    ) -> Response:
        found = await verbs.snapshot(after, min(wait, LONGEST_WAIT_S), fresh)
        # thousands of jobs: serialise once, without FastAPI's second validation
        return Response(found.model_dump_json(), media_type="application/json")

    @app.get("/v1/limits")
    async def limits(
        after: int | None = None,
        wait: Annotated[float, Query(ge=0)] = 0.0,
        fresh: float | None = None,
    ) -> Response:
        told = await verbs.limits(after, min(wait, LONGEST_WAIT_S), fresh)
        return Response(told.model_dump_json(), media_type="application/json")

    @app.get("/v1/accounting")
    async def accounting(start: float, end: float) -> Response:
        past = await verbs.accounting(start, end)
        return Response(past.model_dump_json(), media_type="application/json")

    @app.get("/v1/storage")
    async def storage(user: HubUser) -> StorageAnswer:
        return await verbs.storage(user)

    @app.post("/v1/jobs")
    async def submit(request: SubmitRequest) -> Submitted:
        return await verbs.submit(request)

    @app.get("/v1/jobs/{job_id}")
    async def find(job_id: Annotated[int, PathPart(ge=1)], session: SessionId, user: HubUser) -> Found:
        return await verbs.find(session, user, job_id)

    @app.post("/v1/jobs/cancel", status_code=204)
    async def cancel(request: CancelRequest) -> None:
        await verbs.cancel(request)

    @app.post("/v1/jobs/extend", status_code=204)
    async def extend(request: ExtendRequest) -> None:
        await verbs.extend(request)

    @app.get("/v1/sessions/{session}/log")
    async def session_log(session: SessionId, user: HubUser) -> SessionLog:
        return await verbs.log(session, user)

    @app.delete("/v1/sessions/{session}", status_code=204)
    async def remove(session: SessionId, user: HubUser) -> None:
        await verbs.remove(session, user)

    @app.post("/v1/records")
    async def records(told: RecordStatement) -> Witnessed:
        return await verbs.records(told)

    @app.post("/v1/sessions/{session}/port", status_code=204)
    async def listens(session: SessionId, note: PortNote) -> None:
        await verbs.listens(session, note)

    @app.get("/v1/projects/plan")
    async def projects_plan() -> ProjectsPlan:
        return await verbs.projects_plan()

    @app.post("/v1/projects/apply")
    async def projects_apply(body: ApplyBody) -> ProjectsApplied:
        return await verbs.projects_apply(body)

    @app.get("/v1/health")
    async def health() -> Health:
        return verbs.health()

    return app


async def serve(verbs: Verbs, path: Path, stop: asyncio.Event, ready: asyncio.Event | None = None) -> None:
    """Serve the verbs on a Unix socket until ``stop`` is set; see :func:`fabric_hub.rpc.server.serve`."""
    await unix_server.serve(create_app(verbs), path, stop, who="gateway", closing=verbs.close, ready=ready)
