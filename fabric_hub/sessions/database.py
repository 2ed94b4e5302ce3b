"""A database of ours: opened, brought up to date, and its failures said in words. The sessions' own is the default."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from weakref import WeakValueDictionary

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Reason
from fabric_hub.messages.texts import sessions as texts
from fabric_hub.messages.texts import startup

# pg_advisory_xact_lock(bigint): processes that start together migrate one at a time
_MIGRATING = 0x46414252


@dataclass(frozen=True)
class Kept:
    """A kind of database: where its migrations are, what its failures call it and its owner, and what its reader is
    told when it fails."""

    migrations: Path
    name: Reason
    owner: Reason
    unusable: Reason = texts.SESSIONS_UNUSABLE


SESSIONS = Kept(Path(__file__).parent / "migrations", startup.SESSIONS_DATABASE, startup.HUBS_USER)


def database_url(settings: Settings) -> str:
    """The SQLAlchemy URL of the record of sessions: SQLite in the hub's state directory, or what the site names."""
    return with_driver(settings.hub.sessions_database) or f"sqlite:///{settings.hub.state_dir / 'sessions.sqlite'}"


def hub_database_url(settings: Settings) -> str:
    """The SQLAlchemy URL of JupyterHub's own database."""
    return with_driver(settings.hub.database) or f"sqlite:///{settings.hub.state_dir / 'jupyterhub.sqlite'}"


def with_driver(url: str) -> str:
    """A URL as SQLAlchemy takes it: a plain ``postgresql://`` means the driver psycopg."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme in ("postgresql", "postgres") else url


def open_database(url: str, kept: Kept = SESSIONS) -> sa.Engine:
    """An engine on a database whose tables are of this release; older ones are migrated.

    Whoever opens the same URL in this process gets the same engine; its ``dispose()`` closes idle connections only.

    :param url: an SQLAlchemy URL; for SQLite the file is made readable to its owner only.
    :param kept: what is kept in it.
    :raises FabricError: it cannot be opened or written, or is of a later release, or its driver is not installed.
    """
    try:
        engine = _engine(url)
    except (ModuleNotFoundError, sa.exc.ArgumentError) as error:
        raise FabricError(startup.NO_DRIVER(database=kept.name(), why=_cause(error))) from error
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    try:
        with _alone(Path(file), kept) if file else nullcontext(), engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
            _migrate(connection, kept)
    except sa.exc.SQLAlchemyError as error:
        told = startup.CANNOT_OPEN_FILE if file else startup.CANNOT_OPEN_SERVER
        at = engine.url.render_as_string()
        raise FabricError(told(database=kept.name(), url=at, why=_cause(error), owner=kept.owner())) from error
    except CommandError as error:
        raise FabricError(
            startup.OTHER_RELEASE(database=kept.name(), url=engine.url.render_as_string(), why=str(error))
        ) from error
    return engine


_engines: WeakValueDictionary[tuple[int, str], sa.Engine] = WeakValueDictionary()


def _engine(url: str) -> sa.Engine:
    # by process, too: a child must not go on with its parent's connections
    key = os.getpid(), url
    engine = _engines.get(key)
    if engine is None:
        engine = sa.create_engine(url)
        if engine.dialect.name == "sqlite" and engine.url.database:
            sa.event.listen(engine, "connect", _sqlite_setup)
            engine = _engines.setdefault(key, engine)
    return engine


def revision_of(url: str) -> str | None:
    """The schema that a database has; None: it has no tables of ours.

    :raises sqlalchemy.exc.SQLAlchemyError: it cannot be opened.
    """
    with _engine(url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def downgrade(url: str, kept: Kept, revision: str) -> None:
    """Bring a database back to the schema of an earlier release, whole or not at all.

    :raises FabricError: a step failed; the database is as it was.
    """
    with _engine(url).begin() as connection:
        _begin(connection)
        try:
            command.downgrade(_config(connection, kept), revision)
        except Exception as error:
            raise FabricError(texts.MIGRATION_FAILED(name=kept.name(), cause=_cause(error))) from error


def _migrate(connection: sa.Connection, kept: Kept) -> None:
    config = _config(connection, kept)
    latest = ScriptDirectory.from_config(config).get_current_head()
    before = MigrationContext.configure(connection).get_current_revision()
    if before == latest:
        return
    _begin(connection)
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise
    except Exception as error:
        if before is None:  # it is being made, and there is nothing to lose: the caller says why it cannot be
            raise
        raise FabricError(texts.MIGRATION_FAILED(name=kept.name(), cause=_cause(error))) from error


def _begin(connection: sa.Connection) -> None:
    """One transaction for every step: SQLite's driver would commit what a step did to the tables at once."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _config(connection: sa.Connection, kept: Kept) -> Config:
    config = Config()
    config.set_main_option("script_location", str(kept.migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


class Transaction:
    """``engine.begin()`` whose failures are said in words (a full disk above all)."""

    def __init__(self, engine: sa.Engine, kept: Kept = SESSIONS) -> None:
        self._context = engine.begin()
        self._engine, self._kept = engine, kept

    def __enter__(self) -> sa.Connection:
        try:
            connection = self._context.__enter__()
        except sa.exc.DatabaseError as error:
            raise unusable(error, self._kept) from error
        _threads.open = [*getattr(_threads, "open", ()), (self._engine, connection)]
        return connection

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        _threads.open = _threads.open[:-1]
        try:
            self._context.__exit__(kind, value, trace)
        except sa.exc.DatabaseError as error:
            raise unusable(error, self._kept) from error
        if isinstance(value, sa.exc.DatabaseError) and not isinstance(value, sa.exc.IntegrityError):
            raise unusable(value, self._kept) from value


_threads = threading.local()


def current_transaction(engine: sa.Engine) -> sa.Connection | None:
    """The transaction that this thread has open on a database: a second one would wait for the first for ever."""
    return next((connection for one, connection in reversed(getattr(_threads, "open", [])) if one is engine), None)


def unusable(error: sa.exc.SQLAlchemyError, kept: Kept = SESSIONS) -> FabricError:
    """What is said when an open database fails."""
    return FabricError(kept.unusable(cause=_cause(error)))


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _sqlite_setup(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # in milliseconds; SQLite lets writers that wait overtake each other, so many at once take longer than each alone
    for pragma in ("busy_timeout=20000", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@contextmanager
def _alone(path: Path, kept: Kept) -> Iterator[None]:
    """Hub and service come up together: one at a time makes the file, and turns its write-ahead log on.

    SQLite refuses the second at once there, whatever busy_timeout says. The lock is the directory's: it leaves no file.
    """
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            # made, and never opened when it is there: closing any descriptor of it would drop this process's locks
            # (POSIX), and another process could then take the write-ahead log away from under its connections
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            path.chmod(0o600)
        except BaseException:
            os.close(directory)
            raise
    except OSError as error:
        raise FabricError(
            startup.CANNOT_WRITE_FILE(database=kept.name(), url=str(path), why=error.strerror or "", owner=kept.owner())
        ) from error
    try:
        yield
    finally:
        os.close(directory)
