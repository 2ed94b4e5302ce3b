"""What the waiting page shows beside its sentence."""

from __future__ import annotations

from typing import Any

import pytest

from fabric_hub.hub.pages.waiting import query
from fabric_hub.hub.spawner.progress import progress_event
from fabric_hub.launch.sooner import Sooner
from fabric_hub.messages.texts import starts, waiting
from fabric_hub.slurm.model import Job, Reservation, Snapshot
from tests.support.builders import NOW, a_job, a_node, a_session, a_snapshot

KEPT = "ReqNodeNotAvail, Reserved for maintenance"
SPRING = Reservation(name="spring", starts_at=NOW - 60, ends_at=NOW + 3600, nodes="gpu1", maintenance=True)
IN_MAINTENANCE = a_snapshot(nodes=(a_node(),), reservations=(SPRING,))


@pytest.mark.parametrize(
    ("fields", "job", "snapshot", "heading"),
    [
        ({"job_id": None}, None, None, "Submitting your session"),
        ({"job_id": None}, None, a_snapshot(unavailable_since=1.0), "Waiting for Slurm"),
        ({}, None, None, "Submitted to Slurm"),
        ({"gpus": 1}, a_job(state="PENDING", reason="Resources"), a_snapshot(), "Waiting for a GPU"),
        ({"gpus": 1}, a_job(state="PENDING", reason=KEPT, partition="gpu"), IN_MAINTENANCE,
         "Waiting until the maintenance is over"),
        ({}, a_job(node="gpu2"), a_snapshot(), "Starting JupyterLab on gpu2"),
        ({}, a_job(), a_snapshot(), "Starting JupyterLab"),
        ({}, a_job(state="COMPLETING"), a_snapshot(), "Your session is ending"),
        ({"port": 4000}, a_job(), a_snapshot(), "Opening JupyterLab"),
    ],
)  # fmt: skip
def test_the_heading_says_what_a_start_is_doing(
    fields: dict[str, Any], job: Job | None, snapshot: Snapshot | None, heading: str
) -> None:
    assert progress_event(a_session(**fields), job, snapshot)["heading"] == heading


def test_a_node_that_is_made_ready_is_named() -> None:
    assert progress_event(a_session(), a_job(node="gpu2"), a_snapshot(), prepares=True)["heading"] == "Preparing gpu2"


def test_each_step_that_was_reached_has_its_time() -> None:
    session = a_session(created_at=NOW, submitted_at=NOW + 1)
    queued = progress_event(session, a_job(state="PENDING", started_at=NOW + 900), a_snapshot())["times"]
    assert queued == {"submitted": NOW, "queue": NOW + 1}, "an expected start is none"
    running = progress_event(session, a_job(started_at=NOW + 60), a_snapshot())["times"]
    assert running == {"submitted": NOW, "queue": NOW + 1, "node": NOW + 60}


def _waiting(number: int, rank: int, **changes: Any) -> Job:
    fields = {"job_id": number, "state": "PENDING", "reason": "Priority", "partition": "gpu", "rank": rank}
    return a_job(**{**fields, **changes})


def test_a_place_in_the_queue_is_a_number() -> None:
    mine, one, two = _waiting(7, 2), _waiting(3, 0), _waiting(4, 1)
    event = progress_event(a_session(gpus=1), mine, a_snapshot(mine, one, two))
    assert (event["ahead"], event["why"]) == (2, "2 jobs are ahead of you.")
    event = progress_event(a_session(gpus=1), mine, a_snapshot(mine, one))
    assert (event["ahead"], event["message"]) == (1, str(starts.SO_MANY_AHEAD(n=1)))
    event = progress_event(a_session(gpus=1), mine, a_snapshot(mine))
    assert event["why"] == str(starts.JOBS_AHEAD()), "Slurm says that there are some, and does not show them"


@pytest.mark.parametrize(
    ("job", "snapshot", "expected", "basis"),
    [
        (_waiting(7, 0), a_snapshot(), None, ""),
        (
            _waiting(7, 0, started_at=NOW + 900), a_snapshot(), NOW + 900,
            "estimate by Slurm, improves when others end early",
        ),
        (_waiting(7, 0, reason=KEPT), IN_MAINTENANCE, NOW + 3600, "the maintenance spring is over then"),
        (_waiting(7, 0, reason="Reservation", reservation="monday"),
         a_snapshot(reservations=({"name": "monday", "starts_at": NOW + 1800, "ends_at": NOW + 3600, "nodes": "n"},)),
         NOW + 1800, "your reservation monday begins then"),
    ],
)  # fmt: skip
def test_an_expected_start_says_what_it_rests_on(
    job: Job, snapshot: Snapshot, expected: float | None, basis: str
) -> None:
    event = progress_event(a_session(), job, snapshot)
    assert (event["expected"], event["basis"]) == (expected, basis)


def test_what_would_start_sooner_is_a_choice_for_the_form() -> None:
    choice = Sooner(waiting.CAN_START(title="CPU"), {"profile": "cpu", "hours": 2.0})
    job = _waiting(7, 0)
    event = progress_event(a_session(), job, a_snapshot(job), choices=(choice,))
    assert event["sooner"] == [{"text": "CPU · can start now", "query": "opt-profile=cpu&opt-hours=2.0"}]
    assert event["slurm"]["reason"] == "Priority"


def test_a_choice_is_made_again_by_an_address_that_fills_the_form() -> None:
    session = a_session(hours=1.5, datasets=("one", "two"))
    assert query(session) == (
        "opt-project=physics&opt-profile=cpu&opt-image=base&opt-hours=1.5&opt-datasets=one&opt-datasets=two"
    )
