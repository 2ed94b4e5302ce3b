"""What a site's own unit of billing comes to, and how long a job may be asked for by the limits on it."""

from __future__ import annotations

import pytest

from fabric_hub.gateway.queries import scontrol
from fabric_hub.slurm.limits.billing import billed, billing_of, rates, weights
from fabric_hub.slurm.limits.check import decide
from fabric_hub.slurm.limits.longest import longest
from fabric_hub.slurm.limits.model import GPU, Enforcement, Limit, PartitionLimits
from fabric_hub.slurm.model import Snapshot

from .test_check import NOW, ask, limits

WEIGHTS = {"cpu": 1.0, "mem": 0.25 / 1024, "gres/gpu": 16.0}


def test_weights_are_read_as_slurm_writes_them() -> None:
    assert weights("CPU=1.0,Mem=0.25G,GRES/gpu=16.0,GRES/gpu:1g.18gb=.5") == {**WEIGHTS, "gres/gpu:1g.18gb": 0.5}
    assert weights("") == {}
    line = "PartitionName=gpu MaxTime=1-00:00:00 TRESBillingWeights=CPU=1.0,Mem=0.25G,GRES/gpu=16.0 State=UP\n"
    (partition,) = scontrol.partitions(line)
    assert (partition.name, partition.billing_weights) == ("gpu", WEIGHTS)


@pytest.mark.parametrize(
    ("flags", "how"), [("", "sum"), ("MAX_TRES", "max"), ("SMALL_RELATIVE_TO_TIME,MAX_TRES_GRES", "max_gres")]
)
def test_how_weights_come_together_is_read_from_the_configuration(flags: str, how: str) -> None:
    assert (
        scontrol.enforcement(f"AccountingStorageEnforce = limits\nPriorityFlags           = {flags}\n").billing == how
    )


@pytest.mark.parametrize(
    ("how", "tres", "comes_to"),
    [
        ("sum", {"cpu": 4, "mem": 8192, GPU: 2}, 38),
        ("max", {"cpu": 4, "mem": 8192, GPU: 2}, 32),
        ("max_gres", {"cpu": 4, "mem": 8192, GPU: 2}, 36),
        ("sum", {"cpu": 1, "mem": 2048}, 1),  # 1.5, cut off
    ],
)
def test_a_job_is_billed_as_slurm_bills_it(how: str, tres: dict[str, int], comes_to: int) -> None:
    partition = PartitionLimits(name="gpu", billing_weights=WEIGHTS)
    assert billing_of(tres, partition, Enforcement.model_validate({"billing": how})) == comes_to


def test_without_weights_a_partition_bills_by_the_cpu_and_an_unknown_one_is_not_guessed() -> None:
    assert billed(limits(), ask()).tres["billing"] == 4
    assert "billing" not in billed(limits(), ask(partition="elsewhere")).tres
    assert "billing" not in billed(None, ask()).tres


def test_an_hour_costs_gpu_hours_shares_or_cpu_hours_and_the_sites_own_unit() -> None:
    weighed = limits(partition={"billing_weights": {**WEIGHTS, "gres/shard": 4.0}})
    assert rates(limits(), ask()) == {GPU: 2}
    assert rates(limits(), ask(gres=())) == {"cpu": 4}
    assert rates(weighed, ask()) == {GPU: 2, "billing": 38}
    assert rates(weighed, ask(gres=("shard:1",))) == {"gres/shard": 1, "billing": 10}


def test_a_budget_in_the_sites_own_unit_refuses_what_it_does_not_last_for() -> None:
    told = limits(account={"grp_tres_mins": {"billing": Limit(limit=38 * 60)}}, partition={"billing_weights": WEIGHTS})
    assert not decide(told, Snapshot(), ask(minutes=60), NOW, whole=True).refused
    refused = decide(told, Snapshot(), ask(minutes=61), NOW, whole=True)
    assert str(refused.message).startswith("Account lab has 38 billing-hours left")
    assert longest(told, Snapshot(), ask(), NOW, least=6, most=480).minutes == 60


def test_an_hour_with_a_gpu_does_not_start_on_a_budget_of_a_minute() -> None:
    told = limits(account={"grp_tres_mins": {GPU: Limit(limit=600, used=599)}})
    one_gpu = ask(gres=("gpu:h200:1",), minutes=60)
    assert not decide(told, Snapshot(), one_gpu, NOW).refused, "Slurm would start it, and end it after a minute"
    refused = decide(told, Snapshot(), one_gpu, NOW, whole=True)
    assert (refused.reason, refused.refused) == ("budget", True)
    assert longest(told, Snapshot(), one_gpu, NOW, least=6, most=480).minutes == 0


@pytest.mark.parametrize(
    ("told", "minutes"),
    [
        (limits(), 480),
        (limits(account={"grp_tres_mins": {GPU: Limit(limit=600, used=480)}}), 60),  # two GPUs
        (limits(user={"max_wall_s": 5400}), 90),
        (limits(partition={"max_time_s": 7200}), 120),
        (limits(qos={"max_tres_mins_per_job": {GPU: 100}}), 50),
        (limits(account={"grp_tres_run_mins": {GPU: Limit(limit=24)}}), 12),
        (limits(user={"max_tres_per_job": {GPU: 1}}), 0),
    ],
)
def test_the_longest_time_is_what_every_limit_lets_it_have(told: object, minutes: int) -> None:
    found = longest(told, Snapshot(), ask(), NOW, least=6, most=480)  # type: ignore[arg-type]
    assert found.minutes == minutes
    assert (found.refused is None) == (minutes == 480)
