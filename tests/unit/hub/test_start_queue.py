"""Starts pass one by one, and whoever asks the hub for something meanwhile need not wait for all of them."""

from __future__ import annotations

import asyncio

from fabric_hub.hub.spawner.start_queue import TURNS, StartQueue, StartSlot


async def test_starts_pass_one_by_one_in_the_order_they_came_and_others_work_in_between() -> None:
    start_queue, happened = StartQueue(), list[str]()

    async def start(number: int) -> None:
        await start_queue.wait(StartSlot.BEGIN)
        happened.append(f"start {number}")

    async def others() -> None:
        while True:
            happened.append("other")
            await asyncio.sleep(0)

    asking = asyncio.create_task(others())
    await asyncio.gather(*(start(number) for number in range(3)))
    asking.cancel()
    assert [what for what in happened if what != "other"] == ["start 0", "start 1", "start 2"]
    first, second = happened.index("start 0"), happened.index("start 1")
    assert happened[first:second].count("other") >= TURNS


async def test_one_that_gives_up_waiting_keeps_nobody_out() -> None:
    start_queue = StartQueue()
    first, second, third = (asyncio.create_task(start_queue.wait(StartSlot.BEGIN)) for _ in range(3))
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()
    await third


async def test_nobody_waits_for_all_of_somebody_elses_starts() -> None:
    start_queue, passed, eight = StartQueue(), list[str](), asyncio.Event()

    async def start(user: str) -> None:
        start_queue.enter(user)
        for step in (StartSlot.BEGIN, StartSlot.SUBMIT):
            await start_queue.wait(step)
            passed.append(f"{user} {step.name}")
            if len(passed) == 8:
                eight.set()

    many = [asyncio.create_task(start("greedy")) for _ in range(20)]
    await eight.wait()
    others = [asyncio.create_task(start(f"other{number}")) for number in range(2)]
    await asyncio.gather(*many, *others)
    assert max(map(passed.index, ("other0 SUBMIT", "other1 SUBMIT"))) < 8 + 2 * 3 + 2
    assert passed[:4] == ["greedy BEGIN", "greedy SUBMIT"] * 2, "one that has begun goes on before the next begins"


async def test_who_is_nearly_ready_goes_before_those_who_begin() -> None:
    start_queue, passed = StartQueue(), list[StartSlot]()

    async def start(step: StartSlot) -> None:
        await start_queue.wait(step)
        passed.append(step)

    await asyncio.gather(*(start(step) for step in (StartSlot.BEGIN, StartSlot.SUBMIT, StartSlot.READY)))
    assert passed == [StartSlot.READY, StartSlot.SUBMIT, StartSlot.BEGIN]
