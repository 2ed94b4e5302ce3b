"""Slurm's answers about limits, as it gave them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.gateway.queries import limits as limits_parse
from fabric_hub.gateway.queries.parse import GarbledError
from fabric_hub.slurm.limits.model import Association, Enforcement, Limit, Limits, Qos

ANSWERS = Path(__file__).parent / "slurm_answers"


def recorded() -> Limits:
    associations, qos = limits_parse.associations((ANSWERS / "assoc_mgr-22.05.txt").read_text())
    partitions = limits_parse.partitions((ANSWERS / "partition-22.05.txt").read_text())
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
    big, small = limits_parse.partitions(text)
    assert (big.max_time_s, big.max_nodes, big.qos, big.state, big.default) == (172800, 2, "part", "DRAIN", True)
    assert (big.allow_accounts, big.allow_qos) == (("a", "b"), ("short",))
    assert (small.max_time_s, small.max_nodes, small.qos, small.deny_accounts) == (None, None, "", ("c",))


def test_the_answers_of_slurm_26_05_read_the_same() -> None:
    associations, qos = limits_parse.associations((ANSWERS / "assoc_mgr-26.05.txt").read_text())
    (partition,) = limits_parse.partitions((ANSWERS / "partition-26.05.txt").read_text())
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
    (ann,), (qos,) = limits_parse.associations(text)
    assert ann.grp_tres_mins == {"gres/gpu": Limit(limit=60, used=3), "gres/gpu:h200": Limit(used=3)}
    assert ann.max_wall_s is None
    assert qos.per_user["ann"].tres["gres/gpu"] == Limit(limit=2, used=1)
    assert qos.per_account["lab"].tres["gres/gpu"] == Limit(limit=4, used=1)


def test_a_slurm_without_accounting_has_no_limits() -> None:
    none = "No {} currently cached in Slurm.\n\n"
    text = "Current Association Manager state\n\n" + none.format("associations") + none.format("QOS")
    assert limits_parse.associations(text) == ((), ())


@pytest.mark.parametrize("text", ["", "slurm_load_assoc_mgr_info error", "Association Records\nQOS Records\nQOS=q(1)"])
def test_half_an_answer_is_no_answer(text: str) -> None:
    with pytest.raises(GarbledError):
        limits_parse.associations(text)


def test_the_database_adds_who_may_use_which_qos_and_what_a_qos_gives_each_user() -> None:
    limits = Limits(associations=(Association(account="lab", user="ann"),), qos=(Qos(name="short"),))
    limits = limits_parse.with_rights(limits, "lab||||\nlab|ann||normal,short|short\n")
    limits = limits_parse.with_qos_rules(limits, "short|2.000000|gres/gpu=2,mem=16G|2|5||||DenyOnLimit,OverPartQOS\n")
    (ann,), (short,) = limits.associations, limits.qos
    assert (ann.qos, ann.default_qos) == (("normal", "short"), "short")
    assert short.max_tres_per_user == {"gres/gpu": 2, "mem": 16384}
    assert short.flags == ("DenyOnLimit", "OverPartQOS")
    assert (short.max_jobs_per_user, short.max_submit_per_user, short.usage_factor) == (2, 5, 2.0)


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
    assert limits_parse.enforcement(f"X = 1\nAccountingStorageEnforce = {words}\n") == expected


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("ResvOverRun             = 0 min", 0.0),
        ("ResvOverRun             = 45 min", 2700.0),
        ("ResvOverRun             = UNLIMITED", limits_parse.YEAR_S),
        ("ResvOverRun             = (null)", 0.0),
        ("NotResvOverRun          = 45 min", 0.0),
    ],
)
def test_how_long_jobs_go_on_after_their_reservation_is_read_from_the_configuration(line: str, seconds: float) -> None:
    assert limits_parse.over_run_s(f"ResumeTimeout           = 60 sec\n{line}\nResvProlog = (null)\n") == seconds
