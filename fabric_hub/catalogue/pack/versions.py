"""Versions made of a directory: packed into one SquashFS image in the store, or left where it is (``link``).

The directory is read as whoever gives the command, by us, through open directories: whoever may write to it can put
no other file of the machine in. mksquashfs gets it as a tar stream, runs as the catalogue service, and writes to the
catalogue service's
store (:mod:`fabric_hub.catalogue.switch_user`). The same names and contents make the same image: owners, modes,
times and hard links are not kept; files are 0444, directories 0555, all of root's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Literal

from fabric_hub.catalogue import switch_user
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.datasets.model import Version
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Text, message_of, verbatim
from fabric_hub.messages.texts import dataset_files as texts

from . import tree

Compression = Literal["zstd", "none"]
Say = Callable[[Text], object]

# Blocks of 128 KiB, as large as the kernel reads ahead; no fragments, so that a small file is read without its
# neighbours; inodes uncompressed, so that opening a file decompresses nothing. Without fragments mksquashfs would
# compare every file with all others of its size: 200,000 files of one size took over 100 s, and take 5 s like this.
_FORM = ["-b", "128K", "-no-fragments", "-no-duplicates", "-noI", "-no-xattrs", "-no-exports", "-all-root",
         "-root-mode", "0555"]  # fmt: skip
_SAME = ["-reproducible", "-mkfs-time", "0", "-all-time", "0", "-root-time", "0"]
_STRICT = ["-noappend", "-no-recovery", "-exit-on-error", "-quiet", "-no-progress"]
_COMPRESSION: dict[Compression, list[str]] = {
    "zstd": ["-comp", "zstd", "-Xcompression-level", "3"],
    "none": ["-comp", "zstd", "-noD"],
}
_UNFINISHED = ".part"
_LONGEST = 4096  # bytes of what mksquashfs says that are told


def pack(
    datasets: CatalogueSettings,
    dataset: str,
    version: str,
    source: Path,
    *,
    compression: Compression = "zstd",
    say: Say = lambda _: None,
) -> Version:
    """Pack a directory into an image in the store. Whole or not at all; an image that is there already stays.

    :param say: is told what is being done; a terminal is shown how far it is.
    :raises FabricError: the directory holds what must not be in a dataset (each is named), or changed meanwhile;
        the image cannot be written.
    """
    catalogue_service = switch_user.catalogue_account(datasets)
    say(texts.LOOKING(path=str(source)))
    before = tree.survey(source)
    say(texts.PACKING(n=before.files, size=before.bytes))
    with _incoming(datasets.store / dataset, catalogue_service) as (draft, handle):
        _squash(Path(os.path.realpath(source)), handle, compression, catalogue_service, Meter(before.bytes))
        if tree.survey(source) != before:
            raise FabricError(texts.CHANGED_PACKING(path=str(source)))
        size = os.fstat(handle).st_size
        say(texts.READING_IMAGE(size=size))
        digest = tree.digest_of(handle, Meter(size))
        final = draft.with_name(f"{version}-{digest}.sqfs")
        with switch_user.for_a_moment(catalogue_service):
            os.fchmod(handle, 0o400)
            os.fsync(handle)
            # nodes may have the one that is there mounted: on a network file system replacing it would pull it away
            if not _holds(final, digest):
                draft.rename(final)
                _sync(final.parent)
    return Version(
        version=version,
        kind="image",
        path=str(final),
        sha256=digest,
        bytes=size,
        files=before.files,
        formats=before.formats,
        created_at=time.time(),
    )


def link(datasets: CatalogueSettings, version: str, source: Path, *, say: Say = lambda _: None) -> Version:
    """A version that is a directory where it stands, known by the digest of its listing.

    :raises FabricError: the directory holds what must not be in a dataset (each is named), or changed meanwhile.
    """
    switch_user.catalogue_account(datasets)
    where = Path(os.path.realpath(source))
    say(texts.LOOKING(path=str(where)))
    before = tree.survey(where)
    say(texts.READING(n=before.files, size=before.bytes))
    digest = tree.listing_digest(where, Meter(before.bytes))
    if tree.survey(where) != before:
        raise FabricError(texts.CHANGED_READING(path=str(where)))
    return Version(
        version=version,
        kind="directory",
        path=str(where),
        sha256=digest,
        bytes=before.bytes,
        files=before.files,
        formats=before.formats,
        created_at=time.time(),
    )


def difference(datasets: CatalogueSettings, version: Version) -> Text:
    """What is wrong with a version's content, read again in full; nothing when it is what was published.

    An image is read as the catalogue service, a directory as whoever gives the command.
    """
    try:
        if version.kind == "directory":
            digest = tree.listing_digest(Path(version.path), Meter(version.bytes))
        else:
            with switch_user.for_a_moment(switch_user.catalogue_account(datasets)):
                handle = os.open(version.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                size = os.fstat(handle).st_size
                if size != version.bytes:
                    return texts.OTHER_SIZE(path=version.path, found=size, size=version.bytes)
                digest = tree.digest_of(handle, Meter(size))
            finally:
                os.close(handle)
    except OSError as error:
        return texts.CANNOT_READ(path=version.path, why=error.strerror or "")
    except FabricError as error:
        return message_of(error)
    if digest == version.sha256:
        return NOTHING
    return texts.OTHER_DIGEST(path=version.path, found=digest, sha256=version.sha256)


def discard(version: Version) -> None:
    """Remove an image that no entry names, as the catalogue service; a directory stays."""
    if version.kind == "image":
        Path(version.path).unlink(missing_ok=True)


class Meter:
    """Shows on a terminal how much has been read, in percent; says nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self._total, self._read, self._shown = total, 0, -1
        self._on = total > 0 and sys.stderr.isatty()

    def __call__(self, count: int) -> None:
        self._read += count
        percent = min(100, 100 * self._read // self._total) if self._on else self._shown
        if percent != self._shown:
            self._shown = percent
            sys.stderr.write(f"\r{percent:3d} %" + ("\n" if percent == 100 else ""))
            sys.stderr.flush()


def _squash(
    source: Path,
    image: int,
    compression: Compression,
    catalogue_service: switch_user.CatalogueAccount,
    progress: tree.Progress,
) -> None:
    """Run mksquashfs as the catalogue service on what this process reads."""
    argv = ["mksquashfs", "-", f"/proc/self/fd/{image}", "-tar", *_COMPRESSION[compression], *_FORM, *_SAME, *_STRICT]
    identity: dict[str, Any] = {}
    if os.geteuid() != catalogue_service.uid:
        identity = {"user": catalogue_service.uid, "group": catalogue_service.gid, "extra_groups": []}
    with tempfile.TemporaryFile() as words:
        try:
            process = subprocess.Popen(
                argv,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=words,
                pass_fds=(image,),
                **identity,
            )
        except FileNotFoundError:
            raise FabricError(texts.NO_MKSQUASHFS()) from None
        assert process.stdin
        with contextlib.suppress(OSError):  # a smaller one is slower
            fcntl.fcntl(process.stdin, fcntl.F_SETPIPE_SZ, tree.PIECE)
        try:
            # a broken pipe: it ended, and has said why
            with contextlib.suppress(BrokenPipeError), process.stdin as stream:
                _stream(source, stream, progress)
            process.wait()
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            words.seek(0)
            lines = words.read(_LONGEST).decode("utf-8", "replace").replace("\r", "\n").splitlines()
            said = "; ".join(line.strip() for line in lines if line.strip() and line.isprintable())
            why = verbatim(said) if said else texts.ENDED_WITH(status=process.returncode)
            raise FabricError(texts.MKSQUASHFS_FAILED(path=str(source), why=why))


def _stream(source: Path, stream: IO[bytes], progress: tree.Progress) -> None:
    """Write a directory as a tar archive (GNU): names, kinds and contents only, by name.

    :raises FabricError: something in it must not be in a dataset, or changed while it was read.
    """
    problems: list[tree.Problem] = []
    for found in tree.walk(source, problems):
        if problem := tree.unfit(source, found):
            problems.append(tree.Problem(found.path, problem))
        if problems:
            break
        info = tarfile.TarInfo(found.path)
        if found.is_file:
            info.mode, info.size = 0o444, found.status.st_size
        elif found.is_directory:
            info.mode, info.type = 0o555, tarfile.DIRTYPE
        else:
            info.mode, info.type, info.linkname = 0o777, tarfile.SYMTYPE, found.target()
        stream.write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
        if found.is_file and (problem := _copy(found, stream, progress)):
            problems.append(tree.Problem(found.path, problem))
            break
    if problems:
        raise tree.refusal(source, problems)
    stream.write(bytes(2 * tarfile.BLOCKSIZE))


def _copy(found: tree.Found, stream: IO[bytes], progress: tree.Progress) -> Text | None:
    """Write a file's content, padded; returns what went wrong."""
    left = found.status.st_size
    try:
        handle = found.open()
    except OSError as error:
        return texts.THING_UNREADABLE(why=error.strerror or "")
    try:
        while left:
            try:
                piece = os.read(handle, min(left, tree.PIECE))
            except OSError as error:
                return texts.THING_UNREADABLE(why=error.strerror or "")
            if not piece:
                return texts.SHORTER()
            stream.write(piece)
            left -= len(piece)
            progress(len(piece))
    finally:
        os.close(handle)
    stream.write(bytes(-found.status.st_size % tarfile.BLOCKSIZE))
    return None


@contextlib.contextmanager
def _incoming(directory: Path, catalogue_service: switch_user.CatalogueAccount) -> Iterator[tuple[Path, int]]:
    """An empty file of the account's in the store, open and locked; it is gone afterwards unless it was renamed."""
    draft = directory / f".{secrets.token_hex(8)}{_UNFINISHED}"
    try:
        with switch_user.for_a_moment(catalogue_service):
            directory.mkdir(mode=0o700, exist_ok=True)
            with _alone(directory):
                _sweep(directory)
                handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        raise FabricError(
            texts.STORE_UNWRITABLE(
                path=str(error.filename or directory), why=error.strerror or "", account=catalogue_service.name
            )
        ) from error
    try:
        yield draft, handle
    finally:
        with switch_user.for_a_moment(catalogue_service):
            draft.unlink(missing_ok=True)
        os.close(handle)


def _sweep(directory: Path) -> None:
    """Remove what was left by one that was killed: nobody holds its lock."""
    for left in directory.glob(f".*{_UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError), left.open("rb") as file:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()


def _holds(path: Path, digest: str) -> bool:
    """Whether a file is there with this content."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            return tree.digest_of(file.fileno()) == digest
    except OSError:
        return False


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[int]:
    """Hold a directory's lock: it leaves no file."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _sync(directory: Path) -> None:
    with _alone(directory) as handle:
        os.fsync(handle)
