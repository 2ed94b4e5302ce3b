"""What the benchmark of projects asks for is what it says."""

from __future__ import annotations

from collections import Counter
from datetime import date

from bench import projects
from fabric_hub.projects.membership import people


def test_everybody_is_in_two_projects_of_the_crowd_and_one_person_owns_two_more() -> None:
    crowd = projects.crowd(100, 500)
    counted = Counter(user for project in crowd.values() for user in people(project))
    assert len(crowd) == 100
    assert counted.pop(projects.OWNER) == 2
    assert len(counted) == 500
    assert set(counted.values()) == {2}
    assert len({project.account for project in crowd.values()}) == 100


def test_what_was_used_is_of_the_last_four_weeks() -> None:
    used = projects.used(projects.crowd(2, 4), date(2026, 12, 1))
    assert (len(used), max(used), min(used)) == (28, date(2026, 12, 1), date(2026, 11, 4))
    assert {row.day for row in used[date(2026, 11, 4)]} == {date(2026, 11, 4)}


def test_slurm_is_given_each_account_below_the_parent_and_its_people_in_it() -> None:
    crowd = projects.in_slurm(projects.crowd(2, 4), ["ada", "bo"])
    assert projects.dump("fabric", "all-projects", crowd, "u-{}".format).splitlines() == [
        "Cluster - 'fabric'",
        "Parent - 'root'",
        "Account - 'all-projects'",
        "Parent - 'all-projects'",
        "Account - 'fh-project-0000':Description='bench':GrpTRESMins=gres/gpu=6000",
        "Account - 'fh-project-0001':Description='bench':GrpTRESMins=gres/gpu=6060",
        "Parent - 'fh-project-0000'",
        "User - 'u-ada'",
        "User - 'u-bo'",
        "Parent - 'fh-project-0001'",
        "User - 'u-bo'",
        "User - 'u-ada'",
    ]
