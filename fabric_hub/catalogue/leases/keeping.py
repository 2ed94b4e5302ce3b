"""The verbs of leased accounts, at the command line and in the catalogue service: on record before they are final."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import date

from fabric_hub.catalogue.audit.log import Entry
from fabric_hub.catalogue.people.logins import name_service
from fabric_hub.catalogue.project_edits import as_line
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.project_store import ProjectStore, RefusedError
from fabric_hub.config.settings import Project, Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text, message_of
from fabric_hub.messages.texts import leased_accounts as texts
from fabric_hub.projects.membership import everybody
from fabric_hub.projects.naming import UnixEntry
from fabric_hub.unix.accounts import unix_name

from .policy import LeaseRequest, checked, lease_refusal, return_refusal
from .progress import Told, following
from .store import Leased, LeaseStore, freed, given_back, set_apart

log = logging.getLogger(__name__)
SYSTEM = Asker("catalogue service", operator=True, from_hub=False)


class LeasedAccounts:
    """See the module. It may block.

    :param settings: the site's file as it is now, without the projects that are kept.
    :param meet: gives the people of an entry their numbers, before the transaction; ``append`` records entries.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: LeaseStore,
        projects: ProjectStore,
        meet: Callable[[Entry], object],
        append: Callable[[Iterable[Entry]], object],
        lookup: Callable[[str], UnixEntry | None] = name_service,
    ) -> None:
        self._settings, self.store, self._projects = settings, store, projects
        self._meet, self._append, self._lookup = meet, append, lookup

    def checked(self) -> dict[str, UnixEntry | Text]:
        """Every account of the site's pools, or why it may not be lent."""
        site = self._projects.over(self._settings())
        assert site.catalogue is not None
        accounts, uids = self.store.taken()
        own = {} if site.users.shared_account else {unix_name(site.users, user): user for user in _people(site)}
        return checked(site.catalogue, self._lookup, min_uid=site.users.min_uid, people={**own, **accounts}, uids=uids)

    def lease(self, request: LeaseRequest, asker: Asker) -> Leased:
        """Lend an account.

        :raises RefusedError: who asks may not.
        :raises FabricError: there is no such project, or no free account.
        """
        site = self._projects.over(self._settings())
        assert site.catalogue is not None
        project = site.project.get(request.project) if request.project else None
        if told := lease_refusal(request, asker, site.catalogue, project):
            raise RefusedError(told, project)
        if request.project and project is None:
            raise FabricError(texts.UNKNOWN_PROJECT(project=request.project))
        if request.purpose == "service":
            if not request.project or request.person or request.until:
                raise FabricError(texts.SERVICE_NEEDS_PROJECT())
            if self._projects.kept(request.project) is None or request.project in self._settings().project:
                raise FabricError(texts.SERVICE_OF_KEPT(project=request.project))
        if request.until and request.until < date.today():  # noqa: DTZ011 - a last day is a day of this site
            raise FabricError(texts.OVER_ALREADY(until=str(request.until)))
        pools = [one for one in site.catalogue.pools.values() if one.purpose == request.purpose]
        if not pools:
            raise FabricError(texts.NO_POOL(purpose=request.purpose))
        found = self.checked()
        pool = {account: found[account] for one in pools for account in one.accounts}
        return self.store.lease(request, pool, self._record("account-leased", asker, project, request.person))

    def give_back(self, account: str, asker: Asker, *, force: bool = False) -> Leased:
        """Take an account back; it is free when all that it left is removed.

        :param force: also a project's service account that is to be kept for now.
        :raises RefusedError: who asks may not.
        :raises FabricError: it is not leased; it is to be kept.
        """
        site = self._projects.over(self._settings())
        assert site.catalogue is not None
        known = self._known(account)
        project = site.project.get(known.project) if known and known.project else None
        if told := return_refusal(account, project if known else None, asker):
            raise RefusedError(told, project)
        if known is None or known.state != "leased":
            raise FabricError(texts.NOT_LEASED(account=account))
        days = site.catalogue.keep_service_accounts_days
        if known.purpose == "service" and (asker.from_hub or not force) and not is_over(known, project, days, _today()):
            raise FabricError(texts.SERVICE_KEPT(account=account, project=known.project, days=days))
        record = self._record("account-returned", asker, project, known.person)
        return self.store.change(
            account, ("leased",), lambda one: given_back(one, time.time()), record, texts.NOT_LEASED
        )

    def quarantine(self, account: str, why: str, asker: Asker) -> Leased:
        """Lend an account to nobody before an operator releases it; one that is leased is given back first."""
        record = self._record("account-quarantined", asker, None)
        said = texts.BY_OPERATOR(why=why)
        return self.store.change(
            account, ("free", "cleaning"), lambda one: set_apart(one, said, time.time()), record, texts.NOT_TO_SET_APART
        )

    def release(self, account: str, asker: Asker) -> Leased:
        """Let an account be lent again that an operator has looked at."""
        record = self._record("account-released", asker, None)

        def after(one: Leased) -> Leased:
            return freed(one).model_copy(update={"since": time.time(), "round": one.round + 1})

        return self.store.change(account, ("quarantined",), after, record, texts.NOT_SET_APART)

    def take_overdue(self) -> None:
        """Take back what was lent until a day that is over, and service accounts that are kept no longer."""
        site = self._projects.over(self._settings())
        assert site.catalogue is not None
        for one in self.store.all():
            project = site.project.get(one.project) if one.project else None
            if one.state == "leased" and is_over(one, project, site.catalogue.keep_service_accounts_days, _today()):
                self.give_back(one.account, SYSTEM, force=True)

    def advance(self, told: Callable[[Leased], Told]) -> bool:
        """Take the next step with each account that is being cleaned. True: something is another than before."""
        site = self._settings()
        assert site.catalogue is not None
        limit_s, changed, now = site.catalogue.clean_within_minutes * 60, False, time.time()
        for one in self.store.all():
            if one.state != "cleaning":
                continue
            then = following(one.cleaning, told(one), now, limit_s)
            event = "account-quarantined" if then.state == "quarantined" else "account-freed"
            if self.store.advance(one, then, self._record(event, SYSTEM, None, code=message_code(then.why))):
                changed = True
                if then.state == "quarantined":
                    log.error("The account %s is set apart: %s", one.account, then.why)
                elif then.state == "free":
                    log.info("The account %s is free again", one.account)
        return changed

    def _known(self, account: str) -> Leased | None:
        return next((one for one in self.store.all() if one.account == account), None)

    def _record(
        self, event: str, asker: Asker, project: Project | None, person: str | None = None, code: str | None = None
    ) -> Callable[[Leased], None]:
        owners = project.members.owner if project else ()
        by = asker.by(project)
        self._meet(Entry(event=event, user=person, by=by, responsible=owners))

        def record(leased: Leased) -> None:
            facts = {"unix_account": leased.account, "state": leased.state, "round": leased.round}
            entry = Entry(
                event=event, user=person, by=by, responsible=owners, project=leased.project,
                account=project.account if project else None, purpose=leased.purpose, until=leased.until,
                uid=leased.uid, why=code, after=as_line(facts),
            )  # fmt: skip
            self._append((entry,))

        return record


def is_over(leased: Leased, project: Project | None, keep_days: int, today: date) -> bool:
    """Whether an account is lent no longer than until now. A service account is kept while its project is, and so many
    days after it; and where its project is not known it is kept. Pure."""
    if leased.purpose == "service":
        end = project.end if project else None
        return end is not None and (today - end).days > keep_days
    return leased.until is not None and leased.until < today


def denial(request: LeaseRequest | None, account: str, asker: Asker, error: RefusedError) -> Entry:
    """What the audit log gets of a refusal."""
    wanted = request.model_dump(mode="json", exclude={"person", "project"}, exclude_none=True) if request else {}
    facts = {"do": "lease-account", **wanted} if request else {"do": "return-account", "unix_account": account}
    return Entry.model_validate(
        {
            "event": "denied",
            "user": asker.name,
            "project": request.project if request else None,
            "responsible": error.project.members.owner if error.project else (),
            "why": message_of(error).code,
            "after": as_line(facts),
        }
    )


def message_code(why: Text) -> str | None:
    """The code of a reason, for the record; None where there is none."""
    return why.code if why else None


def _people(site: Settings) -> Iterable[str]:
    return {*everybody(site), *site.login.admins}


def _today() -> date:
    return date.today()  # noqa: DTZ011 - a last day is a day of this site
