"""What ``fabric-hub doctor`` says of the pools of accounts: are they there, whose are they, is one set apart?"""

from __future__ import annotations

import pwd
from collections.abc import Iterator

from fabric_hub.catalogue.leases.policy import checked
from fabric_hub.config.settings import Settings
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import doctor as doctor_texts
from fabric_hub.messages.texts import leased_accounts as texts
from fabric_hub.projects.leases import WantedDocument, read, wanted_file
from fabric_hub.projects.membership import everybody
from fabric_hub.projects.naming import UnixEntry
from fabric_hub.unix.accounts import unix_name

from .findings import Finding, problem, right, skipped


def of_site(found: Settings) -> Iterator[Finding]:
    """The accounts of a site's pools.

    :param found: with live projects.
    """
    if found.catalogue is None or not found.catalogue.pools:
        return
    shared = found.users.shared_account
    people = {} if shared else {unix_name(found.users, user): user for user in everybody(found)}
    accounts = checked(found.catalogue, _entry, min_uid=found.users.min_uid, people=people, uids={})
    wrong = {account: why for account, why in accounts.items() if isinstance(why, Text)}
    for account, why in wrong.items():
        yield problem(texts.POOL_WRONG(pool=found.catalogue.pool_of(account), why=why))
    if not wrong:
        yield right(texts.POOLS_RIGHT(n=len(accounts)))
    yield from _apart(found)


def _apart(found: Settings) -> Iterator[Finding]:
    assert found.catalogue is not None
    path = wanted_file(found.catalogue)
    try:
        owners = frozenset({0, pwd.getpwnam(found.catalogue.account).pw_uid})
        told = read(path, WantedDocument, owners)
    except (FileNotFoundError, KeyError):
        return  # the catalogue service was not started since this machine was
    except PermissionError:
        yield skipped(texts.POOLS_CLEAN(), doctor_texts.MAY_NOT_LOOK(), doctor_texts.AS_ROOT())
        return
    except (OSError, ValueError) as error:
        yield problem(texts.POOLS_FILE_WRONG(path=str(path), why=str(error)))
        return
    for account, why in told.apart.items():
        yield problem(texts.POOL_QUARANTINED(account=account, why=why))


def _entry(account: str) -> UnixEntry | None:
    try:
        entry = pwd.getpwnam(account)
    except KeyError:
        return None
    return UnixEntry(entry.pw_name, entry.pw_uid)
