"""The gateway's HTTP API on a Unix socket: ``python -m fabric_hub.slurm.server --site FILE``.

Who may open the socket may submit for every user: its directory, which the
operator (or the embedded run) prepares, decides who that is. The socket's mode is
0660, and it appears only once the gateway can answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from .. import __version__, capabilities
from ..errors import FabricError, SlurmUnavailableError
from ..model import CancelRequest, HubUser, Problem, SessionId, SessionLog, SubmitRequest, Submitted
from ..settings import Settings, load
from . import accounts
from .gateway import Gateway
from .verbs import LONGEST_WAIT_S, Health, Verbs

log = logging.getLogger(__name__)

_STOP_S = 60  # requests under way get this long to end; each has shorter limits of its own


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

    @app.exception_handler(FabricError)
    async def fabric_error(_: Request, error: FabricError) -> JSONResponse:
        since = error.since if isinstance(error, SlurmUnavailableError) else None
        body = Problem(message=error.message, reason=error.reason, hint=error.hint, since=since)
        return JSONResponse(body.model_dump(), status_code=error.status)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        # places and kinds only: what was sent may hold secrets
        wrong = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()[:10])
        return JSONResponse(Problem(message=f"Malformed request: {wrong}", reason="malformed").model_dump(), 422)

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> JSONResponse:
        body = Problem(
            message="The gateway failed at this request.",
            reason="fault",
            hint="Its log has the details; tell the operators.",
        )
        return JSONResponse(body.model_dump(), status_code=500)

    @app.get("/v1/snapshot")
    async def snapshot(
        after: int | None = None,
        wait: Annotated[float, Query(ge=0)] = 0.0,
        fresh: float | None = None,
    ) -> Response:
        found = await verbs.snapshot(after, min(wait, LONGEST_WAIT_S), fresh)
        # thousands of jobs: serialise once, without FastAPI's second validation
        return Response(found.model_dump_json(), media_type="application/json")

    @app.post("/v1/jobs")
    async def submit(request: SubmitRequest) -> Submitted:
        return await verbs.submit(request)

    @app.post("/v1/jobs/cancel", status_code=204)
    async def cancel(request: CancelRequest) -> None:
        await verbs.cancel(request)

    @app.get("/v1/sessions/{session}/log")
    async def session_log(session: SessionId, user: HubUser) -> SessionLog:
        return await verbs.log(session, user)

    @app.delete("/v1/sessions/{session}", status_code=204)
    async def remove(session: SessionId, user: HubUser) -> None:
        await verbs.remove(session, user)

    @app.get("/v1/health")
    async def health() -> Health:
        return verbs.health()

    return app


class _Server(uvicorn.Server):
    """A uvicorn server that says when it listens, and leaves signals to us (SIGTERM is exit status 0)."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(verbs: Verbs, path: Path, stop: asyncio.Event, ready: asyncio.Event | None = None) -> None:
    """Serve the verbs on a Unix socket until ``stop`` is set.

    :param path: where the socket appears once the gateway can answer; it is gone at the end.
    :param ready: set when it has appeared.
    :raises FabricError: another gateway answers there, or the socket cannot be made.
    """
    listening, draft = _bind(path)
    config = uvicorn.Config(
        create_app(verbs), loop="asyncio", http="h11", ws="none", lifespan="on", access_log=False, log_config=None,
        timeout_graceful_shutdown=_STOP_S, server_header=False, date_header=False,
    )  # fmt: skip
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    listens = asyncio.create_task(server.listening.wait())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping, listens}, return_when=asyncio.FIRST_COMPLETED)
        if listens.done():
            os.rename(draft, path)
            log.info("the gateway answers on %s", path)
            if ready:
                ready.set()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for name in (path, draft):
            with contextlib.suppress(OSError):
                name.unlink()
        verbs.close()
        server.should_exit = True
        stopping.cancel()
        listens.cancel()
        await serving
        listening.close()


def _bind(path: Path) -> tuple[socket.socket, Path]:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            pass  # nobody there, or a socket that a dead gateway left
        else:
            raise FabricError(
                f"Another gateway already answers on {path}.",
                reason="gateway",
                hint="Stop it, or change gateway.socket.",
            )
    made = socket.socket(socket.AF_UNIX)
    before = os.umask(0o117)
    try:
        draft.unlink(missing_ok=True)
        made.bind(str(draft))
        made.listen(128)
    except OSError as error:
        made.close()
        raise FabricError(
            f"The gateway's socket {path} cannot be made: {error.strerror or error}.",
            reason="gateway",
            hint="Its directory must exist and be the gateway's; a socket's path has at most 100 characters.",
        ) from error
    finally:
        os.umask(before)
    return made, draft


def check_identity(settings: Settings) -> None:
    """Refuse to start as somebody who could not do the work.

    :raises FabricError: root for a shared account, or no right to become others without one.
    """
    if settings.users.shared_account:
        accounts.resolve("anyone", settings.users)
    elif not capabilities.can_become_others():
        raise FabricError(
            "The gateway may not become other users, so it cannot submit for them.",
            reason="gateway",
            hint="Start it with CAP_SETUID and CAP_SETGID (systemd: AmbientCapabilities=), or, for a demo of one "
            "person, set users.shared_account = true.",
        )


async def _main(settings: Settings) -> int:
    stop = asyncio.Event()
    failed = False

    def died() -> None:
        nonlocal failed
        failed = True
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(Gateway(settings, died=died), settings.gateway.socket, stop)
    return 1 if failed else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the gateway; returns the exit status."""
    parser = argparse.ArgumentParser(prog="fabric-hub-gateway", description=__doc__)
    parser.add_argument("--site", type=Path, default=None, help="the site's file (TOML)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        capabilities.drop_inheritance()  # before any thread and any child
        settings = load(options.site)
        check_identity(settings)
        return asyncio.run(_main(settings))
    except FabricError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
