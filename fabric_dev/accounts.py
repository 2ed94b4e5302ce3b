"""The Unix accounts of an embedded run as root: made at its start, removed by ``down --purge``.

An account is ours when it carries our comment and its home is below the run's directory: both are written in
/etc/passwd with the account itself, so a run that was killed half way, or whose records are lost, still removes the
right ones, and none that somebody else made.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from fabric_hub.errors import FabricError

from . import instance
from .demo import ACCOUNTS, PROJECTS
from .layout import Layout

SERVICES = ("hub", "gateway", "catalogue")
# Accounts that are lent, by purpose: nobody logs in with them.
POOLS = {"service": ("service1", "service2"), "guest": ("guest1", "guest2")}
LENT = tuple(name for names in POOLS.values() for name in names)
# What stands for a person's name in /etc/passwd; an account cannot change its own.
_SERVICE, _DEMO, _FOLDER = "Fabric Hub", "Fabric Hub demo", "Fabric Hub project"
# Where everybody may write, and programs that are killed leave what they meant to remove.
TEMPORARY = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))


def names(prefix: str) -> tuple[str, ...]:
    """The Unix names of all accounts, services first."""
    return (*(prefix + name for name in (*SERVICES, *ACCOUNTS, *LENT)), *folder_accounts(prefix).values())


def folder_accounts(prefix: str) -> dict[str, str]:
    """The Unix account that owns each demo project's folder."""
    return {project: f"{prefix}p-{project}" for project in PROJECTS}


def pools(prefix: str) -> dict[str, dict[str, object]]:
    """The pools of accounts as the site's file has them."""
    return {
        f"{purpose}s": {"purpose": purpose, "accounts": [prefix + name for name in lent]}
        for purpose, lent in POOLS.items()
    }


def lent_uids(prefix: str) -> list[int]:
    """The uids of the accounts that are lent."""
    return sorted(pwd.getpwnam(prefix + name).pw_uid for name in LENT)


def unix_names(prefix: str | None) -> dict[str, str]:
    """The Unix account of every demo user; without a prefix all of them are the account that runs this."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    return {user: me if prefix is None else prefix + user for user in ACCOUNTS}


def hub_uid(prefix: str) -> int:
    """The account that the hub runs as, and that its files and sockets belong to: as root its own, else ours.

    :raises FabricError: there is no such account: somebody else than root started this run.
    """
    if os.geteuid() != 0:
        return os.geteuid()
    try:
        return pwd.getpwnam(prefix + SERVICES[0]).pw_uid
    except KeyError as error:
        raise FabricError(
            f"This machine has no account {prefix}{SERVICES[0]}.",
            reason="account",
            hint="Give this command as the account that started the run, or start it: fabric-hub up.",
        ) from error


def ours(layout: Layout) -> list[pwd.struct_passwd]:
    """The accounts that this directory's run made."""
    return [entry for entry in pwd.getpwall() if _is_ours(layout, entry)]


def _is_ours(layout: Layout, entry: pwd.struct_passwd) -> bool:
    marked = entry.pw_gecos.partition(",")[0] in (_SERVICE, _DEMO, _FOLDER)
    return marked and Path(entry.pw_dir).is_relative_to(layout.root)


def create(layout: Layout, prefix: str) -> None:
    """Make the accounts that are missing, each demo account with a home only it can enter.

    :raises FabricError: a name is taken by an account that is not ours.
    """
    existing = {entry.pw_name: entry for entry in pwd.getpwall()}
    taken = [name for name in names(prefix) if name in existing and not _is_ours(layout, existing[name])]
    if taken:
        home = Path(existing[taken[0]].pw_dir)
        run = next((path for path in home.parents if instance.is_ours(Layout(path, path / "images"))), None)
        purge = f", or purge the run that made it: fabric-hub down --purge --dir {run}" if run else "."
        raise FabricError(
            f"This machine already has an account {taken[0]}, with its home in {home}.",
            reason="account-exists",
            hint=f"Choose other names with --prefix{purge}",
        )
    for service in SERVICES:
        if prefix + service not in existing:
            _run("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(layout.root / service),
                 "--shell", "/usr/sbin/nologin", "--comment", _SERVICE, prefix + service)  # fmt: skip
    for owner in folder_accounts(prefix).values():
        if owner not in existing:  # no system account: those are below users.min_uid
            _run("useradd", "--user-group", "--no-create-home", "--home-dir", str(layout.folders),
                 "--shell", "/usr/sbin/nologin", "--comment", _FOLDER, owner)  # fmt: skip
    for user in (*ACCOUNTS, *LENT):
        home = layout.homes / user
        if prefix + user not in existing:
            _run("useradd", "--user-group", "--no-create-home", "--home-dir", str(home),
                 "--shell", "/bin/bash", "--comment", _DEMO, prefix + user)  # fmt: skip
        entry = pwd.getpwnam(prefix + user)
        # a directory that its future owner could not have prepared: homes/ is root's
        home.mkdir(mode=0o700, exist_ok=True)
        os.chown(home, entry.pw_uid, entry.pw_gid)


def remove(layout: Layout) -> list[str]:
    """Remove the accounts of this run; their processes must have ended. Returns their names."""
    removed = []
    for entry in ours(layout):
        _remove_temporary(entry.pw_uid)
        _run("userdel", "--force", entry.pw_name)
        removed.append(entry.pw_name)
    return removed


def _remove_temporary(uid: int) -> None:
    """What an account's processes left on this machine when they were killed: its uid may become another's."""
    for directory in {*TEMPORARY, Path(tempfile.gettempdir())}:
        with suppress(OSError):
            for path in directory.iterdir():
                _remove_if_of(path, uid, directory.stat().st_dev)


def _remove_if_of(path: Path, uid: int, device: int) -> None:
    """Remove what belongs to an account; a link is removed, not followed, and a mount is left alone."""
    with suppress(OSError):
        status = path.lstat()
        if (status.st_uid, status.st_dev) != (uid, device):
            return
        if stat.S_ISDIR(status.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FabricError(
            f"{argv[0]} failed for the account {argv[-1]}: {done.stderr.strip() or done.returncode}.",
            reason="account",
            hint="The demo needs to make Unix accounts when it runs as root; run it as an ordinary user to do without.",
        )
