"""One question for everybody, at a bounded rate; only Slurm's own word ends a job."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from fabric_hub.config.settings import SlurmSettings
from fabric_hub.gateway import rate_limit as pace
from fabric_hub.gateway.job_table import TOMBSTONE_S, Ending, JobTable, find_live
from fabric_hub.gateway.queries.queries import UnavailableError
from fabric_hub.gateway.watcher import Watcher
from fabric_hub.messages.text import verbatim
from fabric_hub.slurm.model import Job, Node, Reservation, Snapshot
from tests.support.skipped_time import SkippedTime

NOW = 1_790_000_000.0


def job(number: int = 1, state: str = "RUNNING", **changes: object) -> Job:
    fields = {"job_id": number, "name": "fabric-main-abcdefgh2345", "user": "anna", "state": state}
    return Job.model_validate(fields | changes)


def test_who_takes_a_turn_at_the_same_moment_as_others_waits_for_them() -> None:
    bucket = pace.Bucket(rate=0.5, burst=2)
    assert [bucket.turn_s(1000.0) for _ in range(5)] == pytest.approx([0.0, 0.0, 2.0, 4.0, 6.0])
    assert bucket.wait_s(1006.0) == pytest.approx(2.0)


def test_the_bucket_never_lets_more_through_than_its_rate() -> None:
    bucket, asked, now = pace.Bucket(rate=0.5, burst=2), 0, 1000.0
    while now < 1100:
        if bucket.wait_s(now) == 0:
            bucket.take(now)
            asked += 1
        now += 0.1
    assert 50 <= asked <= 52


@pytest.mark.parametrize(
    ("how", "seconds"),
    [
        ({}, 5),
        ({"took_s": 3.0}, 30),  # a question may take a tenth of Slurm's time
        ({"failures": 1}, 10),
        ({"failures": 9}, 20),
        ({"idle": True}, 60),
        ({"took_s": 100.0}, 60),
    ],
)
def test_how_often_slurm_is_asked(how: dict[str, float], seconds: float) -> None:
    assert pace.interval_s(5, **how) == seconds  # type: ignore[arg-type]


def test_a_job_that_left_with_an_end_in_the_database_gets_that_end() -> None:
    table = JobTable()
    table.apply([job()], {}, 0)
    assert [gone.job_id for gone in table.vanished([])] == [1]
    assert table.apply([], {1: ("OUT_OF_MEMORY", 0, 9, 55.0)}, 1)
    (shown,) = table.jobs
    assert (shown.state, shown.exit_signal, shown.ends_at) == ("OUT_OF_MEMORY", 9, 55.0)


def test_a_job_that_left_without_a_word_is_left_out_and_no_state_is_invented() -> None:
    table = JobTable()
    table.apply([job()], {}, 0)
    table.apply([], {}, 1)
    assert table.jobs == ()


def test_reservations_are_of_interest_while_a_session_is_in_one_or_is_kept_off_its_nodes() -> None:
    for told, wanted in (
        (job(state="PENDING", reason="Resources"), False),
        (job(reservation="monday"), True),
        (job(state="PENDING", reason="ReqNodeNotAvail, Reserved for maintenance"), True),
        (job(state="PENDING", reason="ReqNodeNotAvail, UnavailableNodes:gpu1"), False),
    ):
        table = JobTable()
        table.apply((told,), {}, 0.0)
        assert table.reserved("main") is wanted


def test_an_ended_job_keeps_the_reservation_that_slurm_has_forgotten() -> None:
    table = JobTable()
    for told in (job(reservation="monday"), job(), job(state="TIMEOUT")):
        table.apply([told], {}, 0)
    assert [shown.reservation for shown in table.jobs] == ["monday"]
    table.apply([job(2, "TIMEOUT")], {}, 1)
    assert [shown.reservation for shown in table.jobs] == ["monday", ""], "another job has none"


def test_a_job_that_left_slurms_memory_keeps_its_reservation_too() -> None:
    table = JobTable()
    for told in ([job(reservation="monday")], [job()]):
        table.apply(told, {}, 0)
    table.apply([], {1: ("TIMEOUT", 0, None, 55.0)}, 1)
    assert [shown.reservation for shown in table.jobs] == ["monday"]


def test_a_job_that_waits_anew_has_no_reservation_of_before() -> None:
    table = JobTable()
    for told in (job(reservation="monday"), job(state="PENDING")):
        table.apply([told], {}, 0)
    assert [shown.reservation for shown in table.jobs] == [""]


@pytest.mark.parametrize("forgotten", ["nobody", "1016"])
def test_a_job_keeps_its_owner_while_the_name_service_forgets_the_account(forgotten: str) -> None:
    table = JobTable()
    table.apply([job()], {}, 0)
    table.apply([job(user=forgotten), job(2, user=forgotten)], {}, 1)
    assert [shown.user for shown in table.jobs] == ["anna", forgotten], "of another job nothing is known"
    table.apply([job(name="fabric-main-bbbbbbbbbbbb", user=forgotten)], {}, 2)
    assert [shown.user for shown in table.jobs] == [forgotten], "the number is another job's now"


def test_an_ended_session_stays_in_sight_for_ten_minutes() -> None:
    table = JobTable()
    table.apply([job(state="TIMEOUT"), job(2, "FAILED", name="something else")], {}, 0)
    table.apply([], {}, 1)
    assert [shown.state for shown in table.jobs] == ["TIMEOUT"]
    table.apply([], {}, TOMBSTONE_S + 1)
    assert table.jobs == ()


def test_only_the_owners_live_job_of_that_name_is_found() -> None:
    name = "fabric-main-abcdefgh2345"
    jobs = [job(1, "CANCELLED"), job(2, user="eve"), job(3, name="other"), job(4, "PENDING"), job(5, "COMPLETING")]
    assert [found.job_id for found in find_live(jobs, name, "anna")] == [4]


class Slurm:
    """Answers as told, and counts."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.answer: tuple[Job, ...] = ()
        self.silent = ""
        self.ends: dict[int, Ending] = {}
        self.hidden: dict[int, Job] = {}  # what slurmctld tells the jobs' owners, who ask by number
        self.private: frozenset[str] = frozenset()
        self.owners_silent = ""
        self.nodes_here: tuple[Node, ...] = ()
        self.reserved: tuple[Reservation, ...] = ()
        self.reserved_silent = ""
        self.asked_at_once = 0
        self._busy = 0

    async def jobs(self) -> tuple[Job, ...]:
        self.counts["squeue"] += 1
        self._busy += 1
        self.asked_at_once = max(self.asked_at_once, self._busy)
        await asyncio.sleep(0)
        self._busy -= 1
        if self.silent:
            raise UnavailableError(verbatim(self.silent))
        return self.answer

    async def nodes(self) -> tuple[Node, ...]:
        self.counts["sinfo"] += 1
        return self.nodes_here

    async def reservations(self) -> tuple[Reservation, ...]:
        self.counts["reservations"] += 1
        if self.reserved_silent:
            raise UnavailableError(verbatim(self.reserved_silent))
        return self.reserved

    async def endings(self, numbers: Sequence[int]) -> dict[int, Ending]:
        self.counts["sacct"] += 1
        return {number: self.ends[number] for number in numbers if number in self.ends}

    async def job(self, wanted: Job) -> Job | None:
        self.counts["scontrol"] += 1
        if self.owners_silent:
            raise UnavailableError(verbatim(self.owners_silent))
        return self.hidden.get(wanted.job_id)

    async def private_data(self) -> frozenset[str]:
        return self.private


@pytest.fixture
def slurm() -> Slurm:
    return Slurm()


@asynccontextmanager
async def watching(slurm: Slurm, clocks: SkippedTime, **settings: Any) -> AsyncIterator[Watcher]:
    """A watcher at work, by clocks that skip the time in which it waits."""
    made = SlurmSettings(max_queries_per_s=20, **settings)
    watcher = Watcher(slurm, made, "main", clock=clocks.monotonic, wall=clocks.wall)
    task = asyncio.create_task(watcher.run())
    yield watcher
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def watcher(slurm: Slurm, skipped_time: SkippedTime) -> AsyncIterator[Watcher]:
    async with watching(slurm, skipped_time, watch_interval_s=1, nodes_interval_s=60) as watcher:
        yield watcher


async def fresh(watcher: Watcher) -> Snapshot:
    return await watcher.read(fresh=watcher._wall(), wait_s=5)


def test_before_slurm_has_answered_nothing_may_be_concluded(slurm: Slurm) -> None:
    snapshot = Watcher(slurm, SlurmSettings(), "main").snapshot
    assert snapshot.unavailable_since is not None
    assert snapshot.jobs_at is None


async def test_a_hundred_readers_cost_one_question(slurm: Slurm, watcher: Watcher) -> None:
    await fresh(watcher)
    before = slurm.counts["squeue"]
    await asyncio.gather(*(fresh(watcher) for _ in range(100)))
    assert slurm.counts["squeue"] - before <= 2
    assert slurm.asked_at_once == 1


async def test_what_was_just_changed_is_asked_for_once_and_not_before_it_can_show(
    slurm: Slurm, skipped_time: SkippedTime
) -> None:
    async with watching(slurm, skipped_time, watch_interval_s=60, nodes_interval_s=60) as watcher:
        first = await watcher.read(wait_s=5)
        changed_at, before = skipped_time.wall(), slurm.counts["squeue"]
        slurm.answer = (job(),)
        for _ in range(12):
            watcher.nudge()
        told = await watcher.read(after=first.serial, wait_s=5)
        assert told.jobs == slurm.answer
        assert told.jobs_at is not None
        assert 0.7 < told.jobs_at - changed_at < 3
        assert slurm.counts["squeue"] == before + 1


async def test_an_outage_keeps_the_jobs_and_wakes_readers_at_its_begin_and_end(slurm: Slurm, watcher: Watcher) -> None:
    slurm.answer = (job(),)
    first = await fresh(watcher)
    slurm.silent = "munge does not answer"
    silent = await watcher.read(after=first.serial, wait_s=5)
    assert (str(silent.problem), silent.jobs) == ("munge does not answer", first.jobs)
    assert silent.unavailable_since is not None
    assert (await fresh(watcher)).serial == silent.serial
    slurm.silent = ""
    back = await watcher.read(after=silent.serial, wait_s=10)
    assert (back.unavailable_since, back.jobs) == (None, first.jobs)


async def test_the_same_answer_wakes_nobody(slurm: Slurm, watcher: Watcher) -> None:
    slurm.answer = (job(),)
    first = await fresh(watcher)
    again = await watcher.read(after=first.serial, wait_s=2.5)
    assert again.serial == first.serial
    assert first.jobs_at is not None
    assert again.jobs_at is not None
    assert again.jobs_at > first.jobs_at


async def test_the_end_of_a_vanished_session_is_looked_up_once(slurm: Slurm, watcher: Watcher) -> None:
    slurm.answer = (job(1), job(2, name="fabric-main-bbbbbbbbbbbb"))
    await fresh(watcher)
    slurm.answer = ()
    slurm.ends = {1: ("NODE_FAIL", None, None, 5.0), 2: ("RUNNING", None, None, None)}
    gone = await fresh(watcher)
    await fresh(watcher)
    assert [(left.job_id, left.state) for left in gone.jobs] == [(1, "NODE_FAIL"), (2, "RUNNING")]
    assert slurm.counts["sacct"] == 1


def reservation(ends_at: float) -> Reservation:
    return Reservation(name="monday", starts_at=ends_at - 7200, ends_at=ends_at, nodes="gpu[1-2]")


@pytest.mark.parametrize(
    "others",
    [
        (),
        (job(),),
        (job(reservation="monday", name="somebody's own job"),),
        (job(reservation="monday", name="fabric-other-abcdefgh2345"),),
        (job(reservation="monday", state="TIMEOUT"),),
    ],
    ids=["no job", "in no reservation", "no session", "another hub's", "over"],
)
async def test_reservations_that_concern_no_session_are_asked_for_once_in_minutes(
    slurm: Slurm, skipped_time: SkippedTime, others: tuple[Job, ...]
) -> None:
    async with watching(slurm, skipped_time, watch_interval_s=1, nodes_interval_s=2) as watcher:
        slurm.answer, slurm.reserved = others, (reservation(NOW),)
        snapshot = await watcher.read(wait_s=5)
        while not snapshot.reservations:
            snapshot = await watcher.read(after=snapshot.serial, wait_s=5)
        for _ in range(5):
            snapshot = await fresh(watcher)
        assert snapshot.reservations == slurm.reserved
        assert slurm.counts["reservations"] == 1


@pytest.mark.parametrize("state", ["RUNNING", "PENDING"])
@pytest.mark.parametrize("name", ["fabric-main-abcdefgh2345", "fabric-main-abcdefgh2345-dask-wide"])
async def test_reservations_are_asked_for_once_for_all_sessions_that_are_in_one(
    slurm: Slurm, watcher: Watcher, state: str, name: str
) -> None:
    slurm.answer = tuple(job(number, state, name=name, reservation="monday") for number in range(1, 50))
    slurm.reserved = (reservation(NOW),)
    snapshot = await watcher.read(wait_s=5)
    while not snapshot.reservations:
        snapshot = await watcher.read(after=snapshot.serial, wait_s=5)
    assert snapshot.reservations == slurm.reserved
    for _ in range(10):
        await fresh(watcher)
    assert slurm.counts["reservations"] == 1  # its interval is that of the nodes, a minute here


async def test_how_long_jobs_go_on_after_a_reservation_is_told_with_it_and_asked_by_nobody(slurm: Slurm) -> None:
    over_run_s = 0.0
    watcher = Watcher(slurm, SlurmSettings(), "main", over_run_s=lambda: over_run_s)
    assert watcher.snapshot.over_run_s == 0.0
    over_run_s = 600.0
    assert watcher.snapshot.over_run_s == 600.0
    assert slurm.counts.total() == 0


async def test_a_reservation_that_was_moved_is_told_while_a_session_is_in_it(
    slurm: Slurm, skipped_time: SkippedTime
) -> None:
    async with watching(slurm, skipped_time, watch_interval_s=1, nodes_interval_s=2) as watcher:
        slurm.answer, slurm.reserved = (job(reservation="monday"),), (reservation(NOW),)
        snapshot = await watcher.read(wait_s=5)
        while not snapshot.reservations:
            snapshot = await watcher.read(after=snapshot.serial, wait_s=5)
        slurm.reserved = (reservation(NOW + 3600),)
        snapshot = await watcher.read(after=snapshot.serial, wait_s=5)
        assert snapshot.reservations == slurm.reserved


async def test_silence_about_reservations_keeps_the_last_word_and_the_jobs_and_is_asked_more_seldom(
    slurm: Slurm,
) -> None:
    settings = SlurmSettings(watch_interval_s=1, nodes_interval_s=2, max_queries_per_s=20)
    now = [1000.0]
    watcher = Watcher(slurm, settings, "main", clock=lambda: now[0])
    slurm.answer, slurm.reserved = (job(reservation="monday"),), (reservation(NOW),)
    asked: list[float] = []
    for _ in range(200):  # what run() does, on a clock of the test's
        kind, wait_s = watcher._next()
        now[0] += wait_s
        watcher._bucket.take(now[0])
        if kind == "reservations":
            asked.append(now[0])
            slurm.reserved_silent = "slurmctld does not answer" if len(asked) > 3 else ""
        await (watcher._ask_jobs() if kind == "jobs" else watcher._ask_beside(kind))
    snapshot = watcher.snapshot
    assert (snapshot.reservations, snapshot.unavailable_since, snapshot.jobs) == (slurm.reserved, None, slurm.answer)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps[:2] == pytest.approx([2, 2])
    assert gaps[3:5] == pytest.approx([4, 8])
    assert min(gaps) >= 2


@pytest.mark.usefixtures("skipped_time")
async def test_also_with_reservations_the_rate_of_all_questions_is_bounded(slurm: Slurm) -> None:
    settings = SlurmSettings(watch_interval_s=1, nodes_interval_s=2, max_queries_per_s=0.5)
    now = [1000.0]
    watcher = Watcher(slurm, settings, "main", clock=lambda: now[0])
    slurm.answer, slurm.reserved = (job(reservation="monday"),), (reservation(NOW),)
    while now[0] < 1100:
        kind, wait_s = watcher._next()
        now[0] += wait_s
        watcher._bucket.take(now[0])
        await (watcher._ask_jobs() if kind == "jobs" else watcher._ask_beside(kind))
    assert 48 <= slurm.counts.total() <= 54
    assert slurm.counts["squeue"] >= 24  # every second question, however much is due beside
    assert min(slurm.counts["squeue"], slurm.counts["sinfo"], slurm.counts["reservations"]) >= 8, slurm.counts
