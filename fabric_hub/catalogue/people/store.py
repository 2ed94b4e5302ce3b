"""People as kept: persons by number, and what leads to one. Each change is one short transaction, and on record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from fabric_hub.catalogue import tables as catalogue_tables
from fabric_hub.catalogue.database import CATALOGUE
from fabric_hub.projects.identity import Identity, Login
from fabric_hub.projects.naming import key, shape
from fabric_hub.sessions.database import Transaction, unusable
from fabric_hub.types import Frozen

from .tables import accounts, hub_names, identities, persons


class Account(Frozen):
    """The account of a person: their name at the hub, the Unix account, and which mapping found it."""

    name: str
    unix_account: str
    uid: int | None
    mapped_by: str


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


class Person(Frozen):
    """A person as an operator sees them; ``names`` are theirs for ever, the newest first."""

    number: int
    created_at: float
    account: Account | None = None
    names: tuple[str, ...] = ()
    identities: tuple[KnownIdentity, ...] = ()


class Conflict(Frozen):
    """Why a name cannot be had; see :func:`fabric_hub.projects.naming.check_free`."""

    same: int | None = None
    alike: str | None = None
    uids: int | None = None


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
        self._engine = engine

    # -- reading

    def person_of(self, identity: Identity) -> int | None:
        """Whose an identity is; None: nobody's."""
        with self._reading() as connection:
            return _person_of(connection, identity)

    def account_of(self, number: int) -> Account | None:
        """The account of a person; None: they have none."""
        with self._reading() as connection:
            return _account_of(connection, number)

    def number_of(self, name: str) -> int | None:
        """Whose name at the hub it is, or was, in just this spelling; None: nobody's."""
        with self._reading() as connection:
            return connection.execute(sa.select(hub_names.c.person).where(hub_names.c.name == name)).scalar()

    def taken(self) -> frozenset[str]:
        """The keys of all names that were ever given."""
        with self._reading() as connection:
            return frozenset(connection.execute(sa.select(hub_names.c.key)).scalars())

    def conflict(self, name: str, uid: int | None, person: int | None = None) -> Conflict | None:
        """Why a person cannot have a name, or None where they can; ``person`` None is a new one."""
        with self._reading() as connection:
            return _conflict(connection, name, uid, person)

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

        with self._reading() as connection:
            found = {row["number"]: row for row in of(persons, "number")}
            has = {row["person"]: row for row in of(accounts)}
            called, known = of(hub_names), of(identities)
        names: dict[int, list[tuple[float, str]]] = {}
        for row in called:
            names.setdefault(row["person"], []).append((row["at"], row["name"]))
        theirs: dict[int, list[KnownIdentity]] = {}
        for row in known:
            one = KnownIdentity.model_validate({name: row[name] for name in KnownIdentity.model_fields})
            theirs.setdefault(row["person"], []).append(one)
        return tuple(
            Person(
                number=one,
                created_at=row["created_at"],
                account=_account(has[one]) if one in has else None,
                names=tuple(name for _, name in sorted(names.get(one, ()), reverse=True)),
                identities=tuple(theirs.get(one, ())),
            )
            for one, row in found.items()
        )

    # -- logins

    def seen(self, login: Login) -> int | None:
        """Put down what was claimed at a login of a known identity; its person, or None: it is not known."""
        with self._changing() as connection:
            done = connection.execute(_of(sa.update(identities), login.identity).values(**_claims(login)))
            return _person_of(connection, login.identity) if done.rowcount else None

    def first(self, login: Login, account: Account, record: Record) -> int:
        """Make person, identity, name and account of a first login; the person's number.

        Who was known by this name alone until now, and by no identity ever, is that person.

        :raises ConflictError: the name or the account is another person's.
        :raises KnownAlreadyError: the identity is known since a moment ago.
        """
        with self._changing() as connection:
            if _person_of(connection, login.identity) is not None:
                raise KnownAlreadyError
            number = _met_by_name(connection, account) or _new_person(connection, "login")
            connection.execute(sa.update(persons).where(persons.c.number == number).values(known_by="login"))
            self._give(connection, number, account)
            _put_identity(connection, number, login)
            record(number)
            return number

    # -- what an operator does, and linking

    def link(self, number: int, login: Login, record: Record, *, move: bool = False) -> int | None:
        """Make an identity a person's; None: it was theirs, or nobody's and now is; else whose it stays.

        :param move: take it from another person, too.
        """
        with self._changing() as connection:
            before = _person_of(connection, login.identity)
            if before == number:
                return None
            if before is not None and not move:
                return before
            if before is None:
                _put_identity(connection, number, login)
            else:
                connection.execute(_of(sa.update(identities), login.identity).values(person=number))
            record(number)
            return None

    def unlink(self, number: int, identity: Identity, record: Record) -> bool:
        """Let an identity be nobody's. False: it is not this person's."""
        with self._changing() as connection:
            gone = connection.execute(_of(sa.delete(identities), identity).where(identities.c.person == number))
            if gone.rowcount:
                record(number)
            return bool(gone.rowcount)

    def set_account(self, number: int, account: Account, record: Record) -> None:
        """Give a person another name and account; the names that they had stay theirs.

        :raises ConflictError: they are another person's.
        """
        with self._changing() as connection:
            self._give(connection, number, account)
            record(number)

    # -- connections

    @staticmethod
    def _give(connection: sa.Connection, number: int, account: Account) -> None:
        found = _conflict(connection, account.name, account.uid, number)
        # who only looks alike may be let through by an operator
        if found and (account.mapped_by != "operator" or found.same is not None or found.uids is not None):
            raise ConflictError(found)
        now = time.time()
        connection.execute(sa.delete(hub_names).where(hub_names.c.key == key(account.name)))
        row = {"key": key(account.name), "shape": shape(account.name), "name": account.name}
        connection.execute(sa.insert(hub_names).values(**row, person=number, at=now))
        connection.execute(sa.delete(accounts).where(accounts.c.person == number))
        connection.execute(sa.insert(accounts).values(person=number, at=now, **account.model_dump()))

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.DatabaseError as error:
            raise unusable(error, CATALOGUE) from error

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
        with Transaction(self._engine, CATALOGUE) as connection:
            # writers go one at a time, as the catalogue's do; its serial stays: no node is told of people
            connection.execute(sa.update(catalogue_tables.counter).values(serial=catalogue_tables.counter.c.serial))
            yield connection


def _new_person(connection: sa.Connection, known_by: str) -> int:
    values = {"created_at": time.time(), "known_by": known_by}
    made = connection.execute(sa.insert(persons).values(**values)).inserted_primary_key
    assert made is not None
    return int(made[0])


def _met_by_name(connection: sa.Connection, account: Account) -> int | None:
    """The person of a name who was never known by anything else; a pool lends nobody's name."""
    if account.mapped_by == "pool":
        return None
    query = sa.select(persons.c.number).join(hub_names, hub_names.c.person == persons.c.number)
    return connection.execute(query.where(hub_names.c.name == account.name, persons.c.known_by == "name")).scalar()


def _of(statement: Any, identity: Identity) -> Any:
    return statement.where(identities.c.issuer == identity.issuer, identities.c.subject == identity.subject)


def _person_of(connection: sa.Connection, identity: Identity) -> int | None:
    return connection.execute(_of(sa.select(identities.c.person), identity)).scalar()


def _account_of(connection: sa.Connection, number: int) -> Account | None:
    row = connection.execute(sa.select(accounts).where(accounts.c.person == number)).mappings().first()
    return _account(row) if row else None


def _account(row: Any) -> Account:
    return Account.model_validate({name: row[name] for name in Account.model_fields})


def _claims(login: Login) -> dict[str, Any]:
    return {
        "provider": login.provider,
        "last_at": time.time(),
        "display_name": login.name,
        "mail": login.mail,
        "organisation": login.organisation,
        "assurance": list(login.assurance),
        "acr": login.acr,
    }


def _put_identity(connection: sa.Connection, number: int, login: Login) -> None:
    claims = _claims(login)
    values = {"issuer": login.identity.issuer, "subject": login.identity.subject, "person": number, **claims}
    connection.execute(sa.insert(identities).values(**values, first_at=claims["last_at"]))


def _conflict(connection: sa.Connection, name: str, uid: int | None, person: int | None) -> Conflict | None:
    others = hub_names.c.person != (person if person is not None else -1)
    same = connection.execute(sa.select(hub_names.c.person).where(hub_names.c.key == key(name), others)).scalar()
    alike = connection.execute(sa.select(hub_names.c.name).where(hub_names.c.shape == shape(name), others)).scalar()
    owner: int | None = None
    if uid is not None:
        of_uid = accounts.c.person != (person if person is not None else -1)
        owner = connection.execute(sa.select(accounts.c.person).where(accounts.c.uid == uid, of_uid)).scalar()
    if same is None and alike is None and owner is None:
        return None
    return Conflict(same=same, alike=alike, uids=owner)
