"""Who may lend an account and give one back, and which accounts may be lent at all. Pure.

Lending widens: the hub, which may be in somebody else's hands, gets none beyond ``catalogue.from_hub``, and a service
account never. Giving back narrows: an operator may, and an owner of the project that it is lent to.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.config.catalogue import CatalogueSettings, Purpose
from fabric_hub.config.settings import Project
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import leased_accounts as texts
from fabric_hub.projects.membership import roles_of
from fabric_hub.projects.naming import UnixEntry
from fabric_hub.types import Frozen, HubUser, Slug


class LeaseRequest(Frozen):
    """An account is wanted: what for, for which project and person, and until the end of which day."""

    purpose: Purpose
    project: Slug | None = None
    person: HubUser | None = None
    until: date | None = None


def lease_refusal(
    request: LeaseRequest, asker: Asker, catalogue: CatalogueSettings, project: Project | None
) -> Text | None:
    """Why somebody may not have an account lent; None: they may.

    :param project: the one that it names.
    """
    if not asker.from_hub:
        return None
    if not asker.operator:
        return texts.NEEDS_OPERATOR(user=asker.name)
    because = None
    if request.purpose == "service":
        because = texts.SERVICE_AT_COMMAND()
    elif "accounts" not in catalogue.from_hub:
        because = texts.NOT_IN_FROM_HUB()
    elif project is not None and (project.data != "public" or project.kind == "client"):
        because = texts.OF_CLOSED_PROJECT(project=request.project)
    if because is None:
        return None
    return texts.NOT_FROM_HUB(purpose=request.purpose, because=because, command=command(request))


def command(request: LeaseRequest) -> str:
    """The command that lends an account, as it can be pasted into a shell."""
    words = ["fabric-hub", "accounts", "lease", request.purpose]
    for option in ("project", "person", "until"):
        if (value := getattr(request, option)) is not None:
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def return_refusal(account: str, project: Project | None, asker: Asker) -> Text | None:
    """Why somebody may not give an account back.

    :param project: that it is lent to.
    """
    if not asker.from_hub or asker.operator or (project and "owner" in roles_of(project, asker.name)):
        return None
    return texts.NOT_YOURS(account=account, user=asker.name)


def unusable(
    account: str,
    entry: UnixEntry | None,
    *,
    min_uid: int,
    people: Mapping[str, str],
    uids: Mapping[int, str],
    others: Iterable[UnixEntry] = (),
    before: int | None = None,
) -> Text | None:
    """Why an account of a pool may not be lent; None: it may.

    :param entry: what the name service has under its name.
    :param people: hub users by the Unix account that they log in with.
    :param uids: hub users by the uid of the account that they were given.
    :param others: the other accounts of pools that there are.
    :param before: the uid that it had when it was lent last.
    """
    if entry is None:
        return texts.UNKNOWN_ACCOUNT(account=account)
    if entry.name != account:
        return texts.OTHER_SPELLING(account=account, written=entry.name)
    if not min_uid <= entry.uid or entry.uid in (65534, 65535):
        return texts.SYSTEM_UID(account=account, uid=entry.uid, least=min_uid)
    if before not in (None, entry.uid):
        return texts.OTHER_UID(account=account, before=before, uid=entry.uid)
    if user := people.get(account) or uids.get(entry.uid):
        return texts.OF_PERSON(account=account, user=user)
    for other in others:
        if other.uid == entry.uid and other.name != account:
            return texts.SAME_UID(account=account, other=other.name, uid=entry.uid)
    return None


def checked(
    catalogue: CatalogueSettings,
    lookup: Callable[[str], UnixEntry | None],
    *,
    min_uid: int,
    people: Mapping[str, str],
    uids: Mapping[int, str],
) -> dict[str, UnixEntry | Text]:
    """Every account of the pools: as the name service has it, or why it may not be lent."""
    names = [account for pool in catalogue.pools.values() for account in pool.accounts]
    entries = {name: lookup(name) for name in names}
    there = [entry for entry in entries.values() if entry is not None]
    found: dict[str, UnixEntry | Text] = {}
    for name, entry in entries.items():
        why = unusable(name, entry, min_uid=min_uid, people=people, uids=uids, others=there)
        if why is not None:
            found[name] = why
        elif entry is not None:
            found[name] = entry
    return found
