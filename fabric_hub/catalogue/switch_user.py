"""Who gives a command, and the account that the catalogue belongs to.

Root becomes the catalogue service's account before it touches the catalogue, the store or the audit log; what a
command must read as
its caller (a file, a directory to pack) it reads before. Whoever is neither root nor that account is refused.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import dataset_files as texts

_NO_LOGIN = 2**32 - 1  # /proc/self/loginuid of a process that no login started


@dataclass(frozen=True)
class CatalogueAccount:
    """The catalogue service's Unix account."""

    name: str
    uid: int
    gid: int


def catalogue_account(datasets: CatalogueSettings) -> CatalogueAccount:
    """The catalogue service's account, which this process may act as.

    :raises FabricError: there is no such account, it is root, or this process is neither it nor root.
    """
    name = datasets.account
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise FabricError(texts.NO_ACCOUNT(account=name)) from None
    if entry.pw_uid == 0:
        raise FabricError(texts.OF_ROOT())
    if os.geteuid() not in (0, entry.pw_uid):
        raise FabricError(texts.OTHERS_CATALOGUE(account=name, caller=_name_of(os.geteuid())))
    return CatalogueAccount(name, entry.pw_uid, entry.pw_gid)


@contextmanager
def for_a_moment(account: CatalogueAccount) -> Iterator[None]:
    """Act as the catalogue service's account for a moment; afterwards as before. For a process with one thread."""
    if os.geteuid() == account.uid:
        yield
        return
    groups, gid, uid = os.getgroups(), os.getegid(), os.geteuid()
    os.setgroups([])
    os.setegid(account.gid)
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)


def for_good(datasets: CatalogueSettings) -> CatalogueAccount:
    """Be the catalogue service's account from now on: no way back, no other group; files are made for it alone.

    :raises FabricError: as :func:`catalogue_account`.
    """
    account = catalogue_account(datasets)
    if os.geteuid() != account.uid:
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
    os.umask(0o077)
    return account


def caller() -> str:
    """Who gives the command, for the record: the account that logged in, also behind sudo; else the process's own."""
    try:
        login = int(Path("/proc/self/loginuid").read_text())
    except (OSError, ValueError):
        login = _NO_LOGIN
    if login != _NO_LOGIN:
        return _name_of(login)
    behind = os.environ.get("SUDO_USER", "") if os.getuid() == 0 else ""
    return behind if behind.isprintable() and 0 < len(behind) <= 64 else _name_of(os.getuid())


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
