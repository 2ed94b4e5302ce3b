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

from . import tree

Compression = Literal["zstd", "none"]
Say = Callable[[str], object]

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
    say(f"Looking at {source}")
    before = tree.survey(source)
    say(f"Packing {_so_many(before)}")
    with _incoming(datasets.store / dataset, catalogue_service) as (draft, handle):
        _squash(Path(os.path.realpath(source)), handle, compression, catalogue_service, Meter(before.bytes))
        if tree.survey(source) != before:
            raise FabricError(
                f"{source} was changed while it was packed.",
                reason="source",
                hint="Pack a directory that nobody writes to, or a snapshot of it.",
            )
        size = os.fstat(handle).st_size
        say(f"Reading the image, {size} bytes, for its SHA-256")
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
    say(f"Looking at {where}")
    before = tree.survey(where)
    say(f"Reading {_so_many(before)}, for the SHA-256")
    digest = tree.listing_digest(where, Meter(before.bytes))
    if tree.survey(where) != before:
        raise FabricError(
            f"{where} was changed while it was read.",
            reason="source",
            hint="Publish a directory that nobody writes to.",
        )
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


def _so_many(found: tree.Tree) -> str:
    return f"{found.files} file{'' if found.files == 1 else 's'}, {found.bytes} bytes"


def difference(datasets: CatalogueSettings, version: Version) -> str:
    """What is wrong with a version's content, read again in full; empty when it is what was published.

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
                    return f"{version.path} has {size} bytes, not {version.bytes}"
                digest = tree.digest_of(handle, Meter(size))
            finally:
                os.close(handle)
    except OSError as error:
        return f"{version.path} cannot be read: {error.strerror}"
    except FabricError as error:
        return error.message.strip()
    return "" if digest == version.sha256 else f"{version.path} has sha256 {digest}, not {version.sha256}"


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
            raise FabricError(
                "mksquashfs is not installed on this machine.",
                reason="pack",
                hint="Debian: apt-get install squashfs-tools; others: the package squashfs-tools.",
            ) from None
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
            raise FabricError(
                f"mksquashfs could not pack {source}: {said or f'it ended with status {process.returncode}'}.",
                reason="pack",
                hint="Nothing was kept. Check the space in the store (catalogue.store).",
            )


def _stream(source: Path, stream: IO[bytes], progress: tree.Progress) -> None:
    """Write a directory as a tar archive (GNU): names, kinds and contents only, by name.

    :raises FabricError: something in it must not be in a dataset, or changed while it was read.
    """
    problems: list[str] = []
    for found in tree.walk(source, problems):
        if problem := tree.unfit(source, found):
            problems.append(f"{found.path}: {problem}")
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
            problems.append(f"{found.path}: {problem}")
            break
    if problems:
        raise tree.refusal(source, problems)
    stream.write(bytes(2 * tarfile.BLOCKSIZE))


def _copy(found: tree.Found, stream: IO[bytes], progress: tree.Progress) -> str:
    """Write a file's content, padded; returns what went wrong."""
    left = found.status.st_size
    try:
        handle = found.open()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    try:
        while left:
            try:
                piece = os.read(handle, min(left, tree.PIECE))
            except OSError as error:
                return f"cannot be read: {error.strerror}"
            if not piece:
                return "became shorter while it was read"
            stream.write(piece)
            left -= len(piece)
            progress(len(piece))
    finally:
        os.close(handle)
    stream.write(bytes(-found.status.st_size % tarfile.BLOCKSIZE))
    return ""


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
            f"The store cannot be written: {error.filename or directory}: {error.strerror}.",
            reason="store",
            hint=f"catalogue.store must be a directory that belongs to {catalogue_service.name}, with free space.",
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
