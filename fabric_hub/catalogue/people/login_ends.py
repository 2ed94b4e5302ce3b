"""Whose logins end, and who is blocked: rows beside people, and what hub, gateway and nodes are told of them."""

from __future__ import annotations

import time

import sqlalchemy as sa

from fabric_hub.catalogue.tables import counter
from fabric_hub.projects.document import LoginEnd

from .tables import hub_names, login_ends


def end(connection: sa.Connection, person: int, why: str | None = None) -> bool:
    """End what a person has logged in with until now.

    :param why: an operator's reason to block them; None: they are not blocked by this, nor is a block lifted.
    :returns: whether it was news: a person who is blocked for this reason already is left as they are.
    """
    known = connection.execute(sa.select(login_ends.c.why).where(login_ends.c.person == person)).first()
    if known is not None and why is not None and known.why == why:
        return False
    kept = why if why is not None or known is None else known.why
    connection.execute(sa.delete(login_ends).where(login_ends.c.person == person))
    row = {"person": person, "at": time.time(), "why": kept, "serial": _raised(connection)}
    connection.execute(sa.insert(login_ends).values(**row))
    return True


def unblock(connection: sa.Connection, person: int) -> bool:
    """Let a person log in again; what ended stays so. False: nobody blocked them."""
    blocked = login_ends.c.person == person, login_ends.c.why.is_not(None)
    if connection.execute(sa.select(login_ends.c.person).where(*blocked)).first() is None:
        return False
    connection.execute(sa.update(login_ends).where(*blocked).values(why=None, serial=_raised(connection)))
    return True


def serial(connection: sa.Connection) -> int:
    """The catalogue's serial at the last change of any of them."""
    return int(connection.execute(sa.select(sa.func.max(login_ends.c.serial))).scalar() or 0)


def published(connection: sa.Connection) -> dict[str, LoginEnd]:
    """All of them by the people's names at the hub: those that they have and those that they had."""
    asked = sa.select(hub_names.c.name, login_ends.c.at, login_ends.c.why).join(
        login_ends, login_ends.c.person == hub_names.c.person
    )
    rows = connection.execute(asked.where(hub_names.c.name.is_not(None)).order_by(hub_names.c.name))
    return {row.name: LoginEnd(at=row.at, blocked=row.why or "") for row in rows}


def _raised(connection: sa.Connection) -> int:
    connection.execute(sa.update(counter).values(serial=counter.c.serial + 1))
    return int(connection.execute(sa.select(counter.c.serial)).scalar_one())
