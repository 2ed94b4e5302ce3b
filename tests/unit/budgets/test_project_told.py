"""What the API tells of a project is what its page shows to who asks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fabric_hub.budgets.people import PersonUse
from fabric_hub.budgets.project_told import WholeProject, as_whole, in_short
from fabric_hub.budgets.schemas import Balance, DayUse
from fabric_hub.config.settings import Members, Project
from fabric_hub.projects.looking import looking

DAY = date(2026, 12, 1)
DAYS = (DayUse(day=DAY, gpu_hours=3.0),)
USED = (PersonUse(user="ada", gpu_hours=3.0, days=DAYS),)
WAVES = Project(
    title="Waves",
    account="waves-acc",
    members=Members(owner=("ada",), member=("bo", "ada"), visitor=("vic",)),
    end=date(2026, 12, 24),
)


def told(user: str, shown: str = "named", **changes: Any) -> WholeProject:
    project = WAVES.model_copy(update=changes)
    balance = Balance(limit=10.0, used=3.0, left=7.0)
    return as_whole(
        "waves", project, looking(project, user), DAY, shown_of_people=shown, balance=balance, days=DAYS, used=USED
    )


@pytest.mark.parametrize(
    ("user", "shown", "members", "by_person", "users"),
    [
        ("ada", "off", 3, 0, None),
        ("bo", "off", 0, 0, None),
        ("ada", "aggregated", 3, 0, 1),
        ("bo", "aggregated", 0, 0, 1),
        ("bo", "named", 3, 1, 1),
    ],
)
def test_people_and_what_each_used_are_told_as_far_as_the_site_shows_them(
    user: str, shown: str, members: int, by_person: int, users: int | None
) -> None:
    found = told(user, shown)
    assert (len(found.members), len(found.by_person), found.users) == (members, by_person, users)
    assert (found.days, found.account, found.people) == (DAYS, "waves-acc", {"owner": 1, "member": 2, "visitor": 1})
    assert found.gpu_hours is not None
    assert found.gpu_hours.left == 7.0


def test_a_visitor_is_told_that_it_is_there_who_owns_it_and_no_more() -> None:
    found = told("vic")
    assert found.model_dump(exclude_defaults=True) == {
        "project": "waves", "title": "Waves", "kind": "research", "state": "active", "roles": ("visitor",),
        "end": date(2026, 12, 24), "owners": ("ada",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"paused": "an audit"}, "paused"),
        ({"start": date(2026, 12, 2)}, "not-started"),
        ({"end": date(2026, 11, 30)}, "ended"),
        ({"end": DAY}, "active"),
    ],
)
def test_how_it_stands_today(changes: dict[str, Any], state: str) -> None:
    project = WAVES.model_copy(update=changes)
    found = in_short("waves", project, looking(project, "ada"), DAY)
    assert (found.state, found.roles, found.paused) == (state, ("owner", "member"), project.paused)
