"""The tests' clock that skips what a loop would wait for."""

from __future__ import annotations

import asyncio
import time

from tests.support.skipped_time import SkippedTime


async def test_hours_pass_at_once_in_order_and_end_with_their_limits(skipped_time: SkippedTime) -> None:
    began, monotonic, wall = time.monotonic(), skipped_time.monotonic(), skipped_time.wall()
    woken: list[str] = []

    async def sleeper(name: str, hours: float) -> None:
        await asyncio.sleep(hours * 3600)
        woken.append(name)

    await asyncio.gather(sleeper("late", 5), sleeper("early", 1))
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 3600)
    except TimeoutError:
        woken.append("given up")
    assert woken == ["early", "late", "given up"]
    assert 6 * 3600 <= skipped_time.monotonic() - monotonic < 6 * 3600 + 60
    assert 6 * 3600 <= skipped_time.wall() - wall < 6 * 3600 + 60
    assert time.monotonic() - began < 60
