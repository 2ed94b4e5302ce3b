"""sacctmgr's associations are read as a tree, and every change is one list of arguments that names what it is about."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from fabric_hub.gateway.queries import associations
from fabric_hub.gateway.queries.parse import GarbledError
from fabric_hub.slurm.associations import (
    NO_LIMIT,
    AddAccount,
    AddUser,
    Close,
    Reopen,
    SetBudget,
    SlurmAccount,
    Step,
)

WHERE = "cluster=fabric"
RECORDED = Path(__file__).parent / "slurm_answers" / "associations-22.05.txt"


def words(*steps: Step) -> list[list[str]]:
    return [change.argv for change in associations.changes(steps, "fabric")]


def test_people_of_one_account_go_together_and_every_name_stands_behind_its_keyword() -> None:
    add = [AddUser(account="w", user="anna"), AddUser(account="w", user="bo"), AddUser(account="v", user="bo")]
    said = words(AddAccount(account="w", parent="fabric"), *add)
    assert said == [
        ["--immediate", "--quiet", "add", "account", "names=w", "parent=fabric", WHERE, "description=project",
         "organization=fabric-hub"],
        ["--immediate", "--quiet", "add", "user", "names=anna,bo", "accounts=w", WHERE],
        ["--immediate", "--quiet", "add", "user", "names=bo", "accounts=v", WHERE],
    ]  # fmt: skip


def test_limits_are_set_where_they_belong() -> None:
    modify = ["--immediate", "--quiet", "modify"]
    assert words(
        SetBudget(account="w", minutes=600),
        SetBudget(account="w", minutes=NO_LIMIT),
        Close(account="w"),
        Close(account="w", user="anna"),
        Reopen(account="w", user="anna", limit=5),
    ) == [
        [*modify, "account", "where", "names=w", WHERE, "set", "GrpTRESMins=gres/gpu=600"],
        [*modify, "account", "where", "names=w", WHERE, "set", "GrpTRESMins=gres/gpu=-1"],
        [*modify, "account", "where", "names=w", WHERE, "set", "GrpSubmitJobs=0"],
        [*modify, "user", "where", "names=anna", "accounts=w", WHERE, "set", "MaxSubmitJobs=0"],
        [*modify, "user", "where", "names=anna", "accounts=w", WHERE, "set", "MaxSubmitJobs=5"],
    ]


@pytest.mark.parametrize("name", ["a,b", "a b", "a=b", "-a", "", "a\nb", "a;b", "a" * 65])
def test_a_name_that_could_be_another_argument_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError):
        AddUser(account="w", user=name)
    with pytest.raises(ValidationError):
        AddAccount(account=name, parent="fabric")


def test_what_slurm_22_05_answers_is_a_tree_with_people_budgets_and_closed_doors() -> None:
    found = associations.tree(RECORDED.read_text(encoding="utf-8"))
    assert found.accounts["fh-waves"] == SlurmAccount(
        parent="fabric-projects", gpu_minutes=300, users={"demo-researcher": NO_LIMIT, "demo-student1": NO_LIMIT}
    )
    assert found.accounts["operators"] == SlurmAccount(parent="root", submit=0, users={"demo-gateway": NO_LIMIT})
    assert found.below("fabric-projects") == {"fh-waves"}
    assert found.below("root") == found.accounts.keys() - {"root"}


def test_somebody_with_an_association_for_each_partition_has_the_largest_limit() -> None:
    text = "root||||||\nw|||root|cpu=5,gres/gpu=600|9|\nw|anna|gpu||||0\nw|anna|cpu||||4\n"
    found = associations.tree(text).accounts["w"]
    assert found == SlurmAccount(parent="root", gpu_minutes=600, submit=9, users={"anna": 4})


@pytest.mark.parametrize(
    "text", ["", "w|||root|||\n", "root||||||\nw|||root|||", "root|||||\n", "root||||||\nw|anna|||||\n"]
)
def test_half_an_answer_is_none(text: str) -> None:
    with pytest.raises(GarbledError):
        associations.tree(text)


@pytest.mark.parametrize(
    ("config", "decays", "resets"),
    [
        ("ClusterName = c\nPriorityDecayHalfLife   = 7-00:00:00\nPriorityUsageResetPeriod = NONE\n", "7-00:00:00", ""),
        ("ClusterName = c\nPriorityDecayHalfLife   = 00:00:00\nPriorityUsageResetPeriod = YEARLY\n", "", "YEARLY"),
        ("ClusterName = c\n", "", ""),
    ],
)
def test_what_budgets_rest_on_is_in_the_configuration(config: str, decays: str, resets: str) -> None:
    rules = associations.accounting_rules(config)
    assert (rules.cluster, rules.decays, rules.resets) == ("c", decays, resets)
    with pytest.raises(GarbledError):
        associations.accounting_rules("PriorityType = priority/basic\n")
