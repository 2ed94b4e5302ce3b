"""What a session is told of Dask clusters: its project's profiles, its own jobs with Slurm's reasons, and a price."""

from __future__ import annotations

from datetime import date
from typing import TypedDict, Unpack

import pytest

from fabric_hub.budgets.schemas import Balance
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.dask_clusters import offer
from fabric_hub.launch.quote import Quote, QuoteInputs, QuoteRequest, quote
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits
from fabric_hub.slurm.model import Node, Snapshot
from tests.support.builders import NOW, SESSION, a_job, a_node, a_session, a_snapshot

TODAY = date(2026, 11, 21)
WORKERS = f"fabric-main-{SESSION}-dask-one"
FREE = (
    a_node(gpus_free={"h200": 2}),
    a_node(name="gpu2", gpus_free={"h200": 2}),
    a_node(name="cpu1", partitions=("cpu",), gpus={}, gpus_free={}),
)


class AccountLimits(TypedDict, total=False):
    """What may be said of an account."""

    grp_jobs: Limit
    grp_submit: Limit
    grp_tres: dict[str, Limit]
    grp_tres_mins: dict[str, Limit]
    max_tres_per_job: dict[str, int]


def quoted(
    site: Settings,
    profile: str,
    workers: int,
    snapshot: Snapshot,
    *,
    have: int = 0,
    submitted: int = 0,
    per_job: int | None = None,
    balance: Balance | None = None,
    person: str = "jan",
    **account: Unpack[AccountLimits],
) -> Quote:
    """A quote for a person whose jobs run as jan, in account phys with these limits."""
    limits = Limits(
        at=NOW,
        associations=(
            Association.model_validate({"account": "phys", **account}),
            Association.model_validate(
                # Slurm hands limits for one job down to the users
                {
                    "account": "phys",
                    "user": "jan",
                    "parent": "phys",
                    **{k: v for k, v in account.items() if "per_job" in k},
                }
            ),
        ),
    )
    known = QuoteInputs(NOW, snapshot, limits, balance)
    return quote(
        site, a_session(user=person), "jan", QuoteRequest(profile, workers, have, submitted, per_job), known, TODAY
    )


def test_workers_may_have_the_projects_profiles_one_gpu_each_and_none_of_the_local_ones(site: Settings) -> None:
    found = offer(site, a_session(), "jan", None, TODAY)
    assert found.job_name == f"fabric-main-{SESSION}-dask"
    assert [(one.name, one.cpus, one.memory_mb, one.gpus) for one in found.profiles] == [
        ("cpu", 2, 4096, 0),
        ("gpu", 8, 16384, 1),
    ]
    assert offer(site, a_session(project="past"), "jan", None, TODAY).profiles == ()


def test_a_waiting_array_says_why_and_when_in_the_words_of_the_waiting_page(site: Settings) -> None:
    waiting = a_job(
        name=WORKERS, state="PENDING", reason="Priority", array_id=9, array_tasks="2-7", started_at=NOW + 600
    )
    (job,) = offer(site, a_session(), "jan", a_snapshot(waiting), TODAY).jobs
    assert (job.cluster, job.array_id, job.tasks, job.starts_at) == ("one", 9, "2-7", NOW + 600)
    assert str(job.why) == "Other jobs are ahead of it."


@pytest.mark.parametrize(("since", "why"), [(NOW + 20, "Slurm took node gpu1 out of service: Prolog error."), (1, "")])
def test_a_job_that_was_ended_with_its_node_says_so_and_no_other_time_of_the_node_counts(
    site: Settings, since: float, why: str
) -> None:
    ended = a_job(name=WORKERS, state="CANCELLED", node="gpu1", started_at=NOW, ends_at=NOW + 20)
    node = a_node(usable=False, state="drained", reason="Prolog error", reason_since=since)
    (job,) = offer(site, a_session(), "jan", a_snapshot(ended, nodes=(node,)), TODAY).jobs
    assert str(job.why) == why


@pytest.mark.parametrize("changes", [{"user": "mallory"}, {"name": f"fabric-other-{SESSION}-dask-one"}, {"name": "x"}])
def test_jobs_of_others_are_not_shown_whatever_their_name(site: Settings, changes: dict[str, str]) -> None:
    job = a_job(**{"name": WORKERS, **changes})
    assert offer(site, a_session(), "jan", a_snapshot(job), TODAY).jobs == ()


def test_a_quote_says_the_price_and_how_many_find_a_place_now(site: Settings) -> None:
    nodes = (a_node(gpus_free={"h200": 1}), a_node(name="gpu2", usable=False))
    found = quoted(site, "gpu", 3, a_snapshot(nodes=nodes))
    assert (found.gpu_hours_per_hour, found.now) == (3.0, 1)
    assert str(found.words) == "3 GPU-hours per hour. 1 start now, 2 queue."


@pytest.mark.parametrize(
    ("free", "workers", "have", "places"),
    [
        (1, 1, 0, "1 GPU-hour per hour · can start now."),
        (2, 2, 0, "2 GPU-hours per hour · can start now."),
        (1, 3, 0, "1 start now, 2 queue."),
        (0, 3, 0, "None can start now; all 3 will queue."),
        (0, 1, 0, "It can't start now and will queue."),
        (2, 3, 1, "2 more can start now."),
        (1, 3, 1, "1 start now, 1 queue."),
        (0, 3, 1, "No more can start now; 2 will queue."),
        (2, 2, 2, "2 GPU-hours per hour."),
    ],
)
def test_a_quote_says_how_many_start_and_how_many_queue(
    site: Settings, free: int, workers: int, have: int, places: str
) -> None:
    found = quoted(site, "gpu", workers, a_snapshot(nodes=(a_node(gpus_free={"h200": free}),)), have=have)
    assert str(found.words).endswith(places)


def test_a_silent_slurm_promises_no_place(site: Settings) -> None:
    found = quoted(site, "gpu", 2, a_snapshot(nodes=FREE, unavailable_since=NOW))
    assert str(found.words).endswith("Slurm does not answer now, so it is not known when they start.")


@pytest.mark.parametrize(
    ("profile", "workers", "have", "submitted", "cost"),
    [
        ("gpu", 1, 0, 0, "1 GPU-hour per hour · can start now."),
        ("gpu", 5, 2, 2, "5 GPU-hours per hour (+3)."),
        ("gpu", 5, 1, 4, "5 GPU-hours per hour (+1)."),
        ("cpu", 5, 0, 4, "10 CPU-hours per hour (+2) · can start now."),
        ("gpu", 4, 1, 4, "4 GPU-hours per hour."),
        ("cpu", 3, 2, 2, "6 CPU-hours per hour (+2)."),
    ],
)
def test_a_quote_is_of_all_workers_and_says_what_of_it_is_added(
    site: Settings, profile: str, workers: int, have: int, submitted: int, cost: str
) -> None:
    found = quoted(site, profile, workers, a_snapshot(nodes=FREE), have=have, submitted=submitted)
    assert str(found.words).startswith(cost), found.words


@pytest.mark.parametrize(
    ("profile", "reason", "words"),
    [
        ("here", "profile", "Profile here is not one of project physics for Dask workers. It has cpu, gpu."),
        ("absent", "profile", "Profile absent is not one of project physics for Dask workers. It has cpu, gpu."),
        (
            "gpu",
            "impossible",
            (
                "Workers of profile gpu cannot run here. No node here has 1 h200 GPU and 8 CPUs with 16 GB memory. "
                "Choose another profile."
            ),
        ),
    ],
)
def test_workers_that_cannot_be_are_refused_with_the_reason(
    site: Settings, profile: str, reason: str, words: str
) -> None:
    small = a_node(gpus={"a100": 1}, gpus_free={"a100": 1})
    with pytest.raises(FabricError) as refused:
        quoted(site, profile, 1, a_snapshot(nodes=(small,)))
    assert (refused.value.reason, refused.value.text) == (reason, words)


def test_the_rescue_profile_is_no_size_of_a_worker(site: Settings) -> None:
    quotas = site.quotas.model_copy(update={"rescue_profile": "cpu"})
    site = site.model_copy(update={"quotas": quotas})
    assert [one.name for one in offer(site, a_session(), "jan", None, TODAY).profiles] == ["gpu"]
    with pytest.raises(FabricError, match=r"Profile cpu is not one of .*It has gpu\."):
        quoted(site, "cpu", 1, a_snapshot(nodes=FREE))


def test_a_project_without_profiles_for_workers_says_so(site: Settings) -> None:
    physics = site.project["physics"].model_copy(update={"profiles": ("here",)})
    site = site.model_copy(update={"project": {"physics": physics}})
    with pytest.raises(FabricError, match=r"is not one of project physics for Dask workers\. It has none\."):
        quoted(site, "gpu", 1, a_snapshot(nodes=FREE))


def test_what_is_there_already_needs_no_room(site: Settings) -> None:
    one_free = (a_node(gpus_free={"h200": 1}),)
    found = quoted(site, "gpu", 3, a_snapshot(nodes=one_free), have=2)
    assert str(found.words) == "3 GPU-hours per hour (+1). 1 more can start now."
    found = quoted(site, "gpu", 4, a_snapshot(nodes=one_free), have=2)
    assert str(found.words).endswith("1 start now, 1 queue.")
    assert quoted(site, "gpu", 2, a_snapshot(nodes=one_free), have=2).now == 0


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"grp_tres": {GPU: Limit(limit=3, used=1)}}, "Account phys allows 3 GPUs altogether, and 1 is in use."),
        ({"grp_jobs": Limit(limit=7, used=5)}, "Account phys allows 7 jobs altogether, and 5 are running."),
    ],
)
def test_workers_that_a_limit_of_the_account_holds_back_are_told_before_they_are_submitted(
    site: Settings, limits: AccountLimits, says: str
) -> None:
    found = quoted(site, "gpu", 4, a_snapshot(nodes=FREE), **limits)
    assert (found.now, str(found.held_by)) == (2, says)
    assert str(found.words).endswith(f"2 start now, 2 queue. {says}")


def test_workers_that_share_a_job_count_as_one_job(site: Settings) -> None:
    two_more: AccountLimits = {"grp_jobs": Limit(limit=2)}
    assert not quoted(site, "cpu", 4, a_snapshot(nodes=FREE), per_job=2, **two_more).held_by
    assert "2 jobs altogether" in str(quoted(site, "cpu", 5, a_snapshot(nodes=FREE), per_job=2, **two_more).held_by)


def test_more_than_may_be_submitted_is_refused_with_the_number_that_can_be_had(site: Settings) -> None:
    with pytest.raises(FabricError) as refused:
        quoted(site, "gpu", 4, a_snapshot(nodes=FREE), have=1, grp_submit=Limit(limit=5, used=3))
    assert refused.value.message == (
        "4 workers cannot be submitted. Account phys allows 5 jobs altogether, running or waiting, and there are 3."
    )
    assert refused.value.hint == "3 can be had."


def test_workers_that_wait_already_are_not_submitted_again_and_take_no_more_of_what_may_wait(site: Settings) -> None:
    full: AccountLimits = {"grp_submit": Limit(limit=9, used=8)}
    full["grp_tres"] = {GPU: Limit(limit=0)}
    with pytest.raises(FabricError, match="allows at most 0 GPUs"):
        quoted(site, "gpu", 9, a_snapshot(nodes=FREE), submitted=8, **full)
    full["grp_tres"] = {}
    assert quoted(site, "gpu", 9, a_snapshot(nodes=FREE), submitted=8, **full).now == 4
    with pytest.raises(FabricError, match="10 workers cannot be submitted") as refused:
        quoted(site, "gpu", 10, a_snapshot(nodes=FREE), submitted=8, **full)
    assert refused.value.hint == "9 can be had."


def test_what_is_submitted_already_is_refused_by_nothing(site: Settings) -> None:
    none_left: AccountLimits = {"grp_submit": Limit(limit=3, used=3)}
    assert quoted(site, "gpu", 3, a_snapshot(nodes=FREE), have=3, submitted=3, **none_left).now == 0
    assert not quoted(site, "gpu", 3, a_snapshot(nodes=FREE), have=1, submitted=3, **none_left).held_by


def test_so_many_workers_share_a_job_as_half_of_the_smallest_node_holds(site: Settings) -> None:
    def per_job(*nodes: Node) -> dict[str, int]:
        found = offer(site, a_session(), "jan", a_snapshot(nodes=nodes), TODAY)
        return {one.name: one.per_job for one in found.profiles}

    def cpu(memory_mb: int) -> Node:
        return a_node(name=f"cpu{memory_mb}", partitions=("cpu",), memory_mb=memory_mb, cpus=64)

    assert per_job() == {"cpu": 8, "gpu": 1}
    assert per_job(cpu(32000))["cpu"] == 3  # workers of 4096 MB, of which 7 fit
    assert per_job(cpu(512_000), cpu(2000))["cpu"] == 8  # a node that holds none holds up none
    assert per_job(cpu(512_000), cpu(5000))["cpu"] == 1


def test_workers_that_can_share_no_job_are_refused_and_those_that_find_a_place_are_counted_by_the_job(
    site: Settings,
) -> None:
    node = a_node(name="cpu1", partitions=("cpu",), gpus={}, gpus_free={}, memory_mb=32000, memory_free_mb=28000)
    with pytest.raises(FabricError, match="8 workers of profile cpu cannot share a job here") as refused:
        quoted(site, "cpu", 8, a_snapshot(nodes=(node,)), per_job=8)
    assert refused.value.hint == "Say workers_per_job= with a smaller number."
    assert quoted(site, "cpu", 8, a_snapshot(nodes=(node,)), per_job=4).now == 4  # six would fit, but two jobs of four
    assert quoted(site, "cpu", 8, a_snapshot(nodes=(node,))).now == 6  # four jobs of two


def test_the_largest_job_of_an_even_spread_counts(site: Settings) -> None:
    most: dict[str, int] = {"cpu": 6}
    assert quoted(site, "cpu", 9, a_snapshot(nodes=FREE), per_job=8, max_tres_per_job=most).workers == 9  # 3 each
    with pytest.raises(FabricError, match="allows a job at most 6 CPUs, not 8"):
        quoted(site, "cpu", 4, a_snapshot(nodes=FREE), per_job=8, max_tres_per_job=most)


def test_workers_of_a_budget_that_is_used_up_are_refused_and_cpu_workers_are_not(site: Settings) -> None:
    spent: AccountLimits = {"grp_tres_mins": {GPU: Limit(limit=60, used=60)}}
    with pytest.raises(FabricError) as refused:
        quoted(site, "gpu", 1, a_snapshot(nodes=FREE), **spent)
    assert (refused.value.reason, refused.value.hint) == ("budget", "Ask the owner of the project for more.")
    with pytest.raises(FabricError) as refused:
        quoted(site, "gpu", 1, a_snapshot(nodes=FREE), person="ada", **spent)
    assert refused.value.hint == "Ask the operators for more.", "its owner is told what an owner can do"
    assert quoted(site, "cpu", 1, a_snapshot(nodes=FREE), **spent).now == 1


def test_a_budget_that_ends_before_the_workers_is_told_in_hours_and_time(site: Settings) -> None:
    balance = Balance(limit=10.0, used=9.0, left=1.0, running=1.0)
    words = str(quoted(site, "gpu", 4, a_snapshot(nodes=FREE), have=1, balance=balance).words)
    assert "The project has 1 GPU-hour left: with these workers that lasts about 15 minutes." in words
    rich = balance.model_copy(update={"left": 1000.0})
    assert "GPU-hours left" not in str(quoted(site, "gpu", 4, a_snapshot(nodes=FREE), balance=rich).words)
