"""People as kept: persons by number, and what leads to one. Each change is one short transaction, and on record."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from fabric_hub.catalogue import invitation_rows
from fabric_hub.catalogue import tables as catalogue_tables
from fabric_hub.catalogue.database import CATALOGUE, reading
from fabric_hub.projects.assurance import Vouched
from fabric_hub.projects.identity import Identity, Login
from fabric_hub.projects.naming import key
from fabric_hub.sessions.database import Transaction, current_transaction
from fabric_hub.types import Frozen

from . import login_ends, rows
from .rows import Account, Conflict
from .tables import accounts, hub_names, identities, persons
from .tables import login_ends as ends_table


class KnownIdentity(Frozen):
    """An identity on record, with what its provider claimed at the last login (Unix seconds)."""

    issuer: str
    subject: str
    provider: str
    first_at: float
    last_at: float
    display_name: str | None = None
    mail: str | None = None
    organisation: str | None = None
    assurance: tuple[str, ...] = ()
    acr: str | None = None
    auth_time: float | None = None


class Person(Frozen):
    """A person as an operator sees them; ``names`` are theirs for ever, the newest first."""

    number: int
    created_at: float
    account: Account | None = None
    names: tuple[str, ...] = ()
    identities: tuple[KnownIdentity, ...] = ()


class ConflictError(Exception):
    """A name or an account is another person's."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(str(conflict))
        self.conflict = conflict


class KnownAlreadyError(Exception):
    """Another process has made the identity known meanwhile."""


# Called with the person's number before the change is final: when it fails, nothing was changed.
Record = Callable[[int], object]


class PeopleStore:
    """Read and write people; safe to use from several threads and processes.

    :param engine: of :func:`fabric_hub.catalogue.database.open_catalogue`.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = self._engine = engine
        self._numbers: dict[str, int] = {}  # a name's number never changes

    # -- numbers, for the audit log

    def numbers(self, names: Collection[str]) -> dict[str, int]:
        """The numbers of people by their names; who has none gets one. Within a transaction of this thread it is a
        part of that."""
        found = {name: self._numbers[name] for name in names if name in self._numbers}
        missing = sorted(set(names) - found.keys())
        if not missing:
            return found
        if (inside := current_transaction(self._engine)) is not None:  # which may be undone: nothing is kept of it
            return found | {name: rows.met(inside, name) for name in missing}
        with reading(self._engine) as connection:
            known = {name: number for name in missing if (number := rows.number_of(connection, name)) is not None}
        if len(known) < len(missing):
            with self._changing() as connection:
                known = {name: rows.met(connection, name) for name in missing}
        self._numbers |= known
        return found | known

    def names(self) -> dict[int, str]:
        """The newest name of everybody who has one still, by number."""
        with reading(self._engine) as connection:
            found = connection.execute(sa.select(hub_names).order_by(hub_names.c.at)).mappings().all()
        return {row["person"]: row["name"] for row in found if row["name"] is not None}

    def restored(self, known: Mapping[int, str], highest: int) -> None:
        """After a restore: take in people who were met after the backup, and give no number again.

        :param known: names by number, of newer sources; those that do not fit what the backup has are left out.
        :param highest: the highest number that the audit log has.
        """
        with self._changing() as connection:
            there = set(connection.execute(sa.select(persons.c.number)).scalars())
            for number, name in sorted(known.items()):
                if number not in there and rows.holder(connection, name) is None:
                    rows.new_person(connection, "name", number)
                    rows.put_name(connection, number, name)
                    there.add(number)
            if highest > max(there, default=0):
                rows.new_person(connection, "login", highest)

    # -- reading

    def vouched(self, name: str) -> Vouched:
        """What was said of somebody at their last login by a provider, by their name at the hub."""
        query = (
            sa.select(identities)
            .join(accounts, accounts.c.person == identities.c.person)
            .where(accounts.c.name == name)
            .order_by(identities.c.last_at.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return Vouched()
        assurance = tuple(row["assurance"])
        return Vouched(provider=row["provider"], assurance=assurance, acr=row["acr"], auth_time=row["auth_time"])

    def person_of(self, identity: Identity) -> int | None:
        """Whose an identity is; None: nobody's."""
        with reading(self._engine) as connection:
            return rows.person_of(connection, identity)

    def account_of(self, number: int) -> Account | None:
        """The account of a person; None: they have none."""
        with reading(self._engine) as connection:
            return rows.account_of(connection, number)

    def number_of(self, name: str) -> int | None:
        """Whose name at the hub it is, or was, in just this spelling; None: nobody's."""
        with reading(self._engine) as connection:
            return rows.number_of(connection, name)

    def taken(self) -> frozenset[str]:
        """The keys of all names that were ever given."""
        with reading(self._engine) as connection:
            return frozenset(connection.execute(sa.select(hub_names.c.key)).scalars())

    def conflict(self, name: str, uid: int | None, person: int | None = None) -> Conflict | None:
        """Why a person cannot have a name, or None where they can; ``person`` None is a new one."""
        with reading(self._engine) as connection:
            return rows.conflict(connection, name, uid, person)

    def person(self, number: int) -> Person | None:
        """All that is known of a person."""
        return next(iter(self.people(number)), None)

    def people(self, number: int | None = None) -> tuple[Person, ...]:
        """Everybody by number, or the one of a number."""

        def of(table: sa.Table, column: str = "person") -> list[dict[str, Any]]:
            query = sa.select(table).order_by(*table.primary_key.columns)
            if number is not None:
                query = query.where(table.c[column] == number)
            return [dict(row) for row in connection.execute(query).mappings()]

        with reading(self._engine) as connection:
            found = {row["number"]: row for row in of(persons, "number")}
            has = {row["person"]: row for row in of(accounts)}
            called, known = of(hub_names), of(identities)
        names: dict[int, list[tuple[float, str]]] = {}
        for row in called:
            if row["name"] is not None:
                names.setdefault(row["person"], []).append((row["at"], row["name"]))
        theirs: dict[int, list[KnownIdentity]] = {}
        for row in known:
            one = KnownIdentity.model_validate({name: row[name] for name in KnownIdentity.model_fields})
            theirs.setdefault(row["person"], []).append(one)
        return tuple(
            Person(
                number=one,
                created_at=row["created_at"],
                account=rows.account(has[one]) if one in has else None,
                names=tuple(name for _, name in sorted(names.get(one, ()), reverse=True)),
                identities=tuple(theirs.get(one, ())),
            )
            for one, row in found.items()
        )

    # -- logins

    def seen(self, login: Login) -> int | None:
        """Put down what was claimed at a login of a known identity; its person, or None: it is not known."""
        with self._changing() as connection:
            done = connection.execute(rows.of(sa.update(identities), login.identity).values(**rows.claims(login)))
            return rows.person_of(connection, login.identity) if done.rowcount else None

    def first(self, login: Login, account: Account, record: Record, *, anew: bool = False) -> int:
        """Make person, identity, name and account of a first login; the person's number.

        Who was known by this name alone until now, and by no identity ever, is that person.

        :param anew: it is nobody who was known, as where people choose the name themselves.
        :raises ConflictError: the name or the account is another person's.
        :raises KnownAlreadyError: the identity is known since a moment ago.
        """
        with self._changing() as connection:
            if rows.person_of(connection, login.identity) is not None:
                raise KnownAlreadyError
            known = None if anew else rows.met_by_name(connection, account)
            number = known or rows.new_person(connection, "login")
            connection.execute(sa.update(persons).where(persons.c.number == number).values(known_by="login"))
            self._give(connection, number, account)
            rows.put_identity(connection, number, login)
            record(number)
            return number

    # -- what an operator does, and linking

    def link(self, number: int, login: Login, record: Record, *, move: bool = False) -> int | None:
        """Make an identity a person's; None: it was theirs, or nobody's and now is; else whose it stays.

        :param move: take it from another person, too.
        """
        with self._changing() as connection:
            before = rows.person_of(connection, login.identity)
            if before == number:
                return None
            if before is not None and not move:
                return before
            if before is None:
                rows.put_identity(connection, number, login)
            else:
                connection.execute(rows.of(sa.update(identities), login.identity).values(person=number))
            record(number)
            return None

    def unlink(self, number: int, identity: Identity, record: Record) -> bool:
        """Let an identity be nobody's. False: it is not this person's."""
        with self._changing() as connection:
            gone = connection.execute(rows.of(sa.delete(identities), identity).where(identities.c.person == number))
            if gone.rowcount:
                login_ends.end(connection, number)
                record(number)
            return bool(gone.rowcount)

    def block(self, number: int, why: str, record: Record) -> bool:
        """Block a person, end their logins, and withdraw what they invited to. False: they are blocked for this reason
        already."""
        with self._changing() as connection:
            done = login_ends.end(connection, number, why)
            theirs = sa.select(hub_names.c.name).where(hub_names.c.person == number, hub_names.c.name.is_not(None))
            invitation_rows.withdraw_of(connection, list(connection.execute(theirs).scalars()), time.time())
            if done:
                record(number)
            return done

    def unblock(self, number: int, record: Record) -> bool:
        """Let a person log in again. False: nobody blocked them."""
        with self._changing() as connection:
            done = login_ends.unblock(connection, number)
            if done:
                record(number)
            return done

    def set_account(self, number: int, account: Account, record: Record) -> None:
        """Give a person another name and account; the names that they had stay theirs.

        :raises ConflictError: they are another person's.
        """
        with self._changing() as connection:
            self._give(connection, number, account)
            record(number)

    def forget(self, number: int, record: Record) -> bool:
        """Erase all that leads from a person's number to them. Their names stay nobody else's, as digests. False: there
        was nothing to erase."""
        with self._changing() as connection:
            theirs = sa.select(hub_names).where(hub_names.c.person == number, hub_names.c.name.is_not(None))
            found = connection.execute(theirs).mappings().all()
            for row in found:
                values = {"key": rows.hidden(row["key"]), "shape": rows.hidden(row["shape"]), "name": None}
                connection.execute(sa.update(hub_names).where(hub_names.c.key == row["key"]).values(**values))
            gone = connection.execute(sa.delete(identities).where(identities.c.person == number)).rowcount
            gone += connection.execute(sa.delete(accounts).where(accounts.c.person == number)).rowcount
            connection.execute(sa.delete(ends_table).where(ends_table.c.person == number))
            if not found and not gone:
                return False
            record(number)
            self._numbers = {name: one for name, one in self._numbers.items() if one != number}
            return True

    # -- connections

    @staticmethod
    def _give(connection: sa.Connection, number: int, account: Account) -> None:
        found = rows.conflict(connection, account.name, account.uid, number)
        # who only looks alike may be let through by an operator
        if found and (account.mapped_by != "operator" or found.same is not None or found.uids is not None):
            raise ConflictError(found)
        connection.execute(sa.delete(hub_names).where(hub_names.c.key == key(account.name)))
        rows.put_name(connection, number, account.name)
        connection.execute(sa.delete(accounts).where(accounts.c.person == number))
        connection.execute(sa.insert(accounts).values(person=number, at=time.time(), **account.model_dump()))

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
        with Transaction(self._engine, CATALOGUE) as connection:
            # writers go one at a time, as the catalogue's do; its serial stays: no node is told of people
            connection.execute(sa.update(catalogue_tables.counter).values(serial=catalogue_tables.counter.c.serial))
            yield connection
