"""What a page shows of a project to whom: state, days, people, datasets and use."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from fabric_hub.budgets.history import UsageRow
from fabric_hub.budgets.people import by_person
from fabric_hub.budgets.schemas import Balance, DayUse
from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.datasets.model import Grant
from fabric_hub.hub.pages.operate_projects import part_used
from fabric_hub.hub.pages.project_views import (
    counted,
    day_from,
    everybody,
    granted,
    members,
    state_of,
    usage_of,
    what_is_shown,
)
from fabric_hub.projects.looking import Looking
from tests.support.builders import a_catalogue, a_dataset

TODAY = date(2026, 11, 30)
PROJECT = Project(
    account="lab",
    members=Members(owner=("zoe",), member=("ben", "ann"), trainer=("tim",), steward=("sue", "zoe"), visitor=("vic",)),
)
MEMBER, VISITOR, OWNER = Looking("ann", ("member",)), Looking("vic", ("visitor",)), Looking("zoe", ("owner",))
OPERATOR = Looking("root", (), operator=True)
DAYS = (DayUse(day=TODAY - timedelta(days=29), gpu_hours=9), DayUse(day=TODAY, gpu_hours=4))


def used(user: str, age: int, hours: float) -> UsageRow:
    day = TODAY - timedelta(days=age)
    return UsageRow(day=day, project="p", account="lab", user=user, profile="gpu", gpu_hours=hours, cpu_hours=0, jobs=1)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, ("running", "Active")),
        ({"paused": "Moving"}, ("queued", "Paused")),
        ({"start": TODAY + timedelta(days=1)}, ("starting", "Not started")),
        ({"end": TODAY}, ("running", "Active")),
        ({"end": TODAY - timedelta(days=1)}, ("ended", "Ended")),
    ],
)
def test_a_project_has_a_state_in_one_word(changes: dict[str, object], state: tuple[str, str]) -> None:
    key, word = state_of(PROJECT.model_copy(update=changes), TODAY)
    assert (key, str(word)) == state


def test_a_day_is_told_as_how_far_it_is() -> None:
    far = [str(day_from(TODAY, TODAY + timedelta(days=days))) for days in (12, 1, 0, -1, -30)]
    assert far == ["in 12 days", "in 1 day", "today", "1 day ago", "30 days ago"]
    assert day_from(TODAY, None) is None


def test_people_are_counted_by_role_and_listed_once_with_what_runs() -> None:
    counts = [str(count) for count in counted(PROJECT)]
    assert counts == ["1 owner", "2 members", "1 trainer", "2 data stewards", "1 visitor"]
    two = PROJECT.model_copy(update={"members": PROJECT.members.model_copy(update={"trainer": ("tim", "tom")})})
    assert "2 trainers" in [str(count) for count in counted(two)]
    assert everybody(PROJECT) == ("zoe", "ann", "ben", "tim", "sue", "vic")
    first = members(PROJECT, (), named=True)[0]
    assert (first.user, first.runs, first.named) == ("zoe", 0, ())
    assert [str(name) for name in first.role_names] == ["Owner", "Data steward"]


def test_datasets_are_those_whose_grant_is_in_force(catalogue_site: Settings) -> None:
    assert catalogue_site.catalogue
    catalogue = a_catalogue(a_dataset("wind-farm"), a_dataset("river"), granted="physics").model_copy(
        update={
            "grants": (
                Grant(dataset="wind-farm", project="physics", until=TODAY),
                Grant(dataset="river", project="physics", until=TODAY - timedelta(days=1)),
                Grant(dataset="river", project="other"),
                Grant(dataset="nosuch", project="physics"),
            )
        }
    )
    assert [(one.name, one.until) for one in granted(catalogue, "physics", TODAY)] == [("wind-farm", TODAY)]
    assert granted(None, "physics", TODAY) == ()


def test_use_is_told_by_person_who_used_most_first() -> None:
    found = by_person([used("ann", 1, 1), used("ben", 0, 2), used("ann", 0, 3), used("eve", 0, 0)])
    assert [(one.user, one.gpu_hours, len(one.days)) for one in found] == [("ann", 4, 2), ("ben", 2, 1)]


def test_of_people_is_shown_what_the_site_lets_be_shown() -> None:
    people = by_person([used("ann", 1, 1), used("ben", 0, 4)])
    off, together, named = (usage_of(DAYS, people, TODAY, shown, OWNER) for shown in ("off", "aggregated", "named"))
    assert [(one.users, len(one.people), len(one.by_day)) for one in (off, together, named)] == [
        (None, 0, 0), (2, 0, 0), (2, 2, 2),
    ]  # fmt: skip
    assert named.by_day[0] == (TODAY, "ben", 4.0)
    assert named.people[1].bars[0].height == 0.25, "everybody's bars have one measure"
    assert (off.total, off.most, len(off.days)) == (4.0, 4.0, 1), "a day before the 28 is left out"
    assert usage_of(DAYS, people, TODAY, "named", VISITOR).total == 0
    assert usage_of((), (), TODAY, "named", MEMBER).most == 0


@pytest.mark.parametrize(
    ("shown", "seen", "said"),
    [
        (
            "off",
            (False, False, True, True),
            (
                "Of you, people of this project see nothing: only the project's totals are shown. Its owners and "
                "operators see your name and role, and how many of your sessions run."
            ),
        ),
        (
            "aggregated",
            (False, False, True, True),
            (
                "People of this project see totals, and how many people used GPUs, never who. Its owners and "
                "operators see your name and role, and how many of your sessions run."
            ),
        ),
        (
            "named",
            (True, False, True, True),
            "People of this project see your name, your role, your GPU-hours by day and your running sessions.",
        ),
    ],
)
def test_names_are_for_who_answers_for_them_and_each_reads_what_is_shown_of_them(
    site: Settings, shown: str, seen: tuple[bool, ...], said: str
) -> None:
    settings = site.model_copy(update={"quotas": site.quotas.model_copy(update={"shown_of_people": shown})})
    assert tuple(one.sees_names(settings.quotas.shown_of_people) for one in (MEMBER, VISITOR, OWNER, OPERATOR)) == seen
    assert str(what_is_shown(settings)) == said


@pytest.mark.parametrize(
    ("balance", "part"),
    [
        (None, None),
        (Balance(limit=None, used=5, left=None), None),
        (Balance(limit=10, used=5, left=5), 0.5),
        (Balance(limit=0, used=0, left=0), 1.0),
    ],
)
def test_how_much_of_a_budget_is_used(balance: Balance | None, part: float | None) -> None:
    assert part_used(balance) == part
