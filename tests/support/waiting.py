"""Waiting for what another process will say."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")


def until(look: Callable[[], T | Literal[False] | None], what: str, limit_s: float = 30.0, every_s: float = 0.1) -> T:
    """Ask every ``every_s`` seconds until the answer is true; the answer.

    :raises AssertionError: ``what`` did not come true within ``limit_s`` seconds.
    """
    end = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < end, f"not within {limit_s:g} s: {what}"
        time.sleep(every_s)
    return found
