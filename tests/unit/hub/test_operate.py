"""The operators' page: a row of each session, the queue, and the four numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from fabric_hub.config.settings import Profile
from fabric_hub.hub.configuration import STATIC
from fabric_hub.hub.pages.operate_rows import Row, gpus_of, in_queue, numbers, row
from fabric_hub.hub.pages.sessions import Shown
from fabric_hub.sessions.reports import FRESH_S, SessionReport
from fabric_hub.sessions.status import JobPresence, SessionStatus, standing
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job
from tests.support.builders import NOW, a_job, a_node, a_session, a_snapshot

PROFILE = Profile(title="Two", gpus=2, gpu_type="h200", cpus=4, partition="gpu")
LATER = NOW + 5400


def of(session: Session, job: Job | None = None, report: SessionReport | None = None, **about: Any) -> Row:
    snapshot = a_snapshot(*([job] if job else []))
    shown = Shown(**{"session": session, "project": "Physics", "profile": "Two", "badge": "", "kind": "", **about})
    return row(shown, PROFILE, standing(session, snapshot), snapshot, report, LATER)


def waiting(name: str, since: float, **changes: Any) -> Row:
    job = a_job(name=f"fabric-main-{name * 12}", state="PENDING", reason="Priority", submitted_at=since, **changes)
    return of(a_session(id=name * 12, server_name=name, submitted_at=since), job)


def test_a_running_session_says_whose_it_is_where_how_long_and_what_it_took() -> None:
    job = a_job(started_at=NOW, ends_at=NOW + 7200, node="gpu1", tres="cpu=8,mem=16G,node=1,gres/gpu=2")
    report = SessionReport(at=LATER - 1, gpu_percent=(3.0, 87.0))
    one = of(a_session(gpus=2, ready_at=NOW + 9), job, report)
    assert (one.user, one.name, one.node, one.job) == ("jan", "default", "gpu1", 7)
    assert (one.state, str(one.word), one.why) == ("running", "Running", None)
    assert (one.ends_at, str(one.cost)) == (NOW + 7200, "3.0 GPU-hours so far")
    assert (str(one.gpu), one.gpu_share) == ("GPU 87%, the session reports", 0.87)
    old = of(a_session(gpus=2, ready_at=NOW + 9), job, report.model_copy(update={"at": LATER - FRESH_S - 1}))
    assert (old.gpu, old.gpu_share) == (None, None), "what it said long ago says nothing of now"


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("Priority", "Other jobs are before it in the queue."),
        ("Resources", "It is next in line and waits until enough of partition gpu is free."),
        ("JobHeldUser", "Its owner put it on hold."),
        ("JobHeldAdmin", "An operator put it on hold. Release it with: scontrol release 7"),
    ],
)
def test_a_queued_session_says_why_it_waits_in_words_for_an_operator(reason: str, why: str) -> None:
    one = of(a_session(), a_job(state="PENDING", reason=reason, partition="gpu", started_at=LATER + 60))
    assert (one.state, str(one.why), one.since, one.expected) == ("queued", why, NOW, LATER + 60)
    assert (one.cost, one.gpu, one.ends_at) == (None, None, None)


def test_a_state_is_slurms_word_and_the_records_and_else_not_known() -> None:
    assert of(a_session(), a_job()).state == "starting", "its server has not answered yet"
    assert of(a_session(ready_at=NOW), a_job(state="COMPLETING")).state == "ending"
    assert not of(a_session(ready_at=NOW), a_job(state="COMPLETING")).stoppable
    assert of(a_session(submitted_at=None, job_id=None)).state == "starting"
    assert of(a_session(kind="local", job_id=None, ready_at=NOW)).state == "running"
    unseen = of(a_session(ready_at=NOW))
    assert (str(unseen.word), str(unseen.why)) == ("Not known", "Slurm says nothing of its job.")
    gone = SessionStatus(presence=JobPresence.GONE, job=a_job(state="TIMEOUT"))
    shown = Shown(a_session(), "Physics", "Two", "", "")
    assert row(shown, None, gone, None, None, NOW).state == "ending"


def test_the_queue_has_who_waited_longest_first_and_that_is_the_longest_wait() -> None:
    rows = [waiting("a", NOW + 50), of(a_session(ready_at=NOW), a_job()), waiting("b", NOW + 5), waiting("c", NOW + 9)]
    assert [one.name for one in in_queue(rows)] == ["b", "c", "a"]
    nodes = a_node(), a_node(name="gpu2", usable=False), a_node(name="gpu3", usable=False)
    found = numbers([*rows, of(a_session(), a_job())], a_snapshot(nodes=nodes))
    assert (found.running, found.starting, found.queued, found.nodes_out) == (1, 1, 3, 2)
    assert found.oldest
    assert found.oldest.name == "b"
    assert str(found.out_of_service) == "2 nodes are out of service"
    assert (found.gpus_free, found.gpus_total) == (2, 2), "GPUs of a node that takes no job are neither"
    nothing = numbers([], None)
    assert (nothing.oldest, nothing.gpus, nothing.out_of_service) == (None, (), None)


def test_gpus_are_counted_by_type_once_for_each_node_whatever_its_partitions() -> None:
    nodes = [
        a_node(partitions=("gpu", "debug"), gpus_free={"h200": 1}),
        a_node(name="gpu2", gpus={"h200": 4, "h200.18gb": 7}, gpus_free={"h200": 0, "h200.18gb": 5}),
        a_node(name="gpu3", gpus={"": 2}, gpus_free={}),
        a_node(name="cpu1", gpus={}, gpus_free={}),
    ]
    assert [str(one.text) for one in gpus_of(nodes)] == [
        "5 of 7 h200.18gb free",
        "1 of 6 H200 free",
        "0 of 2 GPUs free",
    ]


def in_script(calls: str) -> Any:
    node = shutil.which("node")
    assert node, "the proxy needs Node, too"
    script = f"const f = require(process.argv[1]); console.log(JSON.stringify({calls}))"
    arguments = [node, "-e", script, str(STATIC / "operate.js")]
    return json.loads(subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True).stdout)


def test_the_filter_wants_all_words_in_any_order_and_case() -> None:
    typed = ["", "GPU1 jan", "jan eve", "phys", "  "]
    assert in_script(f"{json.dumps(typed)}.map((one) => f.matches('Jan Physics gpu1', one.trim()))") == [
        True, True, False, True, True,
    ]  # fmt: skip


def test_rows_are_sorted_by_size_or_by_the_alphabet_and_what_is_missing_is_last() -> None:
    ways = "[false, true].map((down) => {}.sort((a, b) => f.compare(a, b, down)))"
    assert in_script(ways.replace("{}", "['10', '', '9', '100']")) == [["9", "10", "100", ""], ["100", "10", "9", ""]]
    assert in_script(ways.replace("{}", "['gpu10', 'gpu2', 'Ann', '']")) == [
        ["Ann", "gpu2", "gpu10", ""],
        ["gpu10", "gpu2", "Ann", ""],
    ]
