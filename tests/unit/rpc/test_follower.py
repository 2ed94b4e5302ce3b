"""A follower keeps the latest value of a daemon's feed, marks it while the daemon does not answer, and asks again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING
from fabric_hub.rpc import follower as module
from fabric_hub.rpc.feed import Feed
from fabric_hub.rpc.follower import Follower

from .test_feed import LONG_S, Word


class Daemon:
    """A feed in this process, which may be gone; writes down what it was asked."""

    def __init__(self) -> None:
        self.feed = Feed(Word(), NOTHING)
        self.gone = False
        self.asked: list[tuple[int | None, float, float | None]] = []
        self.failed = asyncio.Event()  # it was asked in vain

    def say(self, text: str, at: float = 1.0) -> None:
        self.feed.publish(Word(text=text, at=at), at)

    async def read(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Word:
        self.asked.append((after, wait_s, fresh))
        if not self.gone:
            word = await self.feed.read(after, wait_s, fresh)
            if not self.gone:
                return word
        asyncio.get_running_loop().call_soon(self.failed.set)
        raise FabricError("The daemon is not running.", reason="daemon-unavailable")

    def go(self) -> None:
        """It answers nobody any more, not even who waits."""
        self.gone = True
        self.feed.publish_numbered(self.feed.value.model_copy(update={"serial": 0}))


@pytest.fixture
async def daemon(monkeypatch: pytest.MonkeyPatch) -> Daemon:
    monkeypatch.setattr(module, "RETRY_S", (0.01,))
    daemon = Daemon()
    daemon.say("one")
    return daemon


@pytest.fixture
async def follower(daemon: Daemon) -> AsyncIterator[Follower[Word]]:
    follower = Follower("word", daemon.read, Word())
    yield follower
    await follower.stop()


async def until(follower: Follower[Word], text: str, *, marked: bool = False) -> Word:
    """Wait for a value."""
    async with asyncio.timeout(LONG_S), aclosing(follower.changes()) as changes:  # type: ignore[type-var]
        async for value in changes:
            if value is not None and value.text == text and (value.unavailable_since is not None) == marked:
                return value
    raise AssertionError("the changes ended")


async def test_the_first_who_looks_gets_the_first_answer(follower: Follower[Word]) -> None:
    assert (follower.value, follower.answered) == (None, False)
    first = await follower.current(LONG_S)
    assert first is not None
    assert (first.text, follower.value, follower.answered) == ("one", first, True)


async def test_a_change_comes_by_the_long_poll_and_wakes_who_waits(follower: Follower[Word], daemon: Daemon) -> None:
    first = await until(follower, "one")
    changed = asyncio.create_task(follower.changed())
    await asyncio.sleep(0)
    daemon.say("two")
    await asyncio.wait_for(changed, LONG_S)
    assert follower.value is not None
    assert follower.value.text == "two"
    assert daemon.asked[:2] == [(None, 0.0, None), (first.serial, module.LONG_POLL_S, None)]


async def test_many_who_follow_cost_one_long_poll(follower: Follower[Word], daemon: Daemon) -> None:
    await asyncio.gather(*(until(follower, "one") for _ in range(50)))
    assert len(daemon.asked) <= 2


async def test_a_daemon_that_goes_leaves_its_last_value_marked_and_one_that_comes_back_ends_that(
    follower: Follower[Word], daemon: Daemon
) -> None:
    await until(follower, "one")
    before = time.time()
    daemon.go()
    gone = await until(follower, "one", marked=True)
    assert gone.unavailable_since is not None
    assert gone.unavailable_since >= before
    assert "daemon is not running" in str(gone.problem)
    daemon.failed.clear()
    await asyncio.wait_for(daemon.failed.wait(), LONG_S)
    assert follower.value is gone, "the outage is the same, and its first moment stays"
    daemon.gone = False
    back = await until(follower, "one")
    assert not back.problem
    assert daemon.asked[-1][0] == back.serial or daemon.asked[-1] == (None, 0.0, None)


async def test_of_a_daemon_that_has_never_answered_that_is_known(follower: Follower[Word], daemon: Daemon) -> None:
    daemon.go()
    value = await follower.current(LONG_S)
    assert value is not None
    assert (value.unavailable_since is None, value.text, follower.answered) == (False, "", False)


async def test_a_fresh_value_is_asked_for_only_where_the_last_is_older(
    follower: Follower[Word], daemon: Daemon
) -> None:
    at = time.time()
    daemon.say("two", at)
    assert (await follower.fresh(at)).text == "two"
    asked = len(daemon.asked)
    assert (await follower.fresh(at)).text == "two"
    assert len(daemon.asked) == asked
    asking = asyncio.create_task(follower.fresh(at + 0.001))
    await asyncio.sleep(0)
    daemon.say("three", time.time() + 1)
    assert (await asking).text == "three"
    assert follower.value == await asking


async def test_a_glance_has_what_the_daemon_has_and_follows_nothing(follower: Follower[Word], daemon: Daemon) -> None:
    for word in ("two", "three"):
        daemon.say(word)
        seen = await follower.glance()
        assert seen is not None
        assert seen.text == word
    assert daemon.asked == [(None, 0.0, None)] * 2
    daemon.go()
    gone = await follower.glance()
    assert gone is not None
    assert gone.unavailable_since is not None
    daemon.gone = False
    await until(follower, "three")
    asked = len(daemon.asked)
    assert await follower.glance() is follower.value
    assert len(daemon.asked) == asked, "who follows has it already"


async def test_a_daemon_that_does_not_answer_gives_no_fresh_value(follower: Follower[Word], daemon: Daemon) -> None:
    daemon.go()
    with pytest.raises(FabricError, match="is not running"):
        await follower.fresh(time.time())


async def test_nobody_is_asked_once_it_is_not_wanted(daemon: Daemon) -> None:
    wanted = True
    follower = Follower("word", daemon.read, Word(), lambda: wanted)
    await until(follower, "one")
    wanted = False
    daemon.say("two")
    await until(follower, "two")
    assert follower._task is not None
    await asyncio.wait_for(asyncio.shield(follower._task), LONG_S)
    asked = len(daemon.asked)
    wanted = True
    daemon.say("three")
    assert (await until(follower, "three")).text == "three", "it is followed again by who looks"
    assert len(daemon.asked) > asked
    await follower.stop()


async def test_who_follows_can_be_made_to_look_again(follower: Follower[Word]) -> None:
    first = await until(follower, "one")
    changed = asyncio.create_task(follower.changed())
    await asyncio.sleep(0)
    follower.look_again()
    await asyncio.wait_for(changed, LONG_S)
    assert follower.value is first
