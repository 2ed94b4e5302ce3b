"""Leased accounts in the hands of an operator, as the catalogue service's account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from fabric_hub.catalogue import for_operator, publish
from fabric_hub.catalogue.audit.log import AuditLog, Entry, audit_directory
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.catalogue import Purpose
from fabric_hub.config.settings import Settings
from fabric_hub.messages.text import NOTHING, Said, Text, WithTexts
from fabric_hub.messages.texts import leased_accounts as texts

from .keeping import LeasedAccounts
from .policy import LeaseRequest
from .store import Leased


class ListedAccount(WithTexts):
    """An account of a pool, or that was lent once; ``why``: what it waits for, or why it may not be lent."""

    account: str
    uid: int | None
    pool: str | None
    purpose: Purpose
    state: str
    project: str | None = None
    person: str | None = None
    lent_at: float | None = None
    until: date | None = None
    since: float | None = None
    why: Said = NOTHING


class LeasesAdmin:
    """See the module.

    :param by: who gives the commands, for the record.
    """

    def __init__(self, settings: Settings, store: CatalogueStore, by: str) -> None:
        assert settings.catalogue is not None
        self._site, self._catalogue, self._store = settings, settings.catalogue, store
        self._log = AuditLog(audit_directory(settings.catalogue), PeopleStore(store.engine).numbers)
        self._asker = Asker(by, operator=True, from_hub=False)
        self.accounts = LeasedAccounts(lambda: settings, store.leases, store.projects, self._log.meet, self._append)

    def _append(self, entries: Iterable[Entry]) -> None:
        self._log.append(*entries)

    def _tell(self) -> None:
        publish.publish_projects(self._catalogue, self._store.projects)
        publish.publish(self._site, self._store)

    def listed(self) -> tuple[ListedAccount, ...]:
        """Every account of the pools, and those that were in one when they were lent."""
        known = {one.account: one for one in self._store.leases.all()}
        found = self.accounts.checked()
        made: list[ListedAccount] = []
        for pool, settings in self._catalogue.pools.items():
            for account in settings.accounts:
                entry, one = found[account], known.pop(account, None)
                if one is not None:
                    wrong = entry if isinstance(entry, Text) and not one.why else one.why
                    made.append(_listed(one, pool, wrong))
                else:
                    wrong, uid = (entry, None) if isinstance(entry, Text) else (NOTHING, entry.uid)
                    made.append(
                        ListedAccount(
                            account=account, uid=uid, pool=pool, purpose=settings.purpose, state="free", why=wrong
                        )
                    )
        return (*made, *(_listed(one, None, one.why or texts.LEFT_POOLS()) for one in known.values()))

    def lease(
        self, purpose: Purpose, project: str | None = None, person: str | None = None, until: date | None = None
    ) -> Leased:
        """Lend a free account; see :meth:`.keeping.LeasedAccounts.lease`."""
        request = LeaseRequest(purpose=purpose, project=project, person=person, until=until)
        leased = self.accounts.lease(request, self._asker)
        self._tell()
        return leased

    def give_back(self, account: str, *, force: bool = False) -> Leased:
        """Take an account back; the catalogue service sees to the rest."""
        leased = self.accounts.give_back(account, self._asker, force=force)
        self._tell()
        return leased

    def quarantine(self, account: str, why: str) -> Leased:
        """Lend an account to nobody for now."""
        leased = self.accounts.quarantine(account, why, self._asker)
        self._tell()
        return leased

    def release(self, account: str) -> Leased:
        """Let an account be lent again that was set apart."""
        return self.accounts.release(account, self._asker)


def _listed(one: Leased, pool: str | None, why: Text) -> ListedAccount:
    fields = one.model_dump(include=set(ListedAccount.model_fields) - {"why", "pool"})
    return ListedAccount(**fields, pool=pool, why=why)


@contextmanager
def opened(settings: Settings) -> Iterator[LeasesAdmin]:
    """Leased accounts for an operator. The process is the catalogue service's account from here on.

    :raises FabricError: this process may not be that account; the database cannot be opened.
    """
    with for_operator.opened(settings) as (engine, by):
        yield LeasesAdmin(settings, CatalogueStore(engine), by)
