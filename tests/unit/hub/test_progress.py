from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fabric_hub.hub.spawner.progress import progress_event, was_killed, why_gone
from fabric_hub.messages.formats import clock
from fabric_hub.slurm.model import Found, Job, Snapshot
from tests.support.builders import NOW, a_job, a_session, a_snapshot


@pytest.fixture(params=[("UTC", "UTC"), ("Europe/Amsterdam", "CES?T")], ids=["UTC", "Amsterdam"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What the zone of this machine is called, as a pattern."""
    where, called = request.param
    monkeypatch.setenv("TZ", where)
    time.tzset()
    yield called
    monkeypatch.undo()
    time.tzset()


def test_a_time_names_its_zone_and_one_of_today_has_no_date(zone: str) -> None:
    now = time.time()
    assert re.fullmatch(f"{time.strftime('%H:%M', time.localtime(now))} {zone}", clock(now))
    assert re.fullmatch(f"{time.strftime('%d %b %H:%M', time.localtime(0))} {zone}", clock(0))


IN_RESERVATION = a_snapshot(
    reservations=({"name": "monday", "starts_at": NOW + 3600, "ends_at": NOW + 7200, "nodes": "gpu1"},)
)


@pytest.mark.parametrize(
    ("fields", "job", "snapshot", "progress", "words"),
    [
        ({"port": 4000}, a_job(), a_snapshot(), 90, "The server is up"),
        ({"job_id": None}, None, None, 10, "account phys"),
        ({}, None, None, 15, "Job 7 is submitted"),
        ({}, a_job(state="PENDING", reason="Priority"), a_snapshot(), 20, "Other jobs are before it"),
        ({}, a_job(state="PENDING", started_at=1.0), a_snapshot(), 20, "Slurm expects to start it at"),
        ({}, a_job(state="PENDING", reason="Reservation", reservation="monday"), IN_RESERVATION, 20,
         f"It waits for its reservation monday, which begins at {clock(NOW + 3600)}."),
        ({}, a_job(node="gpu1"), a_snapshot(), 60, "Job 7 runs on gpu1"),
        ({}, a_job(), a_snapshot(), 60, "Job 7 runs on its node"),
        ({}, a_job(state="COMPLETING", node="gpu1"), a_snapshot(), 60, "is ending"),
        ({}, a_job(), a_snapshot(unavailable_since=1.0, problem="munge is down."), 15, "job 7 keeps its place. munge"),
    ],
)  # fmt: skip
def test_each_step_of_a_start_is_told(
    fields: dict[str, Any], job: Job | None, snapshot: Snapshot | None, progress: int, words: str
) -> None:
    event = progress_event(a_session(**fields), job, snapshot)
    assert event["progress"] == progress
    assert words in event["message"]


def test_a_word_of_slurm_that_nobody_knows_is_passed_on() -> None:
    event = progress_event(a_session(), a_job(state="PENDING", reason="New{Reason}"), a_snapshot())
    assert "New{Reason}" in event["message"]


KILLED = ("slurmstepd-gpu1: error: StepId=7.batch exceeded memory limit (467795968 > 67108864), being killed",)


@pytest.mark.parametrize(
    ("job", "lines", "reason", "words"),
    [
        (None, (), "job-gone", "Slurm no longer knows the session's job. Start again"),
        (a_job(state="TIMEOUT", limit_s=60), (), "timeout", "reached its time limit (1 min). Start again and ask"),
        (a_job(state="CANCELLED"), (), "cancelled", "The session was stopped. Its job was cancelled in Slurm"),
        (a_job(state="FAILED", exit_status=127, node="gpu1"), (), "image", "Image base is not there on node gpu1."),
        (a_job(state="FAILED", exit_status=1), (), "failed", "failed with exit code 1. Its log says why."),
        (a_job(state="FAILED", exit_signal=9), KILLED, "out-of-memory", "used more memory than it asked for"),
        (a_job(state="FAILED", exit_signal=9), ("he exceeded memory limit",), "failed", "(signal 9, SIGKILL)"),
    ],
)
def test_each_end_of_a_session_is_told(job: Job | None, lines: tuple[str, ...], reason: str, words: str) -> None:
    error = why_gone(a_session(image="base"), Found(job=job), lines if was_killed(job) else ())
    assert error.reason == reason
    assert words in error.text


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("root", "cancelled in Slurm by root, which is an administrator or Slurm itself, not on a page of the hub."),
        ("jan", "cancelled in Slurm by your own account jan, not on a page"),
        ("boss", "cancelled in Slurm by boss, not on a page of the hub. Ask them why"),
        ("", "cancelled in Slurm, not on a page of the hub."),
    ],
)
def test_who_cancelled_a_job_is_told_where_it_is_known(by: str, words: str) -> None:
    error = why_gone(a_session(), Found(job=a_job(state="CANCELLED"), cancelled_by=by), (), "jan")
    assert error.reason == "cancelled"
    assert words in error.text


@pytest.mark.parametrize("state", ["CANCELLED", "FAILED", "LAUNCH_FAILED", "NODE_FAIL"])
def test_a_node_that_could_not_be_made_ready_is_told_as_that(state: str) -> None:
    found = Found(job=a_job(state=state, node="gpu1"), cancelled_by="root", node_reason="Prolog error")
    error = why_gone(a_session(), found)
    assert error.reason == "node-not-ready"
    assert "could not make node gpu1 ready for the session and took it out of service: Prolog error." in error.text
    # a session that had begun ended for another reason, whatever befell its node
    for later in (why_gone(a_session(), found, ("one line",)), why_gone(a_session(port=1), found)):
        assert later.reason == state.lower().replace("_", "-")
