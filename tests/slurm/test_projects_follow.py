"""A real Slurm follows the projects that are published: people, budgets, leaving, and nothing outside the parent."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.cli import doctor_projects
from fabric_hub.config.settings import Project
from fabric_hub.gateway.api import Health
from fabric_hub.gateway.client import GatewayClient, GatewayUnavailableError
from fabric_hub.gateway.projects.answers import ApplyBody, ProjectsApplied, ProjectsPlan
from fabric_hub.gateway.projects.reconciler import FEW_CLOSINGS
from fabric_hub.projects.document import FORMAT, as_json
from fabric_hub.projects.live import projects_file
from fabric_hub.slurm.limits.check import decide
from fabric_hub.slurm.limits.request import JobRequest
from fabric_hub.slurm.model import JobSpec
from tests.conftest import new_prefix
from tests.support.embedded_run import ROOT, EmbeddedRun, fabric_hub
from tests.support.waiting import until

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(not ROOT, reason="people have accounts of their own only where root makes them"),
]
PARENT = "fabric-projects"
WITHIN_S = 30.0


@dataclass
class Follow:
    """A cluster with its gateway; the catalogue service is halted, and the test publishes in its place."""

    run: EmbeddedRun
    serial: int = 1000
    projects: dict[str, Project] = field(default_factory=dict)

    def publish(self, **projects: Project | None) -> None:
        """Publish what is there, with changes; None takes a project away."""
        named = {name.replace("_", "-"): project for name, project in projects.items()}
        self.projects = {name: one for name, one in {**self.projects, **named}.items() if one is not None}
        self.serial += 1
        catalogue = self.run.settings.catalogue
        assert catalogue is not None
        path = projects_file(catalogue)
        kept = {name: as_json(project) for name, project in self.projects.items()}
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps({"format": FORMAT, "serial": self.serial, "projects": kept}))
        owner = path.parent.stat()
        os.chown(draft, owner.st_uid, owner.st_gid)
        draft.chmod(0o640)
        draft.replace(path)

    def ask(self, work: Callable[[GatewayClient], Any]) -> Any:
        async def asked() -> Any:
            async with GatewayClient(self.run.settings.gateway.socket) as gateway:
                return await work(gateway)

        return asyncio.run(asked())

    def plan(self) -> ProjectsPlan:
        found: ProjectsPlan = self.ask(lambda gateway: gateway.projects_plan())
        return found

    def apply(self, *, closings: bool = False) -> ProjectsApplied:
        done: ProjectsApplied = self.ask(lambda gateway: gateway.projects_apply(ApplyBody(closings=closings)))
        return done

    def health(self) -> Health:
        found: Health = self.ask(lambda gateway: gateway.health())
        return found

    def followed(self) -> None:
        """Wait until the gateway has followed what was published, by itself."""

        def done() -> bool:
            told = self.health().projects
            return told is not None and told.serial == self.serial

        until(done, f"the gateway has followed serial {self.serial}", WITHIN_S, seen=self.health)

    def restart_gateway(self, number: signal.Signals) -> None:
        """End the gateway by a signal; its supervisor starts it again."""
        before = self.run.pid("gateway")
        os.kill(before, number)

        def answers() -> bool:
            try:
                return self.health().uptime_s >= 0 and self.run.pid("gateway") != before
            except (GatewayUnavailableError, KeyError):
                return False

        until(answers, "the gateway answers again", 60, seen=lambda: self.run.logs(15))

    def sacctmgr(self, *arguments: str) -> str:
        return self.run.slurm("sacctmgr", "--immediate", "--quiet", *arguments)

    def association(self, account: str, user: str = "") -> dict[str, str]:
        """What Slurm's database has of an association; empty where it has none."""
        fields = ("parentname", "grptresmins", "grpsubmit", "maxsubmit", "user")
        where = [f"accounts={account}", *([f"users={self.run.unix_name(user)}"] if user else [])]
        show = ["-n", "-P", "show", "assoc", "where", *where, f"format={','.join(fields)}"]
        for line in self.run.slurm("sacctmgr", *show).splitlines():
            found = dict(zip(fields, line.split("|"), strict=True))
            if bool(found["user"]) == bool(user):
                return found
        return {}

    def sbatch(self, user: str, account: str, *options: str, seconds: int = 600) -> subprocess.CompletedProcess[str]:
        """Submit from a shell, as a person does who never saw the hub."""
        return self.run.as_user(
            user, "sbatch", "--parsable", "--export=NIL", f"--account={account}", "--partition=gpu", "--time=30",
            "--mem=50M", "--output=/dev/null", *options, input=f"#!/bin/sh\nexec sleep {seconds}\n",
        )  # fmt: skip

    def state(self, number: str) -> str:
        return self.run.slurm("squeue", "-h", "-j", number, "--states=all", "-o", "%T %r")


@pytest.fixture(scope="module")
def follow(sandbox: Path) -> Iterator[Follow]:
    run = EmbeddedRun.start(sandbox / "follow", "--prefix", new_prefix(), "--until", "gateway")
    with run.silent("catalogue"):
        yield Follow(run)
    run.remove()


def waves(**changed: Any) -> Project:
    made = {"account": "fh-waves", "members": {"owner": ["researcher"], "member": ["student1"]}, "budget_gpu_hours": 5}
    return Project.model_validate(made | changed)


@pytest.fixture
def kept(follow: Follow) -> Iterator[Follow]:
    """The same with project ``waves`` as it begins, and nothing changed by hand."""
    follow.publish(waves=waves())
    follow.followed()
    assert not follow.plan().steps
    yield follow
    for number in follow.run.slurm("squeue", "-h", "-o", "%i").split():
        follow.run.slurm("scancel", number)


def test_account_people_and_budget_appear_and_a_job_is_charged_to_the_account(kept: Follow) -> None:
    account = kept.association("fh-waves")
    assert (account["parentname"], account["grptresmins"]) == (PARENT, "gres/gpu=300")
    assert kept.association("fh-waves", "student1")
    assert not kept.association("fh-waves", "student2")
    submitted = kept.sbatch("student1", "fh-waves", "--gres=gpu:1")
    assert submitted.returncode == 0, submitted.stderr
    number = submitted.stdout.strip()
    until(lambda: kept.state(number).startswith("RUNNING"), "it runs", 50, seen=lambda: kept.state(number))
    kept.run.slurm("scancel", number)

    def charged() -> str:
        return kept.run.slurm("sacct", "-n", "-P", "-X", "-j", number, "--format=account,user,state")

    who = kept.run.unix_name("student1")
    until(lambda: charged().startswith(f"fh-waves|{who}|CANCELLED"), "it is charged", 30, seen=charged)
    refused = kept.sbatch("student2", "fh-waves")
    assert refused.returncode != 0
    assert "Invalid account" in refused.stderr


def test_a_round_without_a_change_asks_slurm_at_most_five_times(kept: Follow) -> None:
    kept.apply()
    told = kept.health().projects
    assert told is not None
    assert 1 <= told.calls <= 5
    done = kept.apply()
    assert (done.done, done.left, done.drift) == ((), (), ())
    assert done.calls <= 5


def test_a_budget_below_what_is_used_is_refused_in_words_and_a_raised_one_lets_the_job_start(kept: Follow) -> None:
    spec = JobSpec(account="fh-waves", partition="gpu", cpus=1, gres=("gpu:1",), minutes=30)
    request = JobRequest.of(spec, kept.run.unix_name("student1"))

    def decision() -> Any:
        now = time.time()

        async def read(gateway: GatewayClient) -> Any:
            return decide(await gateway.limits(None, 20.0, now), await gateway.snapshot(), request, now)

        return kept.ask(read)

    until(lambda: not decision().refused, "it is within the budget", 60, seen=decision)
    kept.publish(waves=waves(budget_gpu_hours=0))
    kept.followed()
    refused = until(lambda: (found := decision()).refused and found, "it is refused", 60, seen=decision)
    assert str(refused.message).startswith("The budget of account fh-waves has run out: ")
    number = kept.sbatch("student1", "fh-waves", "--gres=gpu:1").stdout.strip()
    until(lambda: "AssocGrpGRESMinutes" in kept.state(number), "Slurm holds it", 50, seen=lambda: kept.state(number))
    kept.publish(waves=waves(budget_gpu_hours=9))
    kept.followed()
    until(lambda: kept.state(number).startswith("RUNNING"), "it starts", 60, seen=lambda: kept.state(number))
    until(lambda: not decision().refused, "the next one is not refused", 60, seen=decision)


def test_who_leaves_is_refused_by_slurm_itself_within_seconds_and_may_again_when_they_are_back(kept: Follow) -> None:
    assert kept.sbatch("student1", "fh-waves", seconds=1).returncode == 0
    began = time.monotonic()
    kept.publish(waves=waves(members={"owner": ["researcher"]}))
    until(lambda: kept.association("fh-waves", "student1")["maxsubmit"] == "0", "they are closed", WITHIN_S)
    assert time.monotonic() - began < 15
    refused = kept.sbatch("student1", "fh-waves")
    assert refused.returncode != 0
    assert "MaxSubmit" in refused.stderr
    assert kept.sbatch("researcher", "fh-waves", seconds=1).returncode == 0
    assert kept.sbatch("student1", "ml-course", seconds=1).returncode == 0, "elsewhere nothing has changed"
    kept.publish(waves=waves())
    kept.followed()
    assert kept.sbatch("student1", "fh-waves", seconds=1).returncode == 0


@pytest.mark.parametrize("why", [{"paused": "an audit"}, {"end": "2026-01-31"}])
def test_a_project_that_is_paused_or_over_takes_no_job_and_goes_on_afterwards(
    kept: Follow, why: dict[str, str]
) -> None:
    kept.publish(waves=waves(**why))
    kept.followed()
    for user in ("researcher", "student1"):
        refused = kept.sbatch(user, "fh-waves")
        assert refused.returncode != 0
        assert "GrpSubmit" in refused.stderr
    kept.publish(waves=waves())
    kept.followed()
    assert kept.sbatch("student1", "fh-waves", seconds=1).returncode == 0


def test_what_is_changed_by_hand_is_shown_and_stays(kept: Follow) -> None:
    who = kept.run.unix_name("staff")
    kept.sacctmgr("modify", "account", "fh-waves", "set", "GrpTRESMins=gres/gpu=77,cpu=4000")
    kept.sacctmgr("add", "user", who, "account=fh-waves", "cluster=fabric")
    kept.sacctmgr("add", "account", "by-hand", f"parent={PARENT}", "cluster=fabric")
    try:
        kept.publish(waves=waves(budget_gpu_hours=6))
        kept.followed()
        found = kept.plan()
        assert not found.steps
        assert sorted(told.code for told in found.drift) == ["drift-account", "drift-budget", "drift-user"]
        assert "gres/gpu=77" in kept.association("fh-waves")["grptresmins"]
        assert kept.association("fh-waves", "staff")["maxsubmit"] == ""
        said = fabric_hub("projects", "plan", "--site", str(kept.run.site)).stdout
        assert f"{who} may use account fh-waves, and is not in its project: somebody added them by hand" in said
        assert "-> sacctmgr modify account fh-waves set GrpTRESMins=gres/gpu=360" in said
        # its remedy, taken: a limit of another kind stays
        kept.sacctmgr("modify", "account", "fh-waves", "set", "GrpTRESMins=gres/gpu=360")
        assert "drift-budget" not in [told.code for told in kept.apply().drift]
        kept.publish(waves=waves(budget_gpu_hours=8))
        kept.followed()
        minutes = kept.association("fh-waves")["grptresmins"]
        assert sorted(minutes.split(",")) == ["cpu=4000", "gres/gpu=480"]
    finally:
        kept.sacctmgr("delete", "user", who, "account=fh-waves", "cluster=fabric")
        kept.sacctmgr("delete", "account", "by-hand", "cluster=fabric")
        kept.sacctmgr("modify", "account", "fh-waves", "set", "GrpTRESMins=cpu=-1")


def test_the_gateway_is_coordinator_of_the_parent_account_and_slurm_refuses_it_elsewhere(kept: Follow) -> None:
    gateway = kept.run.unix_name("gateway")
    assert kept.run.slurm("sacctmgr", "-n", "-P", "show", "user", gateway, "format=adminlevel") == "None"
    before = kept.association("proteins"), kept.association("ml-course", "student1"), kept.association(PARENT)
    tried = [
        ["modify", "account", "where", "names=proteins", "set", "GrpTRESMins=gres/gpu=1"],
        ["modify", "user", "where", "names=" + kept.run.unix_name("student1"), "accounts=ml-course", "set",
         "MaxSubmitJobs=0"],
        ["modify", "account", "where", f"names={PARENT}", "set", "GrpTRESMins=gres/gpu=1"],
        ["add", "account", "names=stolen", "parent=root", "cluster=fabric"],
        ["add", "user", f"names={gateway}", "accounts=proteins", "cluster=fabric"],
        ["add", "qos", "names=mine"],
        ["modify", "user", "where", f"names={gateway}", "set", "adminlevel=Administrator"],
    ]  # fmt: skip
    for arguments in tried:
        done = kept.run.as_user("gateway", "sacctmgr", "--immediate", "--quiet", *arguments)
        assert done.returncode != 0, arguments
    assert before == (kept.association("proteins"), kept.association("ml-course", "student1"), kept.association(PARENT))
    assert not kept.association("stolen")
    assert kept.run.slurm("sacctmgr", "-n", "-P", "show", "user", gateway, "format=adminlevel") == "None"


def test_a_project_whose_account_is_elsewhere_is_told_and_nothing_there_changes(kept: Follow) -> None:
    before = kept.association("proteins")
    kept.publish(folding=waves(account="proteins", budget_gpu_hours=1))
    try:
        kept.followed()
        found = kept.plan()
        assert not found.steps
        (told,) = found.problems
        assert str(told) == (
            f"Account proteins of project folding is not below {PARENT} in Slurm, so nothing of it is changed."
        )
        assert kept.association("proteins") == before
        assert not kept.association("proteins", "student1")
    finally:
        kept.publish(folding=None)
        kept.followed()


def test_what_slurm_does_not_let_the_gateway_do_is_explained_and_done_once_it_may(kept: Follow) -> None:
    gateway = kept.run.unix_name("gateway")
    kept.sacctmgr("delete", "coordinator", f"account={PARENT}", f"names={gateway}")
    try:
        kept.publish(tides=waves(account="fh-tides"))
        kept.followed()
        told = kept.apply()
        denied = next(problem for problem in told.problems if problem.code == "follow-denied")
        assert f"Slurm does not let {gateway} do this: make account fh-tides below {PARENT}." in str(denied)
        assert f"sacctmgr add coordinator account={PARENT} names={gateway}" in str(denied.hint)
    finally:
        kept.sacctmgr("add", "coordinator", f"account={PARENT}", f"names={gateway}")
    told = kept.apply()
    assert not told.left, told.problems
    assert kept.association("fh-tides", "student1")


def test_a_project_that_is_gone_is_closed_on_an_operators_word_only(kept: Follow) -> None:
    kept.publish(tides=waves(account="fh-tides"))
    kept.followed()
    kept.publish(tides=None)
    kept.followed()
    assert kept.association("fh-tides")["grpsubmit"] == ""
    told = kept.apply()
    assert [problem.code for problem in told.problems] == ["follow-closings-wait"]
    assert len(told.left) == 1 <= FEW_CLOSINGS
    done = fabric_hub("projects", "apply", "--closings", "--site", str(kept.run.site))
    assert done.returncode == 0, done.stdout
    assert "let nobody submit anything more in account fh-tides (GrpSubmitJobs=0)" in done.stdout
    assert kept.association("fh-tides")["grpsubmit"] == "0"


def test_a_gateway_that_begins_anew_knows_which_limits_are_its_own(kept: Follow) -> None:
    kept.restart_gateway(signal.SIGKILL)
    kept.publish(waves=waves(budget_gpu_hours=7))
    kept.followed()
    assert kept.association("fh-waves")["grptresmins"] == "gres/gpu=420"


def test_the_doctor_names_what_is_right_and_what_a_coordinator_lacks(kept: Follow) -> None:
    gateway, slurm = kept.run.unix_name("gateway"), kept.run.settings.slurm
    assert slurm is not None

    def found() -> list[tuple[str, str, str]]:
        lines = doctor_projects.of_gateway(slurm, gateway, {})
        return [(line.state, str(line.about), str(line.remedy)) for line in lines]

    configuration, parent, coordinator = found()
    # the embedded Slurm begins to count anew each year
    assert configuration[:2] == (
        "NOTE", "A budget is not for ever: Slurm counts from zero again (PriorityUsageResetPeriod=YEARLY)."
    )  # fmt: skip
    assert parent == ("OK", f"the parent account of projects, {PARENT}, in Slurm", "")
    assert coordinator == ("OK", f"{gateway} may change accounts below {PARENT} in Slurm", "")
    kept.sacctmgr("delete", "coordinator", f"account={PARENT}", f"names={gateway}")
    try:
        assert found()[-1] == (
            "PROBLEM",
            f"{gateway} is no coordinator of {PARENT} in Slurm, so no account follows its project",
            f"sacctmgr add coordinator account={PARENT} names={gateway}",
        )
    finally:
        kept.sacctmgr("add", "coordinator", f"account={PARENT}", f"names={gateway}")


def test_where_use_decays_the_plan_says_that_a_budget_is_not_for_ever(kept: Follow) -> None:
    with kept.run.while_in_slurm("PriorityDecayHalfLife=7-0\nPriorityUsageResetPeriod=NONE"):
        kept.restart_gateway(signal.SIGTERM)  # it asks for the configuration when it begins, and once an hour
        (note,) = kept.plan().notes
        assert re.search(r"^A budget is not for ever: Slurm forgets half .* every 7-00:00:00", str(note))
        assert "NoDecay" in str(note.hint)
