"""The pure parts of clusters: how workers are spread over tasks, what is asked of Slurm, what is said to people."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fabric_lab.dask import pools, queues, worker_status
from fabric_lab.dask.history import History
from fabric_lab.dask.plan import choose, profile_pool
from fabric_lab.dask.pools import Batch, Meter, Place, PlanError, Pool
from fabric_lab.dask.worker_status import Problem
from fabric_lab.dask.worker_task import Order, devices

PROFILES: list[Any] = [
    {"name": "gpu-1", "cpus": 4, "memory_mb": 8192, "gpus": 1, "gpu_type": "h200", "partition": "gpu", "qos": "fast",
     "default_hours": 1.0, "max_hours": 8.0, "per_job": 1},
    {"name": "cpu", "cpus": 2, "memory_mb": 4096, "gpus": 0, "gpu_type": None, "partition": "cpu", "qos": None,
     "default_hours": 1.0, "max_hours": 8.0, "per_job": 8},
]  # fmt: skip
OFFER: Any = {"profiles": PROFILES, "account": "ml-course"}


@pytest.mark.parametrize(
    ("workers", "most", "batches"),
    [
        (0, 8, []),
        (1, 8, [Batch(1, 1)]),
        (8, 8, [Batch(1, 8)]),
        (64, 8, [Batch(8, 8)]),
        (9, 8, [Batch(3, 3)]),
        (8, 3, [Batch(4, 2)]),
        (64, 7, [Batch(16, 4)]),
        (13, 8, [Batch(1, 7), Batch(1, 6)]),
        (7, 3, [Batch(1, 3), Batch(2, 2)]),
    ],
)
def test_workers_are_one_submission_where_they_divide_evenly_and_else_two_as_even_as_can_be(
    workers: int, most: int, batches: list[Batch]
) -> None:
    assert pools.arrange(workers, most) == batches
    assert sum(batch.workers for batch in batches) == workers


def test_workers_go_so_that_jobs_end_whole_and_the_busy_stay() -> None:
    places = {f"w-{number}": Place(7, number // 3) for number in range(9)}
    idle = ["w-8", "w-0", "w-4", "w-3", "w-1", "w-6", "w-2", "w-5"]  # w-7 is busy
    assert pools.whole_jobs_first(idle, places) == ["w-0", "w-1", "w-2", "w-4", "w-3", "w-5", "w-8", "w-6"]
    del places["w-4"]
    assert pools.whole_jobs_first(["w-0", "w-3", "w-1", "w-2", "w-5"], places) == ["w-3", "w-5", "w-0", "w-1", "w-2"]


def test_indices_are_written_and_read_as_slurm_does() -> None:
    assert pools.task_ids([5, 0, 1, 2]) == "0-2,5"
    assert worker_status.tasks_of("0-2,5") == [0, 1, 2, 5]


def test_a_pool_like_a_gpu_profile_has_one_worker_per_job_with_one_gpu() -> None:
    pool = profile_pool(OFFER, None, gpus=1, pool_name="big", hours=8, workers_per_job=None, said={})
    assert (pool.name, pool.profile, pool.most, pool.gpus, pool.resources) == ("big", "gpu-1", 1, 1, {"GPU": 1.0})
    assert (pool.job["account"], pool.job["queue"], pool.job["walltime"]) == ("ml-course", "gpu", "480")
    argv = queues.options(pool, "fabric-main-abc-dask-one", Path("/home/a%b"), 4, 1)
    assert "--qos=fast" in argv
    assert "--gres=gpu:h200:1" in argv
    assert "--array=0-3" in argv
    assert "--output=/home/a%%b/logs/%A_%a.log" in argv
    assert not [word for word in argv if "comment" in word], "what a job says everybody can read"


@pytest.mark.parametrize("hours", [0, -1, 9, 99])
def test_workers_that_would_live_longer_than_the_profile_allows_are_refused(hours: float) -> None:
    with pytest.raises(PlanError, match=r"profile gpu-1 may run for at most 8 hours, not"):
        profile_pool(OFFER, None, gpus=1, pool_name=None, hours=hours, workers_per_job=None, said={})


def test_a_profile_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert choose(PROFILES, None, 0)["name"] == "cpu"
    with pytest.raises(PlanError, match=r"There is no profile big; there is gpu-1, cpu\."):
        choose(PROFILES, "big", 0)
    with pytest.raises(PlanError, match=r"no profile with a GPU; it has cpu\."):
        choose(PROFILES[1:], None, 1)


def test_the_workers_environment_has_nothing_of_the_notebooks_job_and_no_token() -> None:
    before = {
        "PATH": "/bin", "SLURM_JOB_ID": "1", "SLURM_MEM_PER_NODE": "5", "SBATCH_X": "1", "JUPYTERHUB_API_TOKEN": "t",
        "JPY_API_TOKEN": "t", "FABRIC_SERVICE_URL": "u", "CUDA_VISIBLE_DEVICES": "0", "SLURM_CONF": "/c",
        "FABRIC_NODE_SOCKET": "/s", "FABRIC_DATA_DIR": "/data", "DASK_X": "1",
    }  # fmt: skip
    kept = {"PATH", "SLURM_CONF", "FABRIC_NODE_SOCKET", "FABRIC_DATA_DIR", "DASK_X"}
    assert set(queues.clean(before)) == kept


def test_each_worker_of_a_task_has_its_own_gpus() -> None:
    assert devices({"CUDA_VISIBLE_DEVICES": "2,3"}, 2, 1) == [
        {"CUDA_VISIBLE_DEVICES": "2"},
        {"CUDA_VISIBLE_DEVICES": "3"},
    ]
    assert devices({}, 2, 0) == [{}, {}]
    with pytest.raises(ValueError, match="2 workers need 2 GPUs, but Slurm gave this task 1"):
        devices({"CUDA_VISIBLE_DEVICES": "2"}, 2, 1)


def test_an_order_is_private_and_gives_each_task_its_workers(tmp_path: Path) -> None:
    order = Order(["w-0", "w-1", "w-2", "w-3"], 2, 1, 0)
    order.write(tmp_path / "1.json")
    assert (tmp_path / "1.json").stat().st_mode & 0o777 == 0o600
    assert Order.read(tmp_path / "1.json") == order
    assert order.of_task(1) == ["w-2", "w-3"]


def test_a_task_that_was_put_back_counts_as_waiting_whatever_its_older_record_says() -> None:
    jobs: list[Any] = [
        {"array_id": 9, "tasks": "0-1", "phase": "ended"},
        {"array_id": 9, "tasks": "1", "phase": "queued"},
        {"array_id": None, "tasks": "0", "phase": "running"},
    ]
    assert worker_status.phases(jobs) == {Place(9, 0): "ended", Place(9, 1): "queued"}


def status(**changes: object) -> dict[str, object]:
    workers = [
        {"name": "w-0", "pool": "cpu", "address": "tls://a:1", "job": "9_0"},
        {"name": "w-1", "pool": "cpu", "address": None, "job": "9_1"},
        {"name": "w-2", "pool": "cpu", "address": None, "job": "9_2"},
        {"name": "w-3", "pool": "cpu", "address": None, "job": None},
    ]
    jobs = [{"array_id": 9, "tasks": "1-2", "phase": "queued", "why": "Others are before it.", "starts_at": None}]
    used = {"cpu_hours": 1.5, "gpu_hours": 0.0, "cpus": 8, "gpus": 0}
    return {"workers": workers, "jobs": jobs, "problems": {}, "hub": "", "used": used, **changes}


def test_waiting_workers_are_counted_by_their_reason() -> None:
    assert worker_status.waiting(status()) == ["2 queued. Others are before it.", "1 starting."]
    assert worker_status.waiting(status(jobs=None)) == ["3 starting."]
    assert worker_status.waiting(status(), beside_counts=True) == ["2 queued. Others are before it."]
    absent = [
        {"name": f"w-{state}", "pool": "cpu", "address": None, "job": None, "state": state}
        for state in ("queued", "lost", "starting", "lost")
    ]
    assert worker_status.waiting(status(workers=absent)) == [
        "1 queued.",
        "2 lost. The cluster starts others in their place.",
        "1 starting.",
    ]


def test_workers_that_slurm_expects_after_the_sessions_end_are_told_to_be_too_late() -> None:
    now = time.time()
    jobs = [{"array_id": 9, "tasks": "1-2", "phase": "queued", "why": "It waits.", "starts_at": now + 3600}]
    late = worker_status.waiting(status(jobs=jobs, session_ends_at=now + 60))
    assert late[0].startswith("2 queued until ")
    assert late[0].endswith(", after this session ends.")
    known = status(jobs=jobs, session_ends_at=now + 60)
    assert worker_status.late(known) == [{"pool": "cpu", "count": 2, "keep": 2}]
    assert worker_status.late(status(jobs=jobs, session_ends_at=now + 7200)) == worker_status.late(status()) == []
    assert "this session" not in worker_status.waiting(status(jobs=jobs, session_ends_at=now + 7200))[0]
    assert "this session" not in worker_status.waiting(status(jobs=jobs))[0]


@pytest.mark.parametrize(
    ("connected", "failed", "seen", "submitted", "phase", "state"),
    [
        (True, True, True, True, None, "running"),
        (False, True, False, True, "running", "lost"),
        (False, False, False, False, None, "queued"),
        (False, False, False, True, "queued", "queued"),
        (False, False, True, True, "queued", "queued"),
        (False, False, False, True, "running", "starting"),
        (False, False, False, True, None, "starting"),
        (False, False, True, True, "running", "lost"),
        (False, False, False, True, "ended", "lost"),
    ],
)
def test_a_worker_is_running_starting_queued_or_lost(
    connected: bool, failed: bool, seen: bool, submitted: bool, phase: str | None, state: str
) -> None:
    assert worker_status.worker_state(connected, failed, seen=seen, submitted=submitted, phase=phase) == state


def test_the_last_ten_minutes_of_a_cluster_are_kept_and_no_more() -> None:
    now = 0.0
    history = History(lambda: now)
    worker = SimpleNamespace(processing=["a", "b"], metrics={"memory": 3}, memory_limit=8)
    begun = SimpleNamespace(processing=[], metrics={}, memory_limit=None)
    scheduler: Any = SimpleNamespace(workers={"a": worker, "b": begun}, queued=["c"], unrunnable={"d": 1})
    for now in range(0, 1000, 5):  # noqa: B007  # the clock reads it
        history.record(scheduler)
    kept = history.dump()
    assert (kept["at"][0], kept["at"][-1], len(kept["at"])) == (400, 995, 120)
    assert (kept["tasks"][-1], kept["memory"][-1], kept["memory_limit"][-1]) == (4, 3, 8)


def test_problems_that_are_the_same_are_one_sentence() -> None:
    refused = {f"w-{n}": Problem("refused", said="no.") for n in range(8)}
    assert worker_status.told(refused) == {"w-0": "8 workers could not be submitted: no."}
    two = {"w-0": Problem("refused", said="no."), "w-1": Problem("ended", Place(9, 1), "No module named x")}
    assert worker_status.told(two) == {
        "w-0": "Worker w-0 could not be submitted: no.",
        "w-1": "Worker w-1 (job 9_1) ended before it was there. No module named x",
    }


def test_of_workers_whose_program_has_not_begun_the_hub_says_what_befell_their_node() -> None:
    place = Place(9, 0)
    unbegun = {name: Problem("unbegun", place) for name in ("w-0", "w-1")}
    said = "2 workers (job 9_0) ended before their program began."
    assert worker_status.told(worker_status.explained(unbegun, [])) == {"w-0": said}
    ended: Any = {"array_id": 9, "tasks": "0", "phase": "ended", "why": "Prolog failed."}
    assert worker_status.told(worker_status.explained(unbegun, [ended])) == {"w-0": f"{said} Prolog failed."}


def test_what_a_cluster_costs_is_told_in_gpu_hours_when_it_has_gpus() -> None:
    assert worker_status.cost(status()) == "8 CPU-hours per hour · 1.50 so far"
    used = {"cpu_hours": 9.0, "gpu_hours": 0.25, "cpus": 8, "gpus": 2}
    assert worker_status.cost(status(used=used)) == "2 GPU-hours per hour · 0.25 so far"


def test_workers_of_several_kinds_are_added_up_in_what_each_kind_costs() -> None:
    gpu = Pool("gpu", threads=4, cpus=4, memory=1, gpus=1)
    small, half = Pool("cpu", threads=2, cpus=2, memory=1), Pool("half", threads=1, cpus=0.5, memory=1)
    assert (
        worker_status.in_all([(gpu, 3)])
        == worker_status.in_all([(gpu, 3), (small, 0)])
        == worker_status.in_all([])
        == ""
    )
    assert worker_status.in_all([(gpu, 1), (small, 4)]) == (
        "All workers of the cluster then cost 1 GPU-hour and 8 CPU-hours per hour."
    )
    assert (
        worker_status.in_all([(small, 1), (half, 3)]) == "All workers of the cluster then cost 3.5 CPU-hours per hour."
    )


def test_what_others_wrote_is_shown_as_text() -> None:
    shown = worker_status.rows(status(problems={"w-1": "<script>alert(1)</script>"}))
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_the_meter_counts_each_worker_from_its_arrival_to_its_end() -> None:
    now = 0.0
    meter = Meter(lambda: now)
    pool = Pool("gpu", threads=4, cpus=4, memory=1, gpus=1)
    meter.arrived("a", pool)
    now = 1800.0
    meter.arrived("b", pool)
    meter.arrived("a", pool)  # told twice
    now = 3600.0
    meter.left("a")
    meter.left("never there")
    used = meter.used()
    assert used == {"gpu_hours": 1.5, "cpu_hours": 6.0, "gpus": 1, "cpus": 4}
