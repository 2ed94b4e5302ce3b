"""What is kept of a person, by the account that it belongs to: read, counted and erased by a process of that account.

Each part is worked on by a process of its own (:mod:`fabric_hub.backup.helper`), which becomes that account for good
before it opens a file: root opens nothing that somebody else could have put there.
"""

from __future__ import annotations

import os
import pwd
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fabric_hub.backup.helper import Helper, Line, Owner
from fabric_hub.catalogue import database as catalogue_database
from fabric_hub.catalogue.switch_user import catalogue_account
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.ledger import ledger_path
from fabric_hub.messages.texts import privacy_commands as texts
from fabric_hub.sessions.database import database_url, hub_database_url
from fabric_hub.unix.accounts import resolve, session_roots

from . import databases, rows
from .model import Act, Store
from .person import Person
from .register import TABLES

# Where the unit fabric-gateway.service keeps its ledger (StateDirectory=).
_GATEWAY_STATE = Path("/var/lib/fabric-gateway")


@dataclass(frozen=True)
class Part:
    """What one account has: its databases by store, and files.

    :param name: what it is called in words.
    :param account: whose it is, to be told.
    :param readable: whether this process may become that account.
    """

    name: str
    account: str
    owner: Owner
    urls: dict[Store, str]
    roots: tuple[str, ...] = ()

    @property
    def readable(self) -> bool:
        return os.geteuid() in (0, self.owner.uid)


def parts_of(settings: Settings, person: Person) -> list[Part]:
    """The parts of a site in which a person may stand.

    :raises FabricError: the hub's or the catalogue service's directory or account is not there.
    """
    try:
        hub = Owner.of(settings.hub.state_dir)
    except OSError as error:
        raise FabricError(texts.PART_FAILED(cause=f"{settings.hub.state_dir}: {error.strerror}")) from error
    urls = {Store.JUPYTERHUB: hub_database_url(settings), Store.SESSIONS: database_url(settings)}
    found = [Part("hub", _name(hub.uid), hub, urls)]
    if settings.catalogue is not None:
        entry = _catalogue_owner(settings)
        url = catalogue_database.database_url(settings.catalogue)
        found.append(Part("catalogue", settings.catalogue.account, entry, {Store.CATALOGUE: url}))
    for path in dict.fromkeys((ledger_path(settings), _GATEWAY_STATE / "submissions.sqlite")):
        with suppress(FileNotFoundError, PermissionError):
            owner = Owner.of(path.parent)
            if os.geteuid() not in (0, owner.uid) or path.exists():
                found.append(Part("gateway", _name(owner.uid), owner, {Store.LEDGER: f"sqlite:///{path}"}))
                break
    with suppress(FabricError):  # no account, no files
        # the shared account is the hub's own
        own = hub.uid if settings.users.shared_account else -1
        account = resolve(person.name, settings.users, own_uid=own)
        roots = session_roots(person.name, account, settings.users)
        found.append(Part("home", account.name, Owner(account.uid, account.gid), {}, roots))
    return found


def _catalogue_owner(settings: Settings) -> Owner:
    assert settings.catalogue is not None
    if os.geteuid() == 0:
        account = catalogue_account(settings.catalogue)
        return Owner(account.uid, account.gid)
    try:
        return Owner.named(settings.catalogue.account)
    except KeyError as error:
        raise FabricError(texts.PART_FAILED(cause=f"{settings.catalogue.account}: no such account")) from error


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def ask(part: Part, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a work says that is done as a part's account.

    :raises FabricError: it failed.
    """

    def told(line: Line) -> None:
        line.say(told=work())

    try:
        with Helper(told, part.owner, texts.PART_FAILED) as helper:
            answer: dict[str, Any] = helper.hear()["told"]
    except ChildProcessError as error:
        raise FabricError(texts.PART_FAILED(cause=str(error))) from error
    return answer


@contextmanager
def connected(part: Part) -> Iterator[dict[Store, sa.Engine]]:
    """The databases of a part that are there."""
    with ExitStack() as stack:
        found = {store: stack.enter_context(databases.opened(url)) for store, url in part.urls.items()}
        yield {store: engine for store, engine in found.items() if engine is not None}


def records(part: Part, person: Person) -> dict[str, Any]:
    """A person's rows, by store and table."""
    told: dict[str, Any] = {}
    with connected(part) as engines:
        for store, engine in engines.items():
            with engine.connect() as connection:
                told[store.value] = rows.read(connection, rows.find(connection, TABLES[store], person))
    return told


def counted(part: Part, person: Person) -> dict[str, Any]:
    """How many rows an erasure would delete or change, by table."""
    told: list[tuple[str, str, int]] = []
    with connected(part) as engines:
        for store, engine in engines.items():
            with engine.connect() as connection:
                told += _listed(store, rows.count(connection, rows.find(connection, TABLES[store], person)))
    return {"rows": told}


def erased(part: Part, person: Person, pseudonym: str) -> dict[str, Any]:
    """Erase a person from the databases of a part, each in one transaction, and their bytes from its file."""
    told: list[tuple[str, str, int]] = []
    with connected(part) as engines:
        for store, engine in engines.items():
            with engine.begin() as connection:
                told += _listed(store, rows.erase(connection, rows.find(connection, TABLES[store], person), pseudonym))
            databases.compact(engine)
    return {"rows": told}


def _listed(store: Store, found: Counter[tuple[str, Act]]) -> list[tuple[str, str, int]]:
    return [(f"{store.value}.{table}", act.value, n) for (table, act), n in found.items()]
