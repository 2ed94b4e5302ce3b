"""The verdict of ``bench peers``: nothing passes for want of a look, and no reason outlives its test."""

from __future__ import annotations

import ast

import pytest

from bench.peers import examples, rows
from bench.peers.table import EXAMPLES, PEERS_EXAMPLES, TESTS
from bench.peers.verdict import Named, Outcome, differences, judge

NOT_RUN = Named("test_pbs.py", "another system's")
DIFFERS = Named("test_slurm.py::test_link", "behind a login", fails="assert None")


def test_each_outcome_is_counted_once_and_only_a_named_one_is_let_off() -> None:
    outcomes = [
        Outcome("test_pbs.py::test_a", "not run"),
        Outcome("test_pbs.py::test_b[x]", "not run"),
        Outcome("test_slurm.py::test_link", "failed", "AssertionError: assert None"),
        Outcome("test_slurm.py::test_good", "passed"),
        Outcome("test_slurm.py::test_linked", "failed", "assert None"),
        Outcome("test_slurm.py::test_skipped", "skipped", "no eth0"),
        Outcome("test_slurm.py::test_left", "not run"),
        Outcome("test_slurm.py::test_ends", "passed"),
        Outcome("test_slurm.py::test_ends", "failed", "it does not close"),
    ]
    verdict = judge(outcomes, [NOT_RUN, DIFFERS])
    assert verdict.passed == ("test_slurm.py::test_good",)
    assert [test for test, _ in verdict.named] == [
        "test_pbs.py::test_a",
        "test_pbs.py::test_b[x]",
        "test_slurm.py::test_link",
    ]
    assert [text.split()[0].partition("::")[2] for text in verdict.failed] == [
        "test_linked",
        "test_skipped",
        "test_left",
        "test_ends",
    ]
    assert verdict.stale == ()
    assert [row.met for row in rows("tests", verdict)] == [None, False, None, True]


@pytest.mark.parametrize(
    ("outcomes", "stale", "failed"),
    [
        ([], ["test_slurm.py::test_link matches no test."], 0),
        (
            [Outcome("test_slurm.py::test_link", "passed")],
            ["test_slurm.py::test_link is said not to apply, and test_slurm.py::test_link passes."],
            0,
        ),
        ([Outcome("test_slurm.py::test_link", "failed", "ImportError")], [], 1),
        ([Outcome("test_slurm.py::test_link", "not run")], [], 1),
    ],
)
def test_a_reason_counts_only_while_its_test_fails_as_it_says(
    outcomes: list[Outcome], stale: list[str], failed: int
) -> None:
    verdict = judge(outcomes, [DIFFERS])
    assert [*verdict.stale] == stale
    assert len(verdict.failed) == failed
    assert verdict.named == ()


def test_what_a_notebook_found_is_compared_value_by_value() -> None:
    expected = {"a": [1, 2.0], "b": {"c": True}}
    assert differences({"a": [1, 2.0 + 1e-9], "b": {"c": True}}, expected) == []
    assert differences({"a": [1, 2.1], "b": {"c": 1}}, expected) == [
        "found['a'][1] is 2.1, expected 2.0",
        "found['b']['c'] is 1, expected True",
    ]
    assert len(differences({"a": [1]}, expected)) == 1
    assert differences([1, 2], [1]) == ["found is [1, 2], expected [1]"]
    assert differences(float("nan"), 1.0)


def test_every_example_of_dasks_is_covered_by_one_notebook_or_named() -> None:
    ours = examples.load()
    assert ours
    covered = [Outcome(name, "passed") for example in ours for name in example.covers]
    verdict = judge([*covered, *examples.uncovered(ours)], EXAMPLES)
    assert (verdict.failed, verdict.stale) == ((), ())
    assert len(verdict.passed) + len(verdict.named) == len(PEERS_EXAMPLES) == 38


def test_each_notebook_starts_a_cluster_and_leaves_what_it_found_and_what_was_expected() -> None:
    for example in examples.load():
        code = "\n".join(example.cells)
        tree = compile(code, example.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        assert {"cluster", "found", "expected"} <= names, example.name
        assert "DaskCluster(" in code, example.name
        assert not any(cell.get("outputs") for cell in example.document["cells"]), example.name


def test_no_test_is_named_twice() -> None:
    for table in (TESTS, EXAMPLES):
        for entry in table:
            assert [other for other in table if other.names(entry.test)] == [entry], entry.test
            assert entry.why
