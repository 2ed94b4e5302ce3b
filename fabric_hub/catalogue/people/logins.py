"""What becomes of a login: the person that it is, or a new one with a name and an account; and linking two."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pwd
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

from fabric_hub.catalogue.api import LinkBody
from fabric_hub.catalogue.audit.log import Entry, canonical
from fabric_hub.catalogue.rate_limit import RateLimit
from fabric_hub.config.assurance import Asks
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import people as texts
from fabric_hub.projects import naming
from fabric_hub.projects.assurance import Vouched, check
from fabric_hub.projects.folders import nobodys_accounts
from fabric_hub.projects.identity import Identity, LoggedIn, Login
from fabric_hub.projects.naming import UnixEntry
from fabric_hub.unix.accounts import own_name, unix_name

from .rows import Account
from .store import ConflictError, KnownAlreadyError, PeopleStore

VERIFIED_S = 600.0  # how old the logins may be by which somebody links two identities
AHEAD_S = 60.0  # and how far the hub's clock may be ahead
LARGEST_TABLE = 16 * 1024 * 1024  # bytes
# Each new person is a record that stays for years: so many at once, as at a course's first hour, then so many a second.
FIRST_AT_ONCE, FIRST_PER_S = 1000, 1.0
# Who gets no account may try again, and not so often that nobody else comes in.
TRIES_AT_ONCE, TRIES_PER_S = 10, 1 / 60

Append = Callable[[Iterable[Entry]], object]
Lookup = Callable[[str], UnixEntry | None]


def name_service(account: str) -> UnixEntry | None:
    """What the name service has of an account. It may block."""
    try:
        entry = pwd.getpwnam(account)
    except KeyError:
        return None
    return UnixEntry(entry.pw_name, entry.pw_uid)


def digest(identity: Identity) -> str:
    """An identity as the audit log has it: who knows issuer and subject can tell it, nobody reads them there."""
    return hashlib.sha256(canonical([identity.issuer, identity.subject])).hexdigest()


class People:
    """Implements :class:`fabric_hub.catalogue.api.PeopleVerbs`.

    :param settings: the site's settings as they are now.
    :param append: puts entries in the audit log.
    """

    def __init__(
        self, settings: Callable[[], Settings], store: PeopleStore, append: Append, lookup: Lookup = name_service
    ) -> None:
        self._settings, self._store, self._append, self._lookup = settings, store, append, lookup
        self._firsts = RateLimit(FIRST_AT_ONCE, FIRST_PER_S)
        self._tries = RateLimit(TRIES_AT_ONCE, TRIES_PER_S)

    async def login(self, login: Login) -> LoggedIn:
        return await asyncio.to_thread(self.login_now, login)

    async def link(self, request: LinkBody) -> None:
        await asyncio.to_thread(self.link_now, request)

    async def vouched(self, user: str) -> Vouched:
        return await asyncio.to_thread(self._store.vouched, user)

    async def check(self, asks: Asks | None, what: str, user: str) -> None:
        """Refuse who has logged in less well than is asked.

        :param what: what people call the project or the dataset.
        :raises FabricError: what their home institution did not send.
        """
        if asks is not None and asks.anything:
            check(self._settings(), asks, await self.vouched(user), what, time.time())

    def login_now(self, login: Login) -> LoggedIn:
        """See :meth:`login`; it may block."""
        self._check_provider(login)
        return self._known(login) or self._first(login)

    def _check_provider(self, login: Login) -> None:
        """Refuse a login of whom the site's file does not name: the hub's word is not enough for that.

        :raises FabricError: there is no such provider, or it is another one's issuer.
        """
        settings = self._settings()
        provider = settings.login.provider.get(login.provider)
        if provider is None or provider.issuer_url != login.identity.issuer:
            about = {"provider": login.provider, "issuer": login.identity.issuer}
            raise FabricError(texts.NO_SUCH_PROVIDER(contact=naming.contact(settings), **about))

    def _known(self, login: Login) -> LoggedIn | None:
        number = self._store.seen(login)
        if number is None:
            return None
        account = self._store.account_of(number)
        # whoever has an identity has an account: both were made in one transaction, and only another replaces it
        assert account is not None, f"person {number} has no account"
        settings = self._settings()
        if account.uid is not None and account.unix_account == unix_name(settings.users, account.name):
            entry = self._lookup(account.unix_account)
            naming.check_same_account(account.unix_account, account.uid, entry, naming.contact(settings))
        return LoggedIn(user=account.name)

    def _first(self, login: Login) -> LoggedIn:
        now = time.monotonic()
        if not (self._tries.take(digest(login.identity), now) and self._firsts.take("", now)):
            raise FabricError(texts.MANY_FIRST())
        settings = self._settings()
        accounts, whom = settings.login.accounts, naming.contact(settings)
        table = read_table(accounts.table, whom) if accounts.source == "table" and accounts.table else {}
        taken = self._store.taken() | naming.reserved(settings) if accounts.source == "pool" else frozenset()
        for name in naming.candidates(login, accounts, table, taken, whom):
            account = checked(name, settings, self._lookup)
            # one account for all has no uid of anybody's, and a name may be of a password all the same
            exists = account.uid is not None or self._lookup(account.unix_account) is not None
            naming.check_not_chosen(name, login, settings, exists=exists, whom=whom)
            chosen = naming.may_be_chosen(login, settings)

            def record(number: int) -> None:
                of, why = digest(login.identity), f"account by {accounts.source}"
                self._append([Entry(event="first-login", person=number, identity=of, why=why)])

            try:
                self._store.first(login, account, record, anew=chosen)
            except KnownAlreadyError:
                return self._known(login) or self._first(login)
            except ConflictError as error:
                if accounts.source == "pool":  # somebody else was lent it just now
                    continue
                refuse(name, error, whom)
            return LoggedIn(user=name, first=True)
        raise AssertionError("naming.candidates ends with a refusal")

    def link_now(self, request: LinkBody) -> None:
        """See :meth:`link`; it may block."""
        now = time.time()
        if not all(-AHEAD_S <= now - one.verified_at <= VERIFIED_S for one in (request.first, request.second)):
            raise FabricError(texts.LINK_OLD())
        mine, other = request.first.login, request.second.login
        self._check_provider(mine)
        self._check_provider(other)
        if mine.identity == other.identity:
            raise FabricError(texts.LINK_SAME(provider=other.provider))
        number = self._store.person_of(mine.identity)
        account = self._store.account_of(number) if number is not None else None
        if number is None or account is None or account.name != request.user:
            raise FabricError(texts.LINK_NOT_YOURS(user=request.user))

        def record(person: int) -> None:
            why = "by the person, logged in with both"
            self._append([Entry(event="linked", person=person, identity=digest(other.identity), why=why)])

        whose = self._store.link(number, other, record)
        if whose is not None:
            theirs = self._store.account_of(whose)
            whom = naming.contact(self._settings())
            told = {"provider": other.provider, "name": theirs.name if theirs else "", "contact": whom}
            raise FabricError(texts.LINK_HAS_PERSON(**told))


def checked(name: str, settings: Settings, lookup: Lookup = name_service, mapped_by: str = "") -> Account:
    """An account that a person may have by a name. It may block.

    :param mapped_by: who says so; default: the site's mapping.
    :raises FabricError: nobody may have it.
    """
    whom = naming.contact(settings)
    mapping = mapped_by or settings.login.accounts.source
    naming.check_name(name, keep_case=settings.login.keep_case, whom=whom)
    account = unix_name(settings.users, name)
    if settings.users.shared_account:  # all are one account there
        return Account(name=name, unix_account=account, uid=None, mapped_by=mapping)
    assert settings.catalogue is not None
    entry = lookup(account)
    naming.check_account(
        account,
        entry,
        must_be=mapping != "claim",
        min_uid=settings.users.min_uid,
        own={settings.catalogue.account, own_name(), *nobodys_accounts(settings)},
        whom=whom,
    )
    return Account(name=name, unix_account=account, uid=entry.uid if entry else None, mapped_by=mapping)


def refuse(name: str, error: ConflictError, whom: Text) -> NoReturn:
    """:raises FabricError: a name is another person's, in words."""
    found = error.conflict
    naming.check_free(name, found.same, found.alike, found.uids, whom)
    raise error


def read_table(path: Path, whom: Text) -> dict[Identity, str]:
    """The site's table of accounts.

    :raises FabricError: it cannot be read, is wrong, or others than its owner may write it.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_mode & 0o022:
                raise ValueError("others than its owner may write it")
            content = file.read(LARGEST_TABLE + 1)
        if len(content) > LARGEST_TABLE:
            raise ValueError(f"it has more than {LARGEST_TABLE} bytes")
        return naming.read_table(content.decode(), path.suffix == ".csv")
    except OSError as error:
        why = error.strerror or ""
        raise FabricError(texts.TABLE(path=str(path), why=why, contact=whom)) from error
    except ValueError as error:  # of TOML, CSV and UTF-8, too
        raise FabricError(texts.TABLE(path=str(path), why=str(error), contact=whom)) from error
