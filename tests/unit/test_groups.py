"""How tests are spread over workers, and what is said of their time."""

from __future__ import annotations

from pathlib import Path

from scripts.flaky import Record, without_count
from tests.support.durations import Durations
from tests.support.groups import SHARED, group_of, in_order

TESTS = Path(__file__).parents[1]


def test_a_file_that_no_group_names_is_a_group_of_its_own() -> None:
    assert group_of("tests/unit/hub/test_progress.py::test_a[x::y]") == "unit/hub/test_progress.py"
    assert group_of("tests/hub/test_start.py::test_a") == "hub"


def test_each_group_names_files_that_are_there() -> None:
    paths = [path.relative_to(TESTS).as_posix() for path in TESTS.glob("*/test_*.py")]
    for group, files in SHARED.items():
        for name in files:
            assert [path for path in paths if path.startswith(name) and group_of(f"tests/{path}") == group], name


def test_the_longest_group_begins_first_and_one_that_nobody_has_timed_before_all() -> None:
    files = {"tests/unit/test_a.py": 2.0, "tests/unit/test_b.py": 90.0, "tests/hub/test_c.py": 1.0}
    files["tests/hub/test_d.py"] = 30.0  # of the same group as the one before
    tests = [f"{name}::test" for name in (*files, "tests/unit/test_new.py")]
    assert in_order(tests, files) == [tests[4], tests[1], tests[2], tests[3], tests[0]]


def test_the_time_of_a_run_is_told_by_directory_and_for_the_slowest_beside_what_it_was() -> None:
    durations = Durations()
    for phase, seconds in (("setup", 10.0), ("call", 2.0), ("teardown", 1.0)):
        durations.add("tests/hub/test_c.py::test_slow", phase, seconds)
    durations.add("tests/unit/test_a.py::test_quick", "call", 0.25)
    record = durations.record(20.0)
    assert record["files"] == {"tests/hub/test_c.py": 13.0, "tests/unit/test_a.py": 0.2}
    before = {
        "wall_s": 30.0,
        "files": {"tests/hub/test_c.py": 40.0},
        "slowest": {"tests/hub/test_c.py::test_slow": 39.6},
    }
    lines = [line.split() for line in durations.table(20.0, before)]
    assert ["hub", "13", "40", "10", "1"] in lines
    assert ["unit", "0", "-", "0", "1"] in lines
    assert ["by", "the", "clock", "20", "30"] in lines
    assert ["13.0", "(40)", "tests/hub/test_c.py::test_slow"] in lines


def test_who_looks_for_flaky_tests_calls_none_so_that_has_not_failed() -> None:
    record = Record("abc")
    record.passed["tests/hub/test_c.py::test_a"] = 3
    record.failed["tests/hub/test_c.py::test_b"].append("AssertionError")
    assert record.turns(["tests/hub/test_c.py::test_a"]) == 3
    assert record.turns(["tests/hub/test_c.py::test_a", "tests/hub/test_c.py::test_b"]) == 1
    assert record.turns(["tests/hub/test_c.py::test_new"]) == 0
    assert (list(record.passed), list(record.failed)) == (
        ["tests/hub/test_c.py::test_a"],
        ["tests/hub/test_c.py::test_b"],
    )


def test_a_test_that_is_repeated_keeps_its_name() -> None:
    for name in ("tests/a.py::test_b", "tests/a.py::test_b[x[1-2]-3]", "tests/a.py::test_b[1-20]"):
        assert without_count(name, 1) == name
    assert without_count("tests/a.py::test_b[7-20]", 20) == "tests/a.py::test_b"
    assert without_count("tests/a.py::test_b[x[1-2]-3-7-20]", 20) == "tests/a.py::test_b[x[1-2]-3]"
