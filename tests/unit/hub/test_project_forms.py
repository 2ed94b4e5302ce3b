"""The forms of projects: what each asks for, and what is said of what cannot be."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fabric_hub.config.settings import Members, Project
from fabric_hub.errors import FabricError
from fabric_hub.hub.pages.project_forms import created, wanted
from fabric_hub.hub.pages.projects import ProjectPages
from fabric_hub.projects.changes import AddPerson, Create, Pause, RemovePerson, Resume, SetBudget, SetDates

PROJECT = Project(
    title="Protein folding",
    account="lab",
    members=Members(owner=("ann",), member=("ann", "ben"), visitor=("vic",)),
    start=date(2026, 1, 1),
    end=date(2027, 3, 31),
)
NO_USER = "is no user name. Use the name that the person logs in with: letters, digits and _ . @ + -, at most 64."
NEW = {"name": "bread", "title": "Bread forecast", "owners": "ann, ben"}


def asked(do: str, **fields: str) -> tuple[Any, ...]:
    return wanted("folding", PROJECT, {"do": do, **fields}).changes


def refused(do: str, **fields: str) -> str:
    with pytest.raises(FabricError) as said:
        asked(do, **fields)
    return said.value.text


def test_each_form_asks_for_its_change_and_says_what_was_done() -> None:
    assert asked("add", user=" eve ", role="trainer") == (AddPerson(project="folding", user="eve", role="trainer"),)
    assert asked("add", user="ben", role="owner") == (AddPerson(project="folding", user="ben", role="owner"),)
    assert asked("remove", user="ben") == (RemovePerson(project="folding", user="ben"),)
    assert asked("pause", why=" Moving house ") == (Pause(project="folding", why="Moving house"),)
    assert asked("resume") == (Resume(project="folding"),)
    assert asked("budget", gpu_hours="12.5") == (SetBudget(project="folding", gpu_hours=12.5),)
    assert asked("budget", gpu_hours="") == (SetBudget(project="folding", gpu_hours=None),)
    done = {
        "add": "eve was added. Role: Data steward.",
        "remove": "ben was removed from this project.",
        "pause": "Paused. Nothing starts here until you resume it.",
        "resume": "Resumed. Sessions can start again.",
        "dates": "The dates are saved.",
        "budget": "The budget is saved.",
    }
    for do, said in done.items():
        fields = {"do": do, "user": "eve" if do == "add" else "ben", "role": "steward", "why": "x"}
        assert str(wanted("folding", PROJECT, fields).done) == said


def test_another_role_is_given_before_the_others_are_taken() -> None:
    assert asked("role", user="ann", role="member") == (RemovePerson(project="folding", user="ann", role="owner"),)
    assert asked("role", user="vic", role="member") == (
        AddPerson(project="folding", user="vic", role="member"),
        RemovePerson(project="folding", user="vic", role="visitor"),
    )
    said = wanted("folding", PROJECT, {"do": "role", "user": "vic", "role": "member"}).done
    assert str(said) == "The role of vic is now: Member."


def test_an_owner_changes_the_end_and_the_first_day_stays() -> None:
    assert asked("dates", end="2027-01-31") == (
        SetDates(project="folding", start=PROJECT.start, end=date(2027, 1, 31)),
    )
    assert asked("dates", start="", end="") == (SetDates(project="folding", start=None, end=None),)


@pytest.mark.parametrize(
    ("do", "fields", "said"),
    [
        ("", {}, "This form changes nothing here. Use the page's buttons."),
        ("create", {}, "This form changes nothing here. Use the page's buttons."),
        (
            "add",
            {"user": "no name!", "role": "member"},
            f'"no name!" {NO_USER}',
        ),
        ("add", {"user": "eve", "role": "king"}, '"king" is no role. Choose one of the list.'),
        (
            "add",
            {"user": "ben", "role": "member"},
            "ben has this role already: Member. Choose another person or role.",
        ),
        ("role", {"user": "eve", "role": "member"}, "eve is not in this project. Reload the page."),
        (
            "role",
            {"user": "vic", "role": "visitor"},
            "vic has this role already: Visitor. Choose another person or role.",
        ),
        ("remove", {"user": "eve"}, "eve is not in this project. Reload the page."),
        (
            "pause",
            {"why": " "},
            "A pause needs a reason that people read. Write one line of at most 100 characters.",
        ),
        (
            "pause",
            {"why": "a\nb"},
            "A pause needs a reason that people read. Write one line of at most 100 characters.",
        ),
        ("dates", {"end": "9999-12-31"}, '"9999-12-31" is no day. Write it like 2027-01-31, or leave it empty.'),
        ("dates", {"end": "soon"}, '"soon" is no day. Write it like 2027-01-31, or leave it empty.'),
        (
            "dates",
            {"end": "2025-12-31"},
            "The last day (31 December 2025) is before the first (1 January 2026). Change one of them.",
        ),
        (
            "budget",
            {"gpu_hours": "nan"},
            '"nan" is no number of GPU-hours. Write a number from 0, or leave it empty for no limit.',
        ),
        (
            "budget",
            {"gpu_hours": "-1"},
            '"-1" is no number of GPU-hours. Write a number from 0, or leave it empty for no limit.',
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(do: str, fields: dict[str, str], said: str) -> None:
    assert refused(do, **fields) == said


def test_a_project_is_made_of_what_an_operator_types() -> None:
    assert created({}, NEW) == Create(project="bread", title="Bread forecast", owners=("ann", "ben"))
    more = {"kind": "client", "data": "non-public", "account": "Bread", "gpu_hours": "100", "end": "2027-01-31"}
    assert created({}, {**NEW, **more, "organisation": "Bakery", "sector": "Food"}) == Create(
        project="bread",
        title="Bread forecast",
        kind="client",
        data="non-public",
        account="bread",
        organisation="Bakery",
        sector="Food",
        owners=("ann", "ben"),
        budget_gpu_hours=100,
        end=date(2027, 1, 31),
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"name": "Bread!"},
            '"Bread!" is no name of a project. Use small letters, digits and hyphens between them, at most 40.',
        ),
        ({"name": "folding"}, "There is a project folding already. Choose another name."),
        ({"title": " "}, "A project needs a title. Write one line of at most 200 characters."),
        ({"kind": "secret"}, "This form changes nothing here. Use the page's buttons."),
        (
            {"owners": ""},
            f'"" {NO_USER}',
        ),
        (
            {"account": "a b"},
            '"a b" is no Slurm account. Use letters, digits and _ . @ : + -, at most 64, or leave it empty.',
        ),
        ({"sector": "a\nb"}, '"a\nb" is not one line. Write at most 100 characters, or leave it empty.'),
        (
            {"start": "2027-02-01", "end": "2027-01-31"},
            "The last day (31 January 2027) is before the first (1 February 2027). Change one of them.",
        ),
    ],
)
def test_a_project_that_cannot_be_is_refused_in_words(fields: dict[str, str], said: str) -> None:
    with pytest.raises(FabricError) as refusal:
        created({"folding": PROJECT}, {**NEW, **fields})
    assert refusal.value.text == said


def test_a_site_without_a_catalogue_service_changes_projects_in_its_file_alone() -> None:
    page = cast("ProjectPages", SimpleNamespace(shared=SimpleNamespace(catalogue_service=None)))
    with pytest.raises(FabricError) as raised:
        ProjectPages.in_person(page)
    assert raised.value.text == (
        "Without a catalogue service, this site keeps projects only in its file. Operators change them there."
    )
