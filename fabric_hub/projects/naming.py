"""Which name at the hub, and which Unix account, somebody gets at their first login. Pure.

The site's mapping decides (``login.accounts``): never a display name, never a mail address. A name leads to an account
(``users.unix_name``), no account leads back to a name. What may not be is refused, each in words of its own.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.login import AccountsSettings
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text, verbatim
from fabric_hub.messages.texts import people as texts
from fabric_hub.messages.texts.whom import WHOM_OPERATORS
from fabric_hub.types import HubUser, login_name

from .identity import Identity, Login

NOBODY = 65534  # the kernel's overflow uid
_NAME: TypeAdapter[str] = TypeAdapter(HubUser)
# What looks the same in many fonts, of what a name may have once its case is folded.
_LOOKS = (("0", "o"), ("1", "l"), ("rn", "m"), ("vv", "w"))


@dataclass(frozen=True)
class UnixEntry:
    """An account as the name service has it."""

    name: str
    uid: int


def key(name: str) -> str:
    """A name as two are compared: Unicode NFKC, case folded, without what stands around it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def shape(name: str) -> str:
    """A name as it looks to a reader: ``anna1`` and ``annal`` have one shape."""
    found = key(name)
    for written, seen in _LOOKS:
        found = found.replace(written, seen)
    return found


def contact(settings: Settings) -> Text:
    """Whom somebody writes to who gets no account."""
    return verbatim(settings.site.support_email) if settings.site.support_email else WHOM_OPERATORS()


def reserved(settings: Settings) -> frozenset[str]:
    """Keys of the names that mean somebody already, though they may never have logged in: the people of projects,
    operators and stewards."""
    names: set[str] = set(settings.login.admins)
    for project in settings.project.values():
        members = project.members
        names.update(members.owner, members.member, members.trainer, members.steward, members.visitor)
    for stewards in (settings.catalogue.stewards if settings.catalogue else {}).values():
        names.update(stewards)
    return frozenset(map(key, names))


def read_table(text: str, is_csv: bool) -> dict[Identity, str]:
    """The site's table: who has which account.

    TOML: ``[[account]]`` with issuer, subject and account; CSV: these three columns, with a head.

    :raises ValueError: it is no such table, or says two things of one identity or account.
    """
    if is_csv:
        try:
            lines = csv.DictReader(io.StringIO(text), strict=True)
            if set(lines.fieldnames or ()) != {"issuer", "subject", "account"}:
                raise ValueError("its columns are not issuer, subject and account")
            found = [dict(line) for line in lines]
        except csv.Error as error:
            raise ValueError(str(error)) from None
    else:
        content = tomllib.loads(text)
        listed = content.get("account", [])
        if set(content) - {"account"} or not isinstance(listed, list):
            raise ValueError("it has something else than [[account]]")
        found = listed
    table: dict[Identity, str] = {}
    for number, line in enumerate(found, 1):
        if not isinstance(line, dict) or set(line) != {"issuer", "subject", "account"}:
            raise ValueError(f"account {number} has not just issuer, subject and account")
        account = line["account"]
        if not isinstance(account, str) or not account:
            raise ValueError(f"account {number} names no account")
        try:
            identity = Identity(issuer=line["issuer"], subject=line["subject"])
        except ValidationError as error:
            raise ValueError(f"account {number}: {error.errors()[0]['msg']}") from None
        if identity in table:
            raise ValueError(f"account {number} is of an identity that stands before it")
        table[identity] = account
    if len({key(name) for name in table.values()}) != len(table):
        raise ValueError("one account is two people's; link the identities of one person instead")
    return table


def candidates(
    login: Login, accounts: AccountsSettings, table: Mapping[Identity, str], taken: Collection[str], whom: Text
) -> Iterator[str]:
    """The names that the site's mapping has for a login, the first choice first.

    :param table: of :func:`read_table`.
    :param taken: keys of names that mean somebody: a pool lends none of them.
    :param whom: of :func:`contact`.
    :raises FabricError: the mapping has none.
    """
    about = {"provider": login.provider, "contact": whom}
    if accounts.source == "pool":
        yield from (name for name in pool(accounts) if key(name) not in taken)
        raise FabricError(texts.POOL_EMPTY(n=accounts.pool_size, **about))
    if accounts.source == "table":
        if login.identity not in table:
            raise FabricError(texts.NOT_IN_TABLE(**about))
        yield table[login.identity]
        return
    if login.account_claim is None:
        raise FabricError(texts.NO_CLAIM(**about))
    yield login.account_claim


def pool(accounts: AccountsSettings) -> Iterator[str]:
    """The names of a pool, in their order: ``guest###`` is guest001, guest002, ..."""
    digits = accounts.pool.count("#")
    for number in range(1, min(accounts.pool_size, 10**digits - 1) + 1):
        yield accounts.pool.replace("#" * digits, f"{number:0{digits}}")


def check_name(name: str, *, keep_case: bool, whom: Text) -> None:
    """Refuse a name that nobody may have at the hub.

    :raises FabricError: it is root's, a number, has letters that an account's name cannot have, or capitals where the
        hub has none.
    """
    about = {"name": name, "contact": whom}
    if key(name) == "root":
        raise FabricError(texts.ROOT(**about))
    try:
        _NAME.validate_python(name)
    except ValidationError:
        told = texts.OTHER_LETTERS if not name.isascii() else texts.NOT_A_NAME
        raise FabricError(told(**{**about, "name": ascii(name)[1:-1][:100]})) from None
    if re.fullmatch(r"[0-9]+", name):  # programs take it for a uid
        raise FabricError(texts.NOT_A_NAME(**about))
    if name != login_name(name, keep_case):
        raise FabricError(texts.CAPITALS(**about))


def may_be_chosen(login: Login, settings: Settings) -> bool:
    """Whether people may have chosen their name at the provider: neither the site's own list nor a claim that is
    assigned says it."""
    if settings.login.accounts.source in ("table", "pool"):  # operators wrote that name
        return False
    provider = settings.login.provider.get(login.provider)
    return provider is None or not provider.account_claim_assigned


def check_not_chosen(name: str, login: Login, settings: Settings, *, exists: bool, whom: Text) -> None:
    """Refuse a name that means somebody already, or looks like it, where people may have chosen it.

    :param exists: the name service has its account: that is somebody's, who may never have logged in here.
    :raises FabricError: it does.
    """
    if not may_be_chosen(login, settings):
        return
    known = reserved(settings)
    if exists or key(name) in known:
        raise FabricError(texts.NAME_CHOSEN(name=name, provider=login.provider, contact=whom))
    if shape(name) in map(shape, known):
        raise FabricError(texts.LOOKS_TAKEN(name=name, contact=whom))


def check_same_account(account: str, was: int | None, entry: UnixEntry | None, whom: Text) -> None:
    """Refuse an account that was somebody's, and is another one by now: made anew, it is another person's.

    :param was: its uid when it was found; None: it was not made yet.
    :param entry: what the name service says of it now; None: nothing, which it may say for a moment only.
    :raises FabricError: it is another one.
    """
    if was is not None and entry is not None and entry.uid != was:
        raise FabricError(texts.OTHER_UID(account=account, was=was, uid=entry.uid, contact=whom))


def check_account(
    account: str, entry: UnixEntry | None, *, must_be: bool, min_uid: int, own: Collection[str], whom: Text
) -> None:
    """Refuse a Unix account that nobody's sessions may run as.

    :param account: its name, of ``users.unix_name``.
    :param entry: what the name service says of that name; None: it has no such account.
    :param must_be: refuse where there is none.
    :param own: accounts of the hub's own processes.
    :raises FabricError: see above.
    """
    about = {"account": account, "contact": whom}
    if account == "root":
        raise FabricError(texts.ROOT(name=account, contact=whom))
    if account in own:
        raise FabricError(texts.HUBS_OWN(**about))
    if entry is None:
        if must_be:
            raise FabricError(texts.NO_ACCOUNT(**about))
        return
    if entry.uid == 0:
        raise FabricError(texts.ROOT(name=account, contact=whom))
    if entry.uid < min_uid or entry.uid == NOBODY:
        raise FabricError(texts.SYSTEM_ACCOUNT(uid=entry.uid, least=min_uid, **about))
    if entry.name != account:  # a name service that ignores case would give two people one account
        raise FabricError(texts.OTHER_SPELLING(written=entry.name, **about))


def check_free(name: str, same: int | None, alike: str | None, uids: int | None, whom: Text) -> None:
    """Refuse a name or an account that is another person's.

    :param same: the person who has, or had, this name in any spelling; None: nobody.
    :param alike: another person's name that looks like it; None: there is none.
    :param uids: the person who has the account's uid under another name; None: nobody.
    :raises FabricError: it is.
    """
    if same is not None:
        raise FabricError(texts.TAKEN(name=name, contact=whom))
    if uids is not None:
        raise FabricError(texts.SAME_UID(name=name, contact=whom))
    if alike is not None:
        raise FabricError(texts.LOOKS_TAKEN(name=name, contact=whom))
