"""A directory of files, as somebody sees it who may read it: what is in it, what must not be, and its digest."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FabricError

# Suffixes of compressed files say nothing without the one before them: data.csv.gz is csv.gz.
_COMPRESSED = frozenset({"bz2", "gz", "xz", "zst"})
_PIECE = 1 << 20
_NAMED_AT_MOST = 50
_LINKS_AT_MOST = 40  # the kernel's own limit (path_resolution(7))

Progress = Callable[[int], None]


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


def survey(root: Path) -> Tree:
    """Look at everything below a directory, and open every file once.

    :raises FabricError: it cannot be used; each of what must not be in a dataset, by name: devices, pipes, sockets,
        files with a set-user-ID or set-group-ID bit, links that lead out of it, and what cannot be read.
    """
    where = Path(os.path.realpath(root))
    if not where.is_dir():
        raise FabricError(f"{root} is not a directory.", reason="source")
    problems: list[str] = []
    formats: Counter[str] = Counter()
    files = total = 0
    state = hashlib.sha256()
    for path, status in _walk(where, problems):
        shown = os.fsencode(path)
        state.update(b"%d %d %d %d " % (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino))
        state.update(shown + b"\0")
        if problem := _problem(where, path, status):
            problems.append(f"{path}: {problem}")
        elif stat.S_ISREG(status.st_mode):
            files += 1
            total += status.st_size
            formats[suffix(os.path.basename(path))] += 1
    if problems:
        raise _unfit(root, problems)
    if not files:
        raise FabricError(f"There is no file in {root}.", reason="source", hint="A dataset has at least one.")
    return Tree(files, total, dict(sorted(formats.items())), state.hexdigest())


def listing_digest(root: Path, progress: Progress = lambda _: None) -> str:
    """The digest of a directory's listing: SHA-256 over one line per file and link, in the order of their paths.

    A file's line is ``SHA-256 SIZE PATH``, a link's ``-> TARGET PATH``; a NUL ends each part, a newline the line.

    :param progress: called with the number of bytes read since the last call.
    :raises FabricError: something in it cannot be read.
    """
    where = Path(os.path.realpath(root))
    digest = hashlib.sha256()
    problems: list[str] = []
    for path, status in _walk(where, problems):
        try:
            if stat.S_ISREG(status.st_mode):
                with open(os.open(where / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                    content = digest_of(file.fileno(), progress)
                line = [content.encode(), b"%d" % status.st_size]
            elif stat.S_ISLNK(status.st_mode):
                line = [b"->", os.fsencode(os.readlink(where / path))]
            else:
                continue
        except OSError as error:
            problems.append(f"{path}: {error.strerror}")
            continue
        digest.update(b"\0".join([*line, os.fsencode(path)]) + b"\0\n")
    if problems:
        raise _unfit(root, problems)
    return digest.hexdigest()


def digest_of(handle: int, progress: Progress = lambda _: None) -> str:
    """SHA-256 of an open file, read from its beginning."""
    digest = hashlib.sha256()
    offset = 0
    while piece := os.pread(handle, _PIECE, offset):
        digest.update(piece)
        offset += len(piece)
        progress(len(piece))
    return digest.hexdigest()


def _walk(root: Path, problems: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below a directory with its own status, links not followed, by name in each directory."""
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(root / directory) as entries:
                found = sorted(entries, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            problems.append(f"{directory or root}: {error.strerror}")
            continue
        below = []
        for entry in found:
            path = os.path.join(directory, entry.name)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
                continue
            if stat.S_ISDIR(status.st_mode):
                below.append(path)
            yield path, status
        waiting += reversed(below)


def _problem(root: Path, path: str, status: os.stat_result) -> str:
    """Why a thing may not be in a dataset; empty when it may."""
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFLNK:
        target = os.readlink(root / path)
        if target.startswith("/"):
            return f"a link to {target}, outside this directory (an absolute path leads elsewhere on every machine)"
        if not _leads_inside(root, path):
            return f"a link to {target}, outside this directory"
    elif kind == stat.S_IFREG:
        if status.st_mode & (stat.S_ISUID | stat.S_ISGID):
            return "has a set-user-ID or set-group-ID bit"
        try:
            os.close(os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as error:
            return f"cannot be read: {error.strerror}"
    elif kind != stat.S_IFDIR:
        kinds = {stat.S_IFBLK: "a device", stat.S_IFCHR: "a device", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
        return kinds.get(kind, "neither file, directory nor link")
    return ""


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


def _unfit(root: Path, problems: list[str]) -> FabricError:
    told = [repr(line)[1:-1] if not line.isprintable() else line for line in problems[:_NAMED_AT_MOST]]
    if len(problems) > _NAMED_AT_MOST:
        told.append(f"and {len(problems) - _NAMED_AT_MOST} more")
    return FabricError(
        f"{root} cannot become a dataset before this is removed, or made readable for who gives the command:\n"
        + "\n".join(f"  {line}" for line in told),
        reason="source",
    )
