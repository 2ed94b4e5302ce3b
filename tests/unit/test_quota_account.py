"""GPU-hours now: Slurm's last account of them, and what running jobs took since, counted once."""

from __future__ import annotations

import pytest

from fabric_hub.model import Job, Snapshot
from fabric_hub.quotas.account import balance, tres_of
from fabric_hub.slurm.limits import GPU, Association, Limit, Limits, Qos

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
