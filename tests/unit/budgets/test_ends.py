"""A project's end is told at 90, 30 and 7 days before it, once each, and anew when it was moved."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from fabric_hub.budgets.ends import end_passed
from fabric_hub.config.settings import Project

END = date(2027, 3, 31)
PROJECT = Project(title="Protein folding", account="lab", end=END)


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (91, None),
        (90, ("end-90-2027-03-31", "info")),
        (31, ("end-90-2027-03-31", "info")),
        (30, ("end-30-2027-03-31", "warning")),
        (8, ("end-30-2027-03-31", "warning")),
        (7, ("end-7-2027-03-31", "danger")),
        (0, ("end-7-2027-03-31", "danger")),
        (-1, None),
    ],
)
def test_the_narrowest_threshold_that_is_passed_is_told(before: int, told: tuple[str, str] | None) -> None:
    found = end_passed("folding", PROJECT, END - timedelta(days=before))
    assert (found and (found.name, found.level)) == told


def test_it_says_what_happens_then_and_who_extends_it() -> None:
    found = end_passed("folding", PROJECT, END - timedelta(days=12))
    assert found
    assert found.subject == "project:folding"
    assert str(found.text) == (
        "Project Protein folding ends on 31 March 2027, in 12 days. Nothing starts in it afterwards; its files stay. "
        "Ask its owner to extend it."
    )
    today = end_passed("folding", PROJECT, END)
    assert today
    assert str(today.text) == (
        "Project Protein folding ends today. Nothing starts in it from tomorrow; its files stay. "
        "Ask its owner to extend it."
    )


def test_a_project_without_an_end_is_never_told_of_and_another_end_is_another_warning() -> None:
    assert end_passed("folding", PROJECT.model_copy(update={"end": None}), END) is None
    later = PROJECT.model_copy(update={"end": END + timedelta(days=1)})
    names = {found.name for one in (PROJECT, later) if (found := end_passed("folding", one, END))}
    assert names == {"end-7-2027-03-31", "end-7-2027-04-01"}
