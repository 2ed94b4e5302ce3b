"""Waiting for what another process does: tests wait for a condition, with a generous limit, never for a duration."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar, overload

T = TypeVar("T")


def until(
    look: Callable[[], T | Literal[False] | None],
    what: str,
    limit_s: float = 30.0,
    every_s: float = 0.1,
    *,
    seen: Callable[[], object] | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> T:
    """Ask ``look`` every ``every_s`` seconds until its answer is true; the answer.

    :param what: what is waited for, in words.
    :param seen: tells more when it did not come: a log, the jobs that are still there.
    :param pause: lets so many seconds pass, where other work has to go on meanwhile, as a browser's events.
    :raises AssertionError: ``what`` did not come true within ``limit_s`` seconds; it has the last answer.
    """
    end = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < end, _too_late(what, limit_s, found, seen)
        pause(every_s)
    return found


@overload
async def until_async(
    look: Callable[[], Awaitable[T | Literal[False] | None]],
    what: str,
    limit_s: float = ...,
    every_s: float = ...,
    *,
    seen: Callable[[], object] | None = ...,
) -> T: ...


@overload
async def until_async(
    look: Callable[[], T | Literal[False] | None],
    what: str,
    limit_s: float = ...,
    every_s: float = ...,
    *,
    seen: Callable[[], object] | None = ...,
) -> T: ...


async def until_async(
    look: Callable[[], Any],
    what: str,
    limit_s: float = 30.0,
    every_s: float = 0.1,
    *,
    seen: Callable[[], object] | None = None,
) -> Any:
    """Wait as :func:`until` does, beside other tasks; ``look`` may be a coroutine function."""
    end = time.monotonic() + limit_s
    while True:
        answer = look()
        found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        assert time.monotonic() < end, _too_late(what, limit_s, found, seen)
        await asyncio.sleep(every_s)


def _too_late(what: str, limit_s: float, found: object, seen: Callable[[], object] | None) -> str:
    more = f"\n{seen()}" if seen else ""
    return f"not within {limit_s:g} s: {what}; the last answer: {found!r}{more}"
