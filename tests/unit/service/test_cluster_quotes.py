"""One session's questions wait for each other, not others for them."""

from __future__ import annotations

import asyncio

import pytest

from fabric_hub.service.cluster_quotes import MOST_WAITING, BusyError, PerSessionLimiter


async def test_who_asks_many_questions_at_once_is_before_others_with_one_of_them_only() -> None:
    turns, one_at_a_time, answered = PerSessionLimiter(), asyncio.Lock(), list[str]()

    async def ask(session: str) -> None:
        async with turns.turn(session), one_at_a_time:
            answered.append(session)

    await one_at_a_time.acquire()
    asked = [asyncio.create_task(ask(session)) for session in ("a", "a", "a", "b", "a", "b")]
    await asyncio.sleep(0)  # all have asked
    one_at_a_time.release()
    await asyncio.gather(*asked)
    assert answered == ["a", "b", "a", "b", "a", "a"]


async def test_more_than_a_few_that_wait_are_refused_and_when_they_are_answered_no_more() -> None:
    turns, answer = PerSessionLimiter(), asyncio.Event()

    async def ask(session: str) -> str:
        async with turns.turn(session):
            await answer.wait()
            return session

    asked = [asyncio.create_task(ask("a")) for _ in range(MOST_WAITING + 1)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match=f"{MOST_WAITING + 1} questions of this session wait") as refused:
        await ask("a")
    assert refused.value.status == 429
    asked.append(asyncio.create_task(ask("b")))
    asked.pop(0).cancel()  # who asked has gone
    asked.append(asyncio.create_task(ask("a")))
    answer.set()
    ended = await asyncio.gather(*asked, return_exceptions=True)
    assert ended == ["a"] * MOST_WAITING + ["b", "a"]
    assert await ask("a") == "a"
