"""Jobs that wait in the queue use up no limit of the hub's: others start, and those who wait may wait for ever.

The gateway is the tests' own: 120 jobs that wait are a fact of the queue, and none of them needs to run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fabric_hub.sessions.store import Session
from tests.support.person import Person
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.timeout(400)]

START_LIMIT_S = 3.0
WAITING = 120

Preparing = tuple[Person, Session]


@pytest.fixture(scope="module")
def queue(sandbox: Path) -> Iterator[SmallSite]:
    """A site whose jobs wait, and whose servers must answer soon after their jobs begin."""
    with SmallSite(sandbox / "queue", f"c.FabricSlurmSpawner.start_limit_s = {START_LIMIT_S}\n") as site:
        yield site


@pytest.fixture
def preparing(queue: SmallSite) -> Preparing:
    """Somebody whose job has a node that Slurm makes ready; no server comes up by itself."""
    person = queue.somebody()
    queue.hold()
    person.start_later()
    session = queue.session_of(person)
    queue.gateway.call(lambda fake: fake.preparing.add(session.id))
    queue.answers = False
    queue.begin(session.id)
    return person, session


def test_behind_120_waiting_starts_nobody_is_refused(queue: SmallSite) -> None:
    queue.hold()
    people = [queue.somebody() for _ in range(WAITING // 4)]
    starts: list[tuple[Person, str]] = [(person, f"s{number}") for person in people for number in range(4)]
    with ThreadPoolExecutor(WAITING) as hands:
        answers = [hands.submit(person.start, server, profile="small") for person, server in starts]
        statuses = {answer.result().status_code for answer in answers}
    assert statuses == {202}, "all of them wait"
    until(lambda: len(queue.gateway.call(lambda fake: fake.live())) == WAITING, "all of them are submitted", 60)

    queue.reset()  # a job that fits starts at once
    last = queue.somebody()
    assert last.start().status_code == 201
    last.until_ready()
    assert len(queue.gateway.call(lambda fake: fake.live())) == WAITING + 1


def test_waiting_longer_than_a_start_may_take_throws_nobody_out(queue: SmallSite) -> None:
    queue.reset()
    queue.hold()
    waits, hangs = queue.somebody(), queue.somebody()
    waits.start_later()
    session = queue.session_of(waits)
    queue.reset()
    queue.answers = False
    late = hangs.start_later()  # its job runs, and no server ever answers
    began = time.monotonic()
    assert late.result().status_code in {202, 424}  # whether the answer waits for the end of the start is all the same
    failed = next(event for event in hangs.progress() if event.get("failed"))
    assert f"ran for {START_LIMIT_S:g} seconds, but its server never answered" in failed["message"]
    until(lambda: time.monotonic() - began > 3 * START_LIMIT_S, "three times the limit is over", 60)
    assert waits.servers()[""]["pending"] == "spawn"
    queue.answers = True
    queue.begin(session.id)
    waits.until_ready()
    assert queue.session_of(waits).id == session.id


def test_while_slurm_makes_the_node_ready_no_limit_counts_and_the_page_says_so(
    queue: SmallSite, preparing: Preparing
) -> None:
    person, session = preparing
    began = time.monotonic()
    told = next(event for event in person.progress() if event["progress"] == 50)
    assert told["message"].startswith("Job")
    assert "has gpu1. Slurm makes the node ready (Prolog); the session has not begun." in told["message"]
    until(lambda: time.monotonic() - began > 3 * START_LIMIT_S, "three times the limit is over", 60)
    assert person.servers()[""]["pending"] == "spawn"
    queue.gateway.call(lambda fake: fake.preparing.discard(session.id))
    queue.serve(queue.request(session.id))
    person.until_ready()
    assert queue.session_of(person).id == session.id
    person.stop()


def test_the_limit_counts_from_the_first_word_of_the_script(queue: SmallSite, preparing: Preparing) -> None:
    person, session = preparing
    next(event for event in person.progress() if event["progress"] == 50)
    queue.gateway.call(lambda fake: fake.preparing.discard(session.id))
    events = list(person.progress())
    assert any(event["progress"] == 60 for event in events), "it has begun"
    assert f"ran for {START_LIMIT_S:g} seconds, but its server never answered" in events[-1]["message"]
    person.until_gone()
