"""Before a start: what can never run is refused by the name of its limit; what only waits is not."""

from __future__ import annotations

from typing import Any

import pytest

from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts.whom import WHOM_OPERATORS, WHOM_OWNER, asking
from fabric_hub.slurm.limits.amounts import count, hours_of, used_of
from fabric_hub.slurm.limits.chain import LimitDecision
from fabric_hub.slurm.limits.check import decide
from fabric_hub.slurm.limits.model import GPU, Association, Enforcement, Limit, Limits, PartitionLimits, Qos, Share
from fabric_hub.slurm.limits.request import JobRequest
from fabric_hub.slurm.model import JobSpec, Snapshot

NOW = 1_000_000.0


def limits(
    *, account: dict[str, Any] | None = None, user: dict[str, Any] | None = None, root: dict[str, Any] | None = None,
    qos: dict[str, Any] | None = None, partition: dict[str, Any] | None = None, **more: Any,
) -> Limits:  # fmt: skip
    return Limits(
        at=NOW,
        associations=(
            Association(account="root", **(root or {})),
            Association(account="lab", parent="root", **(account or {})),
            Association(account="lab", user="ann", parent="lab", **(user or {})),
        ),
        qos=(Qos(name="normal", **(qos or {})),),
        partitions=(PartitionLimits(name="gpu", default=True, **(partition or {})),),
        **more,
    )


def ask(**changes: Any) -> JobRequest:
    spec = JobSpec(account="lab", cpus=4, memory_mb=8192, gres=("gpu:h200:2",), minutes=120)
    return JobRequest.of(spec.model_copy(update=changes), "ann")


REFUSED: list[tuple[Limits, str, str, str]] = [
    (
        limits(account={"grp_tres_mins": {GPU: Limit(limit=600, used=600)}}),
        "budget",
        "The budget of account lab has run out: 10 of 10 GPU-hours used.",
        "Ask the owner of the project for more.",
    ),
    (
        limits(root={"grp_tres_mins": {GPU: Limit(limit=0)}}),
        "budget",
        "The budget of account root has run out: 0 of 0 GPU-hours used.",
        "Ask the operators for more.",
    ),
    (
        limits(user={"grp_tres_mins": {GPU: Limit(limit=60, used=90)}}),
        "budget",
        "The budget of ann in account lab has run out: 1.5 of 1 GPU-hour used.",
        "owner",
    ),
    (
        limits(qos={"grp_tres_mins": {"gres/gpu:h200": Limit(limit=60, used=60)}}),
        "budget",
        "The budget of QOS normal has run out: 1 of 1 h200 GPU-hour used.",
        "Ask the operators for more.",
    ),
    (
        limits(account={"grp_tres_mins": {GPU: Limit(limit=600, used=420)}}, enforcement=Enforcement(safe=True)),
        "budget",
        "Account lab has 3 GPU-hours left (7 of 10 GPU-hours used), and this job asks for 4 GPU-hours.",
        "Ask for 1 h 30 min or less, or the owner of the project for more.",
    ),
    (
        limits(user={"max_wall_s": 3600}),
        "limit-account",
        "ann in account lab allows a job at most 1 hour, not 2 hours.",
        "Ask for 1 hour or less.",
    ),
    (
        limits(user={"max_tres_per_job": {GPU: 1}}),
        "limit-account",
        "ann in account lab allows a job at most 1 GPU, not 2.",
        "Choose a smaller profile.",
    ),
    (
        limits(user={"max_tres_mins_per_job": {GPU: 180}}),
        "limit-account",
        "ann in account lab allows a job at most 3 GPU-hours, not 4 GPU-hours.",
        "Ask for 1 h 30 min or less.",
    ),
    (
        limits(account={"grp_tres": {GPU: Limit(limit=1)}}),
        "limit-account",
        "Account lab allows at most 1 GPU altogether, and this job asks for 2.",
        "Choose a smaller profile.",
    ),
    (
        limits(account={"grp_submit": Limit(limit=3, used=3)}),
        "limit-account",
        "Account lab allows at most 3 jobs altogether, running or waiting, and there are 3.",
        "End one of them first.",
    ),
    (
        limits(qos={"max_wall_s": 5400}),
        "limit-qos",
        "QOS normal allows a job at most 1 h 30 min, not 2 hours.",
        "Ask for 1 h 30 min or less.",
    ),
    (
        limits(qos={"max_tres_per_user": {GPU: 1}}),
        "limit-qos",
        "QOS normal allows at most 1 GPU for ann, and this job asks for 2.",
        "Choose a smaller profile.",
    ),
    (
        limits(qos={"max_submit_per_user": 1, "per_user": {"ann": Share(submit=Limit(limit=1, used=1))}}),
        "limit-qos",
        "QOS normal allows at most 1 job for ann, running or waiting, and there is 1.",
        "End one of them first.",
    ),
    (
        limits(qos={"min_tres_per_job": {GPU: 4}}),
        "limit-qos",
        "QOS normal wants at least 4 GPUs for a job, not 2.",
        "Choose a larger profile.",
    ),
    (
        limits(partition={"max_time_s": 3600}),
        "partition",
        "Partition gpu allows a job at most 1 hour, not 2 hours.",
        "Ask for 1 hour or less.",
    ),
    (
        limits(partition={"allow_accounts": ("other", "more")}),
        "partition",
        "Partition gpu takes jobs of the accounts other, more only, not of lab.",
        "Choose a profile of another partition, or another project.",
    ),
    (
        limits(partition={"deny_qos": ("normal",)}),
        "partition",
        "Partition gpu takes no jobs of QOS normal.",
        "Choose a profile of another partition.",
    ),
    (
        limits(partition={"max_cpus_per_node": 2}),
        "partition",
        "Partition gpu gives a job at most 2 CPUs of a node, not 4.",
        "Choose a smaller profile.",
    ),
    (
        limits(partition={"deny_accounts": ("lab",)}),
        "partition",
        "Partition gpu takes no jobs of account lab.",
        "Choose a profile of another partition.",
    ),
    (
        limits(partition={"max_nodes": 0}),
        "partition",
        "Partition gpu gives a job no node.",
        "Choose a profile of another partition.",
    ),
    (
        limits(user={"max_tres_per_job": {"mem": 4096}}),
        "limit-account",
        "ann in account lab allows a job at most 4,096 MB of memory, not 8,192.",
        "Choose a smaller profile.",
    ),
    (
        limits(qos={"min_tres_per_job": {"gres/shard": 2}}),
        "limit-qos",
        "QOS normal wants at least 2 GPU shares for a job, not 0.",
        "Choose a larger profile.",
    ),
    (
        limits(user={"max_tres_mins_per_job": {GPU: 1}}),
        "limit-account",
        "ann in account lab allows a job at most 1 GPU-minute, not 4 GPU-hours.",
        "Choose a smaller profile.",
    ),
    (
        limits(account={"grp_tres_mins": {GPU: Limit(limit=60, used=59)}}, enforcement=Enforcement(safe=True)),
        "budget",
        "Account lab has 1 GPU-minute left (59 GPU-minutes of 1 GPU-hour used), and this job asks for 4 GPU-hours.",
        "Ask the owner of the project for more.",
    ),
    (
        limits(qos={"per_account": {"lab": Share(jobs=Limit(limit=0))}}),
        "limit-qos",
        "QOS normal allows no running job for account lab.",
        "Choose another profile.",
    ),
    (
        limits(account={"grp_submit": Limit(limit=0)}),
        "limit-account",
        "Account lab allows at most 0 jobs altogether, running or waiting, and there are 0.",
        "Choose another profile.",
    ),
    (
        limits(account={"grp_jobs": Limit(limit=0)}),
        "limit-account",
        "Account lab allows no running job altogether.",
        "Choose another profile.",
    ),
]


@pytest.mark.parametrize(("told", "reason", "message", "hint"), REFUSED, ids=[message for *_, message, _ in REFUSED])
def test_what_can_never_start_is_refused_by_the_name_of_its_limit(
    told: Limits, reason: str, message: str, hint: str
) -> None:
    found = decide(told, Snapshot(), ask(), NOW)
    assert (found.reason, str(found.message)) == (reason, message)
    assert hint in str(found.hint)


WAITING: list[tuple[Limits, str]] = [
    (limits(user={"max_jobs": Limit(limit=1, used=1)}), "The 1 job that ann in account lab allows for ann is running."),
    (
        limits(account={"grp_tres": {GPU: Limit(limit=3, used=2)}}),
        "2 of the 3 GPUs that account lab allows altogether are in use.",
    ),
    (
        limits(user={"max_jobs": Limit(limit=2, used=2)}),
        "All 2 jobs that ann in account lab allows for ann are running.",
    ),
    (
        limits(qos={"per_user": {"ann": Share(tres={GPU: Limit(limit=2, used=1)})}}),
        "1 of the 2 GPUs that QOS normal allows for ann is in use by ann.",
    ),
]


@pytest.mark.parametrize(("told", "waits"), WAITING, ids=[waits for _, waits in WAITING])
def test_what_waits_until_others_end_is_said_and_not_refused(told: Limits, waits: str) -> None:
    found = decide(told, Snapshot(), ask(), NOW)
    assert not found.refused
    assert str(found.waits).startswith(waits)


def test_a_budget_of_gpu_hours_does_not_touch_a_job_without_gpus() -> None:
    told = limits(account={"grp_tres_mins": {GPU: Limit(limit=0)}, "max_tres_per_job": {GPU: 0}})
    assert decide(told, Snapshot(), ask(), NOW).refused
    assert not decide(told, Snapshot(), ask(gres=()), NOW).refused


def test_a_budget_that_ends_before_the_job_is_told_where_slurm_lets_it_start() -> None:
    told = limits(account={"grp_tres_mins": {GPU: Limit(limit=600, used=480)}})
    found = decide(told, Snapshot(), ask(), NOW)
    assert not found.refused
    assert "2 GPU-hours left" in str(found.cut)
    assert "after about 1 hour" in str(found.cut)


def test_what_a_qos_limits_is_not_asked_of_the_association() -> None:
    told = limits(user={"max_wall_s": 60}, qos={"max_wall_s": 86400})
    assert not decide(told, Snapshot(), ask(), NOW).refused


def test_a_partitions_qos_comes_before_the_jobs() -> None:
    told = limits(partition={"qos": "part"}, qos={"max_wall_s": 60})
    told = told.model_copy(update={"qos": (*told.qos, Qos(name="part", max_wall_s=86400))})
    assert not decide(told, Snapshot(), ask(), NOW).refused


def test_a_qos_that_the_association_has_not_is_refused() -> None:
    found = decide(limits(user={"qos": ("normal", "short")}), Snapshot(), ask(qos="long"), NOW)
    assert str(found.message) == "ann may not use QOS long in account lab."


@pytest.mark.parametrize(
    "told",
    [
        None,
        Limits(),
        limits(root={"grp_tres_mins": {GPU: Limit(limit=0)}}).model_copy(update={"at": NOW - 3600}),
        limits(root={"grp_tres_mins": {GPU: Limit(limit=0)}}, enforcement=Enforcement(limits=False)),
    ],
    ids=["nothing", "no answer yet", "an hour old", "not enforced"],
)
def test_what_is_not_known_is_left_to_slurm(told: Limits | None) -> None:
    assert not decide(told, Snapshot(), ask(), NOW).refused


def test_a_qos_that_may_pass_the_partitions_time_limit_is_held_to_its_own() -> None:
    hour = {"max_time_s": 3600}
    assert decide(limits(partition=hour), Snapshot(), ask(), NOW).reason == "partition"
    passes = {"flags": ("PartitionTimeLimit",)}
    assert not decide(limits(partition=hour, qos=passes), Snapshot(), ask(), NOW).refused
    own = {**passes, "max_wall_s": 1800}
    assert decide(limits(partition=hour, qos=own), Snapshot(), ask(), NOW).reason == "limit-qos"


def test_a_qos_over_the_partitions_counts_first() -> None:
    known = limits(partition={"qos": "part"}, qos={"grp_tres": {GPU: Limit(limit=4)}})
    tight = Qos(name="part", grp_tres={GPU: Limit(limit=1)})
    assert decide(known.model_copy(update={"qos": (*known.qos, tight)}), Snapshot(), ask(), NOW).refused
    over = known.qos[0].model_copy(update={"flags": ("OverPartQOS",)})
    assert not decide(known.model_copy(update={"qos": (over, tight)}), Snapshot(), ask(), NOW).refused


def test_what_running_jobs_may_take_to_come_is_a_limit_that_waits_or_refuses() -> None:
    never = decide(limits(account={"grp_tres_run_mins": {GPU: Limit(limit=120)}}), Snapshot(), ask(), NOW)
    assert str(never.message) == (
        "Account lab allows running jobs 2 GPU-hours to come, and this job asks for 4 GPU-hours."
    )
    waits = decide(limits(account={"grp_tres_run_mins": {GPU: Limit(limit=600, used=420)}}), Snapshot(), ask(), NOW)
    assert (
        str(waits.waits) == "Account lab allows running jobs 10 GPU-hours to come, and those that run have 7 GPU-hours."
    )


def test_a_partition_for_an_account_takes_the_accounts_below_it() -> None:
    for allowed in ("lab", "root"):
        assert not decide(limits(partition={"allow_accounts": (allowed, "other")}), Snapshot(), ask(), NOW).refused
    assert decide(limits(partition={"allow_accounts": ("other",)}), Snapshot(), ask(), NOW).reason == "partition"


@pytest.mark.parametrize(("who", "name"), [("accounts", "lab"), ("qos", "normal")])
def test_who_may_not_use_a_partition_counts_only_where_it_does_not_say_who_may(who: str, name: str) -> None:
    assert decide(limits(partition={f"deny_{who}": (name,)}), Snapshot(), ask(), NOW).refused
    both = limits(partition={f"deny_{who}": (name,), f"allow_{who}": (name,)})
    assert not decide(both, Snapshot(), ask(), NOW).refused


@pytest.mark.parametrize(
    ("said", "as_words"),
    [
        (hours_of(60, GPU), "1 GPU-hour"), (hours_of(62, GPU), "1 GPU-hour"), (hours_of(90, GPU), "1.5 GPU-hours"),
        (hours_of(1, GPU), "1 GPU-minute"), (hours_of(0.2, GPU), "less than 1 GPU-minute"),
        (hours_of(0, GPU), "0 GPU-hours"), (hours_of(6000, "cpu"), "100 CPU-hours"),
        (hours_of(120, "gres/shard"), "2 GPU-share-hours"), (hours_of(60, "node"), "1 node-hour"),
        (hours_of(90, "gres/gpu:h200"), "1.5 h200 GPU-hours"), (hours_of(6e6, "billing"), "100,000 billing-hours"),
        (count(1, "gres/gpu:h200"), "1 h200 GPU"), (count(3, "license/x"), "3 license/x"),
        (used_of(420, 600, GPU), "7 of 10 GPU-hours used"), (used_of(60, 60, GPU), "1 of 1 GPU-hour used"),
        (used_of(30, 60, GPU), "30 GPU-minutes of 1 GPU-hour used"),
    ],
)  # fmt: skip
def test_amounts_are_said_in_the_singular_and_the_plural(said: Text, as_words: str) -> None:
    assert str(said) == as_words


@pytest.mark.parametrize(
    ("told", "message", "hint"),
    [
        (
            limits(account={"grp_tres_mins": {GPU: Limit(limit=600, used=600)}}),
            "Het budget van account lab is op: 10 van 10 GPU-uren gebruikt.",
            "Vraag de eigenaar van het project om meer.",
        ),
        (
            limits(user={"max_tres_mins_per_job": {GPU: 180}}),
            "ann in account lab staat een job hoogstens 3 GPU-uren toe, geen 4 GPU-uren.",
            "Vraag hoogstens 1 uur 30 min.",
        ),
    ],
)
def test_a_limit_is_told_in_the_language_of_who_reads_it(told: Limits, message: str, hint: str) -> None:
    found = decide(told, Snapshot(), ask(), NOW)
    assert LimitDecision.model_validate_json(found.model_dump_json()) == found
    with reading(Reader("nl")):
        assert (found.message.say(), found.hint.say()) == (message, hint)
        assert found.error().say() == f"{message} {hint}"


def test_who_is_asked_for_more_is_said_by_who_reads_it() -> None:
    found = decide(limits(account={"grp_tres_mins": {GPU: Limit(limit=0)}}), Snapshot(), ask(), NOW)
    assert str(asking(found.hint, WHOM_OPERATORS())) == "Ask the operators for more."
    above = decide(limits(root={"grp_tres_mins": {GPU: Limit(limit=0)}}), Snapshot(), ask(), NOW)
    assert asking(above.hint, WHOM_OWNER()) == above.hint
