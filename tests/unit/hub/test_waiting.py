"""What the waiting page shows beside its sentence."""

from __future__ import annotations

from typing import Any

import pytest

from fabric_hub.hub.pages.sooner import name_for, options_of
from fabric_hub.hub.pages.waiting import query
from fabric_hub.hub.spawner.progress import progress_event
from fabric_hub.hub.spawner.waiting import failed_at, of_pair, reached
from fabric_hub.launch.options import UserOptions
from fabric_hub.launch.sooner import Sooner
from fabric_hub.messages.texts import starts, waiting
from fabric_hub.sessions.steps import StepsReached
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


def test_two_that_wait_for_one_place_name_each_other() -> None:
    pages = "/hub/spawn-pending/jan"
    assert of_pair(None, pages) is None
    named = of_pair(a_session(server_name="work-cpu"), pages)
    assert named == {
        "text": "work-cpu waits, too. Whichever starts first stays, and the other is cancelled.",
        "link": "Show work-cpu", "url": "/hub/spawn-pending/jan/work-cpu",
    }  # fmt: skip
    unnamed = of_pair(a_session(server_name=""), pages)
    assert unnamed
    assert (unnamed["link"], unnamed["url"]) == ("Show default", pages)
    session = a_session()
    event = progress_event(session, a_job(state="PENDING"), a_snapshot(), pair=named)
    assert (event["pair"], event["session"]) == (named, session.id)
    assert "pair" not in progress_event(session, a_job(state="PENDING"), a_snapshot())


@pytest.mark.parametrize(
    ("server", "profile", "taken", "name"),
    [
        ("", "small", (), "session-small"),
        ("work", "small", (), "work-small"),
        ("work", "small", ("work-small",), "work-small-2"),
        ("work", "cpu", ("work",), "work-2"),  # the same profile, for fewer hours
        ("", "cpu", ("",), "session-2"),
        ("a-name-of-thirty-characters-xy", "small", (), "a-name-of-thirty-characte-small"[:24] + "-small"),
        ("work", "a-profile-whose-name-is-as-long-as-a-name", (), "w-a-profile-whose-name-is-as-l"),
    ],
)
def test_the_name_of_an_alternative_is_valid_and_free(
    server: str, profile: str, taken: tuple[str, ...], name: str
) -> None:
    found = name_for(a_session(server_name=server, profile="cpu"), profile, taken)
    assert found == name
    assert len(found) <= 30


def test_an_alternative_differs_in_profile_and_hours_only() -> None:
    session = a_session(hours=2.0, datasets=("one",))
    assert options_of(session, UserOptions(profile="small", project="other", datasets=("two",))) == {
        "project": session.project, "profile": "small", "image": session.image, "hours": 2.0, "datasets": ["one"],
    }  # fmt: skip
    assert options_of(session, UserOptions(hours=0.5))["hours"] == 0.5


@pytest.mark.parametrize(
    ("fields", "job", "prepares", "progress", "states"),
    [
        ({"job_id": None}, None, False, 10, ["wrong", "later", "later", "later"]),
        ({}, None, False, 15, ["wrong", "later", "later", "later"]),
        ({}, a_job(state="PENDING"), False, 20, ["done", "wrong", "later", "later"]),
        ({}, a_job(state="CANCELLED", started_at=NOW), False, 20, ["done", "wrong", "later", "later"]),
        ({}, a_job(state="NODE_FAIL", node="gpu1"), True, 50, ["done", "done", "wrong", "later"]),
        ({}, a_job(state="FAILED", node="gpu1"), False, 60, ["done", "done", "done", "wrong"]),
        ({"began_at": NOW}, None, False, 60, ["done", "done", "done", "wrong"]),
        ({"announced_at": NOW}, None, False, 90, ["done", "done", "done", "wrong"]),
    ],
)
def test_a_start_that_failed_has_its_step_marked(
    fields: dict[str, Any], job: Job | None, prepares: bool, progress: int, states: list[str]
) -> None:
    steps = reached(a_session(**fields), job, prepares)
    assert steps.progress == progress
    assert list(failed_at(steps).values()) == states
    assert ("node" in steps.times) == (progress >= 50 and job is not None and job.started_at is not None)


def test_a_failed_start_keeps_when_it_came_to_each_step() -> None:
    steps = reached(a_session(created_at=NOW, submitted_at=NOW + 1), a_job(node="gpu1", started_at=NOW + 9), False)
    assert steps == StepsReached(progress=60, times={"submitted": NOW, "queue": NOW + 1, "node": NOW + 9})
