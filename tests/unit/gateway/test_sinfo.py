"""What sinfo tells of nodes is read as it means it: what is free, what is out of service, and why."""

from __future__ import annotations

import pytest

from fabric_hub.gateway.queries import sinfo
from fabric_hub.slurm import gpus
from fabric_hub.slurm.notation import time_of

MARK = "0123456789abcdef"
END = f"|{MARK}"


@pytest.mark.parametrize(
    ("total", "used", "free"),
    [
        ({"h200": 2}, {"h200": 1}, {"h200": 1}),
        ({"": 4}, {"h200": 1}, {"": 3}),
        ({"a": 1, "b": 3}, {"": 2}, {"a": 1, "b": 1}),
        ({"a": 1}, {"b": 5}, {"a": 0}),
        ({}, {"a": 1}, {}),
    ],
)
def test_never_a_gpu_too_many_is_free(total: dict[str, int], used: dict[str, int], free: dict[str, int]) -> None:
    assert gpus.free_by_type(total, used) == free


def node(
    name: str, partition: str, state: str = "mixed", gres: str = "gpu:h200:2(S:0)", used: str = "gpu:h200:1",
    reason: tuple[str, str] = ("none", "Unknown"),
) -> str:  # fmt: skip
    fields = [name, "10.0.0.1", partition, state, "2/14/0/16", "8000", "200", gres, used, *reason]
    return "".join(field + END for field in fields) + "\n"


def test_a_node_in_two_partitions_is_one_node() -> None:
    (found,) = sinfo.nodes(node("gpu1", "gpu") + node("gpu1", "short"), MARK)
    assert found.partitions == ("gpu", "short")
    assert (found.address, found.cpus, found.cpus_free, found.memory_free_mb) == ("10.0.0.1", 16, 14, 7800)
    assert (found.gpus, found.gpus_free) == ({"h200": 2}, {"h200": 1})


def test_a_node_that_is_out_of_service_says_why_and_since_when() -> None:
    drained = node("gpu1", "gpu", "drained", reason=("Prolog error", "2026-11-27T10:00:00"))
    first, second = sinfo.nodes(drained + node("gpu2", "gpu"), MARK)
    assert (first.reason, first.reason_since) == ("Prolog error", time_of("2026-11-27T10:00:00"))
    assert (second.reason, second.reason_since) == ("", None)


def test_a_partition_of_unlike_nodes_keeps_them_all() -> None:
    text = node("gpu1", "gpu") + node("gpu2", "gpu", gres="gpu:a100:4,shard:a100:16", used="shard:a100:3")
    first, second = sinfo.nodes(text, MARK)
    assert first.gpus == {"h200": 2}
    assert (second.gpus, second.gpus_free, second.shards, second.shards_free) == ({"a100": 4}, {"a100": 3}, 16, 13)


@pytest.mark.parametrize(
    ("state", "usable"),
    [
        ("idle", True), ("mixed", True), ("allocated", True), ("idle~", True), ("mixed-", True), ("allocated+", True),
        ("reserved", True), ("planned", True), ("down", False), ("down*", False), ("idle*", False), ("drained", False),
        ("draining@", False), ("maint", False), ("idle$", False), ("mixed@", False), ("unknown", False),
        ("inval", False),
    ],
)  # fmt: skip
def test_which_nodes_can_take_jobs(state: str, usable: bool) -> None:
    assert sinfo.is_usable(state) is usable
    (found,) = sinfo.nodes(node("gpu1", "gpu", state), MARK)
    assert bool(sum(found.gpus_free.values())) is usable
    assert found.gpus == {"h200": 2}


@pytest.mark.parametrize(
    ("gpus_used", "shards_used", "free"),
    [
        (0, 0, (2, 8)),
        (2, 0, (0, 0)),  # all are whole: no shard is left, whatever their count says
        (1, 0, (1, 4)),
        (0, 1, (1, 7)),  # one is shared: it is nobody's whole
        (0, 5, (0, 3)),
        (1, 4, (0, 0)),
    ],
)
def test_a_gpu_is_free_as_a_whole_or_in_shards(gpus_used: int, shards_used: int, free: tuple[int, int]) -> None:
    gpus_free, shards_free = gpus.free_shared({"h200": 2}, {"h200": gpus_used}, 8, shards_used)
    assert (gpus_free["h200"], shards_free) == free


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Prolog error|m1790000000|m\nProlog error|m1790000000|m\n", ("Prolog error", 1790000000.0)),
        ("none|mUnknown|m\n", ("", None)),
        ("", ("", None)),
    ],
)
def test_why_a_node_is_out_of_service(said: str, found: tuple[str, float | None]) -> None:
    assert sinfo.node_reason(said, "m") == found
