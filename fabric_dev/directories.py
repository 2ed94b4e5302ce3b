"""The directories and private files of an embedded run, each with its owner and its mode."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from fabric_hub.cli import project_folders
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.projects.folders import with_folder

from . import demo, instance, slurmconf
from .layout import LONGEST_DIRECTORY, Layout
from .processes import Account


def make_root(root: Path) -> None:
    """Make the run's directory; as root, other accounts must be able to pass through it.

    :raises FabricError: it is somebody else's, or holds something else, its path is too long, or a directory above
        keeps accounts out.
    """
    if len(os.fsencode(root)) > LONGEST_DIRECTORY:
        raise FabricError(
            f"{root} is too long: the Unix sockets in it would exceed Linux's limit of 107 bytes.",
            reason="directory",
            hint=f"Choose a --dir of at most {LONGEST_DIRECTORY} characters.",
        )
    layout = Layout(root, root / "images")
    root.parent.mkdir(parents=True, exist_ok=True)
    try:
        root.mkdir(mode=0o755)
    except FileExistsError:  # only now: where everybody may write, somebody may make it at any moment before
        if not instance.is_ours(layout) and not _is_empty_and_mine(root):
            raise FabricError(
                f"{root} is there already and is not the directory of an embedded run of this account.",
                reason="directory",
                hint="Choose a --dir that does not exist yet: a run takes all of it, and `down --purge` removes all "
                "of it.",
            ) from None
    instance.mark(layout)
    if os.geteuid() == 0:
        root.chmod(0o755)
        closed = [parent for parent in root.parents if not parent.stat().st_mode & 0o001]
        if closed:
            raise FabricError(
                f"The demo accounts cannot enter {closed[-1]}, so they would not reach {root}.",
                reason="directory",
                hint="Choose a --dir that everybody can pass through, such as /var/lib/fabric-hub.",
            )


def _is_empty_and_mine(path: Path) -> bool:
    return path.is_dir() and path.stat().st_uid == os.geteuid() and not any(path.iterdir())


def make(layout: Layout) -> None:
    """Make the directories that every run has, inside the run's own."""
    for path, mode in (
        (layout.etc, 0o755),
        (layout.run, 0o755),
        # the cluster's own logs may quote a user's job script; the accounts of the demo need none of them
        (layout.log, 0o700),
        (layout.homes, 0o755),
        (layout.rescue, 0o1777),
        (layout.spool, 0o755),
        *((layout.spool / name, 0o755) for name in slurmconf.NODES),
        (layout.spool / "slurmctld", 0o700),
        (layout.database, 0o700),
        (layout.database_temporary, 0o700),
    ):
        path.mkdir(exist_ok=True)
        path.chmod(mode)
    layout.images.mkdir(mode=0o755, parents=True, exist_ok=True)


def hub_files(layout: Layout, hub: Account | None, gateway: Account | None) -> None:
    """The hub's private directory with the demo's passwords, the gateway's socket's directory, and homes."""
    owner = (hub.uid, hub.gid) if hub else None
    layout.hub.mkdir(mode=0o700, exist_ok=True)
    layout.gateway_socket.parent.mkdir(exist_ok=True)
    layout.gateway_accounts.parent.mkdir(mode=0o755, exist_ok=True)
    layout.gateway_accounts.parent.chmod(0o755)
    if hub and gateway:
        os.chown(layout.hub, hub.uid, hub.gid)
        # setgid: the socket gets the hub's group, and nobody else may enter
        os.chown(layout.gateway_socket.parent, gateway.uid, hub.gid)
        os.chown(layout.gateway_accounts.parent, gateway.uid, gateway.gid)
        layout.gateway_socket.parent.chmod(0o2750)
    else:
        layout.gateway_socket.parent.chmod(0o700)
        for user in demo.ACCOUNTS:
            (layout.homes / user).mkdir(mode=0o700, exist_ok=True)
    if not layout.logins.exists():
        instance.write_private(layout.logins, json.dumps({user: _password() for user in demo.ACCOUNTS}), owner)
    for path in (layout.token, layout.provider_secret):
        if not path.exists():
            instance.write_private(path, secrets.token_hex(32), owner)


def catalogue_files(layout: Layout, hub: Account | None, catalogue_service: Account | None) -> None:
    """The catalogue service's private directory, that of its socket, its images, and where it and the nodes meet."""
    socket_directory = layout.catalogue_socket.parent
    for path, mode in (
        (layout.catalogue_service, 0o700),
        (socket_directory, 0o700),
        (layout.datasets, 0o700),
        (layout.published, 0o755),
    ):
        path.mkdir(exist_ok=True)
        if catalogue_service:
            os.chown(path, catalogue_service.uid, catalogue_service.gid)
        path.chmod(mode)
    if hub and catalogue_service:
        # setgid: the socket and the projects that are published get the hub's group, which is the gateway's, too, and
        # nobody else may enter
        os.chown(socket_directory, catalogue_service.uid, hub.gid)
        socket_directory.chmod(0o2750)


def folders(layout: Layout, site: Settings) -> None:
    """The folders of the projects, as `fabric-hub projects folder` makes them.

    :raises FabricError: one cannot be made, as on a file system without ACLs.
    """
    if site.folders is None:
        return
    layout.folders.mkdir(mode=0o755, exist_ok=True)
    layout.folders.chmod(0o755)
    for project in with_folder(site):
        project_folders.make(site, project)


def _password() -> str:
    """Readable and long enough to be on loopback: 12 letters and digits that are not mistaken for others."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(3))
