"""One database of a state: brought to rest, copied as of one moment while writers go on, and put back.

SQLite's is copied by its own backup API, from a connection that has read the moment's state; PostgreSQL's by
``pg_dump`` from an exported snapshot, and put back by ``pg_restore`` in one transaction.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Reason
from fabric_hub.messages.texts import backup as texts

from .manifest import DatabaseName, DatabaseState

# How long a backup waits for one writer. JupyterHub, one thread, waits as long for us at most.
REST_S = 5.0
# What SQLite keeps beside a database.
BESIDE = ("", "-wal", "-shm", "-journal")
_REVISION = "SELECT version_num FROM alembic_version"


class Source(Protocol):
    """A database in a backup: ``rest``, then ``snapshot``, then ``release``, then ``copy``; ``close`` in the end."""

    def rest(self) -> None:
        """Wait until no transaction writes, and let none begin."""

    def snapshot(self) -> DatabaseState:
        """Hold on to the state of this moment."""

    def release(self) -> None:
        """Let writers go on."""

    def copy(self, target: Path) -> None:
        """Write that state to a file."""

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of that state."""

    def close(self) -> None: ...


class Sqlite:
    """A database of SQLite."""

    def __init__(self, name: DatabaseName, path: Path) -> None:
        self._name = name
        uri = f"file:{path}?mode=rw"
        try:
            self._writer = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=REST_S)
            self._reader = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=REST_S)
        except sqlite3.Error as error:
            raise FabricError(texts.BACKUP_FAILED(cause=f"{path}: {error}")) from error

    def rest(self) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise FabricError(texts.DATABASE_BUSY(name=self._name, seconds=REST_S)) from error

    def snapshot(self) -> DatabaseState:
        self._reader.execute("BEGIN")
        self._reader.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only this makes it a snapshot
        return DatabaseState(kind="sqlite", revision=self._revision())

    def _revision(self) -> str | None:
        with suppress(sqlite3.OperationalError):  # no such table
            row = self._reader.execute(_REVISION).fetchone()
            return str(row[0]) if row else None
        return None

    def release(self) -> None:
        self._writer.execute("ROLLBACK")

    def copy(self, target: Path) -> None:
        try:
            with closing(sqlite3.connect(target)) as made:
                self._reader.backup(made)
                (said,) = made.execute("PRAGMA quick_check").fetchone()
                made.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise FabricError(texts.BACKUP_FAILED(cause=f"{self._name}: {error}")) from error
        if said != "ok":
            raise FabricError(texts.BACKUP_FAILED(cause=f"{self._name}: {said}"))

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return self._reader.execute(statement).fetchall()

    def close(self) -> None:
        self._reader.close()
        self._writer.close()


class Postgres:
    """A database of PostgreSQL. Its tables are locked all at once or not at all, so that no writer meets a deadlock."""

    def __init__(self, name: DatabaseName, url: str) -> None:
        self._name, self._url = name, sa.make_url(url)
        try:
            self._engine = sa.create_engine(self._url, poolclass=sa.NullPool)
            self._writer = self._engine.connect()
            self._reader = self._engine.connect().execution_options(isolation_level="REPEATABLE READ")
        except (sa.exc.SQLAlchemyError, ModuleNotFoundError) as error:
            raise FabricError(texts.BACKUP_FAILED(cause=f"{name}: {_first_line(error)}")) from error
        self._exported = ""

    def rest(self) -> None:
        names = sa.inspect(self._writer).get_table_names()
        self._writer.rollback()
        if not names:
            return
        quote = self._engine.dialect.identifier_preparer.quote_identifier
        lock = sa.text(f"LOCK TABLE {', '.join(map(quote, names))} IN SHARE MODE NOWAIT")
        until = time.monotonic() + REST_S
        while True:
            try:
                self._writer.execute(lock)
                return
            except sa.exc.OperationalError as error:
                self._writer.rollback()
                if time.monotonic() > until:
                    raise FabricError(texts.DATABASE_BUSY(name=self._name, seconds=REST_S)) from error
                time.sleep(0.02)  # a writer's transaction ends; NOWAIT has nothing to wait on

    def snapshot(self) -> DatabaseState:
        self._exported = str(self._reader.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one())
        there = sa.inspect(self._reader).has_table("alembic_version")
        revision = self._reader.execute(sa.text(_REVISION)).scalar() if there else None
        return DatabaseState(kind="postgresql", revision=revision)

    def release(self) -> None:
        self._writer.rollback()

    def copy(self, target: Path) -> None:
        dump(self._name, str(self._url.render_as_string(hide_password=False)), target, self._exported)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._reader.execute(sa.text(statement))]

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
        self._engine.dispose()


def source(name: DatabaseName, url: str) -> Source | None:
    """A database to be taken; None: it is SQLite's and was never made.

    :raises FabricError: it is of neither kind, or cannot be opened.
    """
    path = sqlite_path(url)
    if path is not None:
        return Sqlite(name, path) if path.exists() else None
    if kind_of(url) != "postgresql":
        raise FabricError(texts.BACKUP_FAILED(cause=f"{name}: neither SQLite nor PostgreSQL"))
    return Postgres(name, url)


def kind_of(url: str) -> str:
    """``sqlite``, ``postgresql``, or another system's name."""
    return sa.make_url(url).get_backend_name()


def sqlite_path(url: str) -> Path | None:
    """The file of a database of SQLite; None: it is another system's."""
    made = sa.make_url(url)
    return Path(made.database or "") if made.get_backend_name() == "sqlite" else None


def dump(name: str, url: str, target: Path, snapshot: str = "") -> None:
    """Write a database of PostgreSQL to a file, by ``pg_dump``.

    :param snapshot: an exported one; default: the state of now.
    :raises FabricError: it failed, or is not installed.
    """
    more = [f"--snapshot={snapshot}"] if snapshot else []
    _run(
        name,
        texts.BACKUP_FAILED,
        ["pg_dump", "--format=custom", "--no-password", f"--file={target}", *more, f"--dbname={_libpq(url)}"],
    )


def put_dump(name: str, url: str, file: Path) -> None:
    """Replace what a database of PostgreSQL holds by a dump, all of it or nothing.

    :raises FabricError: it failed, or ``pg_restore`` is not installed; nothing was changed.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    script = file.with_suffix(".sql")
    _run(name, texts.RESTORE_FAILED, ["pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(file)])
    try:
        with engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
        quote = engine.dialect.identifier_preparer.quote_identifier
        drop = f"DROP TABLE IF EXISTS {', '.join(map(quote, tables))} CASCADE;\n" if tables else ""
        script.write_text(drop + _types_dropped(engine) + script.read_text())
    except sa.exc.SQLAlchemyError as error:
        raise FabricError(texts.RESTORE_FAILED(cause=f"{name}: {_first_line(error)}")) from error
    finally:
        engine.dispose()
    once = ["--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={script}"]
    _run(
        name,
        texts.RESTORE_FAILED,
        ["psql", "--no-psqlrc", "--no-password", "--quiet", *once, f"--dbname={_libpq(url)}"],
    )
    script.unlink()


def _types_dropped(engine: sa.Engine) -> str:
    """Statements that drop a database's own types, which tables alone do not take along."""
    with engine.connect() as connection:
        names = [enum["name"] for enum in sa.inspect(connection).get_enums()]  # type: ignore[attr-defined]
    quote = engine.dialect.identifier_preparer.quote_identifier
    return "".join(f"DROP TYPE IF EXISTS {quote(name)};\n" for name in names)


def _libpq(url: str) -> str:
    """A URL as PostgreSQL's own programs take it. It has no password: the settings refuse one."""
    return str(sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


def _run(name: str, failed: Reason, argv: list[str]) -> None:
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    environment |= {key: value for key, value in os.environ.items() if key == "HOME"}  # where .pgpass is
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise FabricError(failed(cause=f"{name}: {argv[0]}: {error.strerror}")) from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"{argv[0]} ended with {done.returncode}"])[0]
        raise FabricError(failed(cause=f"{name}: {said}"))


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
