"""JupyterHub's own database, when it is SQLite: commits that do not stop the hub.

JupyterHub commits many times in every start, in its only thread. With SQLite's defaults
each of them waits for the disk two or three times (12 ms where it was measured) and the
hub answers nobody meanwhile; with a write-ahead log it is well under a millisecond. A hub
that is killed loses nothing. A machine that loses its power may forget JupyterHub's last
seconds, never half of a change; what sessions there are is in our own database, which
waits for the disk (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import sqlite3
from typing import Any


class LoggingConnection(sqlite3.Connection):
    """A connection whose commits go to the write-ahead log."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=NORMAL"):
            self.execute(f"PRAGMA {pragma}")


def configure_database(c: Any) -> None:
    """Let JupyterHub connect so, unless the site has another database, or its own arguments for it.

    :param c: JupyterHub's configuration object; safe to call again after a change of it.
    """
    ours = {"connect_args": {"check_same_thread": False, "factory": LoggingConnection}}
    given = c.JupyterHub.get("db_kwargs") or {}
    if not given and str(c.JupyterHub.db_url).startswith("sqlite"):
        c.JupyterHub.db_kwargs = ours
    elif given == ours and not str(c.JupyterHub.db_url).startswith("sqlite"):
        c.JupyterHub.db_kwargs = {}
