"""The service's verbs. Everything a caller sends is typed; who calls is the hub's word."""

# No `from __future__ import annotations` here: FastAPI reads the annotations of local functions.

import logging
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from fabric_hub import __version__
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.built import as_built
from fabric_hub.launch.offer import Offer, offer
from fabric_hub.rpc.body_limit import BodyLimit
from fabric_hub.rpc.problem import Problem
from fabric_hub.service.routes.clusters import add_clusters
from fabric_hub.service.routes.datasets import PLACES, DatasetService, add_datasets
from fabric_hub.service.routes.metrics import SCOPE as METRICS_SCOPE
from fabric_hub.service.routes.usage import PLACES as QUOTA_PLACES
from fabric_hub.service.routes.usage import BudgetService, add_quotas
from fabric_hub.sessions.notify import doorbell_path, ring
from fabric_hub.sessions.scopes import SERVICE_SCOPE, may_call, server_of
from fabric_hub.sessions.status import standing
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import Snapshot
from fabric_hub.types import Frozen, WholeNumber

from .per_session import BusyError

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"

# What the hub says of a token: its user model, or None when it knows no such token.
Identify = Callable[[str], Awaitable[dict[str, Any] | None]]
LatestSnapshot = Callable[[], Awaitable[Snapshot | None]]
Scrape = Callable[[], Awaitable[Collector]]

# How a call says who makes it.
_TOKEN = APIKeyHeader(
    name="Authorization",
    scheme_name="token",
    description="`token TOKEN`, with a token of the hub that has the scope of this service.",
    auto_error=False,  # the refusal is our own
)
_PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": {"model": Problem}, "503": {"model": Problem}}

PhaseSeconds = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False, strict=True)]


class Ready(Frozen):
    """A session's announcement: it listens on this port of its own node.

    ``phases`` are seconds since its launcher began, by name.
    """

    port: WholeNumber = Field(ge=1024, le=65535)
    phases: dict[Annotated[str, Field(pattern=r"^[a-z]{1,20}$")], PhaseSeconds] = Field(
        default={}, max_length=10, json_schema_extra={"additionalProperties": False}
    )


class SessionInfo(Frozen):
    """A session as its own server may know it. Times are Unix seconds; ``gpus`` is what was asked for."""

    session: str
    user: str
    project: str
    project_title: str
    project_kind: str
    account: str
    profile: str
    image: str
    hours: float
    phase: str
    job_id: int | None
    node: str | None
    started_at: float | None
    ends_at: float | None
    gpus: int
    snapshot_age_s: float | None
    slurm_silent_since: float | None


def make_app(
    settings: Settings,
    store: SessionStore,
    identify: Identify,
    latest: LatestSnapshot,
    desk: DatasetService | None = None,
    quotas: BudgetService | None = None,
    metrics: Scrape | None = None,
    *,
    local: bool = True,
) -> FastAPI:
    """The service's ASGI application.

    :param identify: asks the hub who a token is.
    :param latest: the latest snapshot, or None where there is no Slurm.
    :param desk: where it reads of datasets and whom it tells, or None where the site offers none.
    :param quotas: where it reads of usage and time and whom it asks, or None where nobody keeps count.
    :param metrics: what Prometheus is told, or None where nothing is.
    :param local: whether the hub can run sessions on its own machine.
    """
    prefix = "/services/fabric"
    app = FastAPI(
        title="Fabric Hub",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{prefix}/api/openapi.json",
    )
    app.add_middleware(BodyLimit)
    app.add_exception_handler(FabricError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _other)
    app.mount(f"{prefix}/static", StaticFiles(directory=STATIC), name="static")
    api = APIRouter(prefix=f"{prefix}/api", responses=_PROBLEMS)

    async def caller(authorization: Annotated[str | None, Security(_TOKEN)]) -> dict[str, Any]:
        scheme, _, token = (authorization or "").partition(" ")
        who = await identify(token.strip()) if scheme.lower() in {"token", "bearer"} and token.strip() else None
        if who is None:
            raise FabricError(
                "This needs a valid token of the hub.",
                reason="token",
                hint="Send it as: Authorization: token TOKEN.",
                status=401,
            )
        return who

    async def person(who: Annotated[dict[str, Any], Depends(caller)]) -> dict[str, Any]:
        if not may_call(who.get("scopes") or []):  # a token that was made for something else opens nothing here
            raise FabricError(
                "This token is not for this service.",
                reason="scope",
                hint=f"It needs the scope {SERVICE_SCOPE}.",
                status=403,
            )
        return who

    async def own_session(who: Annotated[dict[str, Any], Depends(person)]) -> Session:
        server = server_of(who["name"], who.get("scopes") or [])
        if server is None:
            raise FabricError(
                "This is for a session's own token only.",
                reason="scope",
                hint="Call it from inside a session.",
                status=403,
            )
        session = store.live(who["name"], server)
        if session is None:
            raise FabricError("This session is over.", reason="session-over", status=410)
        return session

    async def may_scrape(who: Annotated[dict[str, Any], Depends(caller)]) -> None:
        if METRICS_SCOPE not in (who.get("scopes") or []):
            raise FabricError(
                "This is for Prometheus.",
                reason="scope",
                hint=f"It needs a token with the scope {METRICS_SCOPE}.",
                status=403,
            )

    @app.get(
        f"{prefix}/metrics",
        dependencies=[Depends(may_scrape)],
        response_class=Response,  # text, unlike its problems
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **_PROBLEMS},
    )
    async def scraped() -> Response:
        """What Prometheus is told, in its text format. For a token with the scope ``read:metrics``."""
        if metrics is None:
            raise FabricError("This service has no metrics.", reason="no-metrics", status=404)
        registry = CollectorRegistry()
        registry.register(await metrics())
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @api.get("/health")
    async def health() -> dict[str, str]:
        """Whether the service answers, and its version."""
        return {"status": "ok", "version": __version__}

    @api.post("/session/ready", status_code=204)
    async def ready(announcement: Ready, session: Annotated[Session, Depends(own_session)]) -> None:
        """A session says that its server listens. Only for itself, and only a port: the node is Slurm's word."""
        if not store.announce(session.id, announcement.port, dict(announcement.phases)):
            raise FabricError(
                f"Session {session.id} has already announced another port.",
                reason="announced",
                status=409,
            )
        heard = await ring(doorbell_path(settings), session.id)
        log.info("Session %s listens on port %s%s", session.id, announcement.port, "" if heard else " (no hub heard)")

    @api.get("/session")
    async def session_info(session: Annotated[Session, Depends(own_session)]) -> SessionInfo:
        """The caller's own session: project, job, node, and when it ends."""
        return describe(settings, session, await latest(), time.time())

    @api.get("/offer")
    async def offered(who: Annotated[dict[str, Any], Depends(person)]) -> Offer:
        """What the caller may start, as the start form shows it."""
        today = datetime.now().astimezone().date()
        return offer(as_built(settings), who["name"], await latest(), today, local=local)

    add_datasets(api, settings, store, desk, person, own_session)
    add_clusters(api, settings, latest, own_session, quotas)
    add_quotas(api, settings, quotas, latest, person, own_session)
    app.include_router(api)
    return app


def describe(settings: Settings, session: Session, snapshot: Snapshot | None, now: float) -> SessionInfo:
    """A session with what the snapshot says of its job. Pure."""
    project = settings.project.get(session.project)
    job = standing(session, snapshot).job
    started = job.started_at if job and job.phase == "running" else None
    return SessionInfo(
        session=session.id,
        user=session.user,
        project=session.project,
        project_title=(project.title if project else "") or session.project,
        project_kind=project.kind if project else "research",
        account=session.account,
        profile=session.profile,
        image=session.image,
        hours=session.hours,
        phase=job.phase.value if job else ("running" if session.port else "queued"),
        job_id=session.job_id,
        node=(job.node if job else None) or session.node,
        started_at=started,
        ends_at=snapshot.end_of(job) if snapshot and job else None,
        gpus=session.gpus,
        snapshot_age_s=_finite(snapshot.age_s) if snapshot else None,
        slurm_silent_since=snapshot.unavailable_since if snapshot else None,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, FabricError)
    since = getattr(error, "since", None)
    problem = Problem(message=error.message, reason=error.reason, hint=error.hint, since=since)
    later = {"Retry-After": str(error.retry_after_s)} if isinstance(error, BusyError) else None
    return JSONResponse(problem.model_dump(), status_code=error.status, headers=later)


async def _other(request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses: a path, a verb, a body that cannot be parsed."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # the framework names the verbs of the first route of that path only
        paths = request.app.openapi()["paths"].items()
        verbs = {verb.upper() for path, has in paths if compile_path(path)[0].match(request.url.path) for verb in has}
        error.headers = {"Allow": ", ".join(sorted(verbs))} if verbs else error.headers
    phrase = HTTPStatus(error.status_code).phrase
    problem = Problem(message=f"{phrase}.", reason=phrase.lower().replace(" ", "-"))
    return JSONResponse(problem.model_dump(), status_code=error.status_code, headers=error.headers)


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    places = ""
    if isinstance(error, RequestValidationError):
        # names of our own fields only: what was sent is not repeated, and a name may be a sender's, too
        ours = {str(part) for item in error.errors() for part in item["loc"][1:2]} & (
            {*Ready.model_fields} | PLACES | QUOTA_PLACES
        )
        places = ", ".join(sorted(ours))
    problem = Problem(message=f"The request is malformed{f' at {places}' if places else ''}.", reason="malformed")
    return JSONResponse(problem.model_dump(), status_code=422)
