"""The operators' page: a row of each session, the queue, and the four numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.catalogue.api import Agent, Health
from fabric_hub.config.settings import Profile
from fabric_hub.datasets.model import AccessRequest
from fabric_hub.hub.configuration import STATIC
from fabric_hub.hub.pages.dataset_requests import open_requests
from fabric_hub.hub.pages.health import states_of
from fabric_hub.hub.pages.operate_rows import Row, gpus_of, in_queue, numbers, row
from fabric_hub.hub.pages.sessions import Shown
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.text import verbatim
from fabric_hub.service.readiness import AGENTS_SILENT, Observed, Part
from fabric_hub.sessions.reports import FRESH_S, SessionReport
from fabric_hub.sessions.status import JobPresence, SessionStatus, standing
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, Snapshot
from tests.support.builders import NOW, a_catalogue, a_dataset, a_job, a_node, a_session, a_site, a_snapshot

PROFILE = Profile(title="Two", gpus=2, gpu_type="h200", cpus=4, partition="gpu")
LATER = NOW + 5400


def of(session: Session, job: Job | None = None, report: SessionReport | None = None, **about: Any) -> Row:
    snapshot = a_snapshot(*([job] if job else []))
    shown = Shown(**{"session": session, "project": "Physics", "profile": "Two", "kind": "", **about})
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
        ("Priority", "Other jobs are ahead of it."),
        ("Resources", "It's next. It starts as soon as enough of partition gpu is free."),
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
    shown = Shown(a_session(), "Physics", "Two", "")
    assert row(shown, None, gone, None, None, NOW).state == "ending"


def test_a_row_that_is_made_once_for_all_operators_says_the_kind_in_the_language_of_each() -> None:
    one = of(a_session(), a_job(), kind="course")
    said = {}
    for language in ("nl", "en"):
        with reading(Reader(language)):
            said[language] = one.about.badge
    assert said == {"nl": "Cursus", "en": "Course"}
    assert of(a_session(), a_job(), kind="research").about.badge == "", "the usual kind has none"


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


def parts(*found: Part, snapshot: Snapshot | None = None, **observed: Any) -> dict[str, tuple[str, str, str]]:
    seen = Observed(NOW, found, **observed)
    told = states_of(seen, {part.name: NOW - 60 for part in found}, snapshot)
    assert (told[0].key, str(told[0].name), str(told[0].word)) == ("self", "Hub", "Working")
    return {one.key: (str(one.word), str(one.why or ""), str(one.mend or "")) for one in told[1:]}


def test_a_part_that_answers_works_and_one_that_does_not_says_what_to_do() -> None:
    silent = [Part(name, ok=False, code="no-answer") for name in ("hub", "record", "gateway", "catalogue")]
    told = parts(*silent)
    assert {(word, why) for word, why, _ in told.values()} == {("Not working", "It doesn't answer.")}
    assert told["hub"][2].startswith("The hub starts it again by itself.")
    assert told["record"][2].startswith("Check the database (hub.sessions_database)")
    assert told["gateway"][2].startswith("Run: systemctl restart fabric-gateway.")
    assert told["catalogue"][2].startswith("Check catalogue.published")
    assert parts(Part("gateway", ok=True), Part("agents", ok=True, code="not-known")) == {
        "gateway": ("Working", "", ""),
        "agents": ("Not known", "", ""),
    }
    names = [str(one.name) for one in states_of(Observed(NOW, (*silent, Part("slurm", ok=True))), {}, None)]
    assert names == ["Hub", "REST service", "Record of sessions", "Gateway", "Catalogue service", "Slurm"]
    every = states_of(Observed(NOW, (*silent, Part("agents", ok=False, code=AGENTS_SILENT))), {}, None)
    assert [(one.name.code, one.mend.code) for one in every if one.mend] == [
        ("part-service", "mend-service"), ("part-record", "mend-record"), ("part-gateway", "mend-gateway"),
        ("part-catalogue", "mend-catalogue"), ("part-agents", "mend-agents"),
    ]  # fmt: skip


def test_slurm_says_since_when_and_the_catalogue_service_what_keeps_it() -> None:
    snapshot = a_snapshot(unavailable_since=NOW - 600, problem=verbatim("squeue: timed out"))
    word, why, mend = parts(Part("slurm", ok=False, code="slurm-silent"), snapshot=snapshot)["slurm"]
    assert word == "Not working"
    assert "squeue: timed out" in why
    assert mend == "Check slurmctld: scontrol ping. Sessions keep running meanwhile."
    late = Part("catalogue", ok=False, code="not-published")
    health = Health(version="1", uptime_s=900, serial=1, audit_seq=1, published_at=NOW)
    assert parts(late, catalogue=health)["catalogue"][1].startswith("Nodes were last told who may read what at")
    never = health.model_copy(update={"published_at": None})
    assert parts(late, catalogue=never)["catalogue"][1] == "Nodes were never told who may read what."
    broken = health.model_copy(update={"problem": verbatim("The disk is full.")})
    assert parts(late, catalogue=broken)["catalogue"][1] == "The disk is full."


def test_silent_agents_are_named_but_those_of_nodes_that_are_off() -> None:
    agents = tuple(
        Agent(node=name, time=NOW, version="1", started=NOW, told_at=NOW - age)
        for name, age in (("gpu1", 10), ("gpu2", 1000), ("gpu3", 1000))
    )
    ill = Part("agents", ok=False, code=AGENTS_SILENT)
    word, why, mend = parts(ill, agents=agents, off=frozenset({"gpu3"}))["agents"]
    assert (word, why) == ("Not working", "1 of 2 agents answer. Silent: gpu2")
    assert mend.startswith("On each of these nodes: systemctl restart fabric-node")
    well = Part("agents", ok=True)
    assert parts(well, agents=agents[:1])["agents"] == ("Working", "1 agent answers", "")
    assert parts(well, agents=(agents[0], agents[0]))["agents"][1] == "All 2 agents answer"


def test_requests_are_together_by_dataset_and_project_and_say_how_they_are_granted(tmp_path: Path) -> None:
    asked = [("eve", "physics", 30.0), ("jan", "physics", 10.0), ("eve", "course", 20.0)]
    catalogue = a_catalogue(
        a_dataset(),
        granted="",
        requests=tuple(
            AccessRequest(user=user, project=project, dataset="wind-farm", at=at) for user, project, at in asked
        ),
    )
    found = open_requests(a_site(tmp_path, "[catalogue]\n"), catalogue)
    assert [(one.project_title, [request.user for request in one.requests]) for one in found] == [
        ("Physics", ["jan", "eve"]),
        ("course", ["eve"]),
    ]
    assert not any(one.grantable for one in found), "the hub may grant nothing unless the site says so"
    assert found[0].command == "fabric-hub datasets grant wind-farm --project physics"
    may = a_site(tmp_path, '[catalogue]\nfrom_hub = ["grants"]\n')
    assert all(one.grantable for one in open_requests(may, catalogue))
    for closed in ({"kind": "client"}, {"data": "non-public"}):
        projects = {name: project.model_copy(update=closed) for name, project in may.project.items()}
        site = may.model_copy(update={"project": projects})
        assert not any(one.grantable for one in open_requests(site, catalogue)), "nothing more for these at the hub"
    secret = catalogue.model_copy(update={"datasets": (a_dataset(access="non-public"),)})
    assert not any(one.grantable for one in open_requests(may, secret)), "only restricted datasets"


def in_script(calls: str) -> Any:
    node = shutil.which("node")
    assert node, "the proxy needs Node, too"
    script = f"const f = require(process.argv[1]); console.log(JSON.stringify({calls}))"
    arguments = [node, "-e", script, str(STATIC / "table.js")]
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
