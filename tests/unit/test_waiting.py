"""The tests' own way to wait: the answer when it comes, and all that is known when it does not."""

from __future__ import annotations

import pytest

from tests.support.waiting import until, until_async


def test_the_first_true_answer_is_returned() -> None:
    answers = iter([None, False, [], ["job"]])
    assert until(lambda: next(answers), "a job is there", every_s=0) == ["job"]


def test_what_does_not_come_in_time_is_told_with_the_last_answer_and_more() -> None:
    with pytest.raises(AssertionError, match=r"not within 0 s: it is told; the last answer: \[\]\nthe log"):
        until(list, "it is told", 0, seen=lambda: "the log")


async def test_beside_other_tasks_it_waits_for_functions_and_for_coroutines() -> None:
    given: list[str | bool] = [False, True, False, "a job"]
    answers = iter(given)

    async def look() -> str | bool:
        return next(answers)

    assert await until_async(lambda: next(answers), "it is true", every_s=0) is True
    assert await until_async(look, "a job is there", every_s=0) == "a job"
    with pytest.raises(AssertionError, match="not within 0 s: it is told; the last answer: None"):
        await until_async(lambda: None, "it is told", 0)
