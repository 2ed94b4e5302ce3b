"""The record of every session, kept before its job is submitted.

One row per session in the hub's own database. Hub and service both use it;
each call is one short transaction. A row without ``ended_at`` is a live session:
there is at most one per user and server name, and the database holds that.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from ..errors import FabricError
from ..model import Frozen
from ..settings import Settings

_metadata = sa.MetaData()

_sessions = sa.Table(
    "sessions",
    _metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("server_name", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("project", sa.String(40), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("profile", sa.String(40), nullable=False),
    sa.Column("image", sa.String(40), nullable=False),
    sa.Column("hours", sa.Float, nullable=False),
    sa.Column("datasets", sa.JSON, nullable=False),
    sa.Column("gpus", sa.Integer, nullable=False, default=0),
    sa.Column("token", sa.String(64)),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("submitted_at", sa.Float),
    sa.Column("job_id", sa.BigInteger),
    sa.Column("port", sa.Integer),
    sa.Column("announced_at", sa.Float),
    sa.Column("phases", sa.JSON),
    sa.Column("node", sa.String(255)),
    sa.Column("ready_at", sa.Float),
    sa.Column("start_seconds", sa.JSON),
    sa.Column("stop_at", sa.Float),
    sa.Column("ended_at", sa.Float),
    sa.Column("end_reason", sa.String(40)),
    sa.Column("end_text", sa.Text),
    sa.Column("end_log", sa.JSON),
)
sa.Index(
    "one_live_session_per_server",
    _sessions.c.user,
    _sessions.c.server_name,
    unique=True,
    sqlite_where=_sessions.c.ended_at.is_(None),
    postgresql_where=_sessions.c.ended_at.is_(None),
)
sa.Index("sessions_by_end", _sessions.c.ended_at)

_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class Session(Frozen):
    """One session. Times are Unix seconds, ``hours`` is the time asked for.

    ``token`` is the server's API token, kept only until the server is up, so that
    a hub that died meanwhile can adopt the job that already holds it.
    """

    id: str
    user: str
    server_name: str
    kind: str
    project: str
    account: str
    profile: str
    image: str
    hours: float
    datasets: tuple[str, ...] = ()
    gpus: int = 0
    token: str | None = None
    created_at: float
    submitted_at: float | None = None
    job_id: int | None = None
    port: int | None = None
    announced_at: float | None = None
    phases: dict[str, float] | None = None
    node: str | None = None
    ready_at: float | None = None
    start_seconds: dict[str, float] | None = None
    stop_at: float | None = None
    ended_at: float | None = None
    end_reason: str | None = None
    end_text: str | None = None
    end_log: tuple[str, ...] | None = None

    @property
    def live(self) -> bool:
        return self.ended_at is None


def database_url(settings: Settings) -> str:
    """Where the sessions are kept: SQLite in the hub's state directory."""
    return f"sqlite:///{settings.hub.state_dir / 'sessions.sqlite'}"


def new_session_id() -> str:
    """A random session id: 12 characters of base32, 60 bits."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))


class SessionStore:
    """Read and write sessions.

    :param url: an SQLAlchemy URL; for SQLite the file is made readable to its owner only.
    :raises FabricError: the database cannot be opened or written (its path, and why).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = sa.create_engine(url)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _sqlite_setup)
        file = self._engine.url.database if self._engine.dialect.name == "sqlite" else None
        try:
            with _alone(Path(file)) if file else nullcontext(), self._engine.begin() as connection:
                connection.execute(sa.schema.CreateTable(_sessions, if_not_exists=True))
                for index in sorted(_sessions.indexes, key=lambda index: str(index.name)):
                    connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
        except sa.exc.SQLAlchemyError as error:
            raise FabricError(
                f"The sessions database {self._engine.url.render_as_string()} cannot be opened: {_cause(error)}.",
                reason="database",
                hint="Check that its directory exists, belongs to the hub's user and has free space.",
                status=503,
            ) from error

    def close(self) -> None:
        self._engine.dispose()

    def create(self, **fields: Any) -> Session:
        """Store a new live session; returns it. A second live one of the same server is refused.

        :raises FabricError: reason ``busy``.
        """
        fields = {"id": new_session_id(), "created_at": time.time(), "datasets": [], **fields}
        fields["datasets"] = list(fields["datasets"])
        try:
            with self._begin() as connection:
                connection.execute(sa.insert(_sessions).values(**fields))
        except sa.exc.IntegrityError as error:
            raise FabricError(
                "This session is already being started.",
                reason="busy",
                hint="Wait for it, or stop it first.",
                status=409,
            ) from error
        session = self.get(fields["id"])
        assert session is not None
        return session

    def update(self, session_id: str, **fields: Any) -> None:
        """Set fields of one session."""
        with self._begin() as connection:
            connection.execute(sa.update(_sessions).where(_sessions.c.id == session_id).values(**fields))

    def announce(self, session_id: str, port: int, phases: dict[str, float]) -> bool:
        """Record the port of a live session that has not announced one; False when there is none.

        The first announcement counts; the same port again is accepted (a lost answer), another is not.
        """
        with self._begin() as connection:
            done = connection.execute(
                sa.update(_sessions)
                .where(
                    _sessions.c.id == session_id,
                    _sessions.c.ended_at.is_(None),
                    sa.or_(_sessions.c.port.is_(None), _sessions.c.port == port),
                )
                .values(port=port, phases=phases, announced_at=sa.func.coalesce(_sessions.c.announced_at, time.time()))
            )
        return bool(done.rowcount == 1)

    def end(self, session_id: str, *, reason: str, text: str, log: Iterable[str] = ()) -> None:
        """Record that a session is over, and why. The first end counts."""
        with self._begin() as connection:
            connection.execute(
                sa.update(_sessions)
                .where(_sessions.c.id == session_id, _sessions.c.ended_at.is_(None))
                .values(ended_at=time.time(), end_reason=reason, end_text=text, end_log=list(log), token=None)
            )

    def get(self, session_id: str) -> Session | None:
        return self._one(_sessions.c.id == session_id)

    def live(self, user: str, server_name: str) -> Session | None:
        """The live session of a user's server, if any."""
        return self._one(
            _sessions.c.user == user, _sessions.c.server_name == server_name, _sessions.c.ended_at.is_(None)
        )

    def live_all(self) -> list[Session]:
        return self._many(sa.select(_sessions).where(_sessions.c.ended_at.is_(None)))

    def last_ended(self, user: str, server_name: str) -> Session | None:
        """The session of a user's server that ended last."""
        found = self._many(
            sa.select(_sessions)
            .where(_sessions.c.user == user, _sessions.c.server_name == server_name, _sessions.c.ended_at.is_not(None))
            .order_by(_sessions.c.ended_at.desc())
            .limit(1)
        )
        return found[0] if found else None

    def newest(self) -> float | None:
        """When anything was last written, in Unix seconds; None in an empty record."""
        columns = (_sessions.c.created_at, _sessions.c.announced_at, _sessions.c.ready_at, _sessions.c.ended_at)
        with self._begin() as connection:
            times = connection.execute(sa.select(*(sa.func.max(column) for column in columns))).one()
        return max((at for at in times if at is not None), default=None)

    def known(self, session_ids: Iterable[str]) -> dict[str, Session]:
        """The sessions among these ids that this hub has on record."""
        wanted = list(session_ids)
        if not wanted:
            return {}
        return {row.id: row for row in self._many(sa.select(_sessions).where(_sessions.c.id.in_(wanted)))}

    def _one(self, *where: Any) -> Session | None:
        found = self._many(sa.select(_sessions).where(*where))
        return found[0] if found else None

    def _many(self, query: Any) -> list[Session]:
        try:
            with self._engine.connect() as connection:
                return [Session.model_validate(dict(row)) for row in connection.execute(query).mappings()]
        except sa.exc.DatabaseError as error:
            raise _unusable(error) from error

    def _begin(self) -> _Transaction:
        return _Transaction(self._engine)


class _Transaction:
    """``engine.begin()`` whose failures are said in words (a full disk above all)."""

    def __init__(self, engine: sa.Engine) -> None:
        self._context = engine.begin()

    def __enter__(self) -> sa.Connection:
        try:
            return self._context.__enter__()
        except sa.exc.DatabaseError as error:
            raise _unusable(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._context.__exit__(kind, value, trace)
        except sa.exc.DatabaseError as error:
            raise _unusable(error) from error
        if isinstance(value, sa.exc.DatabaseError) and not isinstance(value, sa.exc.IntegrityError):
            raise _unusable(value) from value


def _unusable(error: sa.exc.SQLAlchemyError) -> FabricError:
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
