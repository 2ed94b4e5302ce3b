"""What an operator does with people, as the catalogue service's account: each change on record before it is final."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from fabric_hub.catalogue import for_operator
from fabric_hub.catalogue.audit.log import AuditLog, Entry, audit_directory, persons_in
from fabric_hub.catalogue.audit.reading import Reading, seconds
from fabric_hub.catalogue.project_store import ProjectStore
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import people as texts
from fabric_hub.projects import naming
from fabric_hub.projects.identity import Identity, Login
from fabric_hub.projects.membership import roles_of

from .logins import Lookup, checked, digest, name_service, refuse
from .rows import Account
from .store import ConflictError, PeopleStore, Person, Record

DAY_S = 86400.0
BY_OPERATOR = "operator"


class PeopleAdmin:
    """People in the hands of an operator.

    :param by: who gives the commands, for the record.
    """

    def __init__(self, settings: Settings, store: PeopleStore, by: str, lookup: Lookup = name_service) -> None:
        assert settings.catalogue is not None
        self.store, self._settings, self._by, self._lookup = store, settings, by, lookup
        self._catalogue = settings.catalogue
        self._audit_log = AuditLog(audit_directory(settings.catalogue), store.numbers)

    def person(self, number: int) -> Person:
        """:raises FabricError: (404) there is none of this number."""
        found = self.store.person(number)
        if found is None:
            raise FabricError(texts.NO_PERSON(number=number))
        return found

    def link(self, number: int, issuer: str, subject: str, *, move: bool = False) -> bool:
        """Make an identity a person's, as of somebody who changed institution. False: it was theirs.

        :param move: also where it is another person's.
        """
        if self.person(number).account is None:
            raise FabricError(texts.NO_ACCOUNT_YET(number=number))
        identity = _identity(issuer, subject)
        before = self.store.person_of(identity)
        if before == number:
            return False
        record = self._record("linked", identity, f"from person {before}" if before is not None else None)
        stays = self.store.link(number, Login(identity=identity, provider=BY_OPERATOR), record, move=move)
        if stays is not None:
            raise FabricError(texts.IDENTITY_OF_OTHER(issuer=issuer, subject=subject, number=stays))
        return True

    def unlink(self, number: int, issuer: str, subject: str) -> None:
        """Let an identity be nobody's: its next login finds no person, and is not given this one's name."""
        self.person(number)
        identity = _identity(issuer, subject)
        if not self.store.unlink(number, identity, self._record("unlinked", identity)):
            raise FabricError(texts.NO_IDENTITY(number=number, issuer=issuer, subject=subject))

    def block(self, name: str, why: str) -> bool:
        """Let somebody not log in and be in no project, until they are unblocked; all that they have open ends.

        :param name: theirs at the hub.
        :param why: they read it: one line.
        :returns: False: they are blocked for this reason already.
        """
        number = self.store.numbers([name])[name]
        return self.store.block(number, why, self._record("blocked", None, why))

    def unblock(self, name: str) -> None:
        """Let somebody log in again, and be in the projects that they were in.

        :raises FabricError: (404) nobody blocked them.
        """
        number = self.store.number_of(name)
        if number is None or not self.store.unblock(number, self._record("unblocked", None)):
            raise FabricError(texts.NOT_BLOCKED(name=name))

    def account(self, number: int, name: str) -> Account:
        """Give a person another name at the hub, and with it another account; both must be nobody else's."""
        self.person(number)
        account = checked(name, self._settings, self._lookup, BY_OPERATOR)
        try:
            self.store.set_account(number, account, self._record("account", None, f"uid {account.uid}"))
        except ConflictError as error:
            refuse(name, error, naming.contact(self._settings))
        return account

    def forget(self, number: int) -> bool:
        """Erase who a number is, once they have not been seen for ``catalogue.keep_names_days``. False: it was.

        The audit log is read for when that was, and stays as it is.
        """
        found = self.person(number)
        for name in found.names:
            if places := tuple(self._places(name)):
                raise FabricError(texts.STILL_HERE(number=number, name=name, places=places))
        last = max([found.created_at, *(one.last_at for one in found.identities)])
        for record in Reading(self._audit_log.directory).records():
            # that somebody was forgotten is no sign of them
            if record["event"] != "forgotten" and number in persons_in(record):
                last = max(last, seconds(record["time"]))
        days = self._catalogue.keep_names_days
        if time.time() - last < days * DAY_S:
            raise FabricError(texts.TOO_EARLY(number=number, last=last, days=days))
        return self.store.forget(number, self._record("forgotten", None))

    def _places(self, name: str) -> Iterator[str]:
        if name in self._settings.login.admins:
            yield "login.admins"
        # as they are kept now: what hub and gateway are told may be of before, or not be there
        found = ProjectStore(self.store.engine).over(self._settings).project
        yield from (project for project, one in found.items() if roles_of(one, name))
        for dataset, stewards in self._catalogue.stewards.items():
            if name in stewards:
                yield f"catalogue.stewards.{dataset}"

    def _record(self, event: str, identity: Identity | None, why: str | None = None) -> Record:
        self._audit_log.meet(Entry(event=event, by=self._by))  # before the change's transaction

        def record(number: int) -> None:
            of = digest(identity) if identity else None
            self._audit_log.append(Entry(event=event, by=self._by, person=number, identity=of, why=why))

        return record


def _identity(issuer: str, subject: str) -> Identity:
    try:
        return Identity(issuer=issuer, subject=subject)
    except ValidationError:
        raise FabricError(texts.NOT_AN_IDENTITY(issuer=issuer, subject=subject)) from None


@contextmanager
def opened(settings: Settings) -> Iterator[PeopleAdmin]:
    """People for an operator. The process is the catalogue service's account from here on.

    :raises FabricError: this process may not be that account; the database cannot be opened.
    """
    with for_operator.opened(settings) as (engine, by):
        yield PeopleAdmin(settings, PeopleStore(engine), by)
