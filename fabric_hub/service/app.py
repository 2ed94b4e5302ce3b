"""The service's application: its routers, and how it refuses. Everything a caller sends is typed."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from fabric_hub import __version__
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts import service as texts
from fabric_hub.rpc.body_limit import BodyLimit
from fabric_hub.rpc.problem import Problem

from .cluster_quotes import BusyError
from .deps import ServiceContext
from .language import InLanguage
from .routes import clusters, datasets, monitoring, projects, sessions, usage

PREFIX = "/services/fabric"
ROUTERS = (monitoring.router, sessions.router, datasets.router, clusters.router, usage.router, projects.router)

_PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": {"model": Problem}, "503": {"model": Problem}}


def serve_static(app: FastAPI, directory: Path) -> None:
    """Serve the files of the hub's pages, which the hub, one thread, need not do itself.

    :param directory: of the files; nothing beside them is served.
    """
    app.mount(f"{PREFIX}/static", StaticFiles(directory=directory), name="static")


def make_app(context: ServiceContext) -> FastAPI:
    """The service's ASGI application."""
    app = FastAPI(
        title="Fabric Hub",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/api/openapi.json",
    )
    app.state.context = context
    app.add_middleware(BodyLimit)
    app.add_middleware(InLanguage, below=f"{PREFIX}/api")  # the outermost: what others refuse has a reader, too
    app.add_exception_handler(FabricError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _other)
    app.include_router(monitoring.metrics_router, prefix=PREFIX, responses=_PROBLEMS)
    for router in ROUTERS:
        app.include_router(router, prefix=f"{PREFIX}/api", responses=_PROBLEMS)
    return app


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, FabricError)
    problem = Problem.of(error)
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
    said = {404: texts.NOT_FOUND, 405: texts.NO_SUCH_VERB}.get(error.status_code)
    refusal = FabricError(said() if said else verbatim(f"{phrase}."), reason=phrase.lower().replace(" ", "-"))
    problem = Problem.of(refusal)
    return JSONResponse(problem.model_dump(), status_code=error.status_code, headers=error.headers)


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    places: tuple[str, ...] = ()
    if isinstance(error, RequestValidationError):
        # names of our own fields only: what was sent is not repeated, and a name may be a sender's, too
        ours = {str(part) for item in error.errors() for part in item["loc"][1:2]} & _FIELDS
        places = tuple(sorted(ours))
    refusal = FabricError(texts.MALFORMED_AT(fields=places) if places else texts.MALFORMED())
    return JSONResponse(Problem.of(refusal).model_dump(), status_code=refusal.status)


def _fields(routers: tuple[APIRouter, ...]) -> frozenset[str]:
    """The names of everything that bodies and paths may have in them."""
    found: set[str] = set()
    for route in (one for router in routers for one in router.routes if isinstance(one, APIRoute)):
        found.update(part.name for part in route.dependant.path_params)
        if route.body_field is not None:
            found.update(route.body_field.field_info.annotation.model_fields)  # type: ignore[union-attr]
    return frozenset(found)


_FIELDS = _fields(ROUTERS)
