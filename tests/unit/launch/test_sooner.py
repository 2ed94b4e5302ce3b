"""What would start sooner than a session that waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fabric_hub.launch.sooner import hours_before, sooner
from fabric_hub.slurm.model import Job, JobSpec, Node, Reservation, Snapshot
from tests.support.builders import NOW, a_job, a_node, a_session, a_site, a_snapshot

SPEC = JobSpec(partition="gpu", gres=("gpu:h200:1",), cpus=8)
BUSY = a_node(gpus_free={"h200": 0})
CPU = a_node(name="cpu1", partitions=("cpu",), gpus={}, gpus_free={})
MAINTENANCE = Reservation(
    name="spring", starts_at=NOW + 61 + 3 * 3600 + 900, ends_at=NOW + 9 * 3600, nodes="gpu1", maintenance=True
)


def waiting(number: int = 7, rank: int = 0, **changes: Any) -> Job:
    fields = {"job_id": number, "state": "PENDING", "reason": "Priority", "partition": "gpu", "rank": rank}
    return a_job(**{**fields, **changes})


def found(tmp_path: Path, job: Job, nodes: tuple[Node, ...], *others: Job, **changes: Any) -> list[tuple[str, Any]]:
    refused = changes.pop("refused", ())
    snapshot: Snapshot = a_snapshot(job, *others, nodes=nodes, **changes)
    session = a_session(profile="gpu", hours=4.0, gpus=1)
    choices = sooner(a_site(tmp_path), session, job, snapshot, spec=SPEC, refused=refused)
    return [(choice.text.code, choice.options) for choice in choices]


CPU_CHOICE = {"profile": "cpu", "hours": 4.0}


def test_another_profile_that_has_room_is_offered(tmp_path: Path) -> None:
    assert found(tmp_path, waiting(), (BUSY, CPU)) == [("sooner-can-start", CPU_CHOICE)]
    other = waiting(3, partition="cpu", name="theirs")
    assert found(tmp_path, waiting(), (BUSY, CPU), other) == [("sooner-has-room", CPU_CHOICE)]


def test_nothing_is_offered_that_is_full_refused_or_not_known(tmp_path: Path) -> None:
    full = CPU.model_copy(update={"cpus_free": 0})
    assert found(tmp_path, waiting(), (BUSY, full)) == []
    assert found(tmp_path, waiting(), (BUSY, CPU), refused={"cpu"}) == []
    assert found(tmp_path, waiting(), (BUSY, CPU), unavailable_since=NOW) == []
    assert found(tmp_path, waiting(), (BUSY, CPU), nodes_at=None) == []


def test_more_gpus_than_are_waited_for_are_never_offered(tmp_path: Path) -> None:
    free = a_node()
    session = a_session(profile="cpu", gpus=0, hours=1.0)
    job = waiting(partition="cpu")
    choices = sooner(a_site(tmp_path), session, job, a_snapshot(job, nodes=(free, CPU)))
    assert [choice.options["profile"] for choice in choices if "profile" in choice.options] == []


def test_fewer_hours_fit_before_the_next_in_line_takes_the_free_node(tmp_path: Path) -> None:
    next_one = waiting(3, 0, started_at=NOW + 61 + 2 * 3600 + 600)
    choices = found(tmp_path, waiting(rank=1), (a_node(),), next_one)
    assert choices == [("sooner-fits-before", {"hours": 2.0})]
    assert found(tmp_path, waiting(rank=1), (BUSY,), next_one) == [], "there is no free node to use until then"
    assert found(tmp_path, waiting(rank=1), (a_node(),), waiting(3, 0, started_at=NOW + 300)) == []


def test_the_hours_that_fit_before_a_maintenance_are_offered(tmp_path: Path) -> None:
    kept = waiting(reason="ReqNodeNotAvail, Reserved for maintenance")
    choices = found(tmp_path, kept, (a_node(),), reservations=(MAINTENANCE,))
    assert choices == [("sooner-fits-before-maintenance", {"hours": 3.0})]
    begun = MAINTENANCE.model_copy(update={"starts_at": NOW - 60})
    assert found(tmp_path, kept, (a_node(),), reservations=(begun,)) == []


@pytest.mark.parametrize(("seconds", "hours"), [(0, 0.0), (-60, 0.0), (1199, 0.0), (1200, 0.25), (3 * 3600 + 900, 3.0)])
def test_hours_are_counted_in_quarters_with_some_minutes_to_spare(seconds: float, hours: float) -> None:
    assert hours_before(NOW + seconds, NOW) == hours
