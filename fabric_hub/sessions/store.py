"""The record of every session, kept before its job is submitted.

One row per session in the hub's own database. Hub and service both use it;
each call is one short transaction. A row without ``ended_at`` is a live session:
there is at most one per user and server name, and the database holds that.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import sessions as texts
from fabric_hub.slurm.records import RecordMark
from fabric_hub.types import Frozen

from . import pairs, succession
from .database import Transaction, open_database, unusable
from .record import MarkedTransaction, lines_of
from .steps import StepsReached
from .tables import sessions, successors

_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class Session(Frozen):
    """One session. Times are Unix seconds, ``hours`` is the time asked for.

    ``token`` is the server's API token, kept only until the server is up, so that
    a hub that died meanwhile can adopt the job that already holds it; ``token_digest`` stays (:func:`token_digest`).
    ``token_hash`` is by what JupyterHub knows it again. ``follows`` is
    the session that this one continues, and ``reopen`` the files to open again, relative
    to where its server begins; ``returned_gpu_hours`` is what an idle one had left when it was stopped. ``adopted_at``
    is set when it was put on record while its job ran already. ``ends_when_followed``: it ends as soon as the session
    that continues it is ready. ``removed_at`` is set when its person took it off their list. ``paired_with`` is the
    session that may start in its place or may have, and ``began_at`` when its script spoke (:mod:`.pairs`);
    ``end_steps`` says how far its start came, if that failed.
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
    ended_at: float | None = None
    end_reason: str | None = None
    end_text: Text | None = None
    end_log: tuple[str, ...] | None = None
    follows: str | None = None
    reopen: tuple[str, ...] | None = None
    returned_gpu_hours: float | None = None
    token_digest: str | None = None
    token_hash: str | None = None
    adopted_at: float | None = None
    ends_when_followed: bool | None = None
    removed_at: float | None = None
    paired_with: str | None = None
    began_at: float | None = None
    end_steps: StepsReached | None = None

    @property
    def live(self) -> bool:
        return self.ended_at is None

    @property
    def pair(self) -> str | None:
        """The session that may still start in its place; None: none."""
        return self.paired_with if self.live and self.began_at is None else None


def new_session_id() -> str:
    """A random session id: 12 characters of base32, 60 bits."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))


def token_digest(token: str) -> str:
    """By what a token is known without being kept: SHA-256, in hexadecimal; tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def end_ticket(digest: str) -> str:
    """What lets somebody read how a session ended: from its token's digest, and no way back to that.

    The session's server makes the same of its token: ``fabric_lab.access.end_ticket``.
    """
    return hashlib.sha256(f"fabric-end:{digest}".encode()).hexdigest()


# asked with every call of every session: compiled once
_LIVE = sa.select(sessions).where(sessions.c.ended_at.is_(None))
_OF_SERVER = _LIVE.where(sessions.c.user == sa.bindparam("user"), sessions.c.server_name == sa.bindparam("server"))
_OF_TOKEN = _LIVE.where(sessions.c.token_digest == sa.bindparam("digest"))


class SessionStore:
    """Read and write sessions.

    :param url: an SQLAlchemy URL; for SQLite the file is made readable to its owner only.
    :raises FabricError: the database cannot be opened or written (its path, and why).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = open_database(url)
        self._has_line = False

    @property
    def engine(self) -> sa.Engine:
        """The database, for what else is kept in it."""
        return self._engine

    def close(self) -> None:
        self._engine.dispose()

    def create(self, *, most: int | None = None, alternative_to: str | None = None, **fields: Any) -> Session:
        """Store a new live session; returns it. A second live one of the same server is refused. One that was prepared
        to continue another session says so from now on.

        :param most: so many live sessions a user may have, this one among them; two of a pair are one.
        :param alternative_to: the session that it may start in place of; both are linked from now on.
        :raises FabricError: reason ``busy``, or ``too-many-sessions``, or it can be no alternative.
        """
        fields = {"id": new_session_id(), "created_at": time.time(), "datasets": [], **fields}
        fields["datasets"] = list(fields["datasets"])
        if fields.get("token"):
            fields["token_digest"] = token_digest(fields["token"])
        try:
            with self._write() as connection:
                prepared = sa.delete(successors).where(
                    successors.c.user == fields["user"], successors.c.server_name == fields["server_name"]
                )
                waiting = connection.execute(prepared.returning(successors.c.predecessor, successors.c.reopen)).first()
                # the deletion above holds the database: of many starts at one moment each counts those before it
                others = pairs.counted(pairs.live_rows(connection, fields["user"]), {alternative_to})
                pairs.refuse_too_many(others, most)
                if waiting:
                    fields |= {"follows": waiting.predecessor, "reopen": waiting.reopen}
                if alternative_to:
                    pairs.link(connection, alternative_to, fields["id"])
                    fields["paired_with"] = alternative_to
                connection.execute(sa.insert(sessions).values(**fields))
        except sa.exc.IntegrityError as error:
            raise FabricError(texts.BEING_STARTED()) from error
        session = self.get(fields["id"])
        assert session is not None
        return session

    def update(self, session_id: str, **fields: Any) -> None:
        """Set fields of one session."""
        with self._write() as connection:
            connection.execute(sa.update(sessions).where(sessions.c.id == session_id).values(**fields))

    def change_datasets(self, session_id: str, *, add: str | None = None, drop: str | None = None) -> tuple[str, ...]:
        """Add a dataset to, or take one off, a session's record; returns what is on it then."""
        mine = sessions.c.id == session_id
        with self._write() as connection:
            # writing first holds the row: of two that change it at the same moment none is lost
            connection.execute(sa.update(sessions).where(mine).values(datasets=sessions.c.datasets))
            before = connection.execute(sa.select(sessions.c.datasets).where(mine)).scalar_one()
            kept = [name for name in before if name != drop]
            if add is not None and add not in kept:
                kept.append(add)
            connection.execute(sa.update(sessions).where(mine).values(datasets=kept))
        return tuple(kept)

    def announce(self, session_id: str, port: int, phases: dict[str, float]) -> bool:
        """Record the port of a live session that has not announced one; False when there is none.

        The first announcement counts; the same port again is accepted (a lost answer), another is not. It has begun.
        """
        with self._write() as connection:
            pairs.begin(connection, session_id)
            done = connection.execute(
                sa.update(sessions)
                .where(
                    sessions.c.id == session_id,
                    sessions.c.ended_at.is_(None),
                    sa.or_(sessions.c.port.is_(None), sessions.c.port == port),
                )
                .values(port=port, phases=phases, announced_at=sa.func.coalesce(sessions.c.announced_at, time.time()))
            )
        return bool(done.rowcount == 1)

    def begin(self, session_id: str) -> bool:
        """A session's script says that it begins: whether it goes on. Of a pair the first does, and ends the other."""
        with self._write() as connection:
            return pairs.begin(connection, session_id).goes_on

    def end(
        self, session_id: str, *, reason: str, text: Text, log: Iterable[str] = (), returned: float | None = None,
        steps: StepsReached | None = None,
    ) -> None:  # fmt: skip
        """Record that a session is over, and why. The first end counts. Of a pair the other one waits on alone.

        :param returned: GPU-hours that it gives back, when it was stopped for being idle.
        :param steps: how far its start came, if that failed.
        """
        told = {"end_reason": reason, "end_text": text, "end_log": list(log), "returned_gpu_hours": returned}
        told |= {"end_steps": steps.model_dump()} if steps else {}
        mine = sessions.c.id == session_id, sessions.c.ended_at.is_(None)
        with self._write() as connection:
            pairs.unlink(connection, session_id)
            connection.execute(sa.update(sessions).where(*mine).values(ended_at=time.time(), token=None, **told))

    def prepare_successor(self, session: Session, server_name: str, reopen: Iterable[str]) -> None:
        """Say that the next start of a user's server continues a session: see :mod:`.succession`."""
        with self._begin() as connection:
            succession.prepare(connection, session.id, session.user, server_name, reopen, time.time())

    def forget_successor(self, session_id: str) -> None:
        """Take back what :meth:`prepare_successor` said, if no start has taken it."""
        with self._begin() as connection:
            succession.forget(connection, session_id)

    def successor(self, session_id: str) -> Session | None:
        """The live session that continues another one."""
        return self._one(sessions.c.follows == session_id, sessions.c.ended_at.is_(None))

    def followed(self, before: float) -> list[tuple[Session, Session]]:
        """The live sessions that are to end, each with the one that continues it: ready before that moment (Unix s)."""
        later = sessions.alias()
        query = sa.select(later.c.id).join(sessions, later.c.follows == sessions.c.id)
        due = (sessions.c.ended_at.is_(None), sessions.c.ends_when_followed.is_(True))
        ready = (later.c.ended_at.is_(None), later.c.ready_at < before)
        found = self._many(sa.select(sessions).where(sessions.c.id.in_(query.where(*due, *ready))))
        earlier = self.known([one.follows for one in found if one.follows is not None])
        return [(earlier[one.follows], one) for one in found if one.follows in earlier]

    def returned(self) -> dict[str, tuple[int, float]]:
        """By project, how many idle sessions were stopped, and the GPU-hours that they returned."""
        hours = sessions.c.returned_gpu_hours
        query = sa.select(sessions.c.project, sa.func.count(), sa.func.sum(hours)).where(hours.is_not(None))
        with self._begin() as connection:
            return {row[0]: (row[1], row[2]) for row in connection.execute(query.group_by(sessions.c.project))}

    def get(self, session_id: str) -> Session | None:
        return self._one(sessions.c.id == session_id)

    def live(self, user: str, server_name: str) -> Session | None:
        """The live session of a user's server, if any."""
        found = self._many(_OF_SERVER, {"user": user, "server": server_name})
        return found[0] if found else None

    def holder(self, digest: str) -> Session | None:
        """The live session whose own token has this digest."""
        found = self._many(_OF_TOKEN, {"digest": digest})
        return found[0] if found else None

    def live_names(self, user: str) -> list[str]:
        """The names of a user's servers that have a live session."""
        with self._begin() as connection:
            return [row.server_name for row in pairs.live_rows(connection, user)]

    def counted_names(self, user: str, *beside: str) -> list[str]:
        """The names of a user's servers as limits count them, without these sessions."""
        with self._begin() as connection:
            return pairs.counted(pairs.live_rows(connection, user), beside)

    def live_of(self, user: str) -> dict[str, Session]:
        """A user's live sessions, by the name of their server."""
        return {session.server_name: session for session in self._many(_LIVE.where(sessions.c.user == user))}

    def live_all(self) -> list[Session]:
        return self._many(_LIVE)

    def adopted(self) -> list[Session]:
        """The live sessions that were put on record while their job ran already."""
        return self._many(_LIVE.where(sessions.c.adopted_at.is_not(None)))

    def ended_since(self, at: float) -> list[Session]:
        """The sessions that ended after a moment, in Unix seconds, the first one first."""
        return self._many(sa.select(sessions).where(sessions.c.ended_at > at).order_by(sessions.c.ended_at))

    def last_ended(self, user: str, server_name: str) -> Session | None:
        """The session of a user's server that ended last."""
        found = self._many(
            sa.select(sessions)
            .where(sessions.c.user == user, sessions.c.server_name == server_name, sessions.c.ended_at.is_not(None))
            .order_by(sessions.c.ended_at.desc())
            .limit(1)
        )
        return found[0] if found else None

    def recent(self, user: str, since: float, most: int) -> list[Session]:
        """A user's sessions that ended after a moment (Unix seconds) and are still on their list, the last first."""
        columns = sessions.c
        mine = columns.user == user, columns.ended_at > since, columns.removed_at.is_(None)
        return self._many(sa.select(sessions).where(*mine).order_by(columns.ended_at.desc()).limit(most))

    def remove(self, user: str, session_id: str) -> Session | None:
        """Take a user's ended session off their list; returns it, or None: they have no such ended session."""
        mine = sessions.c.id == session_id, sessions.c.user == user, sessions.c.ended_at.is_not(None)
        with self._begin() as connection:
            removed = sa.func.coalesce(sessions.c.removed_at, time.time())
            done = connection.execute(sa.update(sessions).where(*mine).values(removed_at=removed))
        return self.get(session_id) if done.rowcount else None

    def had_any(self, user: str) -> bool:
        """Whether a user ever had a session."""
        with self._begin() as connection:
            mine = sa.select(sessions.c.id).where(sessions.c.user == user).limit(1)
            return connection.execute(mine).first() is not None

    def newest(self) -> float | None:
        """When anything was last written, in Unix seconds; None in an empty record."""
        columns = (sessions.c.created_at, sessions.c.announced_at, sessions.c.ready_at, sessions.c.ended_at)
        with self._begin() as connection:
            times = connection.execute(sa.select(*(sa.func.max(column) for column in columns))).one()
        return max((at for at in times if at is not None), default=None)

    def ran_between(self, start: float, end: float, accounts: Iterable[str]) -> set[int]:
        """The jobs of sessions of these accounts that were up at some time between two moments (Unix seconds)."""
        columns = sessions.c
        up = (columns.kind == "slurm", columns.job_id.is_not(None), columns.account.in_(list(accounts)))
        over = sa.or_(columns.ended_at.is_(None), columns.ended_at > start)
        query = sa.select(columns.job_id).where(*up, columns.announced_at < end, over)
        with self._begin() as connection:
            return set(connection.execute(query).scalars())

    def known(self, session_ids: Iterable[str]) -> dict[str, Session]:
        """The sessions among these ids that this hub has on record."""
        wanted = list(session_ids)
        if not wanted:
            return {}
        return {row.id: row for row in self._many(sa.select(sessions).where(sessions.c.id.in_(wanted)))}

    def _one(self, *where: Any) -> Session | None:
        found = self._many(sa.select(sessions).where(*where))
        return found[0] if found else None

    def _many(self, query: Any, values: dict[str, Any] | None = None) -> list[Session]:
        try:
            with self._engine.connect() as connection:
                return [Session.model_validate(dict(row)) for row in connection.execute(query, values).mappings()]
        except sa.exc.DatabaseError as error:
            raise unusable(error) from error

    def lines(self) -> tuple[RecordMark, ...]:
        """How far this record is: the mark of its own line, then those at which the lines before it ended."""
        with self._begin() as connection:
            return lines_of(connection)

    def mark(self) -> RecordMark:
        """How far this record is."""
        with self._begin() as connection:
            return lines_of(connection, most=1)[0]

    def adopt(self, fields: Mapping[str, Any]) -> Session:
        """Put a session on record whose job runs already.

        :raises FabricError: (409) it is on record, or its owner has another live one of that name.
        """
        told = {**fields, "datasets": list(fields["datasets"]), "adopted_at": time.time()}
        try:
            with self._write() as connection:
                connection.execute(sa.insert(sessions).values(**told))
        except sa.exc.IntegrityError as error:
            name = fields["server_name"] or texts.DEFAULT_NAME()
            raise FabricError(texts.NAME_TAKEN(user=fields["user"], name=name)) from error
        session = self.get(fields["id"])
        assert session is not None
        return session

    def _begin(self) -> Transaction:
        return Transaction(self._engine)

    def _write(self) -> Transaction:
        """A transaction that is counted, in a line of this store's own: see :mod:`fabric_hub.slurm.records`."""

        def committed() -> None:
            self._has_line = True

        return MarkedTransaction(self._engine, begins=not self._has_line, committed=committed)
