"""Slurm follows the projects, touches nothing outside their parent account, and leaves what people set by hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date

import pytest

from fabric_hub.config.settings import Project
from fabric_hub.gateway.projects.plan import Applied, Key, described, effects, plan
from fabric_hub.gateway.projects.wanted import Wanted, wanted
from fabric_hub.slurm.associations import (
    CLOSED,
    NO_LIMIT,
    AccountTree,
    AddAccount,
    AddUser,
    Close,
    Reopen,
    SetBudget,
    SlurmAccount,
    Step,
)

PARENT = "fabric"
DAY = date(2026, 12, 1)
WAVES = Wanted(("waves",), True, 600, {"anna": "anna", "bo": "bo"})
EMPTY = AccountTree(accounts={"root": SlurmAccount(), PARENT: SlurmAccount(parent="root")})


def tree(**accounts: SlurmAccount) -> AccountTree:
    below = {name.replace("_", "-"): account for name, account in accounts.items()}
    return AccountTree(accounts={**EMPTY.accounts, **below})


def waves(**changed: object) -> SlurmAccount:
    as_wanted = {"parent": PARENT, "gpu_minutes": 600, "users": {"anna": NO_LIMIT, "bo": NO_LIMIT}}
    return SlurmAccount.model_validate(as_wanted | changed)


def on_record(**changed: Applied) -> dict[Key, Applied]:
    """All of account fh-waves as we made it; ``account``, ``budget``, ``anna`` and ``bo`` may be another."""
    keys = {
        "account": Key("fh-waves", "", "submit"),
        "budget": Key("fh-waves", "", "budget"),
        "anna": Key("fh-waves", "anna", "submit"),
        "bo": Key("fh-waves", "bo", "submit"),
    }
    known = {name: Applied(600 if name == "budget" else NO_LIMIT) for name in keys}
    return {keys[name]: applied for name, applied in (known | changed).items()}


def test_a_new_project_gets_account_budget_and_people_in_this_order() -> None:
    made = plan({"fh-waves": WAVES}, EMPTY, {}, PARENT)
    assert made.steps == (
        AddAccount(account="fh-waves", parent=PARENT),
        SetBudget(account="fh-waves", minutes=600),
        AddUser(account="fh-waves", user="anna"),
        AddUser(account="fh-waves", user="bo"),
    )
    assert not made.drift
    assert not made.problems


def test_what_is_as_it_should_be_needs_no_step_and_is_put_on_record_once() -> None:
    first = plan({"fh-waves": WAVES}, tree(fh_waves=waves()), {}, PARENT)
    assert not first.steps
    assert {key: Applied(value) for key, value in first.adopted.items()} == on_record()
    again = plan({"fh-waves": WAVES}, tree(fh_waves=waves()), on_record(), PARENT)
    assert (again.steps, again.drift, again.problems, again.adopted) == ((), (), (), {})


def test_a_budget_of_ours_follows_and_one_that_was_set_by_hand_is_shown_and_left() -> None:
    more = WAVES._replace(gpu_minutes=1200)
    ours = plan({"fh-waves": more}, tree(fh_waves=waves()), on_record(), PARENT)
    assert ours.steps == (SetBudget(account="fh-waves", minutes=1200, before=600),)
    by_hand = plan({"fh-waves": more}, tree(fh_waves=waves(gpu_minutes=900)), on_record(), PARENT)
    assert not by_hand.steps
    (told,) = by_hand.drift
    assert told.code == "drift-budget"
    assert str(told) == (
        "account fh-waves has 15 GPU-hours in Slurm, and its project 20 GPU-hours: somebody set that by hand"
    )
    assert str(told.hint) == "sacctmgr modify account fh-waves set GrpTRESMins=gres/gpu=1200"


def test_a_budget_that_was_being_set_when_the_gateway_died_is_ours_whichever_it_is() -> None:
    begun = on_record(budget=Applied(600, trying=1200))
    for found in (600, 1200):
        made = plan(
            {"fh-waves": WAVES._replace(gpu_minutes=60)}, tree(fh_waves=waves(gpu_minutes=found)), begun, PARENT
        )
        assert made.steps == (SetBudget(account="fh-waves", minutes=60, before=found),)


def test_a_budget_that_slurm_refused_to_set_is_tried_again() -> None:
    refused = on_record(budget=Applied(None, trying=600))
    made = plan({"fh-waves": WAVES}, tree(fh_waves=waves(gpu_minutes=NO_LIMIT)), refused, PARENT)
    assert made.steps == (SetBudget(account="fh-waves", minutes=600),)
    assert not made.drift


def test_who_left_is_closed_first_and_who_comes_back_has_the_limit_of_before() -> None:
    without_bo = {"fh-waves": WAVES._replace(people={"anna": "anna", "cas": "cas"}, gpu_minutes=0)}
    made = plan(without_bo, tree(fh_waves=waves(users={"anna": NO_LIMIT, "bo": 5})), on_record(bo=Applied(5)), PARENT)
    assert made.steps == (
        Close(account="fh-waves", user="bo", before=5),
        SetBudget(account="fh-waves", minutes=0, before=600),
        AddUser(account="fh-waves", user="cas"),
    )
    closed = tree(fh_waves=waves(users={"anna": NO_LIMIT, "bo": CLOSED}))
    back = plan({"fh-waves": WAVES}, closed, on_record(bo=Applied(CLOSED, before=5)), PARENT)
    assert back.steps == (Reopen(account="fh-waves", user="bo", limit=5),)


def test_a_project_that_is_paused_or_over_is_closed_as_a_whole_and_nobody_is_added() -> None:
    over = {"fh-waves": WAVES._replace(is_open=False, people={**WAVES.people, "cas": "cas"})}
    made = plan(over, tree(fh_waves=waves()), on_record(), PARENT)
    assert made.steps == (Close(account="fh-waves"),)
    assert plan(over, EMPTY, {}, PARENT).steps == ()
    goes_on = plan({"fh-waves": WAVES}, tree(fh_waves=waves(submit=CLOSED)), on_record(account=Applied(CLOSED)), PARENT)
    assert goes_on.steps == (Reopen(account="fh-waves"),)


@pytest.mark.parametrize(
    ("account", "record", "code"),
    [
        (waves(submit=CLOSED), on_record(), "drift-account-closed"),
        (waves(users={"anna": CLOSED, "bo": NO_LIMIT}), on_record(), "drift-user-closed"),
        (waves(users={**waves().users, "eve": NO_LIMIT}), on_record(), "drift-user"),
        (waves(users={"anna": NO_LIMIT}), on_record(), "drift-user-gone"),
        (waves(gpu_minutes=NO_LIMIT), on_record(), "drift-budget"),
        (None, on_record(), "drift-account-gone"),
    ],
)
def test_what_was_changed_by_hand_is_named_with_a_remedy_and_left(
    account: SlurmAccount | None, record: Mapping[Key, Applied], code: str
) -> None:
    found = tree(fh_waves=account) if account else EMPTY
    made = plan({"fh-waves": WAVES}, found, record, PARENT)
    assert made.steps == ()
    assert [told.code for told in made.drift] == [code]
    assert made.drift[0].hint


def test_a_door_that_was_opened_by_hand_is_shown_and_left() -> None:
    gone = {"fh-waves": WAVES._replace(people={"anna": "anna"})}
    made = plan(gone, tree(fh_waves=waves()), on_record(bo=Applied(CLOSED)), PARENT)
    assert (made.steps, [told.code for told in made.drift]) == ((), ["drift-user-opened"])
    paused = {"fh-waves": WAVES._replace(is_open=False)}
    made = plan(paused, tree(fh_waves=waves()), on_record(account=Applied(CLOSED)), PARENT)
    assert (made.steps, [told.code for told in made.drift]) == ((), ["drift-account-opened"])


@pytest.mark.parametrize("value", [None, NO_LIMIT, 30])
def test_a_closing_that_slurm_did_not_take_is_tried_again_whatever_limit_was_there(value: int | None) -> None:
    without_bo = WAVES._replace(people={"anna": "anna"})
    there = tree(fh_waves=waves(users={"anna": NO_LIMIT, "bo": 20}))
    begun = on_record(bo=Applied(value, CLOSED, 20))
    again = plan({"fh-waves": without_bo}, there, begun, PARENT)
    assert again.steps == (Close(account="fh-waves", user="bo", before=20),)
    # once it was closed for sure, the same limit is somebody's
    closed = plan({"fh-waves": without_bo}, there, on_record(bo=Applied(CLOSED, None, 20)), PARENT)
    assert not closed.steps
    assert len(closed.drift) == 1


def test_who_was_closed_by_hand_stays_so_when_they_leave_and_come_back() -> None:
    closed = tree(fh_waves=waves(users={"anna": NO_LIMIT, "bo": CLOSED}))
    left = plan({"fh-waves": WAVES._replace(people={"anna": "anna"})}, closed, on_record(), PARENT)
    assert (left.steps, dict(left.adopted)) == ((), {})
    assert plan({"fh-waves": WAVES}, closed, on_record(), PARENT).steps == ()


def test_an_account_below_the_parent_that_is_no_projects_is_closed_if_it_was_ours_and_shown_if_not() -> None:
    found = tree(fh_waves=waves(), by_hand=SlurmAccount(parent=PARENT))
    made = plan({}, found, on_record(), PARENT)
    assert made.steps == (Close(account="fh-waves"),)
    assert made.vanished == {"fh-waves"}
    assert [str(told) for told in made.drift] == [
        "account by-hand is below fabric and no project's: somebody made it by hand"
    ]


def test_an_account_elsewhere_in_slurm_and_the_parent_itself_are_problems_and_untouched() -> None:
    elsewhere = AccountTree(accounts={**EMPTY.accounts, "proteins": SlurmAccount(parent="root")})
    made = plan({"proteins": WAVES, PARENT: WAVES}, elsewhere, {}, PARENT)
    assert (made.steps, made.drift) == ((), ())
    assert [problem.code for problem in made.problems] == ["follow-elsewhere", "follow-is-parent"]
    assert str(made.problems[0].hint) == "sacctmgr modify account proteins set parent=fabric"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (AddAccount(account="w", parent="fabric"), "make account w below fabric"),
        (AddUser(account="w", user="bo"), "let bo use account w"),
        (SetBudget(account="w", minutes=90), "give account w 1.5 GPU-hours in all (before: no limit)"),
        (SetBudget(account="w", minutes=-1, before=60), "take the budget from account w (before: 1 GPU-hours)"),
        (Close(account="w", user="bo"), "let bo submit nothing more in account w (MaxSubmitJobs=0)"),
        (Close(account="w"), "let nobody submit anything more in account w (GrpSubmitJobs=0)"),
        (Reopen(account="w", user="bo"), "let bo submit in account w again"),
        (Reopen(account="w"), "let people submit in account w again"),
    ],
)
def test_every_step_is_a_sentence(step: Step, said: str) -> None:
    assert str(described(step)) == said


# -- what is wanted


def project(**fields: object) -> Project:
    return Project.model_validate({"account": "fh-waves", "members": {"owner": ["anna"]}} | fields)


def test_all_but_visitors_are_wanted_and_hours_become_minutes() -> None:
    people = {"owner": ["anna"], "member": ["bo"], "trainer": ["cas"], "steward": ["dee"], "visitor": ["eve"]}
    found = wanted({"waves": project(members=people, budget_gpu_hours=1.5)}, lambda user: f"u-{user}", DAY)
    (made,) = found.accounts.values()
    assert made == Wanted(("waves",), True, 90, {f"u-{user}": user for user in ("anna", "bo", "cas", "dee")})


@pytest.mark.parametrize("why", [{"paused": "audit"}, {"end": date(2026, 11, 30)}, {"start": date(2026, 12, 2)}])
def test_a_project_that_is_closed_today_is_not_open_in_slurm(why: dict[str, object]) -> None:
    assert not wanted({"waves": project(**why)}, str, DAY).accounts["fh-waves"].is_open
    assert wanted({"waves": project()}, str, DAY).accounts["fh-waves"].is_open


def test_an_account_of_two_projects_has_both_budgets_and_the_people_of_those_that_are_open() -> None:
    one = project(budget_gpu_hours=10)
    other = project(budget_gpu_hours=5, members={"owner": ["bo"]}, paused="audit")
    made = wanted({"one": one, "two": other}, str, DAY).accounts["fh-waves"]
    assert made == Wanted(("one", "two"), True, 900, {"anna": "anna"})


def test_a_name_that_slurm_does_not_take_is_told_and_never_an_argument() -> None:
    found = wanted({"waves": project()}, lambda user: f"{user},root", DAY)
    assert not found.accounts["fh-waves"].people
    assert [told.code for told in found.problems] == ["follow-no-name"]


# -- properties, on trees and records at random


def taken(step: Step, before: AccountTree) -> AccountTree:
    """What Slurm has after a step."""
    accounts = dict(before.accounts)
    match step:
        case AddAccount():
            accounts[step.account] = SlurmAccount(parent=step.parent)
        case AddUser():
            known = accounts[step.account]
            accounts[step.account] = known.model_copy(update={"users": {**known.users, step.user: NO_LIMIT}})
        case SetBudget():
            accounts[step.account] = accounts[step.account].model_copy(update={"gpu_minutes": step.minutes})
        case Close() | Reopen():
            limit, known = (CLOSED if isinstance(step, Close) else step.limit), accounts[step.account]
            change = {"users": {**known.users, step.user: limit}} if step.user else {"submit": limit}
            accounts[step.account] = known.model_copy(update=change)
    return AccountTree(accounts=accounts)


def at_random(chance: random.Random) -> tuple[dict[str, Wanted], AccountTree, dict[Key, Applied]]:
    names = [f"a{number}" for number in range(8)]
    people = ["anna", "bo", "cas"]
    accounts = {"root": SlurmAccount(users={"root": NO_LIMIT}), PARENT: SlurmAccount(parent="root")}
    for name in names:
        if chance.random() < 0.7:
            accounts[name] = SlurmAccount(
                parent=chance.choice([*accounts]),
                gpu_minutes=chance.choice([NO_LIMIT, 0, 600, 1200]),
                submit=chance.choice([NO_LIMIT, CLOSED, 5]),
                users={user: chance.choice([NO_LIMIT, CLOSED, 5]) for user in people if chance.random() < 0.5},
            )
    wants = {
        name: Wanted(
            (name,),
            chance.random() < 0.7,
            chance.choice([NO_LIMIT, 0, 600]),
            {user: user for user in people if chance.random() < 0.5},
        )
        for name in [*names, "root", PARENT]
        if chance.random() < 0.6
    }
    known = {
        key: Applied(
            chance.choice([None, NO_LIMIT, 0, 600, 5]),
            chance.choice([None, NO_LIMIT, 0]),
            chance.choice([NO_LIMIT, 5]),
        )
        for name in names
        for key in (Key(name, "", "budget"), Key(name, "", "submit"), *(Key(name, user, "submit") for user in people))
        if chance.random() < 0.4
    }
    return wants, AccountTree(accounts=accounts), known


@pytest.mark.parametrize("seed", range(20))
def test_no_tree_and_no_record_lead_outside_the_parent_account_and_a_second_plan_has_nothing_to_do(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        wants, before, known = at_random(chance)
        below = before.below(PARENT)
        made = plan(wants, before, known, PARENT)
        for step in made.steps:
            ours = step.account in below or (step.account not in before.accounts and step.account in wants)
            assert ours, f"{step} is outside {PARENT}"
            assert not isinstance(step, AddAccount) or step.parent == PARENT
            assert str(described(step))
        after, record = before, known | {key: Applied(value, None, known.get(key, Applied()).before)
                                         for key, value in made.adopted.items()}  # fmt: skip
        for step in made.steps:
            after = taken(step, after)
            for key, value in effects(step):
                restored = step.before if isinstance(step, Close) else record.get(key, Applied()).before
                record[key] = Applied(value, None, restored)
        outside = before.accounts.keys() - below
        assert {name: after.accounts[name] for name in outside} == {name: before.accounts[name] for name in outside}
        assert after.accounts.keys() >= before.accounts.keys(), "nothing is ever removed"
        assert not plan(wants, after, record, PARENT).steps
