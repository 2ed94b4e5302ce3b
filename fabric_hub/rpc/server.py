"""What serves a daemon's HTTP API on a Unix socket.

Who may open the socket may use every verb: its directory, which the operator (or the
embedded run) prepares, decides who that is. The socket's mode is 0660, and it appears
only once the daemon can answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import daemons as texts

from . import systemd
from .body_limit import LARGEST_ON_SOCKET, BodyLimit
from .problem import Problem, name_of

log = logging.getLogger(__name__)

_STOP_S = 60  # requests under way get this long to end; each has shorter limits of its own
IDLE_S = 60  # how long a connection without a request stays; longer than clients use one again (client.IDLE_S)


def answer_with_problems(app: FastAPI, who: str) -> None:
    """Make every error of an API a ``Problem`` body with the error's status; no request may fill our memory.

    :param who: the daemon's name in words.
    """
    app.add_middleware(BodyLimit, most=LARGEST_ON_SOCKET)

    @app.exception_handler(FabricError)
    async def fabric_error(_: Request, error: FabricError) -> JSONResponse:
        return JSONResponse(Problem.of(error).model_dump(), status_code=error.status)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        # places and kinds only: what was sent may hold secrets
        wrong = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()[:10])
        return JSONResponse(Problem.of(FabricError(texts.MALFORMED(wrong=wrong))).model_dump(), 422)

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> JSONResponse:
        body = Problem.of(FabricError(texts.FAULT(who=texts.called(who))))
        return JSONResponse(body.model_dump(), status_code=500)


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


async def serve(
    app: FastAPI,
    path: Path,
    stop: asyncio.Event,
    *,
    who: str,
    closing: Callable[[], None],
    ready: asyncio.Event | None = None,
) -> None:
    """Serve an API on a Unix socket until ``stop`` is set.

    :param path: where the socket appears once the daemon can answer; it is gone at the end.
    :param who: the daemon's name in words.
    :param closing: called before requests under way are waited for; it lets long polls go.
    :param ready: set when the socket has appeared.
    :raises FabricError: another such daemon answers there, or the socket cannot be made.
    """
    listening, draft = bind(path, who)
    config = uvicorn.Config(
        app, loop="asyncio", http="h11", ws="none", lifespan="on", access_log=False, log_config=None,
        timeout_keep_alive=IDLE_S, timeout_graceful_shutdown=_STOP_S, server_header=False, date_header=False,
    )  # fmt: skip
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    listens = asyncio.create_task(server.listening.wait())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping, listens}, return_when=asyncio.FIRST_COMPLETED)
        if listens.done():
            os.rename(draft, path)
            log.info("the %s answers on %s", who, path)
            systemd.ready()
            if ready:
                ready.set()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for name in (path, draft):
            with contextlib.suppress(OSError):
                name.unlink()
        closing()
        server.should_exit = True
        stopping.cancel()
        listens.cancel()
        await serving
        listening.close()


def bind(path: Path, who: str) -> tuple[socket.socket, Path]:
    """A socket that listens at a name beside ``path``, and that name; renamed to ``path`` it appears in one step.

    :raises FabricError: another one answers there, or it cannot be made.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            pass  # nobody there, or a socket that a dead daemon left
        else:
            raise FabricError(texts.ANOTHER_ONE(who=texts.called(who), socket=str(path)), reason=name_of(who))
    made = socket.socket(socket.AF_UNIX)
    before = os.umask(0o117)
    try:
        draft.unlink(missing_ok=True)
        made.bind(str(draft))
        made.listen(128)
    except OSError as error:
        made.close()
        why = error.strerror or str(error)
        text = texts.NO_SOCKET(who=texts.called(who), socket=str(path), why=why)
        raise FabricError(text, reason=name_of(who)) from error
    finally:
        os.umask(before)
    return made, draft
