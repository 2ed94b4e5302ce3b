"""A feed gives its latest value to every reader, and wakes who waits for another or a fresher one."""

from __future__ import annotations

import asyncio
import time

import pytest

from fabric_hub.messages.text import NOTHING, verbatim
from fabric_hub.messages.texts.daemons import CATALOGUE_NOT_READ
from fabric_hub.rpc.feed import Feed
from fabric_hub.rpc.feed_value import FeedValue

LONG_S = 60.0


class Word(FeedValue):
    """The smallest thing to follow."""

    text: str = ""
    at: float | None = None
    TIMES = FeedValue.TIMES | {"at"}

    @property
    def asked_at(self) -> float | None:
        return self.at


def a_feed(text: str | None = "one") -> Feed[Word]:
    feed = Feed(Word(), CATALOGUE_NOT_READ())
    if text is not None:
        feed.publish(Word(text=text, at=1.0), 1.0)
    return feed


async def waiting(reader: asyncio.Task[Word]) -> asyncio.Task[Word]:
    """A reader that has begun to wait."""
    await asyncio.sleep(0)
    assert not reader.done()
    return reader


async def test_before_the_first_answer_the_source_is_unavailable_and_readers_wait_for_it() -> None:
    feed = a_feed(None)
    assert feed.latest.unavailable_since is not None
    assert (str(feed.latest.problem), feed.latest.asked_at) == ("The catalogue has not been read yet.", None)
    reader = await waiting(asyncio.create_task(feed.read()))
    feed.publish(Word(text="one"), time.time())
    told = await reader
    assert (told.text, told.unavailable_since, str(told.problem)) == ("one", None, "")


async def test_a_first_question_without_an_answer_lets_readers_go_too() -> None:
    feed = a_feed(None)
    reader = await waiting(asyncio.create_task(feed.read()))
    feed.unavailable(verbatim("no answer"), time.time())
    assert str((await reader).problem) == "no answer"


async def test_the_serial_rises_with_the_content_and_not_with_its_times() -> None:
    feed = a_feed()
    first = feed.latest
    feed.publish(Word(text="one", at=2.0), 2.0)
    assert (feed.latest.serial, feed.latest.at) == (first.serial, 2.0)
    feed.publish(Word(text="two", at=3.0), 3.0)
    assert feed.latest.serial == first.serial + 1


async def test_the_serial_goes_on_rising_in_the_next_process() -> None:
    now = time.time()
    before, after = (Feed(Word(), NOTHING, wall=lambda at=at: at) for at in (now, now + 1))  # type: ignore[misc]
    assert after.latest.serial > before.latest.serial


async def test_who_waits_for_another_serial_is_woken_by_other_content_alone() -> None:
    feed = a_feed()
    reader = asyncio.create_task(feed.read(after=feed.latest.serial, wait_s=LONG_S))
    await waiting(reader)
    feed.publish(Word(text="one", at=2.0), 2.0)
    await waiting(reader)
    feed.publish(Word(text="two"), 3.0)
    assert (await reader).text == "two"


async def test_a_source_with_serials_of_its_own_may_go_back() -> None:
    feed = Feed(Word(), NOTHING)
    feed.publish_numbered(Word(serial=9, text="new"), time.time())
    reader = await waiting(asyncio.create_task(feed.read(after=9, wait_s=LONG_S)))
    feed.publish_numbered(Word(serial=3, text="restored"), time.time())
    assert (await reader).serial == 3
    assert (await feed.read(after=9, wait_s=LONG_S)).serial == 3, "it is another one already"


async def test_who_wants_a_fresh_answer_gets_one_that_was_asked_for_since() -> None:
    feed = a_feed()
    assert not feed.wants_fresh
    wanted = time.time()
    reader = await waiting(asyncio.create_task(feed.read(fresh=wanted, wait_s=LONG_S)))
    assert feed.wants_fresh
    feed.publish(Word(text="too old"), wanted - 1)
    await waiting(reader)
    feed.publish(Word(text="fresh"), wanted)
    assert (await reader).text == "fresh"
    assert not feed.wants_fresh


async def test_who_wants_a_fresh_answer_hears_of_a_question_that_was_not_answered() -> None:
    feed = a_feed()
    reader = await waiting(asyncio.create_task(feed.read(fresh=time.time(), wait_s=LONG_S)))
    feed.unavailable(verbatim("no answer"), time.time())
    told = await reader
    assert (told.text, str(told.problem), told.unavailable_since is None) == ("one", "no answer", False)


async def test_an_answer_from_the_future_is_wanted_as_of_now() -> None:
    feed = a_feed()
    reader = await waiting(asyncio.create_task(feed.read(fresh=time.time() + 3600, wait_s=LONG_S)))
    feed.publish(Word(text="now"), time.time())
    assert (await reader).text == "now"


async def test_an_outage_keeps_the_content_and_its_first_moment_and_ends_with_an_answer() -> None:
    feed = a_feed()
    first = feed.latest
    feed.unavailable(verbatim("it is down"), 100.0)
    down = feed.latest
    feed.unavailable(verbatim("it is still down"), 200.0)
    assert (down.text, down.unavailable_since, down.serial) == ("one", 100.0, first.serial + 1)
    assert (feed.latest.unavailable_since, str(feed.latest.problem)) == (100.0, "it is still down")
    feed.publish(Word(text="one"), 300.0)
    assert (feed.latest.unavailable_since, str(feed.latest.problem)) == (None, "")
    assert feed.latest.serial > down.serial


@pytest.mark.parametrize("wait_s", [0.0, 0.01])
async def test_a_reader_waits_no_longer_than_it_said(wait_s: float) -> None:
    feed = a_feed()
    told = await asyncio.wait_for(feed.read(after=feed.latest.serial, wait_s=wait_s), LONG_S)
    assert told.text == "one"


async def test_a_feed_that_closes_lets_everyone_go_from_then_on() -> None:
    feed = a_feed()
    reader = await waiting(asyncio.create_task(feed.read(after=feed.latest.serial, wait_s=LONG_S)))
    feed.close()
    assert (await reader).text == "one"
    assert (await asyncio.wait_for(feed.read(fresh=time.time(), wait_s=2 * LONG_S), LONG_S)).text == "one"


async def test_who_asks_the_source_is_woken_by_a_reader_and_knows_when_the_last_one_came() -> None:
    now = 100.0
    feed = Feed(Word(), NOTHING, clock=lambda: now)
    feed.publish(Word(), 1.0)
    now = 160.0
    assert feed.unread_s == 60.0
    pause = asyncio.create_task(feed.pause(LONG_S))
    await asyncio.sleep(0)
    await feed.read()
    await asyncio.wait_for(pause, LONG_S / 2)
    assert feed.unread_s == 0.0
