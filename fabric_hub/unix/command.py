"""Run one program: an argument list (never a shell), a time limit, a minimal environment.

A program may run as another Unix account. That takes no sudo: a gateway that is
root, or that has been given CAP_SETUID and CAP_SETGID, changes the identity of
the child between fork and exec. :func:`~fabric_hub.unix.capabilities.drop_inheritance` sees to it that no child
keeps a capability past that exec.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import run_as
from .accounts import Account
from .run_as import TimedOutError

_STDERR_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Finished:
    """How a program ended: its exit status (negative: killed by that signal) and what it said."""

    returncode: int
    stdout: bytes
    stderr: bytes
    took_s: float

    @property
    def words(self) -> str:
        """Standard error as text, control characters other than newlines removed."""
        return _text(self.stderr)

    @property
    def printed(self) -> str:
        """The same of standard output."""
        return _text(self.stdout)


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    return "".join(c for c in text if c == "\n" or c.isprintable()).strip()


class TooMuchOutputError(Exception):
    """The program wrote more than it may and was killed."""


async def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout_s: float,
    stdin: bytes = b"",
    account: Account | None = None,
    max_output: int = 1 << 28,
    starting: asyncio.Lock | None = None,
) -> Finished:
    """Run ``argv`` and wait for it.

    :param env: the whole environment; nothing is inherited.
    :param timeout_s: seconds after which it is killed with all of its process group.
    :param account: the Unix account to run as; None is the gateway's own.
    :param max_output: bytes of standard output it may write.
    :param starting: held while it starts; an account may have only a few starts at the same time.
    :raises TimedOutError: it was killed for its time.
    :raises TooMuchOutputError: it was killed for its output.
    :raises OSError: it could not be started (not found, not allowed).
    """
    began = time.monotonic()
    async with starting or contextlib.nullcontext():
        process = await run_as.spawn(argv, dict(env), _identity(account), timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            _, stdout, stderr, returncode = await asyncio.gather(
                _feed(process.stdin, stdin),
                _read(process.stdout, max_output),
                _read(process.stderr, _STDERR_LIMIT, cut=True),
                process.wait(),
            )
    except TimeoutError:
        await process.kill()
        raise TimedOutError(Path(argv[0]).name, timeout_s) from None
    except BaseException:  # too much output, or our own cancellation: leave no process behind
        await asyncio.shield(process.kill())
        raise
    finally:
        process.close()
    return Finished(returncode, stdout, stderr, time.monotonic() - began)


def _identity(account: Account | None) -> dict[str, Any]:
    if account is None or account.uid == os.geteuid():
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}


async def _feed(stream: asyncio.StreamWriter, data: bytes) -> None:
    # a program may end without reading what it was given: its exit status says why
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(data)
        await stream.drain()
        stream.close()
        await stream.wait_closed()


async def _read(stream: asyncio.StreamReader, limit: int, *, cut: bool = False) -> bytes:
    kept = bytearray()
    while chunk := await stream.read(1 << 16):
        kept += chunk
        if len(kept) > limit:
            if not cut:
                raise TooMuchOutputError(f"more than {limit} bytes of output")
            del kept[limit:]  # keep reading, so that the program is not blocked
    return bytes(kept)


__all__ = ["Finished", "TimedOutError", "TooMuchOutputError", "run"]
