"""Hub users and Unix accounts: whom the gateway may become, and whom it never does."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import PurePosixPath

from fabric_hub.config.users import UserSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import accounts as texts

from .capabilities import can_become_others

# The kernel's overflow uid: files of unknown owners, and whatever else is nobody's.
NOBODY = 65534


def unix_name(users: UserSettings, hub_user: str) -> str:
    """The Unix account under which a hub user's sessions run (unless all share one)."""
    return users.unix_name.replace("{user}", hub_user)


def hub_name(users: UserSettings, unix: str) -> str | None:
    """The hub user of a Unix account, or None when the account is nobody's here."""
    before, placeholder, after = users.unix_name.partition("{user}")
    if not placeholder or not unix.startswith(before) or not unix.endswith(after):
        return None
    name = unix[len(before) : len(unix) - len(after)] if after else unix[len(before) :]
    return name or None


def runs_local_sessions(users: UserSettings) -> bool:
    """Whether this process may run sessions on its own machine: as their users, or where all share one account."""
    return users.shared_account or can_become_others()


class UnknownAccountError(FabricError):
    """The name service has no account of that name. It may have forgotten one for a moment: a directory server that is
    out of reach gives the same answer."""


@dataclass(frozen=True)
class Account:
    """A Unix account that a session may run as, with the home directory that the session sees."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str


def resolve(user: str, users: UserSettings, *, own_uid: int | None = None) -> Account:
    """The account of a hub user. Asks the name service: may block.

    :param own_uid: the gateway's own uid; default: of this process.
    :raises FabricError: (403) an account that may never be used: unknown, root,
        below ``users.min_uid``, the gateway's own, or named in another case.
    """
    own_uid = os.geteuid() if own_uid is None else own_uid
    if users.shared_account:
        entry = pwd.getpwuid(own_uid)
        name = entry.pw_name
    else:
        name = unix_name(users, user)
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise UnknownAccountError(texts.UNKNOWN_ACCOUNT(account=name, user=user)) from None
        check_entry(name, entry.pw_name, entry.pw_uid, users.min_uid, own_uid)
    if entry.pw_uid == 0:
        raise FabricError(texts.GATEWAY_IS_ROOT())
    home = users.home.replace("{user}", user) or entry.pw_dir
    check_path(home, texts.HOME_OF(user=user))
    return Account(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        groups=tuple(sorted(set(os.getgrouplist(entry.pw_name, entry.pw_gid)))),
        home=home,
        shell=entry.pw_shell or "/bin/sh",
    )


def resolve_service(name: str, users: UserSettings) -> Account:
    """A service account, which owns a project's folder. Asks the name service: may block.

    :raises FabricError: it may never be used: unknown, root, below ``users.min_uid``, or the gateway's own.
    """
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, ValueError):
        raise UnknownAccountError(texts.NO_SUCH_ACCOUNT(account=name)) from None
    check_entry(name, entry.pw_name, entry.pw_uid, users.min_uid, os.geteuid())
    groups = tuple(sorted(set(os.getgrouplist(entry.pw_name, entry.pw_gid))))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir, entry.pw_shell or "/bin/sh")


def own_name() -> str:
    """The Unix account of this process; its number where it has no name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def check_entry(asked: str, found: str, uid: int, min_uid: int, own_uid: int) -> None:
    """Refuse what the gateway must never become.

    :raises FabricError: see :func:`resolve`.
    """
    if uid == 0:
        raise FabricError(texts.ROOT(account=asked))
    if uid < min_uid:
        raise FabricError(texts.LOW_UID(account=asked, uid=uid, least=min_uid))
    if uid == NOBODY:
        raise FabricError(texts.NOBODYS(account=asked))
    if uid == own_uid:
        raise FabricError(texts.HUBS_OWN(account=asked))
    if found != asked and found.lower() == asked.lower():
        # a name service that ignores case would let two hub users share one account
        raise FabricError(texts.OTHER_SPELLING(account=asked, written=found))


def check_path(path: str, what: Text | str) -> None:
    """Refuse a path that Slurm or a script could read as anything but a plain absolute path.

    :raises FabricError: it is relative, has a ``..``, a backslash or a control character.
    """
    if not path.startswith("/") or ".." in PurePosixPath(path).parts or "\\" in path or not path.isprintable():
        raise FabricError(texts.NO_PLAIN_PATH(what=what, path=repr(path)))


def session_root(user: str, account: Account, users: UserSettings, *, rescue: bool = False) -> str:
    """The directory under which this user's sessions, or rescue sessions, have their private directories."""
    rescue = rescue and bool(users.rescue_dir)
    path = (users.rescue_dir if rescue else users.session_dir).replace("{home}", account.home).replace("{user}", user)
    check_path(path, "users.rescue_dir" if rescue else "users.session_dir")
    return path.rstrip("/")


def session_roots(user: str, account: Account, users: UserSettings) -> tuple[str, ...]:
    """Everywhere that a session of this user may have its private directory, the usual place first."""
    return tuple(dict.fromkeys(session_root(user, account, users, rescue=rescue) for rescue in (False, True)))
