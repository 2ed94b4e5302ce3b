"""Invitations that are presented: what one offers to somebody, and what becomes of it when they accept.

An acceptance is one transaction with the change of the project that it makes: of two at once that are for one use, the
second finds it used up.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import date
from typing import Final

import sqlalchemy as sa

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import invitations as texts
from fabric_hub.projects.changes import AddPerson
from fabric_hub.projects.invitations import Invitations, Offer, digest_of, domain_of, has_mail_at
from fabric_hub.projects.membership import roles_of
from fabric_hub.sessions.database import Transaction
from fabric_hub.types import Frozen

from . import invitation_rows as rows
from .audit.log import Entry
from .database import CATALOGUE, reading
from .people.store import KnownIdentity
from .project_edits import ACCEPTED, EVENTS, of_invitation
from .project_policy import inviter, must_wait
from .project_store import KeptProject, NothingNewError, Record, RefusedError, make, one, raise_serial

_CLOSED: Final = {rows.REFUSED: texts.TURNED_AWAY, rows.REMOVED: texts.REMOVED}


class Guest(Frozen):
    """Who presents an invitation: their name at the hub, and what their institutions claim, the last login first."""

    user: str
    identities: tuple[KnownIdentity, ...] = ()

    def at(self, domain: str) -> KnownIdentity | None:
        """What is claimed of them by the login whose mail address is of this domain."""
        return next((one for one in self.identities if has_mail_at(one.mail, domain)), None)


class InvitationStore:
    """See the module; safe to use from several threads and processes.

    :param engine: of :func:`fabric_hub.catalogue.database.open_catalogue`.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, project: str) -> Invitations:
        """The invitations of a project, who waits, and where its people come from."""
        with reading(self._engine) as connection:
            kept = one(connection, project)
            people = tuple(person.model_dump() for person in kept.people) if kept else ()
            return Invitations(
                open=tuple(rows.shown(row) for row in rows.open_of(connection, project, _today())),
                waiting=rows.waiting_of(connection, project),
                sources=rows.sources(connection, project, people),
            )

    def owners(self, project: str) -> tuple[str, ...]:
        """Who answers for a project; nobody, where none of this name is kept."""
        with reading(self._engine) as connection:
            kept = one(connection, project)
            return kept.project.members.owner if kept else ()

    def offer(self, settings: Settings, code: str, guest: Guest) -> Offer:
        """What an invitation offers to somebody.

        :param settings: of the site's file alone.
        :raises FabricError: it is not theirs to accept, in words for them.
        """
        with reading(self._engine) as connection:
            return _offered(connection, settings, code, guest)[0]

    def accept(self, settings: Settings, code: str, guest: Guest, operators: Collection[str], record: Record) -> Offer:
        """Accept an invitation; how it stands then. Again it changes nothing.

        :param record: is given what goes into the audit log, before it is final.
        :raises FabricError: it is not theirs to accept, in words for them.
        """
        assert settings.catalogue is not None
        with Transaction(self._engine, CATALOGUE) as connection:
            raise_serial(connection)
            offer, row, kept = _offered(connection, settings, code, guest)
            if offer.standing != "offered":
                return offer
            if not rows.use(connection, row["id"]):
                raise FabricError(texts.USED_UP())
            waits = must_wait(offer.role, kept.project, settings.catalogue)
            found = guest.at(row["domain"]) if waits else None
            claims = {
                "name": found.display_name if found else None,
                "organisation": found.organisation if found else None,
                "mail_domain": (domain_of(found.mail) or "")[:255] or None if found else None,
            }
            state = rows.WAITING if waits else rows.IN
            rows.put(connection, row["id"], guest.user, state, time.time(), **claims)
            facts = {"invitation": row["id"], "role": offer.role, "standing": state}
            told: list[Entry] = [of_invitation(ACCEPTED, kept.name, kept.project, row["by"], guest.user, facts)]
            if not waits:
                change = AddPerson(project=kept.name, user=guest.user, role=offer.role)
                try:
                    make(connection, settings, change, inviter(row["by"], operators), told.extend)
                except RefusedError as error:
                    raise FabricError(texts.INVITER_MAY_NOT()) from error
                except NothingNewError:  # they are in it already: `_offered` said so
                    raise AssertionError(offer) from None
            record(tuple(told))
            return offer.model_copy(update={"standing": state})

    def withdraw_all(self, by: str, record: Record) -> int:
        """Withdraw every invitation, as after a restore: of some a backup does not know that they are used up.

        :param record: is given what goes into the audit log, if there were any.
        """
        with Transaction(self._engine, CATALOGUE) as connection:
            raise_serial(connection)
            if number := rows.withdraw_all(connection, time.time()):
                record((Entry(event=EVENTS["withdraw"], by=by, why=f"all of them ({number}), as after every restore"),))
            return number


def _offered(
    connection: sa.Connection, settings: Settings, code: str, guest: Guest
) -> tuple[Offer, rows.Row, KeptProject]:
    row = rows.of_digest(connection, digest_of(code))
    kept = one(connection, row["project"]) if row else None
    if row is None or kept is None or kept.name in settings.project:
        raise FabricError(texts.UNKNOWN())
    about = {"project": kept.name, "title": kept.project.title or kept.name, "role": row["role"], "until": row["until"]}
    state = rows.state_of(connection, row["id"], guest.user)
    if state in _CLOSED:
        raise FabricError(_CLOSED[state]())
    if row["role"] in roles_of(kept.project, guest.user):
        return Offer(standing="in", **about), row, kept
    if state == rows.WAITING:
        return Offer(standing="waiting", **about), row, kept
    if row["withdrawn_at"] is not None:
        raise FabricError(texts.WITHDRAWN())
    if row["until"] < _today():
        raise FabricError(texts.EXPIRED(until=row["until"].isoformat()))
    if row["used"] >= row["uses"]:
        raise FabricError(texts.USED_UP())
    if guest.at(row["domain"]) is None and row["domain"]:
        yours = next((domain for one_of in guest.identities if (domain := domain_of(one_of.mail))), None)
        if yours is None:
            raise FabricError(texts.MAIL_MISSING(domain=row["domain"]))
        raise FabricError(texts.MAIL_OTHER(domain=row["domain"], yours=yours))
    return Offer(standing="offered", **about), row, kept


def _today() -> date:
    return date.today()  # noqa: DTZ011 - an invitation's last day is a day of this site
