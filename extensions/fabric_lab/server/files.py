"""A few files of an open dataset: enough to write loading code for it, however many there are."""

from __future__ import annotations

import os
import stat
import time
from itertools import islice
from typing import NamedTuple

MOST_FILES = 200
MOST_LOOKED_AT = 5_000
LONGEST_S = 2.0
DEEPEST = 8


class File(NamedTuple):
    """A plain file; ``name`` is its path below the dataset's directory."""

    name: str
    bytes: int


class Found(NamedTuple):
    """``more``: there are files that were not looked at, or not told."""

    files: tuple[File, ...]
    more: bool


def below(root: str) -> Found:
    """The first files below a directory, nearest first.

    No link is followed, so nothing outside of the directory is told; number, depth and time are bounded.

    :raises OSError: the directory itself cannot be read.
    """
    until = time.monotonic() + LONGEST_S
    found: list[File] = []
    left = MOST_LOOKED_AT
    directories = [root]
    os.stat(root)
    for directory in directories:  # grows while it is walked: nearest first
        try:
            with os.scandir(directory) as entries:
                inside = sorted(islice(entries, left + 1), key=lambda entry: entry.name)
        except OSError:
            continue  # it went away, or is not ours to read: the others are still told
        for entry in inside:
            if not left or len(found) >= MOST_FILES or time.monotonic() > until:
                return Found(tuple(found), True)
            left -= 1
            name = os.path.relpath(entry.path, root)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                found.append(File(name, status.st_size))
            elif stat.S_ISDIR(status.st_mode) and name.count("/") < DEEPEST:
                directories.append(entry.path)
    return Found(tuple(found), False)
