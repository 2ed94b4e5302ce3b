"""What scontrol shows is read as it means it: jobs, reservations, partitions, limits and configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.gateway.queries import scontrol
from fabric_hub.gateway.queries.parse import GarbledError
from fabric_hub.slurm.limits.model import Enforcement, Limit, Limits
from fabric_hub.slurm.model import Job

ANSWERS = Path(__file__).parent / "slurm_answers"
NAME = "fabric-main-aaaaaaaaaaaa"


SHOWN = (
    "JobId=7 JobName=fabric-main-aaaaaaaaaaaa UserId=anna(1001) GroupId=anna(1001) MCS_label=N/A Priority=1 Nice=0 "
    "Account=lab QOS=normal JobState=RUNNING Reason=None Dependency=(null) Requeue=0 Restarts=0 ExitCode=0:0 "
    "RunTime=00:00:05 TimeLimit=1-02:00:00 TimeMin=N/A SubmitTime=1790000000 StartTime=1790000003 EndTime=1790093603 "
    "Partition=gpu AllocNode:Sid=login:1 ReqNodeList=(null) NodeList=gpu1 BatchHost=gpu1 TRES=cpu=2,gres/gpu=1 "
    "Reservation=monday Comment=JobState=FAILED WorkDir=/home/anna \n"
)


WANTED = Job(job_id=7, name=NAME, user="anna", state="UNKNOWN")


def test_one_job_as_scontrol_shows_it() -> None:
    found = scontrol.job(SHOWN, WANTED)
    assert found == Job(
        job_id=7, name=NAME, user="anna", account="lab", partition="gpu", qos="normal", reservation="monday",
        state="RUNNING", node="gpu1", submitted_at=1790000000, started_at=1790000003, ends_at=1790093603, limit_s=93600,
        tres="cpu=2,gres/gpu=1",
    )  # fmt: skip


@pytest.mark.parametrize(
    "other", [{"job_id": 8}, {"user": "eve"}, {"name": "fabric-main-bbbbbbbbbbbb"}], ids=["number", "owner", "name"]
)
def test_a_number_that_is_another_jobs_by_now_is_not_the_sessions(other: dict[str, object]) -> None:
    with pytest.raises(scontrol.AnotherJobError):
        scontrol.job(SHOWN, WANTED.model_copy(update=other))


RESERVATIONS = (
    "ReservationName=maint StartTime=1790000000 EndTime=1790007200 Duration=02:00:00 Nodes=gpu[1-2] NodeCnt=2 "
    "CoreCnt=32 Features=(null) PartitionName=(null) Flags=MAINT TRES=cpu=32 Users=root Groups=(null) Accounts=(null)\n"
    "ReservationName=course StartTime=1790100000 EndTime=1790103600 Duration=01:00:00 Nodes=gpu2 NodeCnt=1 Users=eve\n"
)


def test_reservations_are_read_with_their_nodes_and_times() -> None:
    maintenance, course = scontrol.reservations(RESERVATIONS)
    assert (maintenance.name, maintenance.starts_at, maintenance.ends_at, maintenance.nodes) == (
        "maint", 1790000000.0, 1790007200.0, "gpu[1-2]",
    )  # fmt: skip
    assert course.nodes == "gpu2"
    assert not maintenance.flexible
    assert (maintenance.maintenance, course.maintenance) == (True, False)
    assert scontrol.reservations("No reservations in the system\n") == ()


def test_what_slurm_22_05_says_of_its_reservations_is_read() -> None:
    seen, course, flexible = scontrol.reservations((ANSWERS / "reservation-22.05.txt").read_text())
    assert (seen.name, seen.nodes, seen.ends_at - seen.starts_at) == ("class 9", "gpu2", 300)
    assert (course.name, course.nodes, course.ends_at - course.starts_at) == ("monday", "cpu1", 5400)
    assert [one.flexible for one in (seen, course, flexible)] == [False, False, True]
    assert flexible.name == "spare"


def test_the_text_of_a_reservation_cannot_change_its_times() -> None:
    told = RESERVATIONS.splitlines()[0] + " Comment=x StartTime=1 EndTime=2 Nodes=gpu9 Flags=FLEX\n"
    assert scontrol.reservations(told) == scontrol.reservations(RESERVATIONS)[:1]
    (named,) = scontrol.reservations(told.replace("=maint", "={job_id} \x0b\u2028" + "n" * 300))
    assert (named.ends_at, len(named.name)) == (1790007200.0, 200)


def test_a_reservation_that_cannot_be_read_is_no_answer() -> None:
    with pytest.raises(GarbledError, match="course"):
        scontrol.reservations(RESERVATIONS.replace("StartTime=1790100000", "StartTime=soon"))


def recorded() -> Limits:
    associations, qos = scontrol.associations((ANSWERS / "assoc_mgr-22.05.txt").read_text())
    partitions = scontrol.partitions((ANSWERS / "partition-22.05.txt").read_text())
    return Limits(associations=associations, qos=qos, partitions=partitions)


def test_an_account_has_its_limits_their_use_and_its_parent() -> None:
    found = {(known.account, known.user): known for known in recorded().associations}
    course = found["ml-course", ""]
    assert course.parent == "root"
    assert course.grp_tres_mins["gres/gpu"] == Limit(limit=3000, used=4)
    assert course.grp_tres_run_mins["gres/gpu"].used == 27
    assert course.grp_tres["gres/gpu"] == Limit(limit=3, used=1)
    assert course.max_jobs == Limit(limit=4, used=1)
    assert course.max_wall_s == 10 * 3600
    assert course.max_tres_per_job == {"cpu": 8, "gres/gpu": 2}
    assert found["bakery", ""].parent == "parent"
    assert found["parent", ""].grp_tres_mins["gres/gpu"] == Limit(limit=0, used=0)


def test_a_user_belongs_to_the_account_and_has_no_number_in_the_name() -> None:
    student = next(known for known in recorded().associations if known.user == "student1")
    assert (student.account, student.parent) == ("ml-course", "ml-course")
    assert student.grp_tres_mins["gres/gpu"] == Limit(limit=None, used=4)


def test_a_qos_has_its_own_limits_and_each_users_share_under_the_users_name() -> None:
    short = next(known for known in recorded().qos if known.name == "short")
    assert short.max_wall_s == 2 * 3600
    assert short.max_tres_per_job == {"gres/gpu": 1}
    assert short.per_user["student1"].tres["gres/gpu"] == Limit(limit=2, used=1)
    assert short.per_user["student1"].jobs == Limit(limit=2, used=1)
    assert short.per_account["ml-course"].submit == Limit(limit=None, used=1)
    assert short.grp_jobs == Limit(limit=None, used=1)


def test_a_partition_has_its_longest_time_and_who_may_use_it() -> None:
    text = (
        "PartitionName=big AllowGroups=ALL AllowAccounts=a,b AllowQos=short Default=YES QoS=part "
        "MaxNodes=2 MaxTime=2-00:00:00 MaxCPUsPerNode=UNLIMITED State=DRAIN\n"
        "PartitionName=small DenyAccounts=c MaxNodes=UNLIMITED MaxTime=UNLIMITED QoS=N/A State=UP\n"
    )
    big, small = scontrol.partitions(text)
    assert (big.max_time_s, big.max_nodes, big.qos, big.state, big.default) == (172800, 2, "part", "DRAIN", True)
    assert (big.allow_accounts, big.allow_qos) == (("a", "b"), ("short",))
    assert (small.max_time_s, small.max_nodes, small.qos, small.deny_accounts) == (None, None, "", ("c",))


def test_the_answers_of_slurm_26_05_read_the_same() -> None:
    associations, qos = scontrol.associations((ANSWERS / "assoc_mgr-26.05.txt").read_text())
    (partition,) = scontrol.partitions((ANSWERS / "partition-26.05.txt").read_text())
    found = {(known.account, known.user): known for known in associations}
    assert found["sub", ""].parent == "lab"
    assert found["sub", ""].grp_tres_mins["gres/gpu"] == Limit(limit=600, used=0)
    assert found["sub", "ann"].grp_tres_run_mins["gres/gpu"] == Limit(used=60)
    assert found["sub", "ann"].max_wall_s == 10 * 3600
    short = next(known for known in qos if known.name == "short")
    assert short.per_user["ann"].tres["gres/gpu"] == Limit(limit=2, used=1)
    assert short.per_user["ann"].jobs == Limit(limit=2, used=1)
    assert (short.max_wall_s, short.grp_tres_mins["gres/gpu"].limit) == (7200, 5000)
    assert (partition.name, partition.default, partition.max_time_s) == ("gpu", True, 86400)


def test_later_releases_name_users_in_a_qos_by_name_and_have_other_fields() -> None:
    text = (
        "Current Association Manager state\nAssociation Records\n"
        "ClusterName=c Account=lab UserName=ann(2001) Partition= ID=7 ParentAccount= Lineage=/lab/0-ann/ "
        "GrpTRESMins=gres/gpu=60(3),gres/gpu:h200=N(3),gres/gpumem=N(0) MaxWallPJ= Comment=GrpTRESMins=gres/gpu=1(1)\n"
        "QOS Records\nQOS=q(5) GrpJobs=N(1) MaxWallPJ=60 PreemptMode=OFF Account Limits= "
        "lab={MaxJobsPA=N(1) MaxTRESPA=gres/gpu=4(1)} User Limits= ann(2001)={MaxJobsPU=3(1) MaxTRESPU=gres/gpu=2(1)}\n"
    )
    (ann,), (qos,) = scontrol.associations(text)
    assert ann.grp_tres_mins == {"gres/gpu": Limit(limit=60, used=3), "gres/gpu:h200": Limit(used=3)}
    assert ann.max_wall_s is None
    assert qos.per_user["ann"].tres["gres/gpu"] == Limit(limit=2, used=1)
    assert qos.per_account["lab"].tres["gres/gpu"] == Limit(limit=4, used=1)


def test_a_slurm_without_accounting_has_no_limits() -> None:
    none = "No {} currently cached in Slurm.\n\n"
    text = "Current Association Manager state\n\n" + none.format("associations") + none.format("QOS")
    assert scontrol.associations(text) == ((), ())


@pytest.mark.parametrize("text", ["", "slurm_load_assoc_mgr_info error", "Association Records\nQOS Records\nQOS=q(1)"])
def test_half_an_answer_is_no_answer(text: str) -> None:
    with pytest.raises(GarbledError):
        scontrol.associations(text)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("associations,limits,qos", Enforcement(limits=True, safe=False, qos=True)),
        ("associations,limits,qos,safe", Enforcement(limits=True, safe=True, qos=True)),
        ("none", Enforcement(limits=False, safe=False, qos=False)),
        ("all", Enforcement(limits=True, safe=True, qos=True)),
    ],
)
def test_what_is_enforced_is_read_from_slurms_configuration(words: str, expected: Enforcement) -> None:
    assert scontrol.enforcement(f"X = 1\nAccountingStorageEnforce = {words}\n") == expected


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("ResvOverRun             = 0 min", 0.0),
        ("ResvOverRun             = 45 min", 2700.0),
        ("ResvOverRun             = UNLIMITED", scontrol.YEAR_S),
        ("ResvOverRun             = (null)", 0.0),
        ("NotResvOverRun          = 45 min", 0.0),
    ],
)
def test_how_long_jobs_go_on_after_their_reservation_is_read_from_the_configuration(line: str, seconds: float) -> None:
    assert scontrol.over_run_s(f"ResumeTimeout           = 60 sec\n{line}\nResvProlog = (null)\n") == seconds


PARTITION = "PartitionName=gpu AllowGroups=ALL DefaultTime=NONE MaxNodes=UNLIMITED MaxTime={} MinNodes=0 Nodes=gpu[1-2]"


@pytest.mark.parametrize(
    ("told", "minutes"), [("UNLIMITED", None), ("08:00:00", 480), ("2-00:30:00", 2910), ("INFINITE", None)]
)
def test_the_longest_time_of_a_partition_is_read(told: str, minutes: int | None) -> None:
    assert scontrol.partition_minutes(PARTITION.format(told)) == minutes
