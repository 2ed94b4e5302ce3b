"""Putting a backup back: checked and made ready beside the state, then moved into its place; what was there is kept.

Each account's part is made ready in ``STATE_DIR/.restoring`` by that account's own process, which has the state
directory alone meanwhile. Nothing of the state has changed until all parts are ready. Then each is moved into place by
renames; a restore that is cut short in the middle leaves a file that keeps daemons from starting, and the next one
first puts back what was moved.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import tarfile
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory

from fabric_hub import __version__
from fabric_hub.catalogue.audit.log import HEAD
from fabric_hub.catalogue.publish import grants_file
from fabric_hub.catalogue.switch_user import caller
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts

from . import catalogue_part, logins, manifest
from .databases import kind_of
from .grants import Decisions
from .helper import Helper, Line
from .manifest import Manifest, Part
from .parts import PartOf, kept, parts_of
from .place import Place

_LOG_FILE = re.compile(r"[0-9]{4}-[0-9]{2}\.jsonl")


@dataclass(frozen=True)
class Outcome:
    """What a restore did, or would do: ``kept`` is where the state before it is, by part.

    ``voided`` is how many tokens of JupyterHub's are void; None: they are left as they were, or nothing was changed.
    """

    manifest: Manifest
    decisions: Decisions
    kept: dict[str, str]
    voided: int | None = None


def restore(
    settings: Settings,
    directory: Path,
    log_copy: Path | None = None,
    *,
    dry_run: bool = False,
    keep_logins: bool = False,
) -> Outcome:
    """Put a backup in place of a site's state.

    :param directory: the backup.
    :param log_copy: a copy of the audit log that was exported after the backup, if there is one.
    :param dry_run: check and decide all, and change nothing.
    :param keep_logins: leave logins and tokens as the backup has them; else they are void (:mod:`.logins`).
    :raises FabricError: a daemon works on the state; the backup is of a newer release, or changed; or it failed.
    """
    try:
        return _restore(settings, directory, log_copy, dry_run=dry_run, keep_logins=keep_logins)
    except OSError as error:
        cause = f"{error.filename or ''} {error.strerror or error}".strip()
        raise FabricError(texts.RESTORE_FAILED(cause=cause)) from error


def _restore(
    settings: Settings, directory: Path, log_copy: Path | None, *, dry_run: bool, keep_logins: bool
) -> Outcome:
    found = manifest.read(directory)
    if found.hub_id != settings.hub.id:
        raise FabricError(texts.BACKUP_OTHER_HUB(theirs=found.hub_id, ours=settings.hub.id))
    manifest.check(directory, found)
    parts = [part for part in parts_of(settings) if part.name in found.parts]
    for part in parts:
        check_part(part, found.parts[part.name], found)
    aside = f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    orders = Orders(aside, caller(), log_copy, dry_run, keep_logins)
    with ExitStack() as stack:
        log = stack.enter_context(packed_log(log_copy)) if log_copy else None
        helpers = {}
        for part in parts:
            tar = stack.enter_context((directory / found.parts[part.name].file).open("rb"))
            helpers[part.name] = stack.enter_context(
                Helper(
                    partial(_one_part, settings=settings, part=part, of=found, tar=tar, log=log, orders=orders),
                    part.owner,
                    texts.RESTORE_FAILED,
                )
            )
        ready = {part.name: helpers[part.name].hear() for part in parts}
        decided = ready.get("catalogue", {}).get("decisions")
        decisions = Decisions.model_validate_json(decided) if decided else Decisions(grants=(), retired=())
        ended = {}
        for part in parts:
            helpers[part.name].say(do="stop" if dry_run else "swap")
            ended[part.name] = helpers[part.name].hear()
    kept: dict[str, str] = {} if dry_run else {part.name: str(part.state_dir / aside) for part in parts}
    return Outcome(found, decisions, kept, ended.get("hub", {}).get("voided"))


def check_part(part: PartOf, there: Part, of: Manifest) -> None:
    """Refuse a part whose databases this release or this site cannot take.

    :raises FabricError: a schema is newer than this release's, or a database is of another kind than the site's.
    """
    for name, state in there.databases.items():
        wanted = kind_of(part.urls[name])
        if state.kind != wanted:
            raise FabricError(texts.BACKUP_OTHER_KIND(name=name, kind=state.kind, wanted=wanted))
        ours = kept(name)
        if ours is None or state.revision is None:
            continue
        known = {script.revision for script in ScriptDirectory(str(ours.migrations)).walk_revisions()}
        if state.revision not in known:
            raise FabricError(
                texts.BACKUP_NEWER(name=name, revision=state.revision, release=__version__, made_by=of.release)
            )


def packed_log(directory: Path) -> Any:
    """A copy of an audit log as a file without a name, which any account's process can read.

    :raises FabricError: there is no copy, or it cannot be read.
    """
    packed = tempfile.TemporaryFile()  # noqa: SIM115 - its user closes it
    try:
        # root reads it for an account that may have written there: what it must not see itself must not come along
        there = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            names = [*sorted(name for name in os.listdir(there) if _LOG_FILE.fullmatch(name)), HEAD]
            with tarfile.open(fileobj=packed, mode="w") as tar:
                for name in names:
                    _add_file(tar, there, name)
        finally:
            os.close(there)
    except OSError as error:
        packed.close()
        cause = f"{error.filename}: {error.strerror}"
        raise FabricError(texts.LOG_UNUSABLE(directory=str(directory), cause=cause)) from error
    packed.seek(0)
    return packed


def _add_file(tar: tarfile.TarFile, directory: int, name: str) -> None:
    """Add a plain file of a directory that belongs to whoever the directory belongs to, or is in one of root's."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    with os.fdopen(handle, "rb") as file:
        found, around = os.fstat(handle), os.fstat(directory)
        if not stat.S_ISREG(found.st_mode) or around.st_uid not in (0, found.st_uid):
            raise OSError(errno.EPERM, "no plain file of the directory's owner", name)
        info = tarfile.TarInfo(f"{catalogue_part.COPY}/{name}")
        info.size, info.mode = found.st_size, 0o600
        tar.addfile(info, file)


@dataclass(frozen=True)
class Orders:
    """What every part of one restore has in common: the name of what is kept aside, who gave the command, where the
    copy of the audit log came from, whether nothing is to be changed, and whether logins stay."""

    aside: str
    by: str
    log_copy: Path | None
    look: bool
    keep_logins: bool


def _one_part(
    line: Line, settings: Settings, part: PartOf, of: Manifest, tar: io.BufferedReader, log: Any, orders: Orders
) -> None:
    """What the helper of one account does; the parent says whether it is carried out."""
    place = Place(part.state_dir, orders.aside, look=orders.look)
    place.begin()
    ended: dict[str, Any] = {}
    try:
        unpack(tar, place.ready)
        said: dict[str, Any] = {}
        prepared = None
        if part.name == "catalogue":
            assert settings.catalogue is not None
            if log is not None:
                unpack(log, place.ready)
            prepared = catalogue_part.prepare(settings, place, of, grants_file(settings.catalogue), orders.log_copy)
            said["decisions"] = prepared.decisions.model_dump_json()
        line.say(done="ready", **said)
        if line.hear()["do"] == "swap":
            place.swap(part, of.parts[part.name].databases, secrets=of.secrets)
            if prepared is not None:
                catalogue_part.finish(settings, prepared, of, orders.by)
            if part.name == "hub" and not orders.keep_logins and "jupyterhub" in of.parts["hub"].databases:
                ended["voided"] = logins.void(part.urls["jupyterhub"], part.urls["sessions"])
            place.finish()
        line.say(done="end", at=time.time(), **ended)
    finally:
        place.discard()


def unpack(file: Any, target: Path) -> None:
    """Unpack a part: plain files below ``target``, for this account alone.

    :raises FabricError: it is no part, or holds anything else.
    """
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                names = member.name.split("/")
                if not member.isreg() or member.name.startswith("/") or ".." in names or "" in names:
                    raise FabricError(texts.NO_BACKUP(directory=str(target), cause=member.name))
                path = target.joinpath(*names)
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                content = tar.extractfile(member)
                assert content is not None
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as out:
                    while block := content.read(1 << 20):
                        out.write(block)
                    out.flush()
                    os.fsync(out.fileno())
    except tarfile.TarError as error:
        raise FabricError(texts.NO_BACKUP(directory=str(target), cause=str(error))) from error
