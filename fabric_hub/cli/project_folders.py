"""``fabric-hub projects folder``: root makes the projects' folders; the gateway opens them to the projects' people."""

from __future__ import annotations

import argparse
import json
import os
import stat
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fabric_hub.config import settings
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.folders import top
from fabric_hub.gateway.folders.plan import INSIDE, gate
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.text import Text, message_of, whole
from fabric_hub.messages.texts import folders as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.projects.folders import shared_accounts, with_folder
from fabric_hub.projects.live import with_live_projects
from fabric_hub.types import Slug
from fabric_hub.unix import accounts, acl
from fabric_hub.unix.accounts import Account

from .site import add_site_arguments, site_to_look_at


def add_verbs(verbs: Any) -> None:
    """Add what is about folders to the verbs of ``fabric-hub projects``."""
    making = verbs.add_parser("folder", help=_("make projects' folders, as root; all of them where none is named"))
    slug = TypeAdapter(Slug).validate_python
    making.add_argument("name", nargs="*", type=slug, metavar=_("NAME"), help=_("name of the project"))
    making.add_argument("--json", action="store_true", help=_("one object"))
    add_site_arguments(making)
    making.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    site = with_live_projects(settings.load(site_to_look_at(arguments) or settings.path_from_environment()))
    if site.folders is None:
        raise FabricError(texts.NO_FOLDERS())
    if os.geteuid() != 0:
        raise FabricError(texts.NOT_ROOT())
    failed, told = False, dict[str, Text]()
    for name in arguments.name or with_folder(site):
        try:
            told[name] = make(site, name)
        except FabricError as error:
            failed, told[name] = True, message_of(error)
    if arguments.json:
        print(json.dumps({name: str(text) for name, text in told.items()}, indent=2))
    else:
        for text in told.values():
            print(escaped(text.say()))
            if hint := text.hint:
                print(f"  -> {escaped(hint.say())}")
    return 1 if failed else 0


def make(site: Settings, project: str) -> Text:
    """Make a project's folder, which then belongs to its service account and lets in nobody else.

    One that is there already stays as it is, whoever it belongs to.

    :raises FabricError: it cannot be made, or what is in its place is not the service account's.
    """
    assert site.folders is not None
    directory, path = site.folders.directory, site.folders.directory / project
    if project not in site.project:
        raise FabricError(texts.NO_SUCH_PROJECT(project=project))
    name = site.project[project].service_account
    if not name:
        raise FabricError(texts.NO_SERVICE_ACCOUNT(project=project))
    if name in shared_accounts(site):
        raise FabricError(texts.SHARED_OWNER(project=project, account=name))
    try:
        account = accounts.resolve_service(name, site.users)
    except FabricError as error:
        raise FabricError(texts.NO_OWNER(project=project, account=name, why=whole(error))) from error
    top.check_parent(directory)
    try:
        made = _made(directory, project, account)
    except OSError as error:
        raise FabricError(texts.NOT_MADE(path=str(path), why=error.strerror or "")) from error
    top.look(directory, project, account)
    return (texts.MADE if made else texts.THERE)(path=str(path), account=name)


def _made(directory: Path, project: str, account: Account) -> bool:
    """Make the directory and give it away, unless something is there; nothing that is there is touched."""
    above = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            os.mkdir(project, 0o700, dir_fd=above)
        except FileExistsError:
            return False
        made = os.open(project, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    finally:
        os.close(above)
    try:
        assert stat.S_ISDIR(os.fstat(made).st_mode)
        os.setxattr(made, acl.ACCESS, gate(()))
        os.setxattr(made, acl.DEFAULT, INSIDE)
        os.fchown(made, account.uid, account.gid)  # last: until then nobody else changes it
    finally:
        os.close(made)
    return True
