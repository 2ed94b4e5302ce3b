"""A directory of files, as somebody sees it who may read it: what is in it, what must not be, and its digest."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text, verbatim
from fabric_hub.messages.texts import dataset_files as texts

# Suffixes of compressed files say nothing without the one before them: data.csv.gz is csv.gz.
_COMPRESSED = frozenset({"bz2", "gz", "xz", "zst"})
PIECE = 1 << 20
_NAMED_AT_MOST = 50
_DEEPEST = 200  # directories in each other: one open descriptor each
_KINDS = {stat.S_IFBLK: texts.DEVICE, stat.S_IFCHR: texts.DEVICE, stat.S_IFIFO: texts.PIPE, stat.S_IFSOCK: texts.SOCKET}
_LINKS_AT_MOST = 40  # the kernel's own limit (path_resolution(7))

Progress = Callable[[int], None]


class Problem(NamedTuple):
    """A thing that may not be in a dataset, and why."""

    path: str
    why: Text


@dataclass(frozen=True)
class Tree:
    """What a directory holds: regular files, their bytes, how many of each suffix; ``state`` changes when it does."""

    files: int
    bytes: int
    formats: dict[str, int]
    state: str


def suffix(name: str) -> str:
    """The format that a file's name tells, in small letters without the dot: "csv", "csv.gz"; "" when it tells none."""
    parts = [part.lower() for part in name.lstrip(".").split(".")[1:]]
    known = [part for part in parts if part.isascii() and part.isalnum() and len(part) <= 10]
    if not known or known[-1] != parts[-1]:
        return ""
    compressed = known[-1] in _COMPRESSED and len(parts) > 1 and known[-2:] == parts[-2:]
    return ".".join(parts[-2:]) if compressed else known[-1]


@dataclass(frozen=True)
class Found:
    """Something in a directory, by the open directory that it is in: nobody can put another in its place."""

    path: str
    status: os.stat_result
    parent: int

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    def target(self) -> str:
        """Where a link leads."""
        return os.readlink(self.name, dir_fd=self.parent)

    def open(self) -> int:
        """A descriptor of a regular file; never of what took its place.

        :raises OSError: it cannot be read, or is another one now.
        """
        return _open_same(self, os.O_NONBLOCK | os.O_NOCTTY)


def _open_same(found: Found, flags: int) -> int:
    flags |= os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(found.name, flags, dir_fd=found.parent)
    if os.path.samestat(os.fstat(handle), found.status):
        return handle
    os.close(handle)
    raise OSError(errno.ESTALE, "was replaced meanwhile")


def walk(root: Path, problems: list[Problem]) -> Iterator[Found]:
    """Everything below a directory, each directory before what is in it, by name; links are not followed.

    No name is resolved through a directory that somebody may have replaced by a link meanwhile.

    :param problems: takes what could not be looked into.
    """
    try:
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        problems.append(Problem(str(root), verbatim(error.strerror or "")))
        return
    yield from _below(handle, "", problems)


def _below(handle: int, directory: str, problems: list[Problem]) -> Iterator[Found]:
    """Walk an open directory, and close it."""
    try:
        for name in sorted(os.listdir(handle), key=os.fsencode):
            path = os.path.join(directory, name)
            try:
                found = Found(path, os.stat(name, dir_fd=handle, follow_symlinks=False), handle)
                yield found
                if found.is_directory:
                    if path.count("/") >= _DEEPEST:
                        raise OSError(errno.ELOOP, f"is more than {_DEEPEST} directories deep")
                    inner = _open_same(found, os.O_DIRECTORY)
                else:
                    continue
            except OSError as error:
                problems.append(Problem(path, verbatim(error.strerror or "")))
                continue
            yield from _below(inner, path, problems)
    except OSError as error:
        problems.append(Problem(directory, verbatim(error.strerror or "")))
    finally:
        os.close(handle)


def survey(root: Path) -> Tree:
    """Look at everything below a directory, and open every file once.

    :raises FabricError: it cannot be used; each of what must not be in a dataset, by name: devices, pipes, sockets,
        files with a set-user-ID or set-group-ID bit, links that lead out of it, and what cannot be read.
    """
    where = Path(os.path.realpath(root))
    if not where.is_dir():
        raise FabricError(texts.NO_DIRECTORY(path=str(root)))
    problems: list[Problem] = []
    formats: Counter[str] = Counter()
    files = total = 0
    state = hashlib.sha256()
    for found in walk(where, problems):
        status = found.status
        state.update(b"%d %d %d %d " % (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino))
        state.update(os.fsencode(found.path) + b"\0")
        if problem := unfit(where, found):
            problems.append(Problem(found.path, problem))
        elif found.is_file:
            files += 1
            total += status.st_size
            formats[suffix(found.name)] += 1
    if problems:
        raise refusal(root, problems)
    if not files:
        raise FabricError(texts.NO_FILE(path=str(root)))
    return Tree(files, total, dict(sorted(formats.items())), state.hexdigest())


def listing_digest(root: Path, progress: Progress = lambda _: None) -> str:
    """The digest of a directory's listing: SHA-256 over one line per file and link, as :func:`walk` finds them.

    A file's line is ``SHA-256 SIZE PATH``, a link's ``-> TARGET PATH``; a NUL ends each part, a newline the line.

    :param progress: called with the number of bytes read since the last call.
    :raises FabricError: something in it cannot be read.
    """
    digest = hashlib.sha256()
    problems: list[Problem] = []
    for found in walk(Path(os.path.realpath(root)), problems):
        try:
            if found.is_file:
                handle = found.open()
                try:
                    line = [digest_of(handle, progress).encode(), b"%d" % found.status.st_size]
                finally:
                    os.close(handle)
            elif stat.S_ISLNK(found.status.st_mode):
                line = [b"->", os.fsencode(found.target())]
            else:
                continue
        except OSError as error:
            problems.append(Problem(found.path, verbatim(error.strerror or "")))
            continue
        digest.update(b"\0".join([*line, os.fsencode(found.path)]) + b"\0\n")
    if problems:
        raise refusal(root, problems)
    return digest.hexdigest()


def digest_of(handle: int, progress: Progress = lambda _: None) -> str:
    """SHA-256 of an open file, read from its beginning."""
    digest = hashlib.sha256()
    offset = 0
    while piece := os.pread(handle, PIECE, offset):
        digest.update(piece)
        offset += len(piece)
        progress(len(piece))
    return digest.hexdigest()


def unfit(root: Path, found: Found) -> Text | None:
    """Why a thing may not be in a dataset; None when it may."""
    kind = stat.S_IFMT(found.status.st_mode)
    try:
        if kind == stat.S_IFLNK:
            target = found.target()
            if target.startswith("/"):
                return texts.ABSOLUTE_LINK(target=plain(target))
            if not _leads_inside(root, found.path):
                return texts.LEADS_OUT(target=plain(target))
        elif kind == stat.S_IFREG:
            if found.status.st_mode & (stat.S_ISUID | stat.S_ISGID):
                return texts.SET_ID()
            os.close(found.open())
        elif kind != stat.S_IFDIR:
            return _KINDS.get(kind, texts.NO_KIND)()
    except OSError as error:
        return texts.THING_UNREADABLE(why=error.strerror or "")
    return None


def _leads_inside(root: Path, link: str) -> bool:
    """Whether a link stays below a directory at every step, wherever that directory will be; it may lead to nothing."""
    here, ahead, links = list(Path(link).parts[:-1]), [Path(link).name], 0
    while ahead:
        part = ahead.pop()
        if part == "..":
            if not here:
                return False
            here.pop()
        elif part not in ("", "."):
            step = root.joinpath(*here, part)
            if not step.is_symlink():
                here.append(part)
                continue
            target = os.readlink(step)
            links += 1
            if target.startswith("/") or links > _LINKS_AT_MOST:
                return False
            ahead += reversed(target.split("/"))
    return True


def refusal(root: Path, problems: list[Problem]) -> FabricError:
    """What is said of things that may not be in a dataset."""
    told = [texts.AT_PATH(path=plain(one.path), why=one.why) for one in problems[:_NAMED_AT_MOST]]
    if len(problems) > _NAMED_AT_MOST:
        told.append(texts.AND_MORE(number=len(problems) - _NAMED_AT_MOST))
    return FabricError(texts.UNFIT(path=plain(str(root)), things=tuple(told)))


def plain(text: str) -> str:
    """A name of somebody else's as it may be shown: what is not printable is escaped."""
    return text if text.isprintable() else repr(text)[1:-1]
