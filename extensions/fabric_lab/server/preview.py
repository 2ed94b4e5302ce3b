"""The first rows of a table file of an open dataset, for its tab in JupyterLab.

The file is opened part by part below the dataset's directory, through no link, so nothing outside of it is read; a
process of its own reads it (:mod:`.table`), in bounded time, and no more than two at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import sys
from typing import Any, cast

from ..answers import Table
from ..common.translation import _
from . import table
from .loading import suffix_of

LONGEST_S = 15.0
LARGEST_ANSWER = 2 << 20
AT_ONCE = 2
DEEPEST = 20
# What a reader needs of the environment; a session's own settings of Python are not for it.
KEPT = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "LD_LIBRARY_PATH")


class PreviewError(Exception):
    """There is nothing to show; the text says why. ``reason`` is one word for programs."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def is_table(name: str) -> bool:
    """Whether a file is one of which rows can be shown, by its name."""
    return suffix_of(name) in table.SUFFIXES


def open_below(root: str, name: str) -> int:
    """A descriptor of a plain file below a directory, reached through no link.

    :param name: its path below ``root``.
    :raises PreviewError: it is no plain file there.
    """
    parts = name.split("/")
    if not name or "\0" in name or len(parts) > DEEPEST or any(part in ("", ".", "..") for part in parts):
        raise _not_there(name)
    at = -1
    try:
        at = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts[:-1]:
            inside = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inside
        # not blocking: opening a pipe would wait for its other end
        file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    except (OSError, ValueError):
        raise _not_there(name) from None
    finally:
        if at >= 0:
            os.close(at)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise _not_there(name)
    return file


def _not_there(name: str) -> PreviewError:
    return PreviewError(_("{file} is no file of this dataset.").format(file=name[:200]), "file")


class Previews:
    """Shows tables, a few at once."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def of(self, root: str, name: str) -> Table:
        """The first rows of a file, and its columns.

        :param root: the directory of the dataset's version.
        :param name: the file's path below it.
        :raises PreviewError: it is no table, cannot be read, or not in time.
        """
        if not is_table(name):
            raise PreviewError(
                _("Rows of {file} cannot be shown: it is no CSV or Parquet file.").format(file=name[:200]), "kind"
            )
        async with self._turns:
            file = await asyncio.to_thread(open_below, root, name)
            try:
                answer = await _read(file, suffix_of(name))
            finally:
                os.close(file)
        return _checked(name, answer)


async def _read(file: int, suffix: str) -> bytes:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", table.__name__, suffix,
        stdin=file, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in KEPT if name in os.environ},
    )  # fmt: skip
    assert child.stdout is not None
    answer = bytearray()
    try:
        async with asyncio.timeout(LONGEST_S):
            while len(answer) <= LARGEST_ANSWER and (part := await child.stdout.read(1 << 16)):
                answer += part
    except TimeoutError:
        answer.clear()
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    return bytes(answer)


def _checked(name: str, answer: bytes) -> Table:
    try:
        found: dict[str, Any] = json.loads(answer)
    except ValueError:
        raise PreviewError(
            _("{file} could not be read in time, or is too large to look into.").format(file=name), "time"
        ) from None
    if found.get("wrong") == "reader":
        raise PreviewError(_("This session's image has no reader for {kind} files.").format(kind="Parquet"), "reader")
    if "wrong" in found:
        raise PreviewError(_("{file} is no table that can be read.").format(file=name), "unreadable")
    return cast("Table", {"file": name, **found})
