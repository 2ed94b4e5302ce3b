"""``fabric-hub projects plan | apply`` say what is to be done, what was done, and what was changed by hand."""

from __future__ import annotations

from typing import Any, Self

import pytest

from fabric_hub import cli
from fabric_hub.cli import project_accounts
from fabric_hub.errors import FabricError
from fabric_hub.gateway.projects.answers import ApplyBody, ProjectsApplied, ProjectsPlan
from fabric_hub.messages.texts import slurm_projects as texts
from fabric_hub.slurm.associations import AddAccount, AddUser, Close

STEPS = (AddAccount(account="w", parent="fabric"), AddUser(account="w", user="bo"))
DRIFT = (texts.USER_BY_HAND(account="w", user="eve"),)
PROBLEM = texts.ELSEWHERE(account="v", project="v", parent="fabric")


class Gateway:
    """A gateway that answers what a test has put there."""

    plan, applied = ProjectsPlan(parent="fabric", owner="fabric", serial=1), ProjectsApplied(parent="fabric", serial=1)
    body: ApplyBody | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def projects_plan(self) -> ProjectsPlan:
        return ProjectsPlan.model_validate_json(self.plan.model_dump_json())

    async def projects_apply(self, body: ApplyBody) -> ProjectsApplied:
        self.body = body
        return ProjectsApplied.model_validate_json(self.applied.model_dump_json())


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    made = Gateway()
    monkeypatch.setattr(project_accounts, "_client", lambda arguments: made)
    return made


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = cli.main(["projects", *arguments])
    return status, capsys.readouterr().out


def test_a_plan_without_steps_says_so(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "plan") == (0, "Slurm is as the projects say.\n")
    assert said(capsys, "apply") == (0, "Slurm is as the projects say.\n")
    assert gateway.body == ApplyBody(closings=False)


def test_a_plan_has_steps_what_was_changed_by_hand_and_what_stands_in_the_way(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.plan = gateway.plan.model_copy(update={"steps": STEPS, "drift": DRIFT, "problems": (PROBLEM,)})
    assert said(capsys, "plan")[1].splitlines() == [
        "2 steps to do:",
        "  make account w below fabric",
        "  let bo use account w",
        "1 thing was changed by hand and stays as it is:",
        "  eve may use account w, and is not in its project: somebody added them by hand",
        "    -> add them to the project, or: sacctmgr delete user eve where account=w",
        "Account v of project v is not below fabric in Slurm, so nothing of it is changed.",
        "  -> sacctmgr modify account v set parent=fabric",
    ]


def test_what_was_done_and_what_is_left_are_told_apart_and_the_status_says_whether_all_was(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    left = (Close(account="w", user="eve"),)
    gateway.applied = gateway.applied.model_copy(update={"done": STEPS[:1], "left": left})
    status, told = said(capsys, "apply", "--closings")
    assert status == 1
    assert told.splitlines() == [
        "1 step done.",
        "  make account w below fabric",
        "1 step to do:",
        "  let eve submit nothing more in account w (MaxSubmitJobs=0)",
    ]
    assert gateway.body == ApplyBody(closings=True)


def test_where_another_system_makes_accounts_the_plan_begins_with_that(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.plan = gateway.plan.model_copy(update={"owner": "outside"})
    assert said(capsys, "plan")[1].startswith('Another system makes the accounts (slurm.projects = "outside")')


def test_a_site_without_a_parent_account_is_told_what_to_do(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refuse(*_: Any) -> ProjectsPlan:
        raise FabricError(texts.NO_PARENT_SET())

    monkeypatch.setattr(Gateway, "projects_plan", refuse)
    assert cli.main(["projects", "plan"]) == 1
    assert "Slurm does not follow the projects here: the site's file names no slurm.parent_account." in (
        capsys.readouterr().err
    )


def test_several_things_are_told_as_several() -> None:
    assert str(texts.DONE(n=2)) == "2 steps done."
    assert str(texts.BY_HAND(n=2)) == "2 things were changed by hand and stay as they are:"
