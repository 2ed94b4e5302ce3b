"""The benchmarks' own arithmetic: a figure that is wrong would be worse than none."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from bench import cpu, figures, ours, peer, sdiag, usage
from bench.figures import Result, Row
from bench.probe import Timetable
from fabric_hub.config.settings import SlurmSettings, parse
from tests.support.builders import least_site_text

SDIAG = """\
*******************************************************
sdiag output at Sat Nov 21 12:00:00 2026 (1795262400)
*******************************************************
Main schedule statistics (microseconds):
\tLast cycle:   100

Remote Procedure Call statistics by message type
\tREQUEST_JOB_INFO                        ( 2003) count:12     ave_time:310    total_time:3720
\tREQUEST_PARTITION_INFO                  ( 2009) count:14     ave_time:90     total_time:1260
\tREQUEST_SUBMIT_BATCH_JOB                ( 4003) count:5      ave_time:900    total_time:4500
\tMESSAGE_NODE_REGISTRATION_STATUS        ( 1002) count:3      ave_time:90     total_time:270
\tREQUEST_STATS_INFO                      ( 2035) count:1      ave_time:90     total_time:90

Remote Procedure Call statistics by user
\troot            (       0) count:40     ave_time:310    total_time:3720
"""


def test_the_median_and_the_ratio_are_those_of_all_rounds() -> None:
    row = figures.median_row("spawn", "s", [2.0, 1.0, 9.0], [10.0, 8.0], aim=0.4)
    assert (row.ours, row.peer, row.ratio, row.met) == (2.0, 9.0, 2.0 / 9.0, True)


@pytest.mark.parametrize(("ours_s", "met"), [(4.0, True), (4.1, False)])
def test_an_aim_is_met_up_to_the_very_figure(ours_s: float, met: bool) -> None:
    assert Row("x", "s", ours_s, 10.0, aim=0.4).met is met


def test_an_aim_for_our_own_figure_needs_no_peer() -> None:
    row = Row("p99", "ms", 80.0, None, aim=100, of="ours")
    assert row.ratio is None
    assert row.met is True


@pytest.mark.parametrize("row", [Row("x", "s", None, 1.0, aim=0.4), Row("x", "s", 1.0, 0.0, aim=0.4)])
def test_what_was_not_measured_meets_no_aim_and_misses_none(row: Row) -> None:
    assert row.met is None


@pytest.mark.parametrize(("percent", "value"), [(50, 50.0), (99, 99.0), (100, 100.0), (0, 1.0)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: float) -> None:
    assert figures.percentile([float(number) for number in range(100, 0, -1)], percent) == value


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        figures.percentile([], 99)


def test_the_table_says_which_aim_was_missed_and_how_far_measurements_lay_apart() -> None:
    rows = (
        figures.median_row("one alone", "s", [1.0, 3.0, 2.0], [4.0], aim=0.4),
        Row("CPU", "CPU s", 3.0, 12.0),
        Row("latency", "ms", 50.0, None, aim=100, of="ours"),
    )
    text = figures.table(Result("spawn", rows, ("a note",)))
    assert [line.split() for line in text.splitlines()[3:]] == [
        ["one", "alone", "s", "2", "(1-3)", "4", "0.5", "ratio", "<=", "0.4:", "MISSED"],
        ["CPU", "CPU", "s", "3", "12", "0.25"],
        ["latency", "ms", "50", "-", "-", "ours", "<=", "100:", "met"],
        ["a", "note"],
    ]


def test_the_stored_result_repeats_its_first_figure_and_is_json() -> None:
    result = Result("spawn", (Row("one", "s", 2.0, 8.0, (1.0, 3.0)), Row("two", "s", 1.0, None)), ("n",), {"k": 1})
    stored = json.loads(json.dumps(result.as_json()))
    assert {name: stored[name] for name in ("name", "ours", "peer", "ratio")} == {
        "name": "spawn", "ours": 2.0, "peer": 8.0, "ratio": 0.25,
    }  # fmt: skip
    assert stored["rows"][0]["ours_all"] == [1.0, 3.0]


def test_only_questions_count_as_load() -> None:
    counted = sdiag.counts(SDIAG)
    assert counted["REQUEST_SUBMIT_BATCH_JOB"] == 5
    assert "root" not in counted
    assert sdiag.questions(counted) == {"REQUEST_JOB_INFO": 12, "REQUEST_PARTITION_INFO": 14}


def test_cpu_time_is_a_processs_own_and_that_of_its_ended_children() -> None:
    # proc(5): utime 300, stime 20, cutime 1000, cstime 7, in clock ticks; the name may hold anything
    stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 900 800 0 0 300 20 1000 7 20 0 1 0 5000 100 200"
    assert cpu.spent(stat) * cpu._TICK == pytest.approx(1327)


def test_a_sides_processes_are_its_root_and_all_that_descend_from_it() -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1, 21: 20}
    assert cpu.descendants(parents, [10]) == {10, 11, 12}


def test_the_peer_gets_the_very_release_of_our_lock_file() -> None:
    lock = (
        "alembic==1 \\\n    --hash=sha256:aa\nbatchspawner==1.3.0 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    )
    lock += "    # via fabric-hub\ncertifi==2 \\\n    --hash=sha256:dd\n"
    found = peer.locked(lock, "batchspawner")
    assert found == "batchspawner==1.3.0 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    with pytest.raises(ValueError, match="not in the lock file"):
        peer.locked(lock, "spawner")


def test_ours_is_measured_with_the_rates_of_a_site_not_with_the_livelier_ones_of_the_demo() -> None:
    livelier = 'conf = "/srv/slurm.conf"\nwatch_interval_s = 2\nnodes_interval_s = 5\nmax_queries_per_s = 2\n'
    site = least_site_text(Path("/srv"), f"[slurm]\n{livelier}")
    slurm = parse(ours.with_site_defaults(site)).slurm
    assert slurm is not None
    assert slurm == SlurmSettings(conf=slurm.conf)


@pytest.mark.parametrize("users", ["", '[users]\nunix_name = "demo-{user}"\n'])
def test_a_few_users_may_have_all_sessions_of_a_benchmark(users: str) -> None:
    assert parse(ours.with_site_defaults(least_site_text(Path("/srv"), users))).users.max_sessions == 1000


def test_servers_are_spread_over_users_each_in_a_project_of_their_own() -> None:
    servers = ours.servers(12, "s")
    assert len({(server.user, server.name) for server in servers}) == 12
    assert {server.user: server.options["project"] for server in servers} == ours.people()


def test_questions_are_due_evenly_however_late_they_are_asked() -> None:
    timetable = Timetable(["/a", "/b"], 1e6)  # all of them are due before anybody can ask
    questions = [timetable.next() for _ in range(5)]
    assert None not in questions
    dues = [question[0] for question in questions if question]
    assert [question[1] for question in questions if question] == ["/a", "/b", "/a", "/b", "/a"]
    assert [later - sooner for sooner, later in pairwise(dues)] == pytest.approx([5e-7] * 4, abs=1e-9)


def test_a_timetable_that_is_stopped_has_no_more_questions() -> None:
    timetable = Timetable(["/a"], 0.001)
    assert timetable.next() is not None
    timetable.stopped.set()
    assert timetable.next() is None


def test_what_usage_asks_of_slurm_is_all_but_jobs_nodes_and_the_partitions_that_come_with_them() -> None:
    told = {"REQUEST_JOB_INFO": 12.0, "REQUEST_NODE_INFO": 2.0, "REQUEST_PARTITION_INFO": 15.0}
    assert usage.of_usage({**told, "REQUEST_ASSOC_MGR_INFO": 1.0}) == 2.0
    assert usage.of_usage({"REQUEST_JOB_INFO": 12.0}) == 0.0
