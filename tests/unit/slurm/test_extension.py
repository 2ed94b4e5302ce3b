"""More time for a job that runs: held to what Slurm would hold a start to, for an Operator passes every limit."""

from __future__ import annotations

from typing import Any

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.slurm.limits.extension import check, more_time
from fabric_hub.slurm.limits.model import GPU, Association, Enforcement, Limit, Limits, PartitionLimits, Qos
from fabric_hub.slurm.model import Job, Snapshot
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from tests.support.builders import a_job

LESS = "Ask for less time, or save your work and continue in a new session."
NOW = 1_000_000.0
SAFE = Enforcement(safe=True)
# an hour of two, on two GPUs
JOB = a_job(
    user="ann", account="lab", partition="gpu", qos="normal", tres="cpu=4,mem=8G,node=1,billing=4,gres/gpu=2",
    started_at=NOW - 3600, ends_at=NOW + 3600, limit_s=7200,
)  # fmt: skip


def limits(
    *, account: dict[str, Any] | None = None, user: dict[str, Any] | None = None, qos: dict[str, Any] | None = None,
    part: dict[str, Any] | None = None, partition: dict[str, Any] | None = None, **more: Any,
) -> Limits:  # fmt: skip
    return Limits(
        at=NOW,
        associations=(
            Association(account="root"),
            Association(account="lab", parent="root", **(account or {})),
            Association(account="lab", user="ann", parent="lab", **(user or {})),
        ),
        qos=(Qos(name="normal", **(qos or {})), Qos(name="part", **(part or {}))),
        partitions=(PartitionLimits(name="gpu", qos="part", **(partition or {})),),
        **more,
    )


def budget(limit: int, used: int = 0) -> dict[str, Any]:
    return {"grp_tres_mins": {GPU: Limit(limit=limit, used=used)}}


HELD: list[tuple[Limits, str]] = [
    (limits(qos={"max_wall_s": 7200}), "QOS normal allows a job at most 2 hours, not 3 hours."),
    (limits(part={"max_wall_s": 7200}), "QOS part allows a job at most 2 hours, not 3 hours."),
    (limits(user={"max_wall_s": 7200}), "ann in account lab allows a job at most 2 hours, not 3 hours."),
    (limits(partition={"max_time_s": 9000}), "Partition gpu allows a job at most 2 h 30 min."),
    (
        limits(qos={"max_tres_mins_per_job": {GPU: 300}}),
        "QOS normal allows a job at most 5 GPU-hours, not 6 GPU-hours.",
    ),
    (
        limits(account=budget(240, 240)),
        "The budget of account lab has run out: 4 of 4 GPU-hours used.",
    ),
    (
        limits(account=budget(300, 120), enforcement=SAFE),
        ("Account lab has 3 GPU-hours left (2 of 5 GPU-hours used): running jobs may take 2 GPU-hours, "
        "and this asks for 2 GPU-hours more."),
    ),
    (
        limits(account={"grp_tres_run_mins": {GPU: Limit(limit=180, used=120)}}),
        ("Account lab allows running jobs 3 GPU-hours to come: they have 2 GPU-hours, and this asks for 2 GPU-hours "
        "more."),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "message"), HELD, ids=[message for _, message in HELD])
def test_more_time_is_held_to_every_limit_on_time_and_use(told: Limits, message: str) -> None:
    snapshot = Snapshot(jobs=(JOB,))
    with pytest.raises(FabricError) as refused:
        check(told, snapshot, JOB, 180, NOW)
    assert (refused.value.message, refused.value.status) == (message, 403)
    assert str(more_time(told, snapshot, JOB, 180, NOW).message) == message
    assert LESS in refused.value.hint or "owner" in refused.value.hint


@pytest.mark.parametrize(
    "told",
    [
        limits(),
        limits(qos={"max_wall_s": 10800}, user={"max_wall_s": 60}),  # what a QOS says is all that counts
        limits(partition={"max_time_s": 3600}, qos={"flags": ("PartitionTimeLimit",)}),
        limits(account=budget(360, 120), enforcement=SAFE),
        limits(account={"grp_jobs": Limit(limit=1, used=1), "grp_submit": Limit(limit=1, used=1)}),  # it is that one
        limits(account={"grp_tres": {GPU: Limit(limit=1, used=2)}}, user={"max_tres_per_job": {GPU: 1}}),
        limits(qos={"max_wall_s": 60}, enforcement=Enforcement(limits=False)),
    ],
)
def test_what_no_limit_on_time_forbids_is_given(told: Limits) -> None:
    check(told, Snapshot(jobs=(JOB,)), JOB, 180, NOW)
    assert not more_time(told, Snapshot(jobs=(JOB,)), JOB, 180, NOW).cut


def test_others_that_run_count_where_what_is_left_must_last_to_the_end() -> None:
    other = a_job(job_id=8, user="bob", account="lab", qos="normal", tres="gres/gpu=1", started_at=NOW - 60,
                  ends_at=NOW + 3600, limit_s=3660)  # fmt: skip
    told = limits(account=budget(380, 120), enforcement=SAFE)
    check(told, Snapshot(jobs=(JOB,)), JOB, 180, NOW)
    with pytest.raises(FabricError, match="running jobs may take 3 GPU-hours"):
        check(told, Snapshot(jobs=(JOB, other)), JOB, 180, NOW)


def test_a_budget_that_ends_before_is_told_where_slurm_lets_jobs_run_so_far() -> None:
    found = more_time(limits(account=budget(300, 240)), Snapshot(jobs=(JOB,)), JOB, 180, NOW)
    assert not found.refused
    assert str(found.cut).endswith("Slurm ends the job when they are used up, after about 30 minutes.")


@pytest.mark.parametrize("told", [Limits(), limits().model_copy(update={"at": NOW - 1000})], ids=["none yet", "old"])
def test_limits_that_are_not_known_are_not_passed(told: Limits) -> None:
    with pytest.raises(SlurmUnavailableError) as unknown:
        check(told, Snapshot(jobs=(JOB,)), JOB, 180, NOW)
    assert unknown.value.message == "The session's time was not changed: Slurm's limits are not known at present."


def test_who_is_no_more_in_the_account_gets_no_more_time() -> None:
    gone: Job = JOB.model_copy(update={"user": "bob"})
    with pytest.raises(FabricError, match="Slurm has no bob in account lab any more"):
        check(limits(), Snapshot(jobs=(gone,)), gone, 180, NOW)
