"""What can start now and when the next can, on clusters of every kind as a real Slurm told of them.

scripts/record_clusters.py has made the answers: its nodes are of one kind each, and named after it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.gateway.queries import scontrol, sinfo, squeue
from fabric_hub.launch.outlook import Outlook, outlook
from fabric_hub.slurm.model import Job, JobSpec, Snapshot
from scripts.record_clusters import MARK

RECORDED = sorted((Path(__file__).parent / "clusters").iterdir())
MINUTE = 60


class Recorded:
    """A snapshot of what was recorded, and what is expected of it."""

    def __init__(self, path: Path) -> None:
        told = json.loads(path.read_text(encoding="utf-8"))
        self.now = float(told["asked_at"])
        self.snapshot = Snapshot(
            now=self.now,
            jobs_at=self.now,
            nodes_at=self.now,
            nodes=sinfo.nodes(told["nodes"], MARK),
            jobs=squeue.jobs(told["jobs"], MARK),
            reservations=scontrol.reservations(told["reservations"]),
        )

    def job(self, name: str) -> Job:
        (found,) = [job for job in self.snapshot.jobs if job.name == name]
        return found

    def end_of(self, name: str) -> float:
        found = self.snapshot.end_of(self.job(name))
        assert found is not None
        return found

    def reserved(self, name: str) -> tuple[float, float]:
        (found,) = [one for one in self.snapshot.reservations if one.name == name]
        return found.starts_at, found.ends_at

    def asked(self, gres: str, *, cpus: int = 1, minutes: int = 60, **more: Any) -> Outlook:
        spec = {"partition": "gpu", "cpus": cpus, "gres": (gres,) if gres else (), "minutes": minutes, **more}
        return outlook(JobSpec.model_validate(spec), self.snapshot, self.now)


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def slurm(request: pytest.FixtureRequest) -> Recorded:
    return Recorded(request.param)


def test_each_type_of_gpu_of_a_node_and_of_its_partition_is_counted_for_itself(slurm: Recorded) -> None:
    assert slurm.asked("gpu:a100:1") == Outlook(2, 2)
    assert slurm.asked("gpu:h200:1") == Outlook(0, 2, slurm.end_of("typed"))
    assert slurm.asked("gpu:l40s:2") == Outlook(2, 2)
    assert slurm.asked("gpu:h200:3") == Outlook(0, 0), "no node has so many"


def test_gpus_without_a_type_are_for_who_takes_any(slurm: Recorded) -> None:
    assert slurm.asked("gpu:4") == Outlook(1, 4), "mix2 has four; any1 has one left, mix1 two"
    assert slurm.asked("gpu:h200:1").places == 2, "nobody who wants a type gets one that has none"


def test_slices_of_a_node_are_counted_by_their_size(slurm: Recorded) -> None:
    assert slurm.asked("gpu:3g.71gb:1") == Outlook(1, 1)
    assert slurm.asked("gpu:1g.18gb:2") == Outlook(0, 2, slurm.end_of("slices"))


def test_a_shared_gpu_is_not_given_whole(slurm: Recorded) -> None:
    assert slurm.asked("shard:1") == Outlook(7, 8)
    assert slurm.asked("gpu:gh200:1") == Outlook(1, 2)
    assert slurm.asked("gpu:gh200:2") == Outlook(0, 1, slurm.end_of("share"))


def test_a_drained_node_is_no_place(slurm: Recorded) -> None:
    assert slurm.asked("gpu:b200:1") == Outlook(0, 0)


def test_a_node_of_two_partitions_is_taken_by_the_jobs_of_either(slurm: Recorded) -> None:
    here = slurm.asked("gpu:h100:2")
    assert (here.free, here.places) == (0, 1)
    assert here.at is not None
    assert here.at >= slurm.end_of("long") + 100 * MINUTE, "one waits that takes a GPU of it for 100 minutes"
    assert slurm.asked("gpu:h100:1").at == slurm.end_of("long"), "and leaves the other"
    assert slurm.asked("gpu:h100:1", partition="long").at == slurm.end_of("long")


def test_a_reservation_keeps_its_node_for_its_own_jobs(slurm: Recorded) -> None:
    _, ends = slurm.reserved("whole")
    assert slurm.asked("gpu:v100:1") == Outlook(0, 2, ends)
    assert slurm.asked("gpu:v100:1", reservation="whole") == Outlook(2, 2)


def test_a_reservation_of_some_cores_leaves_the_others(slurm: Recorded) -> None:
    _, ends = slurm.reserved("part")
    assert slurm.asked("gpu:t4:1", cpus=2) == Outlook(2, 2), "four of eight CPUs are not reserved"
    assert slurm.asked("gpu:t4:1", cpus=5) == Outlook(0, 1, ends)
    assert slurm.asked("", cpus=2, reservation="part") == Outlook(1, 2), "its own job has two of its four"
    assert slurm.asked("", cpus=4, reservation="part").at == slurm.end_of("inside")


def test_maintenance_lets_start_what_ends_before_it(slurm: Recorded) -> None:
    begins, ends = slurm.reserved("window")
    assert slurm.asked("gpu:p100:1", minutes=60) == Outlook(2, 2)
    late = slurm.asked("gpu:p100:1", minutes=180)
    assert late == Outlook(0, 2, ends, begins - slurm.now, maintenance=True)
