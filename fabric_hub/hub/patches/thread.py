"""JupyterHub is one thread: what holds it up for long while sessions start, and need not.

Measured with ``python -m bench hub`` (docs/benchmarks.md says what each part gains).
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache, wraps
from typing import Any

import jupyterhub.user
from jupyterhub.user import User
from jupyterhub.utils import make_ssl_context

from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.hub.spawner.start_queue import StartSlot


def share_tls_context() -> None:
    """Let JupyterHub look for started servers with one TLS context for all of them.

    JupyterHub 6.1 makes a new one in every start, from the same three files, and reads
    the system's whole list of authorities twice for it: 27 ms in which the hub answers
    nobody, and a sixth of a start's CPU time.
    """
    if getattr(jupyterhub.user, "make_ssl_context", None) is make_ssl_context:
        jupyterhub.user.make_ssl_context = shared_context


def shared_context(keyfile: str, certfile: str, cafile: str | None = None, **more: Any) -> ssl.SSLContext | None:
    """What JupyterHub's ``make_ssl_context`` returns; the same one until one of the files is replaced."""
    files = keyfile, certfile, cafile
    if more or not all(files):
        made: ssl.SSLContext | None = make_ssl_context(keyfile, certfile, cafile=cafile, **more)
        return made
    return _context(*files, tuple(map(_version, files)))


@lru_cache(maxsize=1)
def _context(keyfile: str, certfile: str, cafile: str, _versions: tuple[object, ...]) -> ssl.SSLContext | None:
    made: ssl.SSLContext | None = make_ssl_context(keyfile, certfile, cafile=cafile)
    return made


def _version(path: str | None) -> tuple[int, int] | None:
    if path is None:
        return None
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns


def start_in_turn() -> None:
    """Let JupyterHub begin one start at a time, of each user in turn.

    The first thing it does in a start (a server, a token and an OAuth client in its database)
    takes 10 ms and more without a pause, and it offers nothing to wait for before that.
    """
    spawn = User.spawn
    if spawn.__module__ != User.__module__:
        return

    @wraps(spawn)
    async def in_turn(self: User, *args: Any, **named: Any) -> Any:
        turnstile = runtime().turnstile
        turnstile.enter(getattr(self, "name", ""))
        await turnstile.wait(StartSlot.BEGIN)
        return await spawn(self, *args, **named)

    in_turn.__module__ = __name__
    User.spawn = in_turn
