"""Rows of the tables of people, within a transaction of the store's."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import sqlalchemy as sa

from fabric_hub.projects.identity import Identity, Login
from fabric_hub.projects.naming import key, shape
from fabric_hub.types import Frozen

from .tables import accounts, hub_names, identities, persons


class Account(Frozen):
    """The account of a person: their name at the hub, the Unix account, and which mapping found it."""

    name: str
    unix_account: str
    uid: int | None
    mapped_by: str


class Conflict(Frozen):
    """Why a name cannot be had; see :func:`fabric_hub.projects.naming.check_free`."""

    same: int | None = None
    alike: str | None = None
    uids: int | None = None


def new_person(connection: sa.Connection, known_by: str, number: int | None = None) -> int:
    if number is None:  # writers go one at a time, and no person is ever deleted
        number = int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(persons.c.number), 0))).scalar_one()) + 1
    connection.execute(sa.insert(persons).values(number=number, created_at=time.time(), known_by=known_by))
    return number


def hidden(text: str) -> str:
    """A name's key or shape of somebody who is forgotten."""
    return text if text.startswith("#") else "#" + hashlib.sha256(text.encode()).hexdigest()


def number_of(connection: sa.Connection, name: str) -> int | None:
    return connection.execute(sa.select(hub_names.c.person).where(hub_names.c.name == name)).scalar()


def holder(connection: sa.Connection, name: str) -> int | None:
    """Whose name it is, or was, in any spelling."""
    keys = (key(name), hidden(key(name)))
    return connection.execute(sa.select(hub_names.c.person).where(hub_names.c.key.in_(keys))).scalar()


def put_name(connection: sa.Connection, number: int, name: str, as_key: str = "") -> None:
    row = {"key": as_key or key(name), "shape": shape(name), "name": name}
    connection.execute(sa.insert(hub_names).values(**row, person=number, at=time.time()))


def met(connection: sa.Connection, name: str) -> int:
    """The number of somebody who is known by this name, if only from now on."""
    if (known := number_of(connection, name)) is not None:
        return known
    erased = sa.select(hub_names.c.person).where(hub_names.c.key == hidden(key(name)))
    number: int | None = connection.execute(erased).scalar()
    if number is not None:  # they were forgotten, and are back
        connection.execute(sa.delete(hub_names).where(hub_names.c.key == hidden(key(name))))
        put_name(connection, number, name)
        return number
    number = new_person(connection, "name")
    # a site's own authenticator may tell names apart by case; such people have numbers of their own
    put_name(connection, number, name, as_key=f"={name}" if holder(connection, name) is not None else "")
    return number


def met_by_name(connection: sa.Connection, account: Account) -> int | None:
    """The person of a name who was never known by anything else; a pool lends nobody's name."""
    if account.mapped_by == "pool":
        return None
    query = sa.select(persons.c.number).join(hub_names, hub_names.c.person == persons.c.number)
    return connection.execute(query.where(hub_names.c.name == account.name, persons.c.known_by == "name")).scalar()


def of(statement: Any, identity: Identity) -> Any:
    return statement.where(identities.c.issuer == identity.issuer, identities.c.subject == identity.subject)


def person_of(connection: sa.Connection, identity: Identity) -> int | None:
    return connection.execute(of(sa.select(identities.c.person), identity)).scalar()


def account_of(connection: sa.Connection, number: int) -> Account | None:
    row = connection.execute(sa.select(accounts).where(accounts.c.person == number)).mappings().first()
    return account(row) if row else None


def account(row: Any) -> Account:
    return Account.model_validate({name: row[name] for name in Account.model_fields})


def claims(login: Login) -> dict[str, Any]:
    return {
        "provider": login.provider,
        "last_at": time.time(),
        "display_name": login.name,
        "mail": login.mail,
        "organisation": login.organisation,
        "assurance": list(login.assurance),
        "acr": login.acr,
        "auth_time": login.auth_time,
    }


def put_identity(connection: sa.Connection, number: int, login: Login) -> None:
    claimed = claims(login)
    values = {"issuer": login.identity.issuer, "subject": login.identity.subject, "person": number, **claimed}
    connection.execute(sa.insert(identities).values(**values, first_at=claimed["last_at"]))


def conflict(connection: sa.Connection, name: str, uid: int | None, person: int | None) -> Conflict | None:
    others = hub_names.c.person != (person if person is not None else -1)
    keys = (key(name), hidden(key(name)), f"={name}")
    shapes = (shape(name), hidden(shape(name)))
    same = connection.execute(sa.select(hub_names.c.person).where(hub_names.c.key.in_(keys), others)).scalar()
    like = connection.execute(sa.select(hub_names.c.key).where(hub_names.c.shape.in_(shapes), others)).scalar()
    alike = None if like is None else str(like)
    owner: int | None = None
    if uid is not None:
        of_uid = accounts.c.person != (person if person is not None else -1)
        owner = connection.execute(sa.select(accounts.c.person).where(accounts.c.uid == uid, of_uid)).scalar()
    if same is None and alike is None and owner is None:
        return None
    return Conflict(same=same, alike=alike, uids=owner)
