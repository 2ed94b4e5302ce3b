from __future__ import annotations

import time
from typing import Any

import pytest

from fabric_hub.model import Job, Snapshot
from fabric_hub.spawner.words import clock, progress_event

from .builders import a_job, a_session, a_snapshot


def test_a_time_of_today_is_told_without_the_date() -> None:
    now = time.time()
    assert clock(now) == time.strftime("%H:%M", time.localtime(now))
    assert clock(0) == time.strftime("%d %b %H:%M", time.localtime(0))


@pytest.mark.parametrize(
    ("fields", "job", "snapshot", "progress", "words"),
    [
        ({"port": 4000}, a_job(), a_snapshot(), 90, "The server is up"),
        ({"job_id": None}, None, None, 10, "account phys"),
        ({}, None, None, 15, "Job 7 is submitted"),
        ({}, a_job(state="PENDING", reason="Priority"), a_snapshot(), 20, "Other jobs are before it"),
        ({}, a_job(state="PENDING", started_at=1.0), a_snapshot(), 20, "Slurm expects to start it at"),
        ({}, a_job(node="gpu1"), a_snapshot(), 60, "Job 7 runs on gpu1"),
        ({}, a_job(), a_snapshot(), 60, "Job 7 runs on its node"),
        ({}, a_job(state="COMPLETING", node="gpu1"), a_snapshot(), 60, "is ending"),
        ({}, a_job(), a_snapshot(silent_since=1.0, problem="munge is down."), 15, "job 7 keeps its place. munge"),
    ],
)
def test_each_step_of_a_start_is_told(
    fields: dict[str, Any], job: Job | None, snapshot: Snapshot | None, progress: int, words: str
) -> None:
    event = progress_event(a_session(**fields), job, snapshot)
    assert event["progress"] == progress
    assert words in event["message"]


def test_a_word_of_slurm_that_nobody_knows_is_passed_on() -> None:
    event = progress_event(a_session(), a_job(state="PENDING", reason="New{Reason}"), a_snapshot())
    assert "NewReason" in event["message"]
