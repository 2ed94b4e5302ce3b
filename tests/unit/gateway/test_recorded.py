"""What every generation of Slurm really answered is read as it was meant, and is asked for as the gateway asks today.

scripts/record_slurm.py has made the answers: one scene of jobs, nodes, limits and reservations on each generation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fabric_hub.gateway import refusals
from fabric_hub.gateway.queries import sacct, sacctmgr, scontrol, sinfo, squeue
from fabric_hub.gateway.queries.parse import field_list
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.messages.texts import slurm_reasons as of_slurm
from fabric_hub.slurm.limits.model import GPU, Limits
from fabric_hub.slurm.model import Job, JobSpec
from scripts.record_slurm import HOSTILE, MARK, NAME, PREFIX, REFUSED

RECORDED = Path(__file__).parent / "recorded"
GENERATIONS = sorted(path.name for path in RECORDED.iterdir())
OWNER = f"{PREFIX}researcher"


class Answer(NamedTuple):
    """What was asked, and what came."""

    program: str
    arguments: list[str]
    environment: dict[str, str]
    status: int
    answer: str
    words: str


class Generation:
    """The answers of one generation of Slurm."""

    def __init__(self, name: str) -> None:
        self._directory = RECORDED / name
        self.about = self.read("about")
        self.number: dict[str, int] = self.about["jobs"]

    def read(self, name: str) -> Any:
        return json.loads((self._directory / f"{name}.json").read_text(encoding="utf-8"))

    def answers(self, name: str) -> list[Answer]:
        return [Answer(**answer) for answer in self.read(name)]

    def answer(self, name: str) -> Answer:
        (only,) = self.answers(name)
        return only


@pytest.fixture(params=GENERATIONS)
def slurm(request: pytest.FixtureRequest) -> Generation:
    return Generation(request.param)


def test_three_generations_are_recorded() -> None:
    assert set(GENERATIONS) >= {"22.05", "24.11", "26.05"}


def test_the_questions_are_those_that_are_asked_today(slurm: Generation) -> None:
    jobs, details, nodes = (slurm.answer(name) for name in ("jobs", "details", "nodes"))
    assert (jobs.arguments, jobs.environment) == (squeue.argv(), squeue.environment(squeue.JOB_FIELDS, MARK))
    assert details.arguments == squeue.argv(OWNER, NAME)
    assert details.environment == squeue.environment(squeue.DETAIL_FIELDS, MARK)
    assert nodes.arguments == sinfo.argv(sinfo.NODE_FIELDS, MARK)
    assert slurm.answer("node-reason").arguments == sinfo.argv(sinfo.REASON_FIELDS, MARK, "gpu2")
    assert slurm.answer("job").arguments == scontrol.job_argv(slurm.number[NAME])
    assert slurm.answer("reservations").arguments == list(scontrol.RESERVATIONS)
    assert [asked.arguments for asked in slurm.answers("limits")] == [list(scontrol.LIMITS), list(scontrol.PARTITIONS)]
    assert [asked.arguments for asked in slurm.answers("rules")] == [
        list(sacctmgr.RIGHTS), list(sacctmgr.QOS), list(scontrol.CONFIGURATION),
    ]  # fmt: skip
    ended = [slurm.number[name] for name in ("failed", "killed", "cancelled", "done")]
    assert slurm.answer("endings").arguments == sacct.argv(sacct.ENDED_FIELDS, ended)
    assert slurm.answer("cancelled-by").arguments == sacct.argv(sacct.CANCELLED_FIELDS, [slurm.number["cancelled"]])
    names, counts = slurm.answers("accounting")
    assert names.arguments[-3:] == sacct.names_form(MARK)
    assert counts.arguments[-2:] == sacct.counts_form()
    assert field_list(squeue.JOB_FIELDS, MARK) == jobs.environment["SQUEUE_FORMAT2"]


def test_every_job_of_the_queue_is_read(slurm: Generation) -> None:
    jobs = {job.job_id: job for job in squeue.jobs(slurm.answer("jobs").answer, MARK)}
    running = jobs[slurm.number[NAME]]
    assert (running.name, running.user, running.account, running.partition) == (NAME, OWNER, "proteins", "gpu")
    assert (running.state, running.node, running.limit_s, running.qos) == ("RUNNING", "gpu1", 20 * 3600, "normal")
    assert running.started_at
    assert running.ends_at == running.started_at + 20 * 3600
    assert "gres/gpu=1" in running.tres.split(",")
    later = jobs[slurm.number["later"]]
    assert (later.state, later.reason, later.started_at is not None, later.node) == ("PENDING", "BeginTime", True, "")
    spent = jobs[slurm.number["spent"]]
    assert (spent.state, spent.reason, spent.account) == ("PENDING", "AssocGrpGRESMinutes", "ml-course")
    hostile = jobs[slurm.number[HOSTILE]]
    assert (hostile.name, hostile.state) == (HOSTILE, "RUNNING")
    apart = [job for job in jobs.values() if job.array_id == slurm.number["apart"]]
    assert [job.array_tasks for job in apart] == ["0,2,4,6,8"]
    tasks = [job for job in jobs.values() if job.array_id == slurm.number["tasks"]]
    assert sorted((job.array_tasks, job.state) for job in tasks) == [("1", "RUNNING"), ("2", "RUNNING")]


def test_jobs_that_have_ended_say_how(slurm: Generation) -> None:
    jobs = {job.job_id: job for job in squeue.jobs(slurm.answer("jobs").answer, MARK)}
    ended = sacct.ended(slurm.answer("endings").answer)
    expected: dict[str, tuple[str, int | None, int | None]] = {
        "failed": ("FAILED", 3, None),
        "killed": ("FAILED", None, 9),
        "cancelled": ("CANCELLED", None, None),
        "done": ("COMPLETED", None, None),
    }
    for name, (state, status, signal) in expected.items():
        number = slurm.number[name]
        kept, recorded = jobs[number], ended[number]
        assert (kept.state, kept.exit_status or None, kept.exit_signal or None) == (state, status, signal), name
        assert (recorded[0], recorded[1] or None, recorded[2] or None) == (state, status, signal), name
        assert recorded[3] is not None
    assert sacct.cancelled_by(slurm.answer("cancelled-by").answer, slurm.number["cancelled"])


def test_a_job_is_found_by_name_and_by_number(slurm: Generation) -> None:
    (detail,) = squeue.details(slurm.answer("details").answer, MARK)
    assert (detail.job_id, detail.name, detail.user, detail.state) == (slurm.number[NAME], NAME, OWNER, "RUNNING")
    assert (detail.nodes, detail.comment) == ("gpu1", "datasets=a|b c=d")
    wanted = Job(job_id=slurm.number[NAME], name=NAME, user=OWNER, state="UNKNOWN")
    job = scontrol.job(slurm.answer("job").answer, wanted)
    (queued,) = [job for job in squeue.jobs(slurm.answer("jobs").answer, MARK) if job.job_id == wanted.job_id]
    told = ("state", "node", "account", "partition", "qos", "limit_s", "started_at", "ends_at", "submitted_at", "tres")
    assert {name: getattr(job, name) for name in told} == {name: getattr(queued, name) for name in told}
    none = slurm.answer("no-job")
    assert none.status != 0
    assert scontrol.is_no_such_job(none.words)


def test_nodes_tell_what_is_free_and_why_one_is_out(slurm: Generation) -> None:
    nodes = {node.name: node for node in sinfo.nodes(slurm.answer("nodes").answer, MARK)}
    assert set(nodes) == {"gpu1", "gpu2", "cpu1"}
    gpu1, gpu2, cpu1 = nodes["gpu1"], nodes["gpu2"], nodes["cpu1"]
    assert (gpu1.usable, gpu1.address, gpu1.gpus, gpu1.gpus_free) == (True, "127.0.0.1", {"h200": 2}, {"h200": 1})
    assert (gpu1.partitions, gpu1.cpus - gpu1.cpus_free) == (("gpu",), 1)
    assert gpu1.memory_mb - gpu1.memory_free_mb == 100
    assert (gpu2.usable, gpu2.reason, gpu2.gpus_free) == (False, "a disk | is=broken", {"h200": 0})
    assert gpu2.reason_since
    assert (cpu1.usable, cpu1.gpus, cpu1.reason) == (True, {}, "")
    assert cpu1.cpus - cpu1.cpus_free == 3
    reason, since = sinfo.node_reason(slurm.answer("node-reason").answer, MARK)
    assert (reason, since) == (gpu2.reason, gpu2.reason_since)


def test_reservations_say_when_and_where(slurm: Generation) -> None:
    course, spare = sorted(scontrol.reservations(slurm.answer("reservations").answer), key=lambda one: one.name)
    assert (course.name, course.nodes, course.ends_at - course.starts_at, course.flexible) == (
        "course", "cpu1", 90 * 60, False,
    )  # fmt: skip
    assert (spare.name, spare.nodes, spare.ends_at - spare.starts_at, spare.flexible) == ("spare", "gpu2", 3600, True)


def limits(slurm: Generation) -> Limits:
    """All limits with their rules, as the gateway puts them together."""
    shown, partitions = slurm.answers("limits")
    rights, qos_rules, config = slurm.answers("rules")
    associations, qos = scontrol.associations(shown.answer)
    found = Limits(associations=associations, qos=qos, partitions=scontrol.partitions(partitions.answer))
    found = sacctmgr.with_qos_rules(sacctmgr.with_rights(found, rights.answer), qos_rules.answer)
    return found.model_copy(update={"enforcement": scontrol.enforcement(config.answer)})


def test_limits_of_accounts_people_qos_and_partitions_are_read(slurm: Generation) -> None:
    found = limits(slurm)
    accounts = {association.account: association for association in found.associations if not association.user}
    people = {(one.account, one.user): one for one in found.associations if one.user}
    proteins, course = accounts["proteins"], accounts["ml-course"]
    assert proteins.parent == course.parent == "root"
    assert proteins.grp_tres_mins[GPU].limit
    assert course.grp_tres_mins[GPU].limit == 0
    assert (proteins.grp_tres["cpu"].limit, proteins.grp_tres["cpu"].used) == (64, 4)
    researcher = people["proteins", OWNER]
    assert researcher.parent == "proteins"
    assert set(researcher.qos) == {"normal", "high"}
    by_name = {qos.name: qos for qos in found.qos}
    assert {"normal", "high"} <= set(by_name)
    high = by_name["high"]
    assert (high.max_tres_per_user, high.usage_factor) == ({GPU: 2}, 2.0)
    assert {partition.name for partition in found.partitions} == {"gpu", "cpu"}
    assert (found.enforcement.limits, found.enforcement.qos, found.enforcement.safe) == (True, True, False)


def test_jobs_of_the_past_are_counted(slurm: Generation) -> None:
    names, counts = slurm.answers("accounting")
    jobs = {job.job_id: job for job in sacct.jobs(counts.answer, sacct.names(names.answer, MARK))}
    running = jobs[slurm.number[NAME]]
    assert (running.name, running.user, running.account, running.gpus) == (NAME, OWNER, "proteins", 1)
    assert (running.ended_at, running.cpus) == (None, 1)
    assert jobs[slurm.number["done"]].ended_at is not None
    assert slurm.number["later"] not in jobs


REASONS = {
    "account": texts.NO_ACCOUNT,
    "partition": texts.NO_PARTITION,
    "qos": texts.NO_QOS,
    "gres": texts.TOO_LARGE,
    "memory": texts.NO_MEMORY,
    "feature": texts.NO_FEATURE,
    "reservation": texts.NO_RESERVATION,
    "submissions": texts.SUBMIT_LIMIT,
}
AWAY = {"no-controller": of_slurm.CONTROLLER_SILENT, "no-munge": of_slurm.MUNGE_SILENT}


def test_every_refusal_is_told_for_what_it_is(slurm: Generation) -> None:
    said = slurm.read("refusals")
    assert set(said) == set(REFUSED) | set(AWAY)
    spec = JobSpec(account="proteins", partition="cpu", cpus=1, memory_mb=100, minutes=5)
    for name, reason in REASONS.items():
        assert refusals.refused(said[name], spec).reason == reason.label, said[name]
    for name, away in AWAY.items():
        problem = refusals.unavailable(refusals.read(said[name]).own)
        assert problem is not None, said[name]
        assert problem.code == away.code, said[name]
