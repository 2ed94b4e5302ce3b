"""The databases in which people stand: opened as they are, and without what was deleted once it is.

SQLite only marks what is deleted as free: the bytes stand in the file, and in its write-ahead log, until others are
written there. An erasure therefore ends with a file that is written anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import privacy_commands as texts

BUSY_S = 30.0


@contextmanager
def opened(url: str) -> Iterator[sa.Engine | None]:
    """An engine on a database, whatever release made it; None: there is none.

    :raises FabricError: it cannot be used.
    """
    path = sqlite_file(url)
    if path is not None and not path.exists():
        yield None
        return
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    if path is not None:
        sa.event.listen(engine, "connect", _careful)
    try:
        yield engine
    except sa.exc.SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise FabricError(texts.PART_FAILED(cause=f"{path or sa.make_url(url).database}: {cause}")) from error
    finally:
        engine.dispose()


def sqlite_file(url: str) -> Path | None:
    """The file of a database of SQLite; None: it is a server's."""
    made = sa.make_url(url)
    return Path(made.database or "") if made.get_backend_name() == "sqlite" else None


def _careful(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={int(BUSY_S * 1000)}", "secure_delete=ON", "foreign_keys=OFF"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def compact(engine: sa.Engine) -> None:
    """Write a database anew without what was deleted. A server's own housekeeping does that there.

    :raises FabricError: somebody reads it all the time.
    """
    if engine.dialect.name != "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
        return
    raw: Any = engine.raw_connection()
    try:
        raw.driver_connection.isolation_level = None
        cursor = raw.driver_connection.cursor()
        cursor.execute("VACUUM")
        busy, _log, _done = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise FabricError(texts.STILL_READ(path=str(engine.url.database)))
    finally:
        raw.close()
