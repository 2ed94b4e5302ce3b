"""A series of backups in one directory, one more each night: each under its moment, and only so many kept.

The newest one has just been read again, digest by digest, before an older one is removed: the last good one never is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts
from fabric_hub.unix import last_backup
from fabric_hub.unix.last_backup import LastBackup

from . import make, manifest
from .helper import Helper, Line, Owner
from .manifest import Manifest

_NAME = re.compile(r"\d{8}T\d{6}Z")
_DRAFT = re.compile(r"\.\d{8}T\d{6}Z\.partial")


@dataclass(frozen=True)
class Kept:
    """A good backup of this hub's in the series."""

    directory: Path
    at: float


@dataclass(frozen=True)
class Added:
    """A backup that was made, and those that were removed for it."""

    directory: Path
    manifest: Manifest
    removed: tuple[Path, ...] = ()


def name_at(at: float) -> str:
    """What a backup of a moment (Unix seconds) is called."""
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"


def too_many(found: Sequence[Kept], keep: int) -> tuple[Kept, ...]:
    """The oldest, where there are more than are kept.

    :param keep: at least 1.
    """
    return tuple(sorted(found, key=lambda one: one.at)[: -max(keep, 1)])


def good(directory: Path, hub_id: str) -> tuple[Kept, ...]:
    """The backups of this hub in a series that have all their files, each as long as it was made.

    What has another name, or is damaged, does not count, and is not removed either.
    """
    found = []
    for path in sorted(directory.iterdir()):
        if not _NAME.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
            continue
        if (made := whole(path)) is not None and made.hub_id == hub_id:
            found.append(Kept(path, made.at))
    return tuple(found)


def whole(directory: Path) -> Manifest | None:
    """The manifest of a backup whose files are there, each as long as it was made; else None."""
    try:
        made = manifest.read(directory)
        for part in made.parts.values():
            if (directory / part.file).stat().st_size != part.bytes:
                return None
    except (FabricError, OSError):
        return None
    return made


def one_more(settings: Settings, site: Path, directory: Path, keep: int | None, *, with_secrets: bool) -> Added:
    """Make a backup in a series, read it again, then remove the oldest of more than are kept.

    :param directory: the series; it is made where it is not there. This account's own, that nobody else can write.
    :param keep: how many good ones stay, the new one included; None removes none.
    :raises FabricError: it failed, and nothing was removed.
    """
    with _alone(directory):
        for draft in directory.iterdir():
            if _DRAFT.fullmatch(draft.name) and not draft.is_symlink():
                shutil.rmtree(draft)  # of one that was killed: no other is at work
        target = directory / name_at(time.time())
        made = taken(settings, site, target, with_secrets=with_secrets)
        old = too_many(good(directory, settings.hub.id), keep) if keep else ()
        for one in old:
            if one.directory != target:
                shutil.rmtree(one.directory)
        return Added(target, made, tuple(one.directory for one in old if one.directory != target))


def taken(settings: Settings, site: Path, directory: Path, *, with_secrets: bool) -> Manifest:
    """Make one backup, read it again, and put it on record as the newest good one.

    :raises FabricError: it failed, or what is on the disk is not what was written.
    """
    made = make.backup(settings, site, directory, with_secrets=with_secrets)
    manifest.check(directory, made)
    state = settings.hub.state_dir
    stamp = LastBackup(at=made.at, id=made.id, directory=str(directory.absolute()))
    with Helper(partial(_record, state_dir=state, stamp=stamp), Owner.of(state), texts.BACKUP_NOT_ON_RECORD) as helper:
        helper.hear()
    return made


def _record(line: Line, state_dir: Path, stamp: LastBackup) -> None:
    last_backup.write(state_dir, stamp)
    line.say(done="record")


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """The series for this process alone.

    :raises FabricError: somebody else could write there, or another backup is at work.
    """
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise FabricError(texts.BACKUP_FAILED(cause=f"{directory}: {error.strerror}")) from error
    try:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
            raise FabricError(texts.SERIES_OPEN(directory=str(directory)))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FabricError(texts.SERIES_BUSY(directory=str(directory))) from None
        yield
    finally:
        os.close(handle)
