"""The figures of ``bench mounts``: which are aims, and that none is made up."""

from __future__ import annotations

from bench import mounts


def figures(p50: float, worst: float, *, fuse: bool) -> dict[str, bool | None]:
    opened = {size: (9.0, [p50] * 90 + [worst] * 10) for size in mounts.SIZES}
    took = {"ours": [1.0, 3.0], "directory": [2.0], **({"squashfuse": [8.0]} if fuse else {})}
    found = mounts.result(opened, took, took, 2)
    assert bool(found.notes[1:]) is not fuse
    return {row.name: row.met for row in found.rows}


def test_the_slowest_of_a_hundred_openings_may_take_ten_milliseconds() -> None:
    assert figures(2.0, 10.0, fuse=True)["open 200,000 files, p99"] is True
    assert figures(2.0, 10.1, fuse=True)["open 200,000 files, p99"] is False


def test_without_squashfuse_nothing_is_told_of_it() -> None:
    assert any("squashfuse" in name for name in figures(1, 1, fuse=True))
    assert not any("squashfuse" in name for name in figures(1, 1, fuse=False))
