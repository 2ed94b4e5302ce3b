"""The sessions' database: opened, brought up to date, and its failures said in words."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from ..errors import FabricError
from ..settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


def database_url(settings: Settings) -> str:
    """Where the sessions are kept: SQLite in the hub's state directory."""
    return f"sqlite:///{settings.hub.state_dir / 'sessions.sqlite'}"


def open_database(url: str) -> sa.Engine:
    """An engine on a database whose tables are of this release; older ones are migrated.

    :param url: an SQLAlchemy URL; for SQLite the file is made readable to its owner only.
    :raises FabricError: it cannot be opened or written, or is of a later release.
    """
    engine = sa.create_engine(url)
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file:
        sa.event.listen(engine, "connect", _sqlite_setup)
    try:
        with _alone(Path(file)) if file else nullcontext(), engine.begin() as connection:
            _migrate(connection)
    except sa.exc.SQLAlchemyError as error:
        raise FabricError(
            f"The sessions database {engine.url.render_as_string()} cannot be opened: {_cause(error)}.",
            reason="database",
            hint="Check that its directory exists, belongs to the hub's user and has free space.",
            status=503,
        ) from error
    except CommandError as error:
        raise FabricError(
            f"The sessions database {engine.url.render_as_string()} is not of this release: {error}.",
            reason="database",
            hint="Start the release that wrote it, or a later one; nothing was changed.",
            status=503,
        ) from error
    return engine


def _migrate(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    latest = ScriptDirectory.from_config(config).get_current_head()
    if MigrationContext.configure(connection).get_current_revision() != latest:
        command.upgrade(config, "head")


class Transaction:
    """``engine.begin()`` whose failures are said in words (a full disk above all)."""

    def __init__(self, engine: sa.Engine) -> None:
        self._context = engine.begin()

    def __enter__(self) -> sa.Connection:
        try:
            return self._context.__enter__()
        except sa.exc.DatabaseError as error:
            raise unusable(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._context.__exit__(kind, value, trace)
        except sa.exc.DatabaseError as error:
            raise unusable(error) from error
        if isinstance(value, sa.exc.DatabaseError) and not isinstance(value, sa.exc.IntegrityError):
            raise unusable(value) from value


def unusable(error: sa.exc.SQLAlchemyError) -> FabricError:
    return FabricError(
        f"The hub's database cannot be used: {_cause(error)}.",
        reason="database",
        hint="Nothing was started or changed. Tell the operator: the disk may be full.",
        status=503,
    )


def _cause(error: sa.exc.SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _sqlite_setup(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hub and service come up together: one at a time makes the file, and turns its write-ahead log on.

    SQLite refuses the second at once there, whatever busy_timeout says. The lock is the directory's: it leaves no file.
    """
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
        except BaseException:
            os.close(directory)
            raise
    except OSError as error:
        raise FabricError(
            f"The sessions database {path} cannot be written: {error.strerror}.",
            reason="database",
            hint="Check that its directory exists, belongs to the hub's user and has free space.",
            status=503,
        ) from error
    try:
        yield
    finally:
        os.close(directory)
