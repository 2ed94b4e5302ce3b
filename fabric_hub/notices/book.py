"""The outbox: all that somebody is told, in the sessions' database, and how each notice fares on each channel.

A notice is kept once (its key) and stands on its person's page from then on. Whoever sends it says so before the moment
from which on it may have arrived (:meth:`NoticeBook.claim`); one whose fate is not known after that, as after a crash,
is not sent again by itself: what may have arrived arrives at most once, and operators see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from fabric_hub.sessions.database import Transaction
from fabric_hub.sessions.tables import notice_choices, notice_dates, notice_sends, notices
from fabric_hub.types import Frozen

from .model import Channel, Dated, Entry, Kept, Kind, KnownDate, Notice, SendState, digest, retry_after

LISTED_MOST = 200


class Stuck(Frozen):
    """A notice that may not have arrived: what operators see of it. Its words are its person's alone."""

    key: str
    person: str
    kind: Kind
    channel: Channel
    state: SendState
    tries: int
    created_at: float
    trouble: str


# (kind, person, whether they want mail) -> by which channels they are told
Channels = Callable[[Kind, str, bool], tuple[Channel, ...]]


class NoticeBook:
    """Notices on record. It may be used from several threads and processes.

    :param engine: an open database of this release.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> sa.Engine:
        """The database, for what else is kept in it."""
        return self._engine

    # -- telling

    def tell(self, told: Iterable[Notice], channels: Channels, now: float) -> int:
        """Keep notices, each with its sends and what it says of a date, whole or not at all; those that are kept
        already change nothing.

        :returns: how many are new.
        :raises FabricError: the database cannot be used.
        """
        wanted = {notice.key: notice for notice in told}
        if not wanted:
            return 0
        known = self._known({*wanted, *(notice.after for notice in wanted.values() if notice.after)})
        fresh = [one for key, one in wanted.items() if key not in known and (not one.after or one.after in known)]
        count = 0
        for notice in fresh:
            try:
                with Transaction(self._engine) as connection:
                    self._keep(connection, notice, channels, now)
                count += 1
            except sa.exc.IntegrityError:  # another process has kept it meanwhile
                continue
        return count

    def _known(self, keys: Iterable[str]) -> set[str]:
        wanted, found = sorted(keys), set[str]()
        with Transaction(self._engine) as connection:
            for first in range(0, len(wanted), 500):
                query = sa.select(notices.c.key).where(notices.c.key.in_(wanted[first : first + 500]))
                found |= set(connection.execute(query).scalars())
        return found

    def _keep(self, connection: sa.Connection, notice: Notice, channels: Channels, now: float) -> None:
        row = notice.model_dump(include={"kind", "person", "subject"})
        # the insertion first: it holds the database, and fails where the notice is kept already
        connection.execute(sa.insert(notices).values(key=notice.key, text=notice.text, created_at=now, **row))
        if notice.dated is not None:
            entry = self._moved(connection, notice.person, notice.subject, notice.dated, now)
            told = sa.update(notices).where(notices.c.key == notice.key)
            connection.execute(told.values(entry=entry.model_dump() if entry else None))
        chosen = sa.select(notice_choices.c.mail).where(notice_choices.c.user == notice.person)
        wants_mail = connection.execute(chosen).scalar() is not False
        for channel in channels(notice.kind, notice.person, wants_mail):
            fields = {"state": SendState.WAITING.value, "tries": 0, "retry_at": now}
            connection.execute(sa.insert(notice_sends).values(key=notice.key, channel=channel.value, **fields))

    @staticmethod
    def _moved(connection: sa.Connection, person: str, subject: str, dated: Dated, now: float) -> Entry | None:
        """Note what a calendar is told; None: it was never told, and there is nothing to take away."""
        mine = notice_dates.c.person == person, notice_dates.c.subject == subject
        before = connection.execute(sa.select(notice_dates).where(*mine)).mappings().first()
        if before is None and dated.gone:
            return None
        same = before is not None and (before["moment"], before["gone"]) == (dated.moment, dated.gone)
        sequence = 0 if before is None else before["sequence"] + (not same)
        row = {"moment": dated.moment, "gone": dated.gone, "sequence": sequence, "told_at": now}
        if before is None:
            connection.execute(sa.insert(notice_dates).values(person=person, subject=subject, **row))
        else:
            connection.execute(sa.update(notice_dates).where(*mine).values(**row))
        return Entry(uid=digest(person, subject)[:40], sequence=sequence, moment=dated.moment, gone=dated.gone)

    def dates(self) -> tuple[KnownDate, ...]:
        """Every date that stands in somebody's calendar by our word.

        :raises FabricError: the database cannot be used.
        """
        query = sa.select(*(notice_dates.c[name] for name in KnownDate.model_fields)).where(~notice_dates.c.gone)
        with Transaction(self._engine) as connection:
            return tuple(KnownDate.model_validate(dict(row)) for row in connection.execute(query).mappings())

    def of_kind(self, kind: Kind, since: float) -> tuple[Kept, ...]:
        """The notices of a kind that were kept after a moment.

        :raises FabricError: the database cannot be used.
        """
        return self._read(sa.select(notices).where(notices.c.kind == kind.value, notices.c.created_at > since))

    # -- reading

    def of(self, person: str, most: int = LISTED_MOST) -> tuple[Kept, ...]:
        """What a person was told, the newest first.

        :raises FabricError: the database cannot be used.
        """
        mine = sa.select(notices).where(notices.c.person == person)
        return self._read(mine.order_by(notices.c.created_at.desc(), notices.c.key).limit(most))

    def unread(self, person: str) -> int:
        """How much of it they have not read.

        :raises FabricError: the database cannot be used.
        """
        mine = notices.c.person == person, notices.c.read_at.is_(None)
        with Transaction(self._engine) as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(notices).where(*mine)).scalar_one())

    def news(self, person: str, since: float, most: int = 5) -> tuple[Kept, ...]:
        """What they were told since a moment and have not read, the newest first; neither what they asked for
        themselves nor what their session says by itself.

        :raises FabricError: the database cannot be used.
        """
        mine = notices.c.person == person, notices.c.created_at > since, notices.c.read_at.is_(None)
        others = notices.c.kind.not_in([Kind.ASKED.value, Kind.STOP.value])
        query = sa.select(notices).where(*mine, others).order_by(notices.c.created_at.desc(), notices.c.key)
        return self._read(query.limit(most))

    def read(self, person: str, until: float, now: float) -> None:
        """A person has read all that they were told until a moment.

        :raises FabricError: the database cannot be used.
        """
        mine = notices.c.person == person, notices.c.read_at.is_(None), notices.c.created_at <= until
        with Transaction(self._engine) as connection:
            connection.execute(sa.update(notices).where(*mine).values(read_at=now))

    def wants_mail(self, person: str) -> bool:
        """Whether a person has not turned mail off.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            chosen = sa.select(notice_choices.c.mail).where(notice_choices.c.user == person)
            return connection.execute(chosen).scalar() is not False

    def choose_mail(self, person: str, wanted: bool) -> None:
        """Keep whether a person wants mail; without it, what still waits as mail is not sent.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            connection.execute(sa.delete(notice_choices).where(notice_choices.c.user == person))
            connection.execute(sa.insert(notice_choices).values(user=person, mail=wanted))
            if not wanted:
                theirs = sa.select(notices.c.key).where(notices.c.person == person)
                waits = notice_sends.c.channel == Channel.MAIL.value, notice_sends.c.state == SendState.WAITING.value
                connection.execute(sa.delete(notice_sends).where(*waits, notice_sends.c.key.in_(theirs)))

    def _read(self, query: sa.Select[Any]) -> tuple[Kept, ...]:
        with Transaction(self._engine) as connection:
            return tuple(Kept.model_validate(dict(row)) for row in connection.execute(query).mappings())

    # -- sending

    def due(self, channel: Channel, now: float) -> Kept | None:
        """The notice that waits longest of those that a channel is to be told now.

        :raises FabricError: the database cannot be used.
        """
        mine = _sends(channel, SendState.WAITING)
        query = sa.select(notices).join(notice_sends, notice_sends.c.key == notices.c.key)
        query = query.where(*mine, notice_sends.c.retry_at <= now)
        found = self._read(query.order_by(notice_sends.c.retry_at, notices.c.created_at, notices.c.key).limit(1))
        return found[0] if found else None

    def claim(self, key: str, channel: Channel) -> bool:
        """Say that from now on it may have arrived; False: another process has said so, or it is gone.

        :raises FabricError: the database cannot be used; it must not be sent then.
        """
        return self._move(key, channel, (SendState.WAITING,), state=SendState.SENDING.value)

    def sent(self, key: str, channel: Channel, now: float) -> None:
        """It has arrived: where it was sent to has said so.

        :raises FabricError: the database cannot be used.
        """
        self._move(key, channel, (SendState.SENDING,), state=SendState.SENT.value, sent_at=now, trouble=None)

    def failed(self, key: str, channel: Channel, why: str, now: float, *, for_ever: bool = False) -> None:
        """It has certainly not arrived; it is tried again later.

        :param for_ever: no other try would fare better.
        :raises FabricError: the database cannot be used.
        """
        open_ = (SendState.WAITING, SendState.SENDING)
        with Transaction(self._engine) as connection:
            mine = notice_sends.c.key == key, notice_sends.c.channel == channel.value
            tries = connection.execute(sa.select(notice_sends.c.tries).where(*mine)).scalar()
            if tries is None:
                return
            state = SendState.GIVEN_UP if for_ever else SendState.WAITING
            values = {
                "state": state.value,
                "tries": tries + 1,
                "trouble": why,
                "retry_at": now + retry_after(tries + 1),
            }
            known = notice_sends.c.state.in_([one.value for one in open_])
            connection.execute(sa.update(notice_sends).where(*mine, known).values(**values))

    def unsure(self, key: str, channel: Channel, why: str) -> None:
        """Nobody knows whether it has arrived: it is not sent again.

        :raises FabricError: the database cannot be used.
        """
        self._move(key, channel, (SendState.SENDING,), state=SendState.UNSURE.value, trouble=why)

    def take_up(self, channel: Channel) -> int:
        """When the one process that sends begins: what an earlier one was just sending is unsure. How many are.

        :raises FabricError: the database cannot be used.
        """
        values = {"state": SendState.UNSURE.value, "trouble": "the service ended while it was being sent"}
        with Transaction(self._engine) as connection:
            left = sa.update(notice_sends).where(*_sends(channel, SendState.SENDING))
            return int(connection.execute(left.values(**values)).rowcount)

    def give_up(self, before: float) -> int:
        """Try no more what was to be told before a moment and could not be sent; how many these are.

        :raises FabricError: the database cannot be used.
        """
        old = sa.select(notices.c.key).where(notices.c.created_at < before)
        waits = notice_sends.c.state == SendState.WAITING.value, notice_sends.c.key.in_(old)
        with Transaction(self._engine) as connection:
            done = connection.execute(sa.update(notice_sends).where(*waits).values(state=SendState.GIVEN_UP.value))
            return int(done.rowcount)

    def stuck(self, most: int = LISTED_MOST) -> tuple[Stuck, ...]:
        """What may not have arrived, and what has been tried in vain; the newest first.

        :raises FabricError: the database cannot be used.
        """
        bad = notice_sends.c.state.in_([SendState.UNSURE.value, SendState.GIVEN_UP.value])
        tried = sa.and_(notice_sends.c.state == SendState.WAITING.value, notice_sends.c.tries > 0)
        columns = notices.c.key, notices.c.person, notices.c.kind, notices.c.created_at
        of_send = notice_sends.c.channel, notice_sends.c.state, notice_sends.c.tries
        query = sa.select(*columns, *of_send, sa.func.coalesce(notice_sends.c.trouble, "").label("trouble"))
        query = query.join(notice_sends, notice_sends.c.key == notices.c.key).where(sa.or_(bad, tried))
        with Transaction(self._engine) as connection:
            rows = connection.execute(query.order_by(notices.c.created_at.desc()).limit(most)).mappings()
            return tuple(Stuck.model_validate(dict(row)) for row in rows)

    # -- forgetting

    def forget_before(self, at: float) -> int:
        """Remove what was told before a moment, sent or not, and dates that nobody was told of since; how many notices.

        :raises FabricError: the database cannot be used.
        """
        old = sa.select(notices.c.key).where(notices.c.created_at < at)
        with Transaction(self._engine) as connection:
            connection.execute(sa.delete(notice_sends).where(notice_sends.c.key.in_(old)))
            connection.execute(sa.delete(notice_dates).where(notice_dates.c.told_at < at))
            return int(connection.execute(sa.delete(notices).where(notices.c.created_at < at)).rowcount)

    def forget(self, person: str) -> None:
        """Remove what a person was told and has chosen.

        :raises FabricError: the database cannot be used.
        """
        theirs = sa.select(notices.c.key).where(notices.c.person == person)
        with Transaction(self._engine) as connection:
            connection.execute(sa.delete(notice_sends).where(notice_sends.c.key.in_(theirs)))
            connection.execute(sa.delete(notices).where(notices.c.person == person))
            connection.execute(sa.delete(notice_dates).where(notice_dates.c.person == person))
            connection.execute(sa.delete(notice_choices).where(notice_choices.c.user == person))

    def _move(self, key: str, channel: Channel, before: Iterable[SendState], **values: Any) -> bool:
        mine = notice_sends.c.key == key, notice_sends.c.channel == channel.value
        known = notice_sends.c.state.in_([state.value for state in before])
        with Transaction(self._engine) as connection:
            return bool(connection.execute(sa.update(notice_sends).where(*mine, known).values(**values)).rowcount)


def _sends(channel: Channel, state: SendState) -> tuple[sa.ColumnElement[bool], ...]:
    return notice_sends.c.channel == channel.value, notice_sends.c.state == state.value
