"""What Slurm's clients say is read as they mean it, whatever users wrote into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.gateway.queries import parse

ANSWERS = Path(__file__).parent / "slurm_answers"
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
    return "".join(fields[field] + END for field in parse.JOB_FIELDS) + "\n"


def test_a_running_job_has_all_its_fields() -> None:
    (job,) = parse.jobs(record(), MARK)
    assert (job.job_id, job.user, job.account, job.partition, job.qos) == (7, "anna", "lab", "gpu", "normal")
    assert (job.state, job.reason, job.node, job.limit_s) == ("RUNNING", "", "gpu1", 86400)
    assert (job.submitted_at, job.started_at, job.ends_at) == (1795282609.0, 1795282610.0, 1795369010.0)
    assert (job.exit_status, job.exit_signal, job.tres) == (None, None, "cpu=1,gres/gpu=1")
    assert job.reservation == ""


def test_a_job_says_which_reservation_it_is_in() -> None:
    (job,) = parse.jobs(record(Reservation="monday,spare"), MARK)
    assert job.reservation == "monday,spare"


RESERVATIONS = (
    "ReservationName=maint StartTime=1790000000 EndTime=1790007200 Duration=02:00:00 Nodes=gpu[1-2] NodeCnt=2 "
    "CoreCnt=32 Features=(null) PartitionName=(null) Flags=MAINT TRES=cpu=32 Users=root Groups=(null) Accounts=(null)\n"
    "ReservationName=course StartTime=1790100000 EndTime=1790103600 Duration=01:00:00 Nodes=gpu2 NodeCnt=1 Users=eve\n"
)


def test_reservations_are_read_with_their_nodes_and_times() -> None:
    maintenance, course = parse.reservations(RESERVATIONS)
    assert (maintenance.name, maintenance.starts_at, maintenance.ends_at, maintenance.nodes) == (
        "maint", 1790000000.0, 1790007200.0, "gpu[1-2]",
    )  # fmt: skip
    assert course.nodes == "gpu2"
    assert not maintenance.flexible
    assert parse.reservations("No reservations in the system\n") == ()


def test_what_slurm_22_05_says_of_its_reservations_is_read() -> None:
    seen, course, flexible = parse.reservations((ANSWERS / "reservation-22.05.txt").read_text())
    assert (seen.name, seen.nodes, seen.ends_at - seen.starts_at) == ("class 9", "gpu2", 300)
    assert (course.name, course.nodes, course.ends_at - course.starts_at) == ("monday", "cpu1", 5400)
    assert [one.flexible for one in (seen, course, flexible)] == [False, False, True]
    assert flexible.name == "spare"


def test_the_text_of_a_reservation_cannot_change_its_times() -> None:
    told = RESERVATIONS.splitlines()[0] + " Comment=x StartTime=1 EndTime=2 Nodes=gpu9 Flags=FLEX\n"
    assert parse.reservations(told) == parse.reservations(RESERVATIONS)[:1]
    (named,) = parse.reservations(told.replace("=maint", "={job_id} \x0b\u2028" + "n" * 300))
    assert (named.ends_at, len(named.name)) == (1790007200.0, 200)


def test_a_reservation_that_cannot_be_read_is_no_answer() -> None:
    with pytest.raises(parse.GarbledError, match="course"):
        parse.reservations(RESERVATIONS.replace("StartTime=1790100000", "StartTime=soon"))


def test_a_pending_array_and_a_heterogeneous_job_are_jobs_like_others() -> None:
    text = record(2, State="PENDING", BatchHost="n/a", StartTime="N/A", EndTime="N/A") + record(10) + record(11)
    jobs = parse.jobs(text, MARK)
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
    (job,) = parse.jobs(record(7, JobArrayID=text), MARK)
    assert (job.array_id, job.array_tasks) == array


def test_a_name_cannot_forge_a_line_about_another_job() -> None:
    forged = "x\n" + record(8, State="CANCELLED").replace(MARK, "f" * 16)
    jobs = parse.jobs(record(7, name=forged) + record(8), MARK)
    assert [(job.job_id, job.state) for job in jobs] == [(7, "RUNNING"), (8, "RUNNING")]
    assert jobs[0].name == forged[:200]


@given(st.text(max_size=300))
def test_any_name_leaves_the_other_jobs_as_they_are(name: str) -> None:
    jobs = parse.jobs(record(7, name=name) + record(8), MARK)
    assert [job.job_id for job in jobs] == [7, 8]
    assert jobs[0].name == name[:200]
    assert jobs[1] == parse.jobs(record(8), MARK)[0]


def test_text_without_the_mark_is_dropped() -> None:
    text = "a warning\n" + record(7) + "another | one\n" + record(8)
    assert [job.job_id for job in parse.jobs(text, MARK)] == [7, 8]


@pytest.mark.parametrize("cut", range(1, len(record(8)), 7))
def test_an_answer_that_stops_in_the_middle_is_no_answer(cut: int) -> None:
    with pytest.raises(parse.GarbledError):
        parse.jobs((record(7) + record(8))[:-cut], MARK)


def test_no_jobs_is_an_answer() -> None:
    assert parse.jobs("", MARK) == ()


@pytest.mark.parametrize(
    ("code", "exit_of"),
    [
        ("768", (3, None)),
        ("9", (None, 9)),
        ("0", (0, None)),
        ("3:0", (3, None)),
        ("0:9", (0, 9)),
        ("4021", (None, None)),  # an error number that slurmctld left there (measured: a job that could not launch)
        ("", (None, None)),
        ("99999999", (None, None)),
    ],
)
def test_exit_codes_in_both_notations(code: str, exit_of: tuple[int | None, int | None]) -> None:
    assert parse.exit_of(code) == exit_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10:00", 600),
        ("1:00:00", 3600),
        ("2-01:00:00", 176400),
        ("UNLIMITED", None),
        ("Partition_Limit", None),
        ("INVALID", None),
        ("N/A", None),
    ],
)
def test_time_limits(text: str, seconds: int | None) -> None:
    assert parse.duration_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("gpu:h200:2(S:0)", {"gpu": {"h200": 2}}),
        ("gpu:4", {"gpu": {"": 4}}),
        ("gpu:(null):1(IDX:0)", {"gpu": {"": 1}}),
        ("gpu:h200:1(IDX:0-1,3),shard:h200:8(2/4,0/4)", {"gpu": {"h200": 1}, "shard": {"h200": 8}}),
        ("gpu:a100:2(S:0),gpu:a100:2(S:1)", {"gpu": {"a100": 4}}),
        ("gpu:1g.10gb:4(S:0),gpu:3g.40gb:2,gpu:a100:1", {"gpu": {"1g.10gb": 4, "3g.40gb": 2, "a100": 1}}),
        ("gpu:h200:0(IDX:N/A)", {"gpu": {"h200": 0}}),
        ("gpu", {"gpu": {"": 1}}),
        ("gpu:tesla", {"gpu": {"tesla": 1}}),
        ("craynetwork:4,gpu:2", {"craynetwork": {"": 4}, "gpu": {"": 2}}),
        ("nvme:2K", {"nvme": {"": 2048}}),
        ("(null)", {}),
        ("N/A", {}),
        ("", {}),
    ],
)
def test_generic_resources_are_counted_by_type(text: str, counts: dict[str, dict[str, int]]) -> None:
    assert parse.gres_counts(text) == counts


@pytest.mark.parametrize(
    ("total", "used", "free"),
    [
        ({"h200": 2}, {"h200": 1}, {"h200": 1}),
        ({"": 4}, {"h200": 1}, {"": 3}),
        ({"a": 1, "b": 3}, {"": 2}, {"a": 1, "b": 1}),
        ({"a": 1}, {"b": 5}, {"a": 0}),
        ({}, {"a": 1}, {}),
    ],
)
def test_never_a_gpu_too_many_is_free(total: dict[str, int], used: dict[str, int], free: dict[str, int]) -> None:
    assert parse.free_by_type(total, used) == free


def node(
    name: str, partition: str, state: str = "mixed", gres: str = "gpu:h200:2(S:0)", used: str = "gpu:h200:1",
    reason: tuple[str, str] = ("none", "Unknown"),
) -> str:  # fmt: skip
    fields = [name, "10.0.0.1", partition, state, "2/14/0/16", "8000", "200", gres, used, *reason]
    return "".join(field + END for field in fields) + "\n"


def test_a_node_in_two_partitions_is_one_node() -> None:
    (found,) = parse.nodes(node("gpu1", "gpu") + node("gpu1", "short"), MARK)
    assert found.partitions == ("gpu", "short")
    assert (found.address, found.cpus, found.cpus_free, found.memory_free_mb) == ("10.0.0.1", 16, 14, 7800)
    assert (found.gpus, found.gpus_free) == ({"h200": 2}, {"h200": 1})


def test_a_node_that_is_out_of_service_says_why_and_since_when() -> None:
    drained = node("gpu1", "gpu", "drained", reason=("Prolog error", "2026-11-27T10:00:00"))
    first, second = parse.nodes(drained + node("gpu2", "gpu"), MARK)
    assert (first.reason, first.reason_since) == ("Prolog error", parse.time_of("2026-11-27T10:00:00"))
    assert (second.reason, second.reason_since) == ("", None)


def test_a_partition_of_unlike_nodes_keeps_them_all() -> None:
    text = node("gpu1", "gpu") + node("gpu2", "gpu", gres="gpu:a100:4,shard:a100:16", used="shard:a100:3")
    first, second = parse.nodes(text, MARK)
    assert first.gpus == {"h200": 2}
    assert (second.gpus, second.gpus_free, second.shards, second.shards_free) == ({"a100": 4}, {"a100": 3}, 16, 13)


@pytest.mark.parametrize(
    ("state", "usable"),
    [
        ("idle", True), ("mixed", True), ("allocated", True), ("idle~", True), ("mixed-", True), ("allocated+", True),
        ("reserved", True), ("planned", True), ("down", False), ("down*", False), ("idle*", False), ("drained", False),
        ("draining@", False), ("maint", False), ("idle$", False), ("mixed@", False), ("unknown", False),
        ("inval", False),
    ],
)  # fmt: skip
def test_which_nodes_can_take_jobs(state: str, usable: bool) -> None:
    assert parse.is_usable(state) is usable
    (found,) = parse.nodes(node("gpu1", "gpu", state), MARK)
    assert bool(sum(found.gpus_free.values())) is usable
    assert found.gpus == {"h200": 2}


def test_endings_from_the_database() -> None:
    text = "1|CANCELLED by 1001|0:0|1795282669\n4|FAILED|3:0|1795282610\n5|RUNNING|0:0|Unknown\nnonsense\n"
    assert parse.ended(text) == {
        1: ("CANCELLED", 0, None, 1795282669.0),
        4: ("FAILED", 3, None, 1795282610.0),
        5: ("RUNNING", 0, None, None),
    }


@pytest.mark.parametrize(
    ("gpus_used", "shards_used", "free"),
    [
        (0, 0, (2, 8)),
        (2, 0, (0, 0)),  # all are whole: no shard is left, whatever their count says
        (1, 0, (1, 4)),
        (0, 1, (1, 7)),  # one is shared: it is nobody's whole
        (0, 5, (0, 3)),
        (1, 4, (0, 0)),
    ],
)
def test_a_gpu_is_free_as_a_whole_or_in_shards(gpus_used: int, shards_used: int, free: tuple[int, int]) -> None:
    gpus_free, shards_free = parse.free_shared({"h200": 2}, {"h200": gpus_used}, 8, shards_used)
    assert (gpus_free["h200"], shards_free) == free
