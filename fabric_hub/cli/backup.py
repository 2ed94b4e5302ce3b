"""``fabric-hub backup``, ``restore`` and ``rollback``: the whole state of hub and catalogue, of one moment."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from fabric_hub.errors import FabricError
from fabric_hub.messages.translation import gettext as _

from .site import add_site_arguments, site_to_look_at


def add_parser(commands: Any) -> None:
    """Add the three commands."""
    make = commands.add_parser(
        "backup", help=_("copy hub, record, catalogue and audit log as of one moment, while they run")
    )
    make.add_argument("directory", metavar="DIR", type=Path, nargs="?", help=_("a directory that does not exist yet"))
    make.add_argument(
        "--into", metavar="DIR", type=Path, help=_("a directory of backups: make one more, named after the moment")
    )
    make.add_argument(
        "--keep",
        metavar="N",
        type=_at_least_one,
        help=_("with --into: remove the oldest of more than N good ones, once the new one is read again"),
    )
    keys = make.add_mutually_exclusive_group(required=True)
    keys.add_argument(
        "--with-secrets",
        action="store_true",
        help=_("the hub's cookie secret and the keys of its authorities too: sessions go on where the host is lost"),
    )
    keys.add_argument("--without-secrets", action="store_true", help=_("leave them out"))
    make.set_defaults(run=_backup)
    put = commands.add_parser("restore", help=_("put a backup in place of the state; sessions go on"))
    put.add_argument("directory", metavar="DIR", type=Path, help=_("what `fabric-hub backup` made"))
    put.add_argument(
        "--audit-log",
        metavar="DIR",
        type=Path,
        help=_("a copy of the audit log's files that is newer than the backup; the site's own is read anyway"),
    )
    put.add_argument(
        "--dry-run", action="store_true", help=_("say what would become of each grant, and change nothing")
    )
    put.add_argument(
        "--keep-logins",
        action="store_true",
        help=_("leave logins and API tokens as the backup has them, also those that were revoked since"),
    )
    put.set_defaults(run=_restore)
    back = commands.add_parser("rollback", help=_("back to an earlier release's schema; what is on record stays"))
    back.add_argument("directory", metavar="DIR", type=Path, help=_("a backup that was made before the upgrade"))
    back.set_defaults(run=_rollback)
    for command in (make, put, back):
        command.add_argument("--json", action="store_true", help=_("print JSON"))
        add_site_arguments(command)


def _at_least_one(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(_("must be a whole number, at least 1"))
    return int(text)


def _backup(arguments: argparse.Namespace) -> int:
    from fabric_hub.backup import series  # with SQLAlchemy, which takes longer to import than any other command needs
    from fabric_hub.config import settings
    from fabric_hub.messages.texts import backup as texts

    site = site_to_look_at(arguments) or settings.path_from_environment()
    if (arguments.directory is None) == (arguments.into is None) or (arguments.keep and not arguments.into):
        raise FabricError(texts.BACKUP_WHERE())
    found, secrets = settings.load(site), arguments.with_secrets
    if arguments.into:
        added = series.one_more(found, site, arguments.into, arguments.keep, with_secrets=secrets)
    else:
        made = series.taken(found, site, arguments.directory, with_secrets=secrets)
        added = series.Added(arguments.directory, made)
    made = added.manifest
    if arguments.json:
        print(made.model_dump_json(indent=2))
        return 0
    size = sum(part.bytes for part in made.parts.values())
    told = texts.BACKUP_MADE(at=made.at, directory=str(added.directory), bytes=size, ms=round(made.held_s * 1000))
    print(told.say())
    print((texts.BACKUP_SECRETS if made.secrets else texts.BACKUP_NO_SECRETS)().say())
    if added.removed:
        names = tuple(path.name for path in added.removed)
        print(texts.BACKUPS_REMOVED(n=len(names), names=names).say())
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from fabric_hub.backup import restore
    from fabric_hub.backup.grants import Fate
    from fabric_hub.config import settings
    from fabric_hub.messages.texts import backup as texts
    from fabric_hub.projects.live import with_live_projects

    site = site_to_look_at(arguments) or settings.path_from_environment()
    done = restore.restore(
        with_live_projects(settings.load(site)),
        arguments.directory,
        arguments.audit_log,
        dry_run=arguments.dry_run,
        keep_logins=arguments.keep_logins,
    )
    if arguments.json:
        told = {
            "manifest": done.manifest.model_dump(mode="json"),
            "kept": done.kept,
            "tokens_void": done.voided,
            **done.decisions.model_dump(mode="json"),
        }
        print(json.dumps(told, indent=2))
        return 0
    words = {Fate.KEPT: texts.GRANT_KEPT, Fate.REVOKED: texts.GRANT_REVOKED, Fate.SHUT: texts.GRANT_SHUT}
    for one in done.decisions.grants:
        print(words[one.fate](dataset=one.grant.dataset, project=one.grant.project).say())
    for name in done.decisions.retired:
        print(texts.DATASET_RETIRED(dataset=name).say())
    if arguments.dry_run:
        print(texts.WOULD_RESTORE(at=done.manifest.at).say())
        return 0
    print(texts.RESTORED(at=done.manifest.at, kept=tuple(done.kept.values())).say())
    if arguments.keep_logins:
        print(texts.LOGINS_KEPT().say())
    elif done.voided is not None:
        print(texts.LOGINS_VOID(n=done.voided).say())
    if shut := done.decisions.of(Fate.SHUT):
        print(texts.SHUT_NEXT(n=len(shut)).say())
    return 0


def _rollback(arguments: argparse.Namespace) -> int:
    from fabric_hub.backup import manifest, rollback
    from fabric_hub.config import settings
    from fabric_hub.messages.texts import backup as texts

    site = site_to_look_at(arguments) or settings.path_from_environment()
    changed = rollback.rollback(settings.load(site), arguments.directory)
    if arguments.json:
        print(json.dumps(changed, indent=2))
        return 0
    for name, (before, after) in changed.items():
        print(texts.ROLLED_BACK(name=name, before=before, after=after).say())
    if not changed:
        print(texts.NOT_ROLLED_BACK().say())
    print(texts.START_RELEASE(release=manifest.read(arguments.directory).release).say())
    return 0
