"""JupyterHub is one thread: what holds it up for long while sessions start, and need not.

Measured with ``python -m bench hub`` (docs/benchmarks.md says what each part gains).
"""

from __future__ import annotations

import os
import sqlite3
import ssl
from functools import lru_cache, partial, wraps
from typing import Any

import jupyterhub.user
from jupyterhub.user import User
from jupyterhub.utils import make_ssl_context

from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.hub.spawner.start_queue import StartSlot

from .replace import original, replace


def apply(c: Any) -> None:
    """Apply all of this module.

    :param c: JupyterHub's configuration object; safe to call again after a change of it.
    """
    log_ahead(c)
    share_tls_context()
    start_in_turn()


class LoggingConnection(sqlite3.Connection):
    """A connection to JupyterHub's own database whose commits go to a write-ahead log.

    JupyterHub commits many times in every start. With SQLite's defaults each of them waits for the disk two or three
    times (12 ms where it was measured) and the hub answers nobody meanwhile; with a write-ahead log it is well under a
    millisecond. A hub that is killed loses nothing. A machine that loses its power may forget JupyterHub's last
    seconds, never half of a change; what sessions there are is in our own database, which waits for the disk
    (https://www.sqlite.org/pragma.html#pragma_synchronous).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=NORMAL"):
            self.execute(f"PRAGMA {pragma}")


def log_ahead(c: Any) -> None:
    """Let JupyterHub connect so, unless the site has another database, or its own arguments for it."""
    ours = {"connect_args": {"check_same_thread": False, "factory": LoggingConnection}}
    given = c.JupyterHub.get("db_kwargs") or {}
    if not given and str(c.JupyterHub.db_url).startswith("sqlite"):
        c.JupyterHub.db_kwargs = ours
    elif given == ours and not str(c.JupyterHub.db_url).startswith("sqlite"):
        c.JupyterHub.db_kwargs = {}


def share_tls_context() -> None:
    """Let JupyterHub look for started servers with one TLS context for all of them.

    It makes a new one in every start, from the same three files, and reads the system's whole list of authorities
    twice for it: 27 ms in which the hub answers nobody, and a sixth of a start's CPU time. A JupyterHub that makes its
    context otherwise is left alone.
    """
    if original(getattr(jupyterhub.user, "make_ssl_context", None)) is make_ssl_context:
        replace(jupyterhub.user, "make_ssl_context", lambda _theirs: partial(shared_context))


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

    The first thing it does in a start (a server, a token and an OAuth client in its database) takes 10 ms and more
    without a pause, and it offers nothing to wait for before that.
    """
    replace(User, "spawn", _in_turn)


def _in_turn(spawn: Any) -> Any:
    @wraps(spawn)
    async def in_turn(self: User, *args: Any, **named: Any) -> Any:
        start_queue = runtime().start_queue
        start_queue.enter(getattr(self, "name", ""))
        await start_queue.wait(StartSlot.BEGIN)
        return await spawn(self, *args, **named)

    return in_turn
