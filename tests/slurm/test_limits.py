"""What we refuse, Slurm would leave in its queue for ever; what we let through, it starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fabric_hub.budgets.balance import SubmissionRoute, balance

from .conftest import Lab

pytestmark = pytest.mark.slurm


def test_a_budget_used_up_is_refused_a_raised_one_is_not_and_cpus_are_free_of_it(lab: Lab) -> None:
    lab.limit(GrpTRESMins="gres/gpu=0")
    refused = lab.decision(lab.ask())
    assert refused.reason == "budget"
    assert f"The budget of account {lab.account} has run out: 0 of 0 GPU-hours used." == str(refused.message)
    rescue = lab.ask(gpus=0, partition="cpu")
    assert not lab.decision(rescue).refused

    held, runs = lab.submit(lab.ask()), lab.submit(rescue)
    assert lab.until(held, "AssocGrpGRESMinutes").state == "PENDING"
    assert lab.until(runs, "RUNNING").state == "RUNNING"

    lab.limit(GrpTRESMins="gres/gpu=600")
    assert not lab.decision(lab.ask()).refused
    assert lab.until(held, "RUNNING").state == "RUNNING"


def test_a_parents_budget_counts_and_is_named(lab: Lab) -> None:
    lab.limit(GrpTRESMins="gres/gpu=600")
    lab.sacctmgr("modify", "account", lab.parent, "set", "GrpTRESMins=gres/gpu=0")
    refused = lab.decision(lab.ask())
    assert f"The budget of account {lab.parent} has run out" in str(refused.message)
    held = lab.submit(lab.ask())
    assert lab.until(held, "AssocGrpGRESMinutes").state == "PENDING"
    told = balance(lab.limits(), lab.snapshot(), lab.account, now=time.time())
    assert told is not None
    assert (told.limit, told.left, told.limited_by) == (10.0, 0.0, f"account {lab.parent}")


def test_a_budget_nearly_used_lets_a_job_start_and_says_when_it_ends(lab: Lab) -> None:
    lab.limit(GrpTRESMins="gres/gpu=90")
    found = lab.decision(lab.ask(gpus=2, minutes=120))
    assert not found.refused
    assert "1.5 GPU-hours left" in str(found.cut)
    assert "after about 45 minutes" in str(found.cut)


def test_what_running_jobs_use_is_counted_at_once_and_once(lab: Lab) -> None:
    running = lab.submit(lab.ask(gpus=2))
    began = lab.until(running, "RUNNING").started_at
    assert began is not None
    limits, snapshot, now = lab.limits(), lab.snapshot(), time.time()
    told = balance(limits, snapshot, lab.account, now=now)
    mine = balance(limits, snapshot, lab.account, lab.run.unix_name("student1"), now=now)
    other = balance(limits, snapshot, lab.account, lab.run.unix_name("student2"), now=now)
    assert told is not None and mine is not None and other is not None  # noqa: PT018
    assert told.running == 2
    # Slurm's two numbers are whole minutes, cut off: at most two GPU-minutes low
    assert 2 * (now - began) / 3600 - 2 / 60 <= told.used <= 2 * (now - began) / 3600 + 0.001
    assert mine.used == told.used
    assert other.used == 0


def _wall(lab: Lab) -> None:
    lab.limit(MaxWall="30")


def _per_job(lab: Lab) -> None:
    lab.limit(MaxTRESPerJob="gres/gpu=0")


def _at_once(lab: Lab) -> None:
    lab.limit(GrpTRES="gres/gpu=0")


@pytest.mark.parametrize(
    ("limit", "says", "reason"),
    [
        (_wall, "student1 in account {lab} allows a job at most 30 minutes, not 1 hour.", "AssocMaxWallDuration"),
        (_per_job, "student1 in account {lab} allows a job at most 0 GPUs, not 1.", "AssocMaxGRESPerJob"),
        (_at_once, "Account {lab} allows at most 0 GPUs altogether, and this job asks for 1.", "AssocGrpGRES"),
    ],
    ids=["time", "GPUs of one job", "GPUs at once"],
)
def test_a_limit_of_an_association_is_refused_by_its_name(
    lab: Lab, limit: Callable[[Lab], None], says: str, reason: str
) -> None:
    limit(lab)
    refused = lab.decision(lab.ask())
    assert refused.reason == "limit-account"
    assert says.format(lab=lab.account) in str(refused.message)
    held = lab.submit(lab.ask())
    assert lab.until(held, f"{reason}.*").state == "PENDING"


@contextmanager
def _qos(lab: Lab, *limits: str) -> Iterator[str]:
    name = f"q-{lab.account}"
    lab.sacctmgr("add", "qos", name, *limits)
    lab.sacctmgr("modify", "account", lab.account, "set", f"qos+={name}")
    try:
        yield name
    finally:
        left = lab.run.slurm("squeue", "-h", "-A", lab.account, "-o", "%i").split()
        lab.cancel(*(int(number) for number in left))
        lab.sacctmgr("delete", "qos", name)


@pytest.mark.parametrize(
    ("limit", "says", "reason"),
    [
        ("MaxWall=30", "QOS {qos} allows a job at most 30 minutes, not 1 hour.", "QOSMaxWallDuration"),
        ("MaxTRESPerUser=gres/gpu=0", "QOS {qos} allows at most 0 GPUs for {user}", "QOSMaxGRESPerUser"),
        ("GrpTRESMins=gres/gpu=0", "The budget of QOS {qos} has run out", "QOSGrpGRESMinutes"),
    ],
    ids=["time", "GPUs of one user", "budget"],
)
def test_a_limit_of_a_qos_is_refused_by_its_name(lab: Lab, limit: str, says: str, reason: str) -> None:
    with _qos(lab, limit) as name:
        refused = lab.decision(lab.ask(qos=name))
        assert says.format(qos=name, user=lab.run.unix_name("student1")) in str(refused.message)
        held = lab.submit(lab.ask(qos=name))
        assert lab.until(held, f"{reason}.*").state == "PENDING"


def test_a_budget_of_a_qos_is_told_and_counts_instead_of_the_accounts(lab: Lab) -> None:
    lab.limit(GrpTRESMins="gres/gpu=0")
    with _qos(lab, "GrpTRESMins=gres/gpu=600") as name:
        ask, ways = lab.ask(gpus=2, qos=name), [SubmissionRoute("gpu", name, ("gpu-2",))]
        assert not lab.decision(ask).refused
        running = lab.submit(ask)
        began = lab.until(running, "RUNNING").started_at
        assert began is not None
        limits, snapshot, now = lab.limits(), lab.snapshot(), time.time()
        told = balance(limits, snapshot, lab.account, now=now, ways=ways)
        assert told is not None
        assert (told.limit, told.limited_by) == (None, f"QOS {name}")
        (bound,) = told.above
        assert (bound.limit, bound.running, bound.left) == (10.0, 2, told.left)
        assert 2 * (now - began) / 3600 - 2 / 60 <= bound.used <= 2 * (now - began) / 3600 + 0.001


def test_a_qos_that_the_account_has_not_is_refused(lab: Lab) -> None:
    name = f"q-{lab.account}"
    lab.sacctmgr("add", "qos", name)
    try:
        assert f"may not use QOS {name} in account {lab.account}" in str(lab.decision(lab.ask(qos=name)).message)
    finally:
        lab.sacctmgr("delete", "qos", name)


def test_a_limit_of_a_partition_is_refused_by_its_name(lab: Lab) -> None:
    long = lab.ask(minutes=30 * 60)
    refused = lab.decision(long)
    assert (refused.reason, str(refused.message)) == (
        "partition",
        "Partition gpu allows a job at most 24 hours, not 30 hours.",
    )
    held = lab.submit(long)
    assert lab.until(held, "PartitionTimeLimit").state == "PENDING"


def test_a_partition_for_others_is_refused_by_its_name(lab: Lab) -> None:
    lab.run.slurm("scontrol", "update", "partition=gpu", "AllowAccounts=proteins")
    try:
        refused = lab.decision(lab.ask())
    finally:
        lab.run.slurm("scontrol", "update", "partition=gpu", "AllowAccounts=ALL")
    assert str(refused.message) == f"Partition gpu takes jobs of the account proteins only, not of {lab.account}."
    assert not lab.decision(lab.ask()).refused


def test_what_only_waits_for_others_is_not_refused(lab: Lab) -> None:
    lab.limit(GrpTRES="gres/gpu=1")
    first = lab.submit(lab.ask())
    lab.until(first, "RUNNING")
    found = lab.decision(lab.ask())
    assert not found.refused
    assert str(found.waits) == f"The 1 GPU that account {lab.account} allows altogether is in use."
    second = lab.submit(lab.ask())
    assert lab.until(second, "AssocGrpGRES.*").state == "PENDING"
    lab.cancel(first)
    assert lab.until(second, "RUNNING").state == "RUNNING"
