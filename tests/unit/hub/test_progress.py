from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jupyterhub.utils import iterate_until

from fabric_hub.hub.spawner.local_child import FabricLocalSpawner
from fabric_hub.hub.spawner.progress import Trouble, progress_event, was_killed, why_gone
from fabric_hub.messages.formats import clock
from fabric_hub.messages.reader import Reader, reading, set_reader
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts.gateway import CLUSTER_SAYS
from fabric_hub.messages.texts.starts import STARTING_HERE
from fabric_hub.slurm.model import Found, Job, Snapshot
from fabric_hub.slurm.unavailable import SlurmUnavailableError
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
        ({"port": 4000}, a_job(), a_snapshot(), 90, "The server is up; opening it."),
        ({"job_id": None}, None, None, 10, "Submitting to Slurm, account phys."),
        ({"job_id": None}, None, a_snapshot(unavailable_since=1.0), 15,
         "Nothing is lost: this start is kept until it does."),
        ({}, None, None, 15, "Job 7 is submitted"),
        ({}, a_job(state="PENDING", reason="Priority"), a_snapshot(), 20, "Other jobs are ahead of yours"),
        ({}, a_job(state="PENDING", started_at=1.0), a_snapshot(), 20, "Expected start: "),
        ({}, a_job(state="PENDING", reason="Reservation", reservation="monday"), IN_RESERVATION, 20,
         f"It waits for its reservation monday, which begins at {clock(NOW + 3600)}."),
        ({}, a_job(node="gpu1"), a_snapshot(), 60, "Starting JupyterLab on gpu1."),
        ({}, a_job(), a_snapshot(), 60, "Starting JupyterLab on its node."),
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


NEXT = "You're next. Your session starts as soon as there is room in partition gpu."


@pytest.mark.parametrize(
    ("gpus", "reason", "heading", "words"),
    [
        (1, "Resources", "Waiting for a GPU", NEXT),
        (2, "Priority", "Waiting for 2 GPUs", "Other jobs are ahead of yours in the queue."),
        (0, "Resources", "Waiting in the queue", "You're next."),
        (1, "JobHeldUser", "Waiting in the queue", "Job 7 is in the queue. You put this job on hold."),
    ],
)
def test_while_it_waits_the_page_is_headed_by_what_it_waits_for(
    gpus: int, reason: str, heading: str, words: str
) -> None:
    job = a_job(state="PENDING", reason=reason, partition="gpu", started_at=NOW)
    event = progress_event(a_session(gpus=gpus), job, a_snapshot())
    assert event["message"].startswith(words)
    assert (event["heading"], event["job"], event["expected"]) == (heading, "Slurm job 7 · partition gpu", NOW)
    assert "expected" not in progress_event(a_session(gpus=gpus), a_job(node="gpu1"), a_snapshot())


def test_a_session_that_fails_after_its_start_is_not_said_to_have_failed_to_start() -> None:
    error = why_gone(a_session(port=4000), Found(job=a_job(state="FAILED", exit_status=1)))
    assert error.text == "JupyterLab stopped (exit code 1). Check the session's log. Fix the cause and start again."


def test_a_word_of_slurm_that_nobody_knows_is_passed_on() -> None:
    event = progress_event(a_session(), a_job(state="PENDING", reason="New{Reason}"), a_snapshot())
    assert "New{Reason}" in event["message"]


KILLED = ("slurmstepd-gpu1: error: StepId=7.batch exceeded memory limit (467795968 > 67108864), being killed",)


@pytest.mark.parametrize(
    ("job", "lines", "reason", "words"),
    [
        (None, (), "job-gone", "Slurm no longer knows the session's job. Start again"),
        (a_job(state="TIMEOUT", limit_s=60), (), "timeout", "Time limit reached (1 min). Choose a longer time"),
        (
            a_job(state="CANCELLED"),
            (),
            "cancelled",
            "Its job was cancelled in Slurm, not on a page of the hub. Start again when you like.",
        ),
        (a_job(state="COMPLETED"), (), "completed", "The session ended by itself. Start again when you like."),
        (a_job(state="FAILED", exit_status=127, node="gpu1"), (), "image", "Image base is not there on node gpu1."),
        (
            a_job(state="FAILED", exit_status=1),
            (),
            "failed",
            "JupyterLab couldn't start (exit code 1). Check its log, fix the cause and try again.",
        ),
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
        ("jan", "The session was stopped. Its job was cancelled in Slurm by your own account jan, not on a page"),
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


async def test_two_pages_that_wait_for_one_start_say_its_step_each_in_their_own_language() -> None:
    async def page(language: str) -> list[str]:
        set_reader(Reader(language))  # as a handler does for as long as its request takes
        starts: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        spawner = FabricLocalSpawner.__new__(FabricLocalSpawner)  # it needs none of its fields for this
        events = iterate_until(starts, spawner.session_progress())
        return [event["message"] async for event in events]

    english, dutch = await asyncio.gather(page("en"), page("nl"))
    assert english == ["The session's process starts on the hub's own machine."]
    assert dutch == [STARTING_HERE().say(Reader("nl"))] != english


def test_a_step_is_said_in_the_readers_language_with_slurms_own_words_as_they_are() -> None:
    snapshot = a_snapshot(unavailable_since=NOW, problem="munge is down.")
    with reading(Reader("nl", ZoneInfo("Asia/Tokyo"))):
        told = progress_event(a_session(), a_job(), snapshot, said="Use QOS short.")["message"]
        assert clock(NOW) in told
    assert told.endswith("munge is down. " + CLUSTER_SAYS(words="Use QOS short.").say(Reader("nl")))
    assert told != progress_event(a_session(), a_job(), snapshot, said="Use QOS short.")["message"]


def test_a_submission_that_slurm_does_not_take_is_told_with_how_often_it_was_asked() -> None:
    once = Trouble.next(None, SlurmUnavailableError(verbatim("munge is down.")), NOW)
    twice = Trouble.next(once, SlurmUnavailableError(verbatim("slurmctld is down.")), NOW + 10)
    for trouble, asked, why in ((once, "once", "munge is down."), (twice, "2 times", "slurmctld is down.")):
        event = progress_event(a_session(job_id=None), None, None, trouble=trouble)
        assert event["message"] == (
            f"Slurm has not taken this session's job since {clock(NOW)} (asked {asked}): {why} "
            "It is asked again every few seconds until it answers or you cancel this start."
        )
