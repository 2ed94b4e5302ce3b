"""What the gateway has set in Slurm for projects, kept on disk: how a limit of ours is told from one set by hand.

A row is written before Slurm is asked for a change (``trying``) and again when Slurm has made it (``value``): whatever
dies in between, both values are known to be ours.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from fabric_hub.errors import FabricError
from fabric_hub.gateway.ledger import open_file
from fabric_hub.messages.texts import slurm_projects as texts
from fabric_hub.slurm.associations import Close, Step

from .plan import Applied, Key, Limit, effects

FILE = "projects.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS applied (
  parent TEXT NOT NULL, account TEXT NOT NULL, user TEXT NOT NULL, what TEXT NOT NULL,
  value INTEGER, trying INTEGER, before INTEGER NOT NULL DEFAULT -1,
  PRIMARY KEY (parent, account, user, what));
"""
# A door that is closed now and was not before: what was there then is given back later.
_CLOSES = "applied.what = 'submit' AND coalesce(applied.value, -1) <> 0"
_WHICH = "parent = ? AND account = ? AND user = ? AND what = ?"


class Record:
    """See the module. Every method may be called from any thread.

    :param path: of its file; None: it lasts as long as the process.
    :param parent: the account below which it was set; under another one nothing is on record yet.
    """

    def __init__(self, path: Path | None, parent: str) -> None:
        self._parent = parent
        self._lock = threading.Lock()
        self._file = open_file(path, _TABLES)

    def close(self) -> None:
        self._file.close()

    def all(self) -> Mapping[Key, Applied]:
        """Everything that is on record."""
        with self._lock:
            rows = self._file.execute(
                "SELECT account, user, what, value, trying, before FROM applied WHERE parent = ?", (self._parent,)
            ).fetchall()
        return {Key(row[0], row[1], cast("Limit", row[2])): Applied(*row[3:]) for row in rows}

    def begin(self, steps: Iterable[Step]) -> None:
        """Slurm is about to be asked for these steps.

        :raises FabricError: that cannot be kept; Slurm must not be asked then.
        """
        rows = []
        for step in steps:
            before = step.before if isinstance(step, Close) else None
            rows += [(self._parent, *key, value, before) for key, value in effects(step)]
        self._write(
            "INSERT INTO applied (parent, account, user, what, trying, before) VALUES (?, ?, ?, ?, ?, coalesce(?, -1)) "
            "ON CONFLICT (parent, account, user, what) DO UPDATE SET trying = excluded.trying, "
            f"before = CASE WHEN excluded.trying = 0 AND {_CLOSES} THEN excluded.before ELSE applied.before END",
            rows,
        )

    def done(self, steps: Iterable[Step]) -> None:
        """Slurm has taken these steps.

        :raises FabricError: that cannot be kept.
        """
        rows = [(value, self._parent, *key) for step in steps for key, value in effects(step)]
        self._write(f"UPDATE applied SET value = ?, trying = NULL WHERE {_WHICH}", rows)

    def adopt(self, found: Mapping[Key, int]) -> None:
        """These were as they should be, whoever made them so.

        :raises FabricError: that cannot be kept.
        """
        rows = [(self._parent, *key, value) for key, value in found.items()]
        self._write(
            "INSERT INTO applied (parent, account, user, what, value) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (parent, account, user, what) DO UPDATE SET value = excluded.value, trying = NULL",
            rows,
        )

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        try:
            with self._lock, self._file:
                self._file.executemany(statement, rows)
        except sqlite3.Error as error:
            raise FabricError(texts.RECORD_UNUSABLE(cause=str(error))) from error
