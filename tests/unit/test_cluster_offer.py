"""What a session is told of Dask clusters: its project's profiles, its own jobs with Slurm's reasons, and a price."""

from __future__ import annotations

from datetime import date

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.projects.clusters import offer, quote
from fabric_hub.settings import Settings

from .builders import NOW, SESSION, a_job, a_node, a_session, a_snapshot

TODAY = date(2026, 11, 21)
WORKERS = f"fabric-main-{SESSION}-dask-one"


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
    assert job.why == "Other jobs are before it in the queue."


@pytest.mark.parametrize("changes", [{"user": "mallory"}, {"name": f"fabric-other-{SESSION}-dask-one"}, {"name": "x"}])
def test_jobs_of_others_are_not_shown_whatever_their_name(site: Settings, changes: dict[str, str]) -> None:
    job = a_job(**{"name": WORKERS, **changes})
    assert offer(site, a_session(), "jan", a_snapshot(job), TODAY).jobs == ()


def test_a_quote_says_the_price_and_how_many_find_a_place_now(site: Settings) -> None:
    nodes = (a_node(gpus_free={"h200": 1}), a_node(name="gpu2", usable=False))
    found = quote(site, a_session(), "gpu", 3, a_snapshot(nodes=nodes), TODAY)
    assert (found.gpu_hours_per_hour, found.now) == (3.0, 1)
    assert found.words == (
        "3 workers like gpu cost 3 GPU-hours per hour. There is room for 1 of them now; 2 wait in the queue until"
        " others end."
    )


@pytest.mark.parametrize(
    ("profile", "reason"),
    [("here", "profile"), ("absent", "profile"), ("gpu", "impossible")],
)
def test_workers_that_cannot_be_are_refused_with_the_reason(site: Settings, profile: str, reason: str) -> None:
    small = a_node(gpus={"a100": 1}, gpus_free={"a100": 1})
    with pytest.raises(FabricError) as refused:
        quote(site, a_session(), profile, 1, a_snapshot(nodes=(small,)), TODAY)
    assert refused.value.reason == reason
