"""GPU-hours now: Slurm's last account of them, and what running jobs took since, counted once."""

from __future__ import annotations

import pytest

from fabric_hub.budgets.balance import SubmissionRoute, balance
from fabric_hub.budgets.schemas import Balance
from fabric_hub.slurm.limits.model import GPU, Association, Enforcement, Limit, Limits, PartitionLimits, Qos
from fabric_hub.slurm.limits.usage import tres_of
from fabric_hub.slurm.model import Job, Snapshot

ASKED = 1_000_000.0  # when Slurm was asked for its limits
HOUR = 3600.0


def job(number: int, began: float, *, gpus: int = 1, state: str = "RUNNING", ended: float | None = None,
        account: str = "lab", user: str = "ann", limit_h: float = 8) -> Job:  # fmt: skip
    return Job(
        job_id=number, name="x", user=user, account=account, qos="normal", state=state, started_at=began,
        ends_at=began + limit_h * HOUR if ended is None else ended, limit_s=int(limit_h * HOUR),
        tres=f"cpu=4,mem=8G,node=1,billing=4,gres/gpu={gpus},gres/gpu:h200={gpus}",
    )  # fmt: skip


def limits(used: int, run: int, *, limit: int | None = 600, above: Limit | None = None) -> Limits:
    mins, left = {GPU: Limit(limit=limit, used=used)}, {GPU: Limit(used=run)}
    own = {GPU: Limit(used=used)}
    return Limits(
        at=ASKED,
        associations=(
            Association(account="root", grp_tres_mins={GPU: above or Limit(used=used)}, grp_tres_run_mins=left),
            Association(account="lab", parent="root", grp_tres_mins=mins, grp_tres_run_mins=left),
            Association(account="lab", user="ann", parent="lab", grp_tres_mins=own, grp_tres_run_mins=left),
            Association(account="lab", user="bob", parent="lab"),
        ),
    )


def used(found: Limits, *jobs: Job, now: float, account: str = "lab", user: str = "") -> float:
    told = balance(found, Snapshot(jobs=jobs), account, user, now=now)
    assert told is not None
    return told.used


def test_what_a_running_job_took_since_slurms_last_round_is_added() -> None:
    # begun an hour before; Slurm's last round was 4 minutes ago: 56 min counted, 8 h - 56 min still committed
    found = limits(used=56, run=480 - 56)
    assert used(found, job(1, ASKED - HOUR), now=ASKED) == pytest.approx(1.0)
    assert used(found, job(1, ASKED - HOUR), now=ASKED + HOUR / 2) == pytest.approx(1.5)


def test_what_slurm_has_counted_already_is_not_counted_twice() -> None:
    # the round was this very moment
    assert used(limits(used=60, run=420), job(1, ASKED - HOUR), now=ASKED) == pytest.approx(1.0)


def test_each_gpu_counts() -> None:
    assert used(limits(used=0, run=4 * 480), job(1, ASKED - HOUR, gpus=4), now=ASKED) == pytest.approx(4.0)


def test_a_job_that_began_after_slurm_was_asked_counts_from_its_start() -> None:
    assert used(limits(used=120, run=0), job(1, ASKED + 60, gpus=2), now=ASKED + 660) == pytest.approx(
        2 + 2 * 600 / HOUR
    )


def test_a_job_that_ended_after_slurm_was_asked_counts_to_its_end() -> None:
    over = job(1, ASKED - HOUR, state="COMPLETED", ended=ASKED + 360)
    assert used(limits(used=56, run=480 - 56), over, now=ASKED + HOUR) == pytest.approx(1.1)


def test_a_job_that_ended_before_slurm_was_asked_is_in_slurms_account() -> None:
    over = job(1, ASKED - HOUR, state="COMPLETED", ended=ASKED - 10)
    assert used(limits(used=60, run=0), over, now=ASKED + HOUR) == pytest.approx(1.0)


def test_a_job_that_is_not_in_the_snapshot_adds_nothing_by_its_absence() -> None:
    assert used(limits(used=60, run=480), now=ASKED) == pytest.approx(1.0)


def test_a_users_use_is_the_users_and_the_accounts_is_everybodys() -> None:
    found = limits(used=60, run=420)
    both = job(1, ASKED - HOUR), job(2, ASKED + 60, user="bob")
    assert used(found, *both, now=ASKED + 660) == pytest.approx(1 + 660 / HOUR + 600 / HOUR)
    assert used(found, *both, now=ASKED + 660, user="bob") == pytest.approx(600 / HOUR)


def test_the_tightest_limit_on_the_way_up_leaves_the_least_and_is_named() -> None:
    found = limits(used=60, run=0, above=Limit(limit=90, used=60))
    told = balance(found, Snapshot(), "lab", now=ASKED)
    assert told is not None
    assert (told.limit, told.used, told.left, told.limited_by) == (10.0, 1.0, 0.5, "account root")
    for_ann = balance(found, Snapshot(), "lab", "ann", now=ASKED)
    assert for_ann is not None
    assert (for_ann.limit, for_ann.left) == (None, 0.5)


def test_without_a_limit_nothing_is_left_or_used_up() -> None:
    told = balance(limits(used=60, run=0, limit=None), Snapshot(), "lab", now=ASKED)
    assert told is not None
    assert (told.limit, told.left, told.limited_by) == (None, None, "")


def test_what_is_in_use_now_is_told() -> None:
    told = balance(limits(0, 0), Snapshot(jobs=(job(1, ASKED, gpus=2), job(2, ASKED, gpus=1))), "lab", now=ASKED + 1)
    assert told is not None
    assert told.running == 3


def test_an_unknown_account_has_no_balance() -> None:
    assert balance(limits(0, 0), Snapshot(), "other", now=ASKED) is None
    assert balance(limits(0, 0), Snapshot(), "lab", "eve", now=ASKED) is None
    assert balance(None, Snapshot(), "lab", now=ASKED) is None


def test_a_qos_that_costs_double_counts_double() -> None:
    found = limits(0, 0).model_copy(update={"qos": (Qos(name="normal", usage_factor=2.0),)})
    assert used(found, job(1, ASKED), now=ASKED + HOUR) == pytest.approx(2.0)


def test_gpus_that_slurm_names_by_type_only_are_gpus() -> None:
    assert tres_of(Job(job_id=1, name="", user="", state="RUNNING", tres="cpu=1,gres/gpu:a100=2"))[GPU] == 2


def test_jobs_of_accounts_below_count_towards_an_account_and_each_once() -> None:
    group = Association(account="lab", parent="root", grp_tres_mins={GPU: Limit(limit=600)})
    left, right = (Association(account=name, parent="lab") for name in ("left", "right"))
    found = Limits(at=ASKED, associations=(Association(account="root"), group, left, right))
    jobs = job(1, ASKED, account="left"), job(2, ASKED, account="right", gpus=2), job(3, ASKED, account="other")
    for account, hours in (("lab", 3.0), ("left", 1.0), ("right", 2.0), ("root", 3.0)):
        assert used(found, *jobs, now=ASKED + HOUR, account=account) == pytest.approx(hours), account


def test_accounts_that_slurm_tells_in_a_circle_end() -> None:
    found = Limits(at=ASKED, associations=(Association(account="a", parent="b"), Association(account="b", parent="a")))
    assert used(found, job(1, ASKED, account="a"), now=ASKED + HOUR, account="b") == pytest.approx(1.0)


def test_the_same_jobs_at_another_moment_are_summed_up_anew() -> None:
    found, snapshot = limits(0, 0), Snapshot(jobs=(job(1, ASKED),))
    told = [balance(found, snapshot, "lab", now=ASKED + hours * HOUR) for hours in (1, 3, 2)]
    assert [one.used for one in told if one] == pytest.approx([1.0, 3.0, 2.0])


def qos(name: str, limit: int | None, spent: int) -> Qos:
    return Qos(name=name, grp_tres_mins={GPU: Limit(limit=limit, used=spent)})


def told_by(found: Limits, *ways: SubmissionRoute) -> Balance:
    told = balance(found, Snapshot(), "lab", now=ASKED, ways=ways)
    assert told is not None
    return told


def test_a_limit_above_is_told_with_its_own_numbers() -> None:
    told = told_by(limits(used=60, run=0, above=Limit(limit=6000, used=5990)))
    assert (told.limit, told.used, told.limited_by) == (10.0, 1.0, "account root")
    (bound,) = told.above
    assert (bound.name, bound.limit, bound.profiles) == ("account root", 100.0, ())
    assert (bound.used, bound.left) == pytest.approx((5990 / 60, 10 / 60))


def test_a_budget_of_the_qos_that_jobs_get_is_what_limits_and_those_of_accounts_are_not() -> None:
    found = limits(used=60, run=0).model_copy(update={"qos": (qos("grant", 6000, 6000), qos("normal", None, 60))})
    given = tuple(
        one.model_copy(update={"default_qos": "grant"}) if one.account == "lab" else one for one in found.associations
    )
    for known, ways in (
        (found, [SubmissionRoute(qos="grant", profiles=("gpu",))]),
        (found.model_copy(update={"associations": given}), []),
        (
            found.model_copy(update={"partitions": (PartitionLimits(name="a100", qos="grant"),)}),
            [SubmissionRoute("a100")],
        ),
    ):
        told = told_by(known, *ways)
        assert (told.limit, told.left, told.limited_by, told.used) == (None, 0.0, "QOS grant", 1.0)
        assert [(one.name, one.limit, one.used, one.left) for one in told.above] == [("QOS grant", 100.0, 100.0, 0.0)]
    loose = found.model_copy(update={"enforcement": Enforcement(qos=False)})
    assert told_by(loose, SubmissionRoute(qos="grant")).limited_by == "account lab"


def test_a_budget_of_the_qos_of_some_profiles_leaves_the_others_and_says_whose_it_is() -> None:
    found = limits(used=60, run=0).model_copy(update={"qos": (qos("big", 60, 60), qos("normal", None, 60))})
    told = told_by(found, SubmissionRoute(qos="big", profiles=("gpu-4", "gpu-8")), SubmissionRoute(profiles=("gpu-1",)))
    assert (told.limit, told.left, told.limited_by) == (10.0, 9.0, "account lab")
    assert [(one.name, one.left, one.profiles) for one in told.above] == [("QOS big", 0.0, ("gpu-4", "gpu-8"))]


def test_a_qos_that_the_account_may_not_use_is_no_way() -> None:
    found = limits(used=60, run=0).model_copy(update={"qos": (qos("secret", 60, 60), qos("normal", None, 60))})
    mine = tuple(one.model_copy(update={"qos": ("normal",)}) for one in found.associations)
    told = told_by(
        found.model_copy(update={"associations": mine}),
        SubmissionRoute(qos="secret"),
        SubmissionRoute(profiles=("gpu-1",)),
    )
    assert (told.limited_by, told.above) == ("account lab", ())
