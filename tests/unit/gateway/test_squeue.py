"""The jobs that squeue tells are read as it means them, whatever users wrote into their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.gateway.queries import squeue
from fabric_hub.gateway.queries.parse import GarbledError

MARK = "0123456789abcdef"
END = f"|{MARK}"


def record(number: int = 7, name: str = "wrap", **changes: str) -> str:
    fields = {
        "JobID": str(number), "UserName": "anna", "Account": "lab", "Partition": "gpu", "QOS": "normal",
        "State": "RUNNING", "Reason": "None", "BatchHost": "gpu1", "SubmitTime": "1795282609",
        "StartTime": "1795282610", "EndTime": "1795369010", "TimeLimit": "1-00:00:00", "exit_code": "0",
        "tres-alloc": "cpu=1,gres/gpu=1", "JobArrayID": str(number), "Reservation": "(null)",
        "Name": name,
    } | changes  # fmt: skip
    return "".join(fields[field] + END for field in squeue.JOB_FIELDS) + "\n"


def test_a_running_job_has_all_its_fields() -> None:
    (job,) = squeue.jobs(record(), MARK)
    assert (job.job_id, job.user, job.account, job.partition, job.qos) == (7, "anna", "lab", "gpu", "normal")
    assert (job.state, job.reason, job.node, job.limit_s) == ("RUNNING", "", "gpu1", 86400)
    assert (job.submitted_at, job.started_at, job.ends_at) == (1795282609.0, 1795282610.0, 1795369010.0)
    assert (job.exit_status, job.exit_signal, job.tres) == (None, None, "cpu=1,gres/gpu=1")
    assert job.reservation == ""


def test_a_job_says_which_reservation_it_is_in() -> None:
    (job,) = squeue.jobs(record(Reservation="monday,spare"), MARK)
    assert job.reservation == "monday,spare"


def test_a_pending_array_and_a_heterogeneous_job_are_jobs_like_others() -> None:
    text = record(2, State="PENDING", BatchHost="n/a", StartTime="N/A", EndTime="N/A") + record(10) + record(11)
    jobs = squeue.jobs(text, MARK)
    assert [job.job_id for job in jobs] == [2, 10, 11]
    assert (jobs[0].node, jobs[0].started_at, jobs[0].ends_at) == ("", None, None)


@pytest.mark.parametrize(
    ("text", "array"),
    [
        ("7", (None, "")),
        ("5_3", (5, "3")),
        ("5_[0-7]", (5, "0-7")),
        ("5_[4,6-9%2]", (5, "4,6-9")),
        ("5_[1,4-10:3,12]", (5, "1,4,7,10,12")),
        ("", (None, "")),
    ],
)
def test_a_task_of_an_array_says_which(text: str, array: tuple[int | None, str]) -> None:
    (job,) = squeue.jobs(record(7, JobArrayID=text), MARK)
    assert (job.array_id, job.array_tasks) == array


def test_a_name_cannot_forge_a_line_about_another_job() -> None:
    forged = "x\n" + record(8, State="CANCELLED").replace(MARK, "f" * 16)
    jobs = squeue.jobs(record(7, name=forged) + record(8), MARK)
    assert [(job.job_id, job.state) for job in jobs] == [(7, "RUNNING"), (8, "RUNNING")]
    assert jobs[0].name == forged[:200]


@given(st.text(max_size=300))
def test_any_name_leaves_the_other_jobs_as_they_are(name: str) -> None:
    jobs = squeue.jobs(record(7, name=name) + record(8), MARK)
    assert [job.job_id for job in jobs] == [7, 8]
    assert jobs[0].name == name[:200]
    assert jobs[1] == squeue.jobs(record(8), MARK)[0]


def test_text_without_the_mark_is_dropped() -> None:
    text = "a warning\n" + record(7) + "another | one\n" + record(8)
    assert [job.job_id for job in squeue.jobs(text, MARK)] == [7, 8]


@pytest.mark.parametrize("cut", range(1, len(record(8)), 7))
def test_an_answer_that_stops_in_the_middle_is_no_answer(cut: int) -> None:
    with pytest.raises(GarbledError):
        squeue.jobs((record(7) + record(8))[:-cut], MARK)


def test_no_jobs_is_an_answer() -> None:
    assert squeue.jobs("", MARK) == ()


def test_a_job_that_waits_knows_how_many_are_before_it_in_its_partition() -> None:
    waiting = {"State": "PENDING", "BatchHost": "n/a"}
    text = record(9, **waiting) + record(4, **waiting) + record(5) + record(2, Partition="cpu", **waiting)
    jobs = {job.job_id: job.rank for job in squeue.jobs(text, MARK)}
    assert jobs == {9: 0, 4: 1, 5: None, 2: 0}, "squeue writes those of a partition by priority, highest first"
