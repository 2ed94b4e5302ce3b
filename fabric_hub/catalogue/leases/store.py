"""The accounts that are lent, a row each; every change is one transaction that raises the catalogue's serial first.

So writers go one at a time: what stands in a row when a change reads it stands there until the change is final, and
two leases never get one account.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import sqlalchemy as sa

from fabric_hub.catalogue.database import CATALOGUE, reading
from fabric_hub.catalogue.people.tables import accounts as people_accounts
from fabric_hub.catalogue.tables import counter, leased_accounts, projects
from fabric_hub.config.catalogue import Purpose
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Reason, Text
from fabric_hub.messages.texts import leased_accounts as texts
from fabric_hub.projects.naming import UnixEntry
from fabric_hub.sessions.database import Transaction
from fabric_hub.types import Frozen

from .policy import LeaseRequest
from .progress import NODE_STEPS, Cleaning, Next, State, Step

Record = Callable[["Leased"], object]
table = leased_accounts


class Leased(Frozen):
    """An account that was lent once. ``lent_at`` and ``since`` (when its state began) are Unix seconds."""

    account: str
    uid: int
    purpose: Purpose
    project: str | None = None
    person: str | None = None
    lent_at: float | None = None
    until: date | None = None
    state: State
    step: Step = "close"
    round: int = 0
    since: float
    why: Text = NOTHING

    @property
    def cleaning(self) -> Cleaning:
        return Cleaning(self.step, self.round, self.since)


class LeaseStore:
    """Read and change what is lent; safe to use from several threads.

    :param engine: of :func:`fabric_hub.catalogue.database.open_catalogue`.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def all(self) -> tuple[Leased, ...]:
        """Every account that was lent once, by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.account)).mappings()
            return tuple(_leased(row) for row in rows)

    def taken(self) -> tuple[dict[str, str], dict[int, str]]:
        """Hub users by the account, and by the uid, that they were given at their first login."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(people_accounts)).mappings().all()
        return {row["unix_account"]: row["name"] for row in rows}, {
            row["uid"]: row["name"] for row in rows if row["uid"] is not None
        }

    def lease(
        self, request: LeaseRequest, pool: Mapping[str, UnixEntry | Text], record: Record, now: float | None = None
    ) -> Leased:
        """Lend a free account.

        :param pool: the accounts for this purpose, or why one may not be lent.
        :param record: is given what is lent, before that is final.
        :raises FabricError: none is free; the project has a service account already.
        """
        now = time.time() if now is None else now
        with self._changing() as (connection, serial):
            known = {row["account"]: _leased(row) for row in connection.execute(sa.select(table)).mappings()}
            if request.purpose == "service":
                _raise_project(connection, request.project or "", serial)
                for one in known.values():
                    if one.project == request.project and one.purpose == "service" and one.state == "leased":
                        raise FabricError(texts.HAS_SERVICE(project=request.project, account=one.account))
            entry = _free(request, pool, known)
            before = known.get(entry.name)
            leased = Leased(
                account=entry.name, uid=entry.uid, purpose=request.purpose, project=request.project,
                person=request.person, lent_at=now, until=request.until, state="leased",
                round=before.round if before else 0, since=now,
            )  # fmt: skip
            if before is None:
                connection.execute(sa.insert(table).values(**_row(leased)))
            else:
                done = connection.execute(_where(leased.account, "free").values(**_row(leased)))
                assert done.rowcount == 1, "a writer did not wait for another"
            record(leased)
            return leased

    def change(
        self,
        account: str,
        allowed: tuple[State, ...],
        after: Callable[[Leased], Leased],
        record: Record,
        refusal: Reason,
    ) -> Leased:
        """Bring an account in one of these states to another.

        :raises FabricError: (``refusal``) it is in another state.
        """
        with self._changing() as (connection, serial):
            row = connection.execute(sa.select(table).where(table.c.account == account)).mappings().first()
            before = _leased(row) if row else None
            if before is None or before.state not in allowed:
                raise FabricError(refusal(account=account))
            fresh = after(before)
            connection.execute(_where(account, before.state).values(**_row(fresh)))
            if before.purpose == "service" and before.project:
                _raise_project(connection, before.project, serial)
            record(fresh)
            return fresh

    def advance(self, known: Leased, then: Next, record: Record, now: float | None = None) -> bool:
        """Take a step of the cleaning of an account, if it is still as it was known. False: it is not.

        :param record: is called where it becomes free or is set apart.
        """
        now = time.time() if now is None else now
        fresh = known.model_copy(update={"state": then.state, "step": then.step, "round": then.round, "why": then.why})
        if then.state != "cleaning":
            fresh = fresh.model_copy(update={"since": now})
        if then.state == "free":
            fresh = freed(fresh)
        if fresh == known:
            return False
        with self._changing() as (connection, _):
            same = _where(known.account, "cleaning").where(table.c.round == known.round, table.c.step == known.step)
            if connection.execute(same.values(**_row(fresh))).rowcount != 1:
                return False
            if then.state != "cleaning":
                record(fresh)
        return True

    @contextmanager
    def _changing(self) -> Iterator[tuple[sa.Connection, int]]:
        with Transaction(self._engine, CATALOGUE) as connection:
            connection.execute(sa.update(counter).values(serial=counter.c.serial + 1))
            yield connection, int(connection.execute(sa.select(counter.c.serial)).scalar_one())


def given_back(leased: Leased, now: float) -> Leased:
    """An account whose cleaning begins."""
    update = {"state": "cleaning", "step": "close", "round": leased.round + 1, "since": now, "why": NOTHING}
    return leased.model_copy(update=update)


def set_apart(leased: Leased, why: Text, now: float) -> Leased:
    """An account that nobody is lent before an operator looked at it."""
    return leased.model_copy(update={"state": "quarantined", "since": now, "why": why})


def freed(leased: Leased) -> Leased:
    """An account that is nobody's: for whom it was is forgotten here, and stays in the audit log."""
    nobody = {"project": None, "person": None, "lent_at": None, "until": None, "why": NOTHING}
    return leased.model_copy(update={"state": "free", "step": "close", **nobody})


def for_nodes(leased: Iterable[Leased]) -> list[dict[str, object]]:
    """What the nodes are to clean, as it stands in ``grants.json``."""
    return [
        {"account": one.account, "uid": one.uid, "round": one.round}
        for one in leased
        if one.state == "cleaning" and one.step in NODE_STEPS
    ]


def _free(request: LeaseRequest, pool: Mapping[str, UnixEntry | Text], known: Mapping[str, Leased]) -> UnixEntry:
    """The account that was free the longest; one that was never lent first.

    :raises FabricError: there is none.
    """
    counts = dict.fromkeys(("leased", "cleaning", "quarantined"), 0)
    free: list[tuple[float, UnixEntry]] = []
    wrong: Text | None = None
    of_uid = {one.uid: one.account for one in known.values()}
    for name, entry in pool.items():
        before = known.get(name)
        if before is not None and before.state != "free":
            counts[before.state] += 1
        elif isinstance(entry, Text):
            wrong = wrong or entry
        elif before is not None and before.uid != entry.uid:
            wrong = wrong or texts.OTHER_UID(account=name, before=before.uid, uid=entry.uid)
        elif of_uid.get(entry.uid, name) != name:
            wrong = wrong or texts.SAME_UID(account=name, other=of_uid[entry.uid], uid=entry.uid)
        else:
            free.append((before.since if before else 0.0, entry))
    if free:
        return min(free, key=lambda one: (one[0], one[1].name))[1]
    if wrong is not None:
        raise FabricError(texts.NONE_USABLE(purpose=request.purpose, why=wrong))
    raise FabricError(texts.NONE_FREE(purpose=request.purpose, **counts))


def _raise_project(connection: sa.Connection, project: str, serial: int) -> None:
    """Have the project published anew: its service account is another."""
    connection.execute(sa.update(projects).where(projects.c.name == project).values(serial=serial))


def _where(account: str, state: State) -> sa.Update:
    return sa.update(table).where(table.c.account == account, table.c.state == state)


def _row(leased: Leased) -> dict[str, Any]:
    row = leased.model_dump(exclude={"lent_at", "why"})
    why = leased.why.model_dump(mode="json") if leased.why else None
    return {**row, "from": leased.lent_at, "why": why}


def _leased(row: Mapping[Any, Any]) -> Leased:
    fields = {name: row[name] for name in row if name not in ("from", "why")}
    return Leased(**fields, lent_at=row["from"], why=Text.model_validate(row["why"]) if row["why"] else NOTHING)
