"""The page Sessions: what a card and a line say of a session, and what would be lost with it."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.budgets.schemas import Balance, DayUse
from fabric_hub.config.settings import Profile
from fabric_hub.hub.configuration import STATIC
from fabric_hub.hub.pages import budgets
from fabric_hub.hub.pages.cards import Card, Server, card, ended, loses
from fabric_hub.hub.pages.first_session import first_choices
from fabric_hub.messages.text import Text, verbatim
from fabric_hub.messages.texts.sessions import STOPPED
from fabric_hub.messages.texts.stops import ENDED_BY_OPERATOR
from fabric_hub.sessions.names import free_name, made_valid
from fabric_hub.sessions.reports import FRESH_S, SessionReport
from fabric_hub.sessions.stops import Stop
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, Snapshot
from fabric_hub.slurm.reasons import explain
from tests.support.builders import NOW, TODAY, a_catalogue, a_dataset, a_job, a_session, a_site

UNKNOWN = "It isn't known whether anything is running or unsaved: the session hasn't said so lately."
PROFILE = Profile(title="Two", gpus=2, gpu_type="h200", cpus=4, memory="8G", partition="gpu")
TYPED = [
    ("Training Run", "training-run"), ("träning", "traning"), ("Ærø Łódź ß", "aero-lodz-ss"), ("a__b--c", "a-b-c"),
    ("  -x-  ", "x"), ("run 2024!", "run-2024"), ("<script>", "script"), ("日本", ""), ("…", ""), ("x" * 50, "x" * 30),
    ("y" * 29 + " z", "y" * 29), ("İstanbul", "istanbul"), ("ﬁt", "fit"), ("../../etc", "etc"),
    ("session-2", "session-2"),
]  # fmt: skip


def said(*texts: Text | None) -> list[str]:
    return [str(text) for text in texts if text is not None]


def shown(
    server: Server, session: Session | None = None, job: Job | None = None, report: SessionReport | None = None
) -> Card:
    snapshot = Snapshot(now=NOW, jobs_at=NOW, jobs=(job,) if job else ())
    return card(server, session, PROFILE, job, snapshot, report, NOW + 5400)


def test_a_running_session_says_what_it_has_where_until_when_and_what_it_has_taken() -> None:
    job = a_job(started_at=NOW, ends_at=NOW + 7200, node="gpu1", tres="cpu=8,mem=16G,node=1,billing=8,gres/gpu=2")
    report = SessionReport(at=NOW + 5399, kernels_busy=0, unsaved=0, gpu_percent=(3.0, 87.0))
    one = shown(Server("", None, True), a_session(gpus=2), job, report)
    assert (one.name, one.state, str(one.word), one.ready) == ("default", "running", "Running", True)
    assert said(*one.asks) == ["2 × H200", "8 cores", "16 GB memory"]  # noqa: RUF001 - the sign for times
    assert (one.node, one.ends_at, one.share) == ("gpu1", NOW + 7200, 0.75)
    assert said(one.cost, one.gpu) == ["3.0 GPU-hours so far", "GPU 87%, the session reports"]
    assert one.loses == ()


def test_without_a_gpu_it_costs_cpu_hours_and_without_its_word_its_gpu_is_left_out() -> None:
    job = a_job(started_at=NOW, ends_at=NOW + 7200, node="cpu1", tres="cpu=8,mem=16G,node=1")
    one = shown(Server("", None, True), a_session(gpus=0), job)
    assert said(one.cost) == ["12.0 CPU-hours so far"]
    assert one.gpu is None
    old = SessionReport(at=NOW + 5400 - FRESH_S - 1, kernels_busy=0, unsaved=0, gpu_percent=(50.0,))
    assert shown(Server("", None, True), a_session(gpus=1), job, old).gpu is None


@pytest.mark.parametrize(
    ("pending", "job", "state", "word"),
    [
        (None, a_job(), "running", "Running"),
        (None, None, "running", "Running"),
        (None, a_job(state="COMPLETING"), "ending", "Stopping"),
        ("spawn", a_job(state="PENDING"), "queued", "Queued"),
        ("spawn", a_job(), "starting", "Starting"),
        ("spawn", None, "starting", "Starting"),
        ("stop", a_job(), "ending", "Stopping"),
        ("check", a_job(), "starting", "Reconnecting (up to a minute)"),
    ],
)
def test_the_state_is_jupyterhubs_word_and_slurms(pending: str | None, job: Job | None, state: str, word: str) -> None:
    one = shown(Server("a", pending, pending is None), a_session(), job)
    assert (one.state, str(one.word)) == (state, word)


def test_one_that_waits_says_why_and_when_it_is_expected() -> None:
    job = a_job(state="PENDING", reason="Resources", partition="gpu", started_at=NOW + 9000)
    one = shown(Server("a", "spawn", False), a_session(), job)
    assert said(*one.waits) == ["You're next. Your session starts as soon as there is room in partition gpu."]
    assert (one.expected, one.ends_at, one.cost, one.cancellable) == (NOW + 9000, None, None, True)


def test_one_that_waits_behind_others_says_how_many_and_asks_before_that_place_is_lost() -> None:
    waits = {"state": "PENDING", "reason": "Priority", "partition": "gpu"}
    mine, others = a_job(rank=2, **waits), [a_job(job_id=20 + rank, name="x", rank=rank, **waits) for rank in (0, 1)]
    snapshot = Snapshot(now=NOW, jobs_at=NOW, jobs=(mine, *others))
    lost = said(*loses("queued", a_session(), mine, snapshot, None, NOW + 61))
    assert lost == ["2 jobs are ahead of you.", "It loses its place in the queue."]


def report(**told: Any) -> SessionReport:
    return SessionReport(at=NOW, **{"kernels_busy": 0, "others_busy": False, "unsaved": 0, **told})


@pytest.mark.parametrize(
    ("told", "lost"),
    [
        (report(), []),
        (report(kernels_busy=1), ["A cell is running."]),
        (report(kernels_busy=3, unsaved=1), ["3 cells are running.", "1 file has unsaved changes."]),
        (report(others_busy=True, unsaved=2), [
            "A terminal or a Dask cluster is at work.", "2 files have unsaved changes.",
        ]),
        (report(unsaved=None), ["It isn't known whether all files are saved."]),
        (report(kernels_busy=None, unsaved=0), ["It isn't known whether anything is running."]),
        (report(kernels_busy=None, unsaved=None), [UNKNOWN]),
        (None, [UNKNOWN]),
    ],
)  # fmt: skip
def test_what_is_lost_is_the_sessions_own_word_and_what_it_did_not_say_is_unknown(
    told: SessionReport | None, lost: list[str]
) -> None:
    assert said(*loses("running", a_session(), a_job(), None, told, NOW)) == lost


def test_a_place_in_the_queue_is_lost_once_it_was_waited_for() -> None:
    job = a_job(state="PENDING", reason="Resources", partition="gpu")
    assert loses("queued", a_session(), job, None, None, NOW + 59) == ()
    lost = said(*loses("queued", a_session(), job, None, None, NOW + 61))
    assert lost[-1] == "It loses its place in the queue."
    assert lost[0].startswith("You're next.")
    assert loses("starting", a_session(), a_job(), None, None, NOW + 900) == ()


def test_an_ended_session_says_why_in_few_words_and_offers_the_same_choice() -> None:
    over = {"ended_at": NOW, "ready_at": NOW - 60, "end_log": ("one", "two"), "datasets": ("a", "b"), "hours": 1.5}
    limit = explain(a_job(state="TIMEOUT", limit_s=360))
    timed_out = ended(a_session(end_reason="timeout", end_text=limit, **over))
    assert str(timed_out.state).endswith("time limit reached (6 min)")
    assert (timed_out.more, timed_out.failed, timed_out.log) == (None, False, ())
    assert timed_out.options == (
        "opt-project=physics&opt-profile=cpu&opt-image=base&opt-hours=1.5&opt-datasets=a&opt-datasets=b"
    )
    stopped = ended(a_session(end_reason="stopped", end_text=STOPPED(), **over))
    assert str(stopped.state).endswith("· stopped")
    assert (stopped.more, stopped.failed) == (None, False)
    broken = ended(a_session(end_reason="failed", end_text=verbatim("It broke."), **{**over, "ready_at": None}))
    assert str(broken.state).endswith("· did not start")
    assert (str(broken.more), broken.failed, broken.log) == ("It broke.", True, ("one", "two"))


@pytest.mark.parametrize(("typed", "name"), TYPED)
def test_a_name_that_somebody_typed_is_made_valid(typed: str, name: str) -> None:
    assert made_valid(typed) == name


def test_the_page_shows_the_name_that_the_hub_will_make() -> None:
    node = shutil.which("node")
    assert node, "the proxy needs Node, too"
    calls = (
        "const {madeValid} = require(process.argv[1]);"
        "console.log(JSON.stringify(JSON.parse(process.argv[2]).map(madeValid)))"
    )
    arguments = [node, "-e", calls, str(STATIC / "home.js"), json.dumps([typed for typed, _ in TYPED])]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [name for _, name in TYPED]


@pytest.mark.parametrize(
    ("typed", "taken", "name"),
    [
        ("", [], ""), ("default", [], ""), ("", [""], "session-2"), ("Default", ["", "session-2"], "session-3"),
        ("Training Run", [""], "training-run"), ("training run", ["training-run"], "training-run-2"), ("日本", [], ""),
    ],
)  # fmt: skip
def test_a_new_session_gets_a_name_that_is_free(typed: str, taken: list[str], name: str) -> None:
    assert free_name(typed, taken) == name


def test_a_trend_has_a_bar_for_each_day_of_use_and_says_the_same_in_words() -> None:
    days = [DayUse(day=date(2026, 11, day), gpu_hours=hours) for day, hours in ((1, 2.0), (2, 0.0), (21, 8.0))]
    assert budgets.bars(days, TODAY) == ((8, 0.25), (28, 1.0))
    assert str(budgets.in_words(days)) == (
        "GPU-hours per day in 28 days: 10.0 in all, 8.0 at most, on 21 November 2026"
    )
    assert (budgets.bars([], TODAY), str(budgets.in_words([]))) == ((), "Nothing used in 28 days")


def test_a_budget_says_what_is_left_and_how_long_that_lasts() -> None:
    own = Balance(limit=100.0, used=1.0, left=99.0, of="account lab", limited_by="account lab", lasts_until=NOW + 9e6)
    assert str(budgets.left_of(own)) == "99.0 of 100 GPU-hours left"
    assert str(budgets.lasts(own, NOW)).startswith("lasts to ")
    above = own.model_copy(update={"limited_by": "account faculty", "left": 5.0})
    assert str(budgets.left_of(above)) == "5.0 GPU-hours left, of account faculty"
    gone = own.model_copy(update={"left": 0.0, "lasts_until": NOW})
    assert str(budgets.lasts(gone, NOW)) == "used up"
    assert str(budgets.left_of(None)) == "No limit on GPU-hours"
    assert budgets.lasts(None, NOW) is None


def test_who_never_had_a_session_is_offered_a_machine_a_gpu_and_a_dataset_that_is_open(tmp_path: Path) -> None:
    site = a_site(tmp_path)
    known = a_catalogue(a_dataset("grid"), a_dataset("wind", access="public", agreement=None))
    found = first_choices(site, "eve", known, TODAY)
    assert [(one.kind, one.options) for one in found] == [
        ("cpu", "opt-project=physics&opt-profile=cpu"),
        ("gpu", "opt-project=physics&opt-profile=gpu"),
        ("dataset", "opt-project=physics&opt-profile=cpu&opt-datasets=wind"),
    ]
    assert found[2].dataset == "Wind farm"
    assert first_choices(site, "bob", None, TODAY) == (), "nothing can start in a project that is over"
    assert [one.kind for one in first_choices(site, "eve", None, TODAY)] == ["cpu", "gpu"]


def test_a_card_says_that_an_operator_ends_its_session_and_counts_to_that() -> None:
    job = a_job(started_at=NOW, ends_at=NOW + 7200, node="gpu1")
    stop = Stop(session="abcdefgh2345", operator="olga", reason="New fan.", ordered_at=NOW, due_at=NOW + 6000)
    snapshot = Snapshot(now=NOW, jobs_at=NOW, jobs=(job,))
    one = card(Server("", None, True), a_session(), PROFILE, job, snapshot, None, NOW + 5400, stop)
    assert (one.stop, one.ends_at) == (stop, NOW + 6000)
    assert one.said_word.startswith("Running. An operator ends this session at ")
    assert one.said_word.endswith(": New fan.")
    assert shown(Server("", None, True), a_session(), job).said_word == "Running"


@pytest.mark.parametrize("ready_at", [NOW, None])
def test_the_list_says_that_an_operator_ended_a_session_and_why_and_not_that_it_failed(ready_at: float | None) -> None:
    text = ENDED_BY_OPERATOR(why="New <fan> {why}.")
    over = a_session(ended_at=NOW, ready_at=ready_at, end_reason="operator", end_text=text, end_log=("x",))
    line = ended(over)
    assert str(line.state).startswith("Ended ")
    assert str(line.state).endswith(" · ended by an operator: New <fan> {why}.")
    assert (line.more, line.failed, line.log) == (None, False, ())
