from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.sessions.status import SETTLE_S, JobPresence, by_number, standing
from tests.support.builders import NOW, a_job, a_session, a_snapshot

STATES = st.sampled_from(["PENDING", "RUNNING", "COMPLETING", "COMPLETED", "FAILED", "TIMEOUT", "NODE_FAIL", "NEW"])
JOBS = st.lists(
    st.builds(lambda number, state: a_job(job_id=number, state=state), st.integers(6, 8), STATES), max_size=3
)
TIMES = st.none() | st.floats(NOW - 100, NOW + 100)


@given(jobs=JOBS, jobs_at=TIMES, submitted_at=TIMES)
def test_a_silent_snapshot_never_says_gone(jobs: list, jobs_at: float | None, submitted_at: float | None) -> None:  # type: ignore[type-arg]
    snapshot = a_snapshot(*jobs, jobs_at=jobs_at, unavailable_since=NOW)
    assert standing(a_session(submitted_at=submitted_at), snapshot).presence is not JobPresence.GONE


@given(jobs=JOBS, age=st.floats(0.001, 10_000))
def test_a_snapshot_older_than_the_submission_never_says_gone(jobs: list, age: float) -> None:  # type: ignore[type-arg]
    snapshot = a_snapshot(*jobs, jobs_at=NOW - age)
    assert standing(a_session(submitted_at=NOW), snapshot).presence is not JobPresence.GONE


@given(jobs=JOBS, jobs_at=TIMES)
def test_gone_is_only_ever_slurms_word(jobs: list, jobs_at: float | None) -> None:  # type: ignore[type-arg]
    answer = standing(a_session(), a_snapshot(*jobs, jobs_at=jobs_at))
    if answer.presence is JobPresence.GONE:
        assert jobs_at is not None
        assert jobs_at >= NOW
        assert answer.job is None or answer.job.phase == "ended"


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "A_STATE_OF_TOMORROW"])
def test_a_job_that_slurm_knows_and_that_has_not_ended_is_alive_even_in_an_old_answer(state: str) -> None:
    job = a_job(state=state)
    for snapshot in (a_snapshot(job), a_snapshot(job, jobs_at=NOW - 50), a_snapshot(job, unavailable_since=NOW)):
        assert standing(a_session(), snapshot).presence is JobPresence.ALIVE


def test_a_job_that_slurm_says_has_ended_is_gone_with_slurms_last_word() -> None:
    answer = standing(a_session(), a_snapshot(a_job(state="TIMEOUT")))
    assert answer.presence is JobPresence.GONE
    assert answer.job is not None
    assert answer.job.state == "TIMEOUT"


@pytest.mark.parametrize("narrowed", [False, True])
def test_a_job_that_an_answer_lacks_is_never_gone_and_is_to_be_asked_for_where_it_should_be_there(
    narrowed: bool,
) -> None:
    for late, missing in ((-0.01, False), (0.0, True), (1e6, True)):
        answer = a_snapshot(
            jobs_at=NOW + SETTLE_S + late, narrowed=narrowed, unavailable_since=NOW + 1 if narrowed else None
        )
        found = standing(a_session(), answer)
        assert (found.presence, found.missing) == (JobPresence.UNKNOWN, missing)


@pytest.mark.parametrize("other", [{"job_id": 8}, {"name": "bash"}, {"name": "fabric-main-aaaaaaaaaaaa"}])
def test_a_job_is_a_sessions_by_number_and_name_together(other: dict[str, object]) -> None:
    assert standing(a_session(), a_snapshot(a_job(state="COMPLETED", **other))).missing


def test_a_narrowed_answer_still_ends_a_job_of_which_it_says_so() -> None:
    answer = a_snapshot(a_job(state="TIMEOUT"), narrowed=True, unavailable_since=NOW)
    assert standing(a_session(), answer).presence is JobPresence.GONE


def test_asked_for_by_its_number_a_job_is_there_over_or_not_known() -> None:
    assert by_number(a_job()).presence is JobPresence.ALIVE
    assert by_number(a_job(state="CANCELLED")).presence is JobPresence.GONE
    assert by_number(None).presence is JobPresence.GONE


def test_nothing_is_known_without_a_snapshot_or_before_the_submission() -> None:
    assert standing(a_session(), None).presence is JobPresence.UNKNOWN
    assert standing(a_session(job_id=None, submitted_at=None), a_snapshot()).presence is JobPresence.UNKNOWN
    assert standing(a_session(submitted_at=None), a_snapshot()).presence is JobPresence.UNKNOWN
