"""What the gateway has submitted for which record, kept on disk: the witness when a hub has lost its own record.

One row for each session. It is written before the job is submitted, so that no job of ours is without one from the
moment at which the ledger began; what has been a job before that is nobody's to judge by it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.slurm.records import RecordMark, SessionFacts, Witness

log = logging.getLogger(__name__)

# Longer than any job lasts: a session's row is kept this long after its last submission.
_KEEP_S = 400 * 24 * 3600.0
_AT_ONCE = 500  # variables in a question
_TABLES = """
CREATE TABLE IF NOT EXISTS ledger (began_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS submissions (
  session TEXT PRIMARY KEY, hub TEXT NOT NULL, user TEXT NOT NULL, identity TEXT, generation INTEGER, facts TEXT,
  port INTEGER, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS records (
  hub TEXT NOT NULL, identity TEXT NOT NULL, generation INTEGER NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (hub, identity));
INSERT INTO ledger (began_at) SELECT {now} WHERE NOT EXISTS (SELECT 1 FROM ledger);
DELETE FROM submissions WHERE at < {oldest};
"""
_CLEAN_EVERY_S = 24 * 3600.0


def ledger_path(settings: Settings) -> Path:
    """Where the ledger is: in the service's own state directory where systemd names one, else beside the socket."""
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return (Path(state) if state else settings.gateway.socket.parent) / "submissions.sqlite"


class Ledger:
    """See the module. Every method may be called from any thread.

    :param path: of its file; None: it lasts as long as the process.
    :param hub: the id of the hub.
    """

    def __init__(self, path: Path | None, hub: str) -> None:
        self._hub = hub
        self._cleaned_at = time.monotonic()  # when it was opened
        self._lock = threading.Lock()
        self._file = open_file(path, _tables())
        self.began_at = float(self._file.execute("SELECT min(began_at) FROM ledger").fetchone()[0])

    def close(self) -> None:
        self._file.close()

    def submitted(self, session: str, user: str, mark: RecordMark | None, facts: SessionFacts | None) -> None:
        """A session is about to be submitted, or was, by this record.

        :raises FabricError: that cannot be kept.
        """
        told = facts.model_dump_json() if facts else None
        with self._writing() as file:
            self._clean(file)
            file.execute(
                "INSERT INTO submissions (session, hub, user, identity, generation, facts, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session) DO UPDATE SET user = excluded.user, "
                "identity = excluded.identity, generation = excluded.generation, at = excluded.at, "
                "facts = coalesce(excluded.facts, facts)",
                (session, self._hub, user, *_parts(mark), told, time.time()),
            )
            if mark is not None:
                self._tell(file, mark)

    def listens(self, session: str, user: str, port: int) -> None:
        """A session's server listens there.

        :raises FabricError: that cannot be kept.
        """
        with self._writing() as file:
            file.execute("UPDATE submissions SET port = ? WHERE session = ? AND user = ?", (port, session, user))

    def told(self, mark: RecordMark) -> RecordMark | None:
        """A hub says how far its record is; returns what one of this id told last before.

        :raises FabricError: that cannot be kept.
        """
        with self._writing() as file:
            last = self._seen(file)
            self._tell(file, mark)
        return last

    def seen(self) -> RecordMark | None:
        """What a hub of this id told last."""
        with self._lock:
            return self._seen(self._file)

    def _seen(self, file: sqlite3.Connection) -> RecordMark | None:
        last = file.execute(
            "SELECT identity, generation FROM records WHERE hub = ? ORDER BY at DESC LIMIT 1", (self._hub,)
        ).fetchone()
        return RecordMark(identity=last[0], generation=last[1]) if last else None

    def witnesses(self, sessions: Iterable[str]) -> dict[str, Witness]:
        """What is kept of those of these sessions that were submitted here."""
        wanted = sorted(set(sessions))
        found: dict[str, Witness] = {}
        for first in range(0, len(wanted), _AT_ONCE):
            some = wanted[first : first + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            with self._lock:
                rows = self._file.execute(
                    f"SELECT session, user, identity, generation, facts, port FROM submissions "
                    f"WHERE hub = ? AND session IN ({marks})",
                    (self._hub, *some),
                ).fetchall()
            found.update((row[0], _witness(*row)) for row in rows)
        return found

    def _clean(self, file: sqlite3.Connection) -> None:
        """Remove what is older than it is kept; once a day."""
        if time.monotonic() - self._cleaned_at >= _CLEAN_EVERY_S:
            file.execute("DELETE FROM submissions WHERE at < ?", (time.time() - _KEEP_S,))
            self._cleaned_at = time.monotonic()

    def _tell(self, file: sqlite3.Connection, mark: RecordMark) -> None:
        file.execute(
            "INSERT INTO records (hub, identity, generation, at) VALUES (?, ?, ?, ?) ON CONFLICT (hub, identity) "
            "DO UPDATE SET generation = max(generation, excluded.generation), at = excluded.at",
            (self._hub, *_parts(mark), time.time()),
        )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, self._file:
                yield self._file
        except sqlite3.Error as error:
            raise FabricError(texts.LEDGER_UNUSABLE(cause=str(error))) from error


def _parts(mark: RecordMark | None) -> tuple[str | None, int | None]:
    return (mark.identity, mark.generation) if mark else (None, None)


def _witness(
    session: str, user: str, identity: str | None, generation: int | None, facts: str | None, port: int | None
) -> Witness:
    mark = RecordMark(identity=identity, generation=generation or 0) if identity else None
    known: SessionFacts | None = None
    if facts:
        try:
            known = SessionFacts.model_validate_json(facts)
        except ValidationError as error:  # another release kept it
            log.warning("What is kept of session %s cannot be read: %s", session, error)
    return Witness(session=session, user=user, mark=mark, facts=known, port=port)


def _tables() -> str:
    now = time.time()
    return _TABLES.format(now=now, oldest=now - _KEEP_S)


def open_file(path: Path | None, tables: str) -> sqlite3.Connection:
    """A database of the gateway's own, with its tables. One that cannot be read is kept aside, and a new one begins;
    where none can be kept, it lasts as long as the process.

    :param path: of its file; None: in memory.
    :param tables: SQL that makes what is not there yet, within one transaction.
    """
    if path is None:
        return _ready(":memory:", tables)
    try:
        try:
            return _file(path, tables)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # it cannot be opened or written; else it is no database
                raise
            aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
            log.critical("%s cannot be read (%s); it is kept as %s, and a new one begins", path, error, aside)
            path.rename(aside)
            return _file(path, tables)
    except (OSError, sqlite3.Error) as error:
        log.critical("%s cannot be used (%s): what is in it is kept as long as this process lasts", path, error)
        return _ready(":memory:", tables)


def _file(path: Path, tables: str) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    return _ready(str(path), tables)


def _ready(name: str, tables: str) -> sqlite3.Connection:
    file = sqlite3.connect(name, timeout=10.0, check_same_thread=False)
    try:
        file.execute("PRAGMA synchronous = FULL")
        file.executescript(f"BEGIN IMMEDIATE; {tables} COMMIT;")
    except BaseException:
        file.close()
        raise
    return file
