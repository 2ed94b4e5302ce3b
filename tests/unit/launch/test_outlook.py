"""What can start now and about when the next can, on clusters as Slurm's clients tell of them."""

from __future__ import annotations

import pytest

from fabric_hub.gateway.queries import scontrol, sinfo, squeue
from fabric_hub.launch.outlook import Outlook, outlook
from fabric_hub.slurm.model import JobSpec, Snapshot

NOW = 1_790_000_000
MINUTE, HOUR = 60, 3600
MARK = "0123456789abcdef"


def cluster(nodes: str, jobs: str = "", reservations: str = "") -> Snapshot:
    """A snapshot of what the clients answer, fields with single bars; times are minutes from now, as ``+90``."""
    return Snapshot(
        now=NOW,
        jobs_at=NOW,
        nodes_at=NOW,
        nodes=sinfo.nodes("".join(_record(line, 11) for line in nodes.split("\n") if line.strip()), MARK),
        jobs=squeue.jobs("".join(_record(line, 17) for line in jobs.split("\n") if line.strip()), MARK),
        reservations=scontrol.reservations(
            "".join(_reserved(line) for line in reservations.split("\n") if line.strip())
        ),
    )


def _time(text: str) -> str:
    return str(NOW + int(text) * MINUTE) if text[:1] in ("+", "-") and text[1:].isdigit() else text


def _record(line: str, fields: int) -> str:
    """sinfo: name partition state cpus memory used gres gresused; squeue: id partition state reason node end tres."""
    told = line.split("|") if "|" in line else line.split()
    told = [_time(part.strip()) for part in told]
    if fields == 11:
        name, partition, state, cpus, memory, used, gres, gres_used = told
        told = [name, "10.0.0.1", partition, state, cpus, memory, used, gres, gres_used, "none", "Unknown"]
    else:
        number, partition, state, reason, node, ends, limit, tres = told
        began = "0" if state == "PENDING" else str(NOW - 600)
        told = [
            number, "ann", "lab", partition, "normal", state, reason, node, str(NOW - 600 + int(number)), began, ends,
            limit, "0", tres, number, "(null)", "theirs",
        ]  # fmt: skip
    return "".join(f"{value}|{MARK}" for value in told) + "\n"


def _reserved(line: str) -> str:
    name, starts, ends, nodes, flags, *part = line.split()
    cores, tres = (f" NodeName={nodes} CoreIDs={part[0]}", part[1]) if part else ("", "cpu=16")
    return (
        f"ReservationName={name} StartTime={_time(starts)} EndTime={_time(ends)} Duration=01:00:00 Nodes={nodes} "
        f"NodeCnt=1 CoreCnt=16 Features=(null) PartitionName=(null) Flags={flags}{cores} TRES={tres} Users=root\n"
    )


def asked(snapshot: Snapshot, gres: str = "", *, cpus: int = 2, minutes: int = 60, **more: object) -> Outlook:
    spec = JobSpec.model_validate(
        {"partition": "gpu", "cpus": cpus, "gres": (gres,) if gres else (), "minutes": minutes, **more}
    )
    return outlook(spec, snapshot, float(NOW))


# name, partition, state, CPUs (allocated/idle/other/total), memory, allocated, GRES, GRES in use
H200 = "gpu1 gpu mixed 8/8/0/16 64000 0 gpu:h200:4 gpu:h200:{used}"


def test_free_places_are_counted_and_other_things_than_gpus_run_out_too() -> None:
    three = cluster(H200.format(used=3))
    assert asked(three, "gpu:h200:1") == Outlook(1, 4)
    assert asked(three, "gpu:h200:2", cpus=1)[:2] == (0, 2)
    assert asked(three, cpus=4) == Outlook(2, 4)
    assert asked(three, cpus=12)[:2] == (0, 1), "only eight CPUs are left"
    assert asked(three, "gpu:h200:1", memory_mb=65000) == Outlook(0, 0), "no node is so large"


def test_a_full_machine_is_expected_when_the_first_job_that_makes_room_ends() -> None:
    full = cluster(
        H200.format(used=4),
        """
        1 gpu RUNNING None gpu1 +50 2:00:00 cpu=4,mem=8G,node=1,billing=4,gres/gpu=2,gres/gpu:h200=2
        2 gpu RUNNING None gpu1 +20 2:00:00 cpu=2,mem=8G,node=1,billing=2,gres/gpu=1,gres/gpu:h200=1
        3 gpu RUNNING None gpu1 +90 2:00:00 cpu=2,mem=8G,node=1,billing=2,gres/gpu=1,gres/gpu:h200=1
        """,
    )
    assert asked(full, "gpu:h200:1") == Outlook(0, 4, NOW + 20 * MINUTE)
    assert asked(full, "gpu:h200:2").at == NOW + 50 * MINUTE, "one GPU after 20 minutes is not two"
    assert asked(full, "gpu:h200:4").at == NOW + 90 * MINUTE
    assert asked(full).free == 4, "and CPUs are there"


def test_those_who_wait_before_come_first() -> None:
    text = "1 gpu RUNNING None gpu1 +30 2:00:00 cpu=8,mem=8G,node=1,gres/gpu=4,gres/gpu:h200=4\n"
    waiting = "2 gpu PENDING Resources n/a Unknown 1:00:00 cpu=2,mem=1G,node=1,gres/gpu=4\n"
    held = "3 gpu PENDING JobHeldUser n/a Unknown 1:00:00 cpu=2,mem=1G,node=1,gres/gpu=4\n"
    dependent = "4 gpu PENDING Dependency n/a Unknown 1:00:00 cpu=2,mem=1G,node=1,gres/gpu=4\n"
    elsewhere = "5 cpu PENDING Priority n/a Unknown 1:00:00 cpu=2,mem=1G,node=1\n"
    node = H200.format(used=4)
    assert asked(cluster(node, text), "gpu:h200:1").at == NOW + 30 * MINUTE
    assert asked(cluster(node, text + waiting), "gpu:h200:1").at == NOW + 90 * MINUTE
    assert asked(cluster(node, text + held + dependent + elsewhere), "gpu:h200:1").at == NOW + 30 * MINUTE


def test_what_is_kept_for_somebody_who_waits_is_not_free_but_for_a_job_that_ends_before() -> None:
    """Slurm fills the gap before a large job with small ones."""
    snapshot = cluster(
        H200.format(used=2),
        """
        1 gpu RUNNING None gpu1 +30 2:00:00 cpu=8,mem=8G,node=1,gres/gpu=2,gres/gpu:h200=2
        2 gpu PENDING Resources n/a Unknown 1:00:00 cpu=2,mem=1G,node=1,gres/gpu=4
        """,
    )
    assert asked(snapshot, "gpu:h200:1", minutes=30) == Outlook(2, 4)
    assert asked(snapshot, "gpu:h200:1", minutes=60) == Outlook(0, 4, NOW + 90 * MINUTE)


def test_too_many_who_wait_make_no_estimate() -> None:
    many = "".join(
        f"{number} gpu PENDING Priority n/a Unknown 1:00:00 cpu=2,mem=1G,node=1,gres/gpu=1\n"
        for number in range(1, 1000)
    )
    full = "5000 gpu RUNNING None gpu1 +30 2:00:00 cpu=8,mem=8G,node=1,gres/gpu=4,gres/gpu:h200=4\n"
    assert asked(cluster(H200.format(used=4), many + full), "gpu:h200:1") == Outlook(0, 4, None)


MIXED = """
gpu1 gpu mixed 4/12/0/16 64000 0 gpu:h200:2 gpu:h200:2
gpu2 gpu idle 0/16/0/16 64000 0 gpu:a100:4 gpu:a100:0
gpu3 gpu mixed 4/12/0/16 64000 0 gpu:4 gpu:3
"""


def test_a_partition_of_mixed_nodes_counts_each_type_for_itself_and_untyped_gpus_for_who_takes_any() -> None:
    jobs = "1 gpu RUNNING None gpu1 +40 2:00:00 cpu=4,mem=1G,node=1,gres/gpu=2,gres/gpu:h200=2\n"
    snapshot = cluster(MIXED, jobs + "2 gpu RUNNING None gpu3 +10 2:00:00 cpu=4,mem=1G,node=1,gres/gpu=3\n")
    assert asked(snapshot, "gpu:h200:1") == Outlook(0, 2, NOW + 40 * MINUTE)
    assert asked(snapshot, "gpu:a100:1") == Outlook(4, 4)
    assert asked(snapshot, "gpu:1") == Outlook(5, 10)
    assert asked(snapshot, "gpu:3") == Outlook(1, 2)


def test_a_job_that_asked_for_any_gpu_gives_back_one_of_its_nodes_type() -> None:
    """Where Slurm's accounting does not keep types, it tells none."""
    snapshot = cluster(
        H200.format(used=4), "1 gpu RUNNING None gpu1 +15 2:00:00 cpu=8,mem=1G,node=1,billing=4,gres/gpu=4\n"
    )
    assert asked(snapshot, "gpu:h200:2").at == NOW + 15 * MINUTE


SLICED = "gpu1 gpu mixed 6/10/0/16 64000 0 gpu:1g.18gb:4,gpu:3g.71gb:1 gpu:1g.18gb:{small},gpu:3g.71gb:{large}"


def test_slices_of_one_node_are_not_taken_for_each_other() -> None:
    snapshot = cluster(
        SLICED.format(small=4, large=0),
        "1 gpu RUNNING None gpu1 +25 2:00:00 cpu=6,mem=1G,node=1,gres/gpu=4,gres/gpu:1g.18gb=4\n",
    )
    assert asked(snapshot, "gpu:3g.71gb:1") == Outlook(1, 1)
    assert asked(snapshot, "gpu:1g.18gb:1") == Outlook(0, 4, NOW + 25 * MINUTE)


def test_of_slices_that_slurm_counts_without_their_type_the_later_end_is_told() -> None:
    jobs = """
    1 gpu RUNNING None gpu1 +10 2:00:00 cpu=2,mem=1G,node=1,gres/gpu=1
    2 gpu RUNNING None gpu1 +20 2:00:00 cpu=2,mem=1G,node=1,gres/gpu=1
    """
    snapshot = cluster(SLICED.format(small=1, large=1), jobs)
    assert asked(snapshot, "gpu:3g.71gb:1").at == NOW + 20 * MINUTE, "the first to end may have the small one"
    assert asked(snapshot, "gpu:1g.18gb:1") == Outlook(3, 4)


SHARED = "gpu1 gpu mixed 4/12/0/16 64000 0 gpu:h200:2,shard:h200:8 gpu:h200:{gpus}(IDX:0),shard:h200:{shards}"


def test_shards_and_whole_gpus_take_from_each_other() -> None:
    one_shard = "1 gpu RUNNING None gpu1 +30 2:00:00 cpu=2,mem=1G,node=1,gres/shard=1\n"
    snapshot = cluster(SHARED.format(gpus=0, shards=1), one_shard)
    assert asked(snapshot, "shard:1", cpus=1) == Outlook(7, 8)
    assert asked(snapshot, "gpu:h200:1") == Outlook(1, 2)
    assert asked(snapshot, "gpu:h200:2") == Outlook(0, 1, NOW + 30 * MINUTE)
    whole = "2 gpu RUNNING None gpu1 +50 2:00:00 cpu=2,mem=1G,node=1,gres/gpu=1,gres/gpu:h200=1\n"
    both = cluster(SHARED.format(gpus=1, shards=1), one_shard + whole)
    assert asked(both, "shard:1", cpus=1) == Outlook(3, 8)
    assert asked(both, "shard:4") == Outlook(0, 2, NOW + 30 * MINUTE)
    assert asked(both, "gpu:h200:2").at == NOW + 50 * MINUTE


@pytest.mark.parametrize("state", ["drained", "draining", "down*", "idle$", "reboot^"])
def test_a_node_that_is_out_of_service_is_no_place(state: str) -> None:
    nodes = f"gpu1 gpu {state} 0/0/16/16 64000 0 gpu:h200:4 gpu:h200:0\n"
    assert asked(cluster(nodes), "gpu:h200:1") == Outlook(0, 0)
    other = "gpu2 gpu idle 0/16/0/16 64000 0 gpu:h200:2 gpu:h200:0\n"
    assert asked(cluster(nodes + other), "gpu:h200:1") == Outlook(2, 2)


IDLE = "gpu1 gpu idle 0/16/0/16 64000 0 gpu:h200:4 gpu:h200:0\n"


def test_a_reservation_to_come_lets_start_what_ends_before_it() -> None:
    snapshot = cluster(IDLE, reservations="course +120 +240 gpu[1-2] SPEC_NODES")
    assert asked(snapshot, "gpu:h200:1", minutes=120) == Outlook(4, 4)
    found = asked(snapshot, "gpu:h200:1", minutes=180)
    assert found == Outlook(0, 4, NOW + 240 * MINUTE, for_s=120 * MINUTE)


def test_in_a_reservation_only_its_own_jobs_start() -> None:
    snapshot = cluster(IDLE.replace("idle", "reserved"), reservations="course -10 +110 gpu1 SPEC_NODES")
    assert asked(snapshot, "gpu:h200:1") == Outlook(0, 4, NOW + 110 * MINUTE)
    assert asked(snapshot, "gpu:h200:1", reservation="course") == Outlook(4, 4)
    assert asked(snapshot, "gpu:h200:1", reservation="course", minutes=120) == Outlook(0, 4)
    unknown = cluster(IDLE.replace("idle", "reserved"))
    assert asked(unknown, "gpu:h200:1") == Outlook(0, 0), "whose it is, and for how long, Slurm does not say"


def test_a_reservation_of_some_cores_leaves_the_rest_of_its_node() -> None:
    half = "course {starts} +240 gpu1 SPEC_NODES 0-2,5-7 cpu=12"  # six cores of two threads each
    coming = cluster(IDLE, reservations=half.format(starts="+120"))
    assert asked(coming, cpus=4, minutes=180) == Outlook(1, 4)
    assert asked(coming, cpus=4, minutes=120) == Outlook(4, 4)
    assert asked(coming, cpus=8, minutes=180) == Outlook(0, 2, NOW + 240 * MINUTE)
    now_on = cluster(IDLE, reservations=half.format(starts="-10"))
    assert asked(now_on, "gpu:h200:1") == Outlook(2, 4), "four CPUs are left"
    assert asked(now_on, cpus=6, reservation="course") == Outlook(2, 2)
    assert asked(now_on, cpus=14, reservation="course") == Outlook(0, 0), "it has no so many"


def test_the_jobs_in_a_part_of_a_node_are_counted_once() -> None:
    running = "1 gpu RUNNING None gpu1 +60 2:00:00 cpu=6,mem=1G,node=1\n"
    node = IDLE.replace("idle", "mixed").replace("0/16/0/16", "6/10/0/16")
    snapshot = cluster(node, running, "course -10 +240 gpu1 SPEC_NODES 0-11 cpu=12,gres/gpu=3")
    inside = snapshot.model_copy(update={"jobs": (snapshot.jobs[0].model_copy(update={"reservation": "course"}),)})
    assert asked(inside) == Outlook(2, 8), "16 CPUs less the twelve that are reserved, of which six are in use"
    assert asked(inside, cpus=6, reservation="course") == Outlook(1, 2)
    assert asked(inside, "gpu:h200:2", cpus=1)[:2] == (0, 2), "three of four GPUs are reserved"
    assert asked(inside, "gpu:3", cpus=1, reservation="course", minutes=30) == Outlook(1, 1)
    assert asked(snapshot) == Outlook(0, 8, NOW + 60 * MINUTE), "a job of others has what was not reserved"


def test_maintenance_ends_and_nothing_starts_that_would_run_into_it() -> None:
    coming = cluster(IDLE, reservations="window +60 +300 ALL_NODES,gpu1 MAINT,SPEC_NODES")
    found = asked(coming, "gpu:h200:1", minutes=90)
    assert found == Outlook(0, 4, NOW + 300 * MINUTE, for_s=60 * MINUTE, maintenance=True)
    now_on = cluster(IDLE.replace("idle", "maint"), reservations="window -60 +300 gpu1 MAINT,SPEC_NODES")
    assert asked(now_on, "gpu:h200:1") == Outlook(0, 4, NOW + 300 * MINUTE)


def test_a_node_in_two_partitions_is_one_node_and_who_waits_in_either_comes_first() -> None:
    nodes = """
    gpu1 gpu allocated 16/0/0/16 64000 0 gpu:h200:4 gpu:h200:4
    gpu1 long allocated 16/0/0/16 64000 0 gpu:h200:4 gpu:h200:4
    """
    running = "1 long RUNNING None gpu1 +30 2:00:00 cpu=16,mem=1G,node=1,gres/gpu=4,gres/gpu:h200=4\n"
    waiting = "2 long PENDING Priority n/a Unknown 1:00:00 cpu=16,mem=1G,node=1,gres/gpu=4\n"
    assert asked(cluster(nodes, running), "gpu:h200:1") == Outlook(0, 4, NOW + 30 * MINUTE)
    assert asked(cluster(nodes, running + waiting), "gpu:h200:1").at == NOW + 90 * MINUTE


def test_of_a_job_of_several_nodes_the_further_ones_are_free_when_the_last_such_job_ends() -> None:
    nodes = """
    gpu1 gpu allocated 16/0/0/16 64000 0 gpu:h200:4 gpu:h200:4
    gpu2 gpu allocated 16/0/0/16 64000 0 gpu:h200:4 gpu:h200:4
    """
    two = "1 gpu RUNNING None gpu1 +30 2:00:00 cpu=32,mem=2G,node=2,gres/gpu=8,gres/gpu:h200=8\n"
    assert asked(cluster(nodes, two), "gpu:h200:4", cpus=16)[:3] == (0, 2, NOW + 30 * MINUTE)
    nobody = cluster("gpu2 gpu allocated 16/0/0/16 64000 0 gpu:h200:4 gpu:h200:4")
    assert asked(nobody, "gpu:h200:1") == Outlook(0, 4, None), "who has it, and until when, is not known"


def test_an_overdue_job_ends_any_moment_and_one_without_a_limit_never() -> None:
    line = "1 gpu RUNNING None gpu1 {ends} {limit} cpu=16,mem=1G,node=1,gres/gpu=4,gres/gpu:h200=4\n"
    overdue = cluster(H200.format(used=4), line.format(ends="-5", limit="1:00:00"))
    assert asked(overdue, "gpu:h200:1") == Outlook(0, 4, NOW + 30)
    endless = cluster(H200.format(used=4), line.format(ends="Unknown", limit="UNLIMITED"))
    assert asked(endless, "gpu:h200:1") == Outlook(0, 4, None)


def test_the_tasks_of_an_array_that_wait_are_as_many_jobs() -> None:
    snapshot = cluster(
        H200.format(used=4),
        "1 gpu RUNNING None gpu1 +30 2:00:00 cpu=8,mem=8G,node=1,gres/gpu=4,gres/gpu:h200=4\n"
        "2 gpu PENDING Priority n/a Unknown 1:00:00 cpu=2,mem=1G,node=1,gres/gpu=4\n",
    )
    array = snapshot.jobs[1].model_copy(update={"array_tasks": "0-1,4"})
    three = snapshot.model_copy(update={"jobs": (snapshot.jobs[0], array)})
    assert asked(three, "gpu:h200:1").at == NOW + 30 * MINUTE + 3 * HOUR
