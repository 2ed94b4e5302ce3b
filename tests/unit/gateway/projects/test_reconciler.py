"""When Slurm is made to follow the projects, and when that waits for an operator, or is another system's."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from fabric_hub.config.settings import Project
from fabric_hub.config.users import UserSettings
from fabric_hub.errors import FabricError
from fabric_hub.gateway import rate_limit
from fabric_hub.gateway.projects.answers import ProjectsApplied
from fabric_hub.gateway.projects.reconciler import FEW_CLOSINGS, NEXT_CLOSINGS_S, Reconciler, notes
from fabric_hub.gateway.projects.record import Record
from fabric_hub.gateway.queries.queries import Turn, UnavailableError
from fabric_hub.messages.texts.accounts import UNKNOWN_ACCOUNT
from fabric_hub.messages.texts.slurm_reasons import DATABASE_SILENT
from fabric_hub.projects.document import FORMAT, as_json
from fabric_hub.projects.live import LiveProjects
from fabric_hub.slurm.associations import NO_LIMIT, AccountingRules, AccountTree, SlurmAccount
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from tests.support.builders import a_site

PEOPLE = [f"u{number}" for number in range(FEW_CLOSINGS + 2)]
CLUSTER = "fabric"


class Slurm:
    """Slurm's database as the reconciler uses it: what sacctmgr is given is parsed again, and done."""

    def __init__(self) -> None:
        self.accounts = {"root": SlurmAccount(), "fabric": SlurmAccount(parent="root")}
        self.rules = AccountingRules(cluster=CLUSTER, resets="YEARLY", enforced=frozenset({"limits"}))
        self.asked = 0
        self.changed: list[list[str]] = []
        self.refusal = self.refuses = ""
        self.is_silent = False

    async def accounting_rules(self, turn: Turn) -> AccountingRules:
        await turn()
        self.asked += 1
        return self.rules

    async def account_tree(self, cluster: str, turn: Turn) -> AccountTree:
        await turn()
        self.asked += 1
        if self.is_silent:
            raise UnavailableError(DATABASE_SILENT())
        assert cluster == CLUSTER
        return AccountTree(accounts=dict(self.accounts))

    async def change_accounts(self, arguments: Sequence[str]) -> str:
        self.changed.append(list(arguments))
        if self.refusal:
            return self.refusal
        if self.refuses and any(word.startswith(self.refuses) for word in arguments):
            return "Unknown option"
        named = dict(word.split("=", 1) for word in arguments if "=" in word)
        assert named["cluster"] == CLUSTER
        account = named.get("accounts", named["names"])
        known = self.accounts.get(account, SlurmAccount(parent=named.get("parent", "")))
        change: dict[str, object] = {}
        if "user" in arguments:
            limit = int(named.get("MaxSubmitJobs", NO_LIMIT))
            change = {"users": {**known.users, **dict.fromkeys(named["names"].split(","), limit)}}
        elif "GrpTRESMins" in named:
            change = {"gpu_minutes": int(arguments[-1].rpartition("=")[2])}
        elif "GrpSubmitJobs" in named:
            change = {"submit": int(named["GrpSubmitJobs"])}
        self.accounts[account] = known.model_copy(update=change)
        return ""


class Site:
    """A gateway's part in it: a site, its projects as published, and Slurm."""

    def __init__(self, directory: Path, more: str = "") -> None:
        self.path = directory / "projects.json"
        own = a_site(directory, "")
        assert own.slurm is not None
        slurm = own.slurm.model_copy(update={"parent_account": "fabric", "projects": more or "fabric"})
        self.live = LiveProjects({}, self.path, frozenset({os.geteuid()}), clock=lambda: self.now)
        self.settings = own.model_copy(update={"project": self.live, "slurm": slurm})
        self.slurm, self.record, self.now = Slurm(), Record(None, "fabric"), 100.0
        self.reconciler = Reconciler(
            self.settings,
            slurm,
            self.slurm,
            self.record,
            rate_limit.Bucket(1000.0, 1000.0),
            resolve=self.resolve,
            clock=lambda: self.now,
            today=lambda: date(2026, 12, 1),
        )
        self.serial = 0

    @staticmethod
    def resolve(user: str, users: UserSettings) -> None:
        """Everybody has an account but eve."""
        if user == "eve":
            raise FabricError(UNKNOWN_ACCOUNT(account=user, user=user))

    def publish(self, **projects: Project) -> None:
        self.serial += 1
        kept = {name: as_json(project) for name, project in projects.items()}
        self.path.unlink(missing_ok=True)
        self.path.write_text(json.dumps({"format": FORMAT, "serial": self.serial, "projects": kept}))
        self.path.chmod(0o640)
        self.live.look()

    def apply(self, *, closings: bool = False) -> ProjectsApplied:
        self.now += 60.0
        return asyncio.run(self.reconciler.apply(closings=closings))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def waves(*people: str) -> Project:
    members = {"owner": ["anna"], "member": people}
    return Project.model_validate({"account": "fh-waves", "members": members, "budget_gpu_hours": 10})


def test_until_the_projects_are_known_nothing_is_asked_and_nobody_closed(site: Site) -> None:
    with pytest.raises(FabricError) as error:
        site.apply()
    assert error.value.reason == "follow-not-known"
    assert site.slurm.asked == 0


def test_what_is_applied_is_there_and_the_next_round_asks_one_question(site: Site) -> None:
    site.publish(waves=waves("bo"))
    told = site.apply()
    assert len(told.done) == 4
    assert not told.left
    assert site.slurm.accounts["fh-waves"] == SlurmAccount(
        parent="fabric", gpu_minutes=600, users={"anna": NO_LIMIT, "bo": NO_LIMIT}
    )
    again = site.apply()
    assert (again.done, again.left, again.drift, again.problems, again.calls) == ((), (), (), (), 1)
    health = site.reconciler.health
    assert (health.serial, health.calls, [note.code for note in health.notes]) == (1, 1, ["follow-resets"])


def test_of_many_who_leave_the_first_are_closed_at_once_and_the_others_in_the_next_round(site: Site) -> None:
    site.publish(waves=waves(*PEOPLE))
    site.apply()
    site.publish(waves=waves(PEOPLE[0]))
    told = site.apply()
    assert (len(told.done), len(told.left)) == (FEW_CLOSINGS, 1)
    assert [problem.code for problem in told.problems] == ["follow-closings-follow"]
    assert str(told.problems[0]) == "Many people left at once: 1 closing follows in a few seconds."
    assert site.reconciler.health.left == len(told.left)
    assert not site.reconciler._is_due()
    site.now += NEXT_CLOSINGS_S
    assert site.reconciler._is_due()
    again = site.apply()
    assert (len(again.done), again.left, again.problems) == (1, (), ())


def test_projects_that_are_gone_wait_for_an_operator(site: Site) -> None:
    site.publish(waves=waves(*PEOPLE[:2]))
    site.apply()
    site.publish()
    told = site.apply()
    assert (len(told.done), len(told.left)) == (0, 1)
    assert site.slurm.accounts["fh-waves"].submit == NO_LIMIT


def test_few_who_leave_are_closed_without_anybodys_word(site: Site) -> None:
    site.publish(waves=waves(*PEOPLE))
    site.apply()
    site.publish(waves=waves(*PEOPLE[1:]))
    assert len(site.apply().done) == 1
    assert site.slurm.accounts["fh-waves"].users[PEOPLE[0]] == 0


def test_somebody_without_an_account_is_told_and_the_others_are_added(site: Site) -> None:
    site.publish(waves=waves("bo", "eve"))
    told = site.apply()
    (problem,) = told.problems
    assert problem.code == "follow-not-added"
    assert str(problem).startswith("eve is not added to account fh-waves: ")
    assert set(site.slurm.accounts["fh-waves"].users) == {"anna", "bo"}


def test_a_parent_that_slurm_does_not_have_is_named_with_the_remedy(site: Site) -> None:
    site.slurm.accounts.pop("fabric")
    site.publish(waves=waves())
    told = site.apply()
    assert not site.slurm.changed
    assert told.problems[0].code == "follow-no-parent"
    assert str(told.problems[0].hint).startswith("sacctmgr add account fabric; sacctmgr add coordinator account=fabric")


@pytest.mark.parametrize(
    ("words", "code"), [("Problem: Access/permission denied", "follow-denied"), ("No such thing", "follow-failed")]
)
def test_what_slurm_refuses_is_quoted_and_tried_again(site: Site, words: str, code: str) -> None:
    site.publish(waves=waves())
    site.slurm.refusal = words
    told = site.apply()
    assert {problem.code for problem in told.problems} == {code}
    assert words in str(told.problems[0])
    site.slurm.refusal = ""
    assert not site.apply().left


def test_nobody_is_let_into_an_account_whose_budget_slurm_refuses(site: Site) -> None:
    site.slurm.refuses = "GrpTRESMins"
    site.publish(waves=waves("bo"))
    told = site.apply()
    assert [step.do for step in told.done] == ["add-account"]
    assert [step.do for step in told.left] == ["set-budget", "add-user", "add-user"]
    assert not site.slurm.accounts["fh-waves"].users
    assert not site.apply().done
    site.slurm.refuses = ""
    assert not site.apply().left
    # more than is there now may be refused: what is there holds
    site.slurm.refuses = "GrpTRESMins"
    site.publish(waves=waves("bo", "cas").model_copy(update={"budget_gpu_hours": 20}))
    assert [step.do for step in site.apply().left] == ["set-budget"]
    assert "cas" in site.slurm.accounts["fh-waves"].users


def test_a_database_that_does_not_answer_is_told_and_asked_again_later_and_later(site: Site) -> None:
    site.publish(waves=waves())
    site.slurm.is_silent = True
    for wait_s in (15.0, 30.0, 60.0):
        with pytest.raises(SlurmUnavailableError):
            site.apply()
        assert site.reconciler.health.problem
        assert not site.reconciler._is_due()
        site.now += wait_s
        assert site.reconciler._is_due()
    site.slurm.is_silent = False
    site.apply()
    assert not site.reconciler.health.problem
    assert not site.reconciler._is_due()
    site.publish(waves=waves("bo"))
    assert site.reconciler._is_due(), "a change is followed at once"


def test_where_another_system_makes_accounts_the_plan_is_shown_and_nothing_is_changed(tmp_path: Path) -> None:
    site = Site(tmp_path, "outside")
    site.publish(waves=waves())
    shown = asyncio.run(site.reconciler.plan())
    assert (shown.owner, len(shown.steps)) == ("outside", 3)
    with pytest.raises(FabricError) as error:
        site.apply()
    assert error.value.reason == "follow-outside"
    assert not site.slurm.changed


def test_what_makes_a_budget_less_than_for_ever_is_told_with_the_remedy() -> None:
    kept = frozenset({"associations", "limits"})
    assert notes(AccountingRules(cluster=CLUSTER, enforced=kept)) == ()
    told = notes(AccountingRules(cluster=CLUSTER, decays="7-00:00:00", resets="YEARLY"))
    assert [note.code for note in told] == ["follow-decays", "follow-resets", "follow-not-enforced"]
    assert "NoDecay" in str(told[0].hint)
