"""An answer that lacks our jobs is no word on them: other sources are asked, and until one knows they stay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from fabric_hub.cli import daemons
from fabric_hub.config.settings import SlurmSettings
from fabric_hub.gateway import watcher
from fabric_hub.gateway.job_table import Ending
from fabric_hub.gateway.jobs import ends
from fabric_hub.gateway.queries.queries import Queries, UnavailableError
from fabric_hub.gateway.watcher import Watcher
from fabric_hub.slurm import privacy
from fabric_hub.slurm.model import Found, Job, Node, Snapshot
from tests.support.builders import a_site

from .test_watcher import Slurm, job

NAMES = ["fabric-main-aaaaaaaaaaaa", "fabric-main-bbbbbbbbbbbb", "fabric-main-cccccccccccc", "fabric-main-dddddddddddd"]
WORKERS = job(20, name=f"{NAMES[0]}-dask-wide", array_id=20, array_tasks="0-7")
OURS = tuple(job(number, name=name) for number, name in enumerate(NAMES, 1))


class Rounds:
    """A watcher that asks when a test says so, on a clock of the test's."""

    def __init__(self, slurm: Slurm) -> None:
        self.now = 1000.0
        settings = SlurmSettings(max_queries_per_s=1000)
        self.watcher = Watcher(slurm, settings, "main", account="fabric-gateway", clock=lambda: self.now)
        self.asked: Callable[[], int] = slurm.counts.total

    async def next(self, times: int = 1, every_s: float = 5.0) -> Snapshot:
        for _ in range(times):
            self.now += every_s
            await self.watcher._ask_jobs()
        return self.watcher.snapshot


@pytest.fixture
def slurm() -> Slurm:
    return Slurm()


@pytest.fixture
def rounds(slurm: Slurm) -> Rounds:
    return Rounds(slurm)


def hide(slurm: Slurm, *private: str) -> None:
    slurm.hidden = {shown.job_id: shown for shown in slurm.answer}
    slurm.answer, slurm.private = (), frozenset(private)


async def test_hidden_jobs_stay_with_their_clusters_and_the_missing_right_is_named(
    slurm: Slurm, rounds: Rounds
) -> None:
    slurm.answer = (*OURS, WORKERS, job(30, name="bash"))
    await rounds.next()
    hide(slurm, "jobs")
    hidden = await rounds.next()
    assert [shown.job_id for shown in hidden.jobs] == [1, 2, 3, 4, 20]
    assert hidden.narrowed
    assert hidden.unavailable_since is not None
    assert "PrivateData=jobs" in str(hidden.problem)
    assert "account fabric-gateway is no Operator" in str(hidden.problem)
    assert (await rounds.next(40)).jobs == hidden.jobs
    slurm.answer = (*OURS, WORKERS)
    back = await rounds.next()
    assert (back.unavailable_since, back.narrowed, str(back.problem)) == (None, False, "")


async def test_hidden_jobs_stay_hidden_while_every_other_source_hangs(
    slurm: Slurm, rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm.answer = OURS
    await rounds.next()
    hide(slurm, "jobs")
    hidden = await rounds.next()

    async def hangs(_: object) -> dict[int, Ending]:
        await asyncio.Event().wait()
        return {}

    monkeypatch.setattr(watcher, "_DOUBTS_TIMEOUT_S", 0.01)
    monkeypatch.setattr(slurm, "endings", hangs)
    later = await rounds.next(10)
    assert (later.jobs, later.narrowed, later.unavailable_since) == (hidden.jobs, True, hidden.unavailable_since)


async def test_what_a_hidden_job_does_its_owner_is_told(slurm: Slurm, rounds: Rounds) -> None:
    slurm.answer = (job(1, "PENDING", name=NAMES[0]), job(2, name=NAMES[1]))
    await rounds.next()
    hide(slurm, "jobs")
    slurm.hidden[1] = job(1, name=NAMES[0], node="gpu1")
    slurm.hidden[2] = job(2, "TIMEOUT", name=NAMES[1])
    shown = await rounds.next()
    assert [(one.state, one.node) for one in shown.jobs] == [("RUNNING", "gpu1"), ("TIMEOUT", "")]


async def test_some_hidden_jobs_among_others_that_are_shown_stay_too(slurm: Slurm, rounds: Rounds) -> None:
    slurm.answer = OURS
    await rounds.next()
    hide(slurm)
    slurm.answer = OURS[2:]
    snapshot = await rounds.next()
    assert len(snapshot.jobs) == 4
    assert "slurmdbd.conf" in str(snapshot.problem)


async def test_an_empty_answer_with_every_other_source_silent_says_nothing_of_any_job(
    slurm: Slurm, rounds: Rounds
) -> None:
    slurm.answer = OURS
    await rounds.next()
    slurm.answer, slurm.owners_silent = (), "there is no Unix account for anna just now"
    assert (await rounds.next(100)).jobs == OURS


async def test_a_job_that_slurmctld_does_not_have_is_left_out_once_no_source_says_otherwise(
    slurm: Slurm, rounds: Rounds
) -> None:
    slurm.answer = OURS[:2]
    await rounds.next()
    slurm.answer = OURS[1:2]
    assert [one.job_id for one in (await rounds.next()).jobs] == [2]


async def test_while_the_database_says_that_it_runs_slurmctld_has_to_say_so_twice(slurm: Slurm, rounds: Rounds) -> None:
    slurm.answer, slurm.ends = OURS[:1], {1: ("RUNNING", None, None, None)}
    await rounds.next()
    slurm.answer = ()
    first = await rounds.next()
    assert len(first.jobs) == 1
    assert first.narrowed
    assert (await rounds.next(20)).jobs == ()


async def test_many_hidden_jobs_cost_few_questions(slurm: Slurm, rounds: Rounds) -> None:
    slurm.answer = tuple(
        job(number, name=f"fabric-main-{chr(97 + number // 26)}{chr(97 + number % 26)}aaaaaaaaaa")
        for number in range(1, 61)
    )
    await rounds.next()
    hide(slurm, "jobs")
    before, snapshot = rounds.asked(), await rounds.next(60)
    assert len(snapshot.jobs) == 60
    assert (rounds.asked() - before) / 60 <= 5, "squeue, sacct and three by number, with each answer"


async def test_a_job_that_no_answer_ever_had_is_found_by_its_number_and_stays(slurm: Slurm, rounds: Rounds) -> None:
    """A gateway that starts where jobs are hidden already."""
    await rounds.next()
    slurm.hidden, slurm.private = {1: OURS[0]}, frozenset({"jobs"})
    wanted = Job(job_id=1, name=NAMES[0], user="anna", state="UNKNOWN")
    assert await rounds.watcher.find(wanted) == OURS[0]
    snapshot = await rounds.next()
    assert snapshot.jobs == OURS[:1]
    assert snapshot.narrowed


@pytest.mark.parametrize(
    ("ends", "state"),
    [({}, None), ({1: ("TIMEOUT", 0, None, 5.0)}, "TIMEOUT"), ({1: ("RUNNING", None, None, None)}, "")],
)
async def test_a_job_that_slurmctld_does_not_have_is_over_only_by_a_word(
    slurm: Slurm, rounds: Rounds, ends: dict[int, tuple[str, int | None, int | None, float | None]], state: str | None
) -> None:
    await rounds.next()
    slurm.ends = ends
    wanted = Job(job_id=1, name=NAMES[0], user="anna", state="UNKNOWN")
    if state == "":
        with pytest.raises(UnavailableError, match="slurmctld has no job 1, and the database says that it is RUNNING"):
            await rounds.watcher.find(wanted)
        rounds.now += 60
        state = None
    found = await rounds.watcher.find(wanted)
    assert (found.state if found else None) == state


async def test_a_job_that_is_asked_for_while_an_answer_comes_is_not_lost_by_it(slurm: Slurm, rounds: Rounds) -> None:
    await rounds.next()
    slurm.hidden = {1: OURS[0]}
    await asyncio.gather(rounds.next(), rounds.watcher.find(OURS[0]), rounds.next())
    assert (await rounds.next()).jobs == OURS[:1]


async def test_an_answer_without_any_node_is_no_answer(slurm: Slurm, rounds: Rounds) -> None:
    slurm.private = frozenset({"nodes"})
    await rounds.watcher._ask_beside("nodes")
    assert rounds.watcher.snapshot.nodes_at is None, "or every profile would be refused: no node has what it asks for"
    slurm.nodes_here = (Node(name="gpu1", address="10.0.0.1"),)
    await rounds.watcher._ask_beside("nodes")
    known = rounds.watcher.snapshot
    slurm.nodes_here = ()
    await rounds.watcher._ask_beside("nodes")
    assert (rounds.watcher.snapshot.nodes, rounds.watcher.snapshot.nodes_at) == (known.nodes, known.nodes_at)


def test_a_refusal_to_show_is_told_with_the_missing_right() -> None:
    words = "slurm_load_node: Access/permission denied"
    assert "the right of an Operator" in str(Queries(SlurmSettings())._failed("sinfo", words))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("PrivateData             = none", set()),
        ("PrivateData             = jobs,nodes", {"jobs", "nodes"}),
        ("privatedata=Jobs", {"jobs"}),
        ("#PrivateData=jobs", set()),
        ("", set()),
        ("PrivateData=all", set(privacy.HIDES)),
    ],
)
def test_what_slurm_hides_is_read_from_its_configuration(line: str, words: set[str]) -> None:
    assert privacy.private_data(f"SlurmUser = slurm(64030)\n{line}\nPrologFlags = (null)\n") == words


class Ends:
    """In Slurm's place: the database hears of a cancelled job late, and a node has a reason."""

    def __init__(self, *by: int | None, reason: tuple[str, float | None] = ("", None)) -> None:
        self.by, self.reason = list(by), reason

    async def cancelled_by(self, number: int) -> int | None:
        return self.by.pop(0)

    async def node_reason(self, node: str) -> tuple[str, float | None]:
        return self.reason


async def test_an_end_by_others_is_explained_by_who_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "_AGAIN_S", 0.0)
    over = job(7, "CANCELLED", node="gpu1", started_at=100.0, ends_at=160.0)
    late = await ends.explained(Ends(None, 0, reason=("Prolog error", 99.0)), over)
    assert (late.cancelled_by, late.node_reason) == ("root", "Prolog error")
    before = await ends.explained(Ends(4_000_000, reason=("down for a week", 50.0)), over)
    assert (before.cancelled_by, before.node_reason) == ("uid 4000000", "")
    assert await ends.explained(Ends(), job(7, "COMPLETED")) == Found(job=job(7, "COMPLETED"))


@pytest.mark.parametrize(
    ("private", "level", "state", "words"),
    [
        ("none", "", "OK", "Slurm hides nothing from the gateway"),
        ("jobs,users", "None", "PROBLEM", "PrivateData=jobs,users, and fabric-gateway is no Operator in Slurm"),
        ("jobs", "Operator", "OK", "fabric-gateway is Operator in Slurm: PrivateData=jobs hides nothing from it"),
        ("cloud", "", "OK", "Slurm hides nothing from the gateway"),
    ],
)
def test_doctor_names_private_data_and_the_missing_right(
    tmp_path: Path, private: str, level: str, state: str, words: str
) -> None:
    for name, said in {"scontrol": f"PrivateData             = {private}", "sacctmgr": level}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (tmp_path / name).chmod(0o755)
    site = a_site(tmp_path)
    assert site.slurm is not None
    slurm = site.slurm.model_copy(update={"bin_dir": tmp_path})
    found = daemons.sight(site.model_copy(update={"slurm": slurm}), "fabric-gateway").told
    assert (found.state, words in str(found.about)) == (state, True), found
    assert ("adminlevel=Operator" in str(found.remedy)) == (state == "PROBLEM")
