"""Slurm's notation of times, exit codes, sizes and counts is read in one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.slurm.notation import (
    duration_s,
    exit_of,
    gres_counts,
    memory_mb,
    node_names,
    tres_counts,
    whole_counts,
)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("768", (3, None)),
        ("9", (None, 9)),
        ("0", (0, None)),
        ("3:0", (3, None)),
        ("0:9", (0, 9)),
        ("4021", (None, None)),  # an error number that slurmctld left there (measured: a job that could not launch)
        ("", (None, None)),
        ("99999999", (None, None)),
    ],
)
def test_exit_codes_in_both_notations(code: str, expected: tuple[int | None, int | None]) -> None:
    assert exit_of(code) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10:00", 600),
        ("1:00:00", 3600),
        ("2-01:00:00", 176400),
        ("90", 5400),
        ("1-12", 129600),
        ("1-12:30", 131400),
        ("UNLIMITED", None),
        ("Partition_Limit", None),
        ("INVALID", None),
        ("N/A", None),
    ],
)
def test_time_limits(text: str, seconds: int | None) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("gpu:h200:2(S:0)", {"gpu": {"h200": 2}}),
        ("gpu:4", {"gpu": {"": 4}}),
        ("gpu:(null):1(IDX:0)", {"gpu": {"": 1}}),
        ("gpu:h200:1(IDX:0-1,3),shard:h200:8(2/4,0/4)", {"gpu": {"h200": 1}, "shard": {"h200": 8}}),
        ("gpu:a100:2(S:0),gpu:a100:2(S:1)", {"gpu": {"a100": 4}}),
        ("gpu:1g.10gb:4(S:0),gpu:3g.40gb:2,gpu:a100:1", {"gpu": {"1g.10gb": 4, "3g.40gb": 2, "a100": 1}}),
        ("gpu:h200:0(IDX:N/A)", {"gpu": {"h200": 0}}),
        ("gpu", {"gpu": {"": 1}}),
        ("gpu:tesla", {"gpu": {"tesla": 1}}),
        ("craynetwork:4,gpu:2", {"craynetwork": {"": 4}, "gpu": {"": 2}}),
        ("nvme:2K", {"nvme": {"": 2048}}),
        ("(null)", {}),
        ("N/A", {}),
        ("", {}),
    ],
)
def test_generic_resources_are_counted_by_type(text: str, counts: dict[str, dict[str, int]]) -> None:
    assert gres_counts(text) == counts


@pytest.mark.parametrize(
    ("size", "mib"), [("8G", 8192), ("500M", 500), ("1.5G", 1536), ("1K", 1), ("1025K", 2), ("2T", 2 * 1024 * 1024)]
)
def test_memory_is_counted_in_mib_rounded_up(size: str, mib: int) -> None:
    assert memory_mb(size) == mib


@given(st.integers(1, 10**6), st.sampled_from("KMGT"))
def test_memory_is_never_less_than_asked_for(number: int, unit: str) -> None:
    bytes_wanted = number * 1024 ** ("KMGT".index(unit) + 1)
    assert 0 <= memory_mb(f"{number}{unit}") * 1024**2 - bytes_wanted < 1024**2


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="'8GB' is no size"):
        memory_mb("8GB")


def test_tres_are_counted_with_memory_in_mib_and_what_nobody_asks_for_is_left_out() -> None:
    text = "cpu=8,mem=1.5G,node=2,billing=9,gres/gpu:h200=2,energy=12,pages=3,gres/shard=N"
    assert tres_counts(text) == {"cpu": 8, "mem": 1536, "node": 2, "billing": 9, "gres/gpu:h200": 2}


def test_what_a_job_has_is_counted_with_all_its_gpus() -> None:
    assert whole_counts("cpu=4,mem=8G,gres/gpu:a100=1,gres/gpu:h200=2") == {
        "cpu": 4, "gres/gpu:a100": 1, "gres/gpu:h200": 2, "gres/gpu": 3,
    }  # fmt: skip
    assert whole_counts("gres/gpu=4,gres/gpu:a100=1") == {"gres/gpu": 4, "gres/gpu:a100": 1}
    assert whole_counts("license/x=2") == {"license/x": 2}
    assert whole_counts("") == {}


def test_a_list_of_nodes_is_taken_apart() -> None:
    assert node_names("gpu[1-3,7],cpu1") == ("gpu1", "gpu2", "gpu3", "gpu7", "cpu1")
    assert node_names("n[08-10]-ib") == ("n08-ib", "n09-ib", "n10-ib")
    assert node_names("r[1-2]n[1-2]") == ("r1n1", "r1n2", "r2n1", "r2n2")
    assert node_names("(null)") == node_names("") == ()
