"""How many jobs are before one that waits."""

from __future__ import annotations

import random
from typing import Any

import pytest

from fabric_hub.slurm.model import Job
from fabric_hub.slurm.place import ahead, in_line, is_before, queue_of, tasks_of
from tests.support.builders import NOW, a_job, a_snapshot


def waiting(number: int, rank: int, partition: str = "gpu", **changes: Any) -> Job:
    fields = {"job_id": number, "state": "PENDING", "reason": "Priority", "partition": partition, "rank": rank}
    return a_job(**{**fields, **changes})


MINE = waiting(7, 2)


@pytest.mark.parametrize(
    ("others", "count"),
    [
        ((), 0),
        ((waiting(3, 0), waiting(9, 1)), 2),
        ((waiting(3, 3),), 0),
        ((waiting(3, 0, partition="cpu"),), 0),
        ((waiting(3, 0, reason="JobHeldUser"), waiting(4, 1, reason="Dependency")), 0),
        ((waiting(3, 0, state="RUNNING"),), 0),
        ((waiting(3, 0, array_id=3, array_tasks="0-4,7"),), 6),
        ((waiting(3, 0, partition="cpu,gpu", submitted_at=NOW - 60),), 1),
        ((waiting(3, 0, partition="cpu,gpu", submitted_at=NOW + 60),), 0),
    ],
)
def test_those_with_a_higher_priority_in_its_partition_are_before_it(others: tuple[Job, ...], count: int) -> None:
    assert ahead(MINE, a_snapshot(MINE, *others)) == count


def test_nobody_knows_the_place_of_a_job_that_is_in_no_line_or_while_slurm_hides_jobs() -> None:
    assert ahead(a_job(), a_snapshot()) is None
    assert ahead(waiting(7, 0, reason="JobHeldAdmin"), a_snapshot()) is None
    assert ahead(MINE, a_snapshot(unavailable_since=NOW, narrowed=True)) is None


@pytest.mark.parametrize("seed", range(20))
def test_the_place_is_the_count_of_all_that_are_before(seed: int) -> None:
    dice = random.Random(seed)
    jobs = [
        waiting(
            number,
            dice.randrange(60),
            partition=dice.choice(["gpu", "cpu", "cpu,gpu", "gpu,debug", "debug"]),
            reason=dice.choice(["Priority", "Priority", "Resources", "JobHeldUser", "Dependency,Priority"]),
            state=dice.choice(["PENDING", "PENDING", "PENDING", "RUNNING"]),
            submitted_at=dice.choice([None, NOW - dice.randrange(30)]),
            array_tasks=dice.choice(["", "", "1-3", "2,5-6"]),
        )
        for number in range(1, 60)
    ]
    snapshot = a_snapshot(*jobs)
    for job in jobs:
        if (found := ahead(job, snapshot)) is not None:
            assert found == sum(tasks_of(other) for other in jobs if is_before(other, job))


def test_the_lines_of_a_snapshot_are_made_once() -> None:
    snapshot = a_snapshot(MINE, waiting(3, 0))
    assert queue_of(snapshot) is queue_of(snapshot.model_copy(update={"serial": snapshot.serial + 1}))
    assert queue_of(a_snapshot(MINE, waiting(3, 0))) is not queue_of(snapshot)


def test_a_line_has_the_first_first() -> None:
    line = in_line("gpu", a_snapshot(MINE, waiting(3, 0), waiting(4, 1, partition="cpu"), waiting(5, 1)))
    assert [job.job_id for job in line] == [3, 5, 7]


def test_a_record_without_tasks_is_one_job() -> None:
    assert (tasks_of(MINE), tasks_of(waiting(3, 0, array_tasks="2"))) == (1, 1)
