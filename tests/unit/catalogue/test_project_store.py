"""The projects that the catalogue service keeps: every change is one transaction, on record, or nothing."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fabric_hub.catalogue.audit.log import Entry
from fabric_hub.catalogue.project_edits import with_hub_names
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.project_store import RefusedError
from fabric_hub.catalogue.restored import Restored
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import message_of
from fabric_hub.projects.changes import (
    AddPerson,
    Change,
    Create,
    Describe,
    Pause,
    RemovePerson,
    Resume,
    SetBudget,
    SetDates,
)
from fabric_hub.projects.document import ProjectsDocument, as_json, document
from fabric_hub.projects.live import LiveProjects

ROOT = Asker("root", operator=True, from_hub=False)
WAVES = Create(project="waves", title="Waves", owners=("ada", "bo"), budget_gpu_hours=10)
W: dict[str, Any] = {"project": "waves"}


class Kept:
    """A catalogue with what went into its audit log."""

    def __init__(self, engine: sa.Engine, site: Settings) -> None:
        self.store, self.site = CatalogueStore(engine), site
        self.projects = self.store.projects
        self.log: list[Entry] = []

    def __call__(self, change: Change, asker: Asker = ROOT) -> bool:
        return self.projects.change(self.site, change, asker, self.log.extend)

    def said(self) -> list[tuple[Any, ...]]:
        """What came into the log since the last time."""
        found = [
            (one.event, one.user, one.by, *(json.loads(facts) if facts else None for facts in (one.before, one.after)))
            for one in self.log
        ]
        self.log.clear()
        return found


@pytest.fixture
def kept(engine: sa.Engine, site: Settings) -> Kept:
    return Kept(engine, site)


@pytest.fixture
def waves(kept: Kept) -> Kept:
    kept(WAVES)
    kept.log.clear()
    return kept


def refused(code: str, words: str) -> Any:
    def right(error: FabricError) -> bool:
        return (message_of(error).code, error.message) == (code, words)

    return pytest.raises(FabricError, check=right)


def test_a_project_is_made_and_on_record(kept: Kept) -> None:
    assert kept(WAVES)
    made = kept.projects.document().projects["waves"]
    assert (made.title, made.account, made.members.owner, made.budget_gpu_hours) == (
        "Waves",
        "fh-waves",
        ("ada", "bo"),
        10,
    )
    facts = {"account": "fh-waves", "budget_gpu_hours": 10.0, "data": "public", "kind": "research", "title": "Waves"}
    assert kept.said() == [
        ("project-created", None, "root", None, facts),
        ("person-added", "ada", "root", None, {"roles": ["owner"]}),
        ("person-added", "bo", "root", None, {"roles": ["owner"]}),
    ]
    assert kept.store.serial() == 1


def test_each_change_is_on_record_with_before_and_after(waves: Kept) -> None:
    ada = Asker("ada")
    changes: list[tuple[Change, Asker]] = [
        (AddPerson(**W, user="eve", role="member"), ada),
        (AddPerson(**W, user="eve", role="trainer"), ada),
        (RemovePerson(**W, user="eve", role="member"), ada),
        (RemovePerson(**W, user="eve"), Asker("eve")),
        (SetBudget(**W, gpu_hours=None), ROOT),
        (SetDates(**W, start=None, end=date(2027, 1, 31)), ada),
        (Describe(**W, title="Tides", data="non-public"), ada),
        (Pause(**W, why="too hot"), ada),
        (Resume(**W), ada),
    ]
    for change, asker in changes:
        assert waves(change, asker)
    assert waves.said() == [
        ("person-added", "eve", "owner ada", None, {"roles": ["member"]}),
        ("person-added", "eve", "owner ada", {"roles": ["member"]}, {"roles": ["member", "trainer"]}),
        ("person-removed", "eve", "owner ada", {"roles": ["member", "trainer"]}, {"roles": ["trainer"]}),
        ("person-removed", "eve", "trainer eve", {"roles": ["trainer"]}, None),
        ("budget-set", None, "root", {"budget_gpu_hours": 10.0}, {"budget_gpu_hours": None}),
        ("dates-set", "ada", "owner ada", {"end": None}, {"end": "2027-01-31"}),
        (
            "described", "ada", "owner ada",
            {"title": "Waves", "data": "public"}, {"title": "Tides", "data": "non-public"},
        ),
        ("paused", "ada", "owner ada", {"paused": ""}, {"paused": "too hot"}),
        ("resumed", "ada", "owner ada", {"paused": "too hot"}, {"paused": ""}),
    ]  # fmt: skip
    found = waves.projects.kept("waves")
    assert found is not None
    assert (found.project.title, found.project.data, found.project.end) == ("Tides", "non-public", date(2027, 1, 31))
    assert [(one.user, one.role, one.by) for one in found.people] == [("ada", "owner", "root"), ("bo", "owner", "root")]
    assert found.serial == waves.store.serial() == 10


def test_what_stands_so_already_is_no_change(waves: Kept) -> None:
    for change in (
        AddPerson(**W, user="ada", role="owner"), SetBudget(**W, gpu_hours=10), Describe(**W, title="Waves"),
        SetDates(**W, start=None, end=None), Resume(**W),
    ):  # fmt: skip
        assert not waves(change)
    assert waves.log == []
    assert waves.store.serial() == 1


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (WAVES, "project-exists", "There is a project waves already."),
        (Create(project="past", title="P", owners=("ada",)), "project-exists", "There is a project past already."),
        (
            Create(project="tides", title="T", owners=("ada",), account="PHYS"), "project-account-taken",
            "The Slurm account phys is the one of project physics.",
        ),
        (
            Create(project="tides", title="T", owners=("ada",), account="FH-Waves"), "project-account-taken",
            "The Slurm account fh-waves is the one of project waves.",
        ),
        (
            Create(project="tides", title="T", owners=("ada",), profiles=("huge",)), "project-no-profile",
            "The site's file has no profile huge.",
        ),
        (
            Create(project="tides", title="T", owners=("ada",), images=("jax",)), "project-no-image",
            "The site's file has no image jax.",
        ),
        (
            Create(project="tides", title="T", owners=("ada",), start=date(2027, 1, 2), end=date(2027, 1, 1)),
            "project-dates-turned", "Project tides would end on 1 January 2027, before it starts on 2 January 2027.",
        ),
        (
            SetDates(**W, start=date(2027, 1, 2), end=date(2027, 1, 1)),
            "project-dates-turned", "Project waves would end on 1 January 2027, before it starts on 2 January 2027.",
        ),
        (RemovePerson(**W, user="eve"), "project-person-unknown", "eve is not in project waves."),
        (
            RemovePerson(**W, user="ada", role="trainer"), "project-person-other-role",
            "ada does not have the role trainer in project waves.",
        ),
        (SetBudget(project="tides", gpu_hours=1), "project-unknown", "There is no project tides."),
        (
            SetBudget(project="physics", gpu_hours=1), "project-in-file",
            "Project physics stands in the site's file, and is changed there.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(waves: Kept, change: Change, code: str, words: str) -> None:
    before = waves.projects.document()
    with refused(code, words):
        waves(change)
    assert waves.projects.document() == before
    assert waves.log == []
    assert waves.store.serial() == 1


def test_the_last_owner_stays(waves: Kept) -> None:
    assert waves(RemovePerson(**W, user="ada"))
    for change in (RemovePerson(**W, user="bo"), RemovePerson(**W, user="bo", role="owner")):
        with refused("project-last-owner", "bo is the only owner of project waves."):
            waves(change, Asker("bo"))
    assert waves(AddPerson(**W, user="eve", role="owner"))
    assert waves(RemovePerson(**W, user="bo"))


def test_who_may_not_changes_nothing(waves: Kept) -> None:
    with pytest.raises(RefusedError) as error:
        waves(SetBudget(**W, gpu_hours=20), Asker("ada"))
    assert error.value.project == waves.projects.document().projects["waves"]
    assert waves.log == []


def test_a_change_that_cannot_be_recorded_is_not_made(waves: Kept) -> None:
    def fails(_: object) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        waves.projects.change(waves.site, AddPerson(**W, user="eve", role="member"), ROOT, fails)
    assert waves.projects.document().projects["waves"].members.member == ()
    assert waves.store.serial() == 1


def test_a_pause_stays_who_made_it_through_other_changes(waves: Kept) -> None:
    waves(Pause(**W, why="an inquiry"), Asker("sam", operator=True))
    waves(SetBudget(**W, gpu_hours=1), Asker("ada"))
    with refused("project-paused-by-operator", "An operator has paused project waves: an inquiry."):
        waves(Resume(**W), Asker("ada"))
    with refused("project-paused-by-operator", "An operator has paused project waves: an inquiry."):
        waves(Pause(**W, why="mine"), Asker("ada"))
    assert waves(Resume(**W), Asker("sam", operator=True))
    found = waves.projects.kept("waves")
    assert found is not None
    assert found.paused_by is None


def test_a_last_day_that_is_over_is_when_it_was_ended(waves: Kept) -> None:
    waves(SetDates(**W, start=None, end=date(2020, 1, 1)))
    ended = waves.projects.kept("waves")
    waves(Describe(**W, title="Old waves"))
    later = waves.projects.kept("waves")
    waves(SetDates(**W, start=None, end=None))
    again = waves.projects.kept("waves")
    assert ended is not None
    assert later is not None
    assert again is not None
    assert ended.ended_at is not None
    assert later.ended_at == ended.ended_at
    assert again.ended_at is None


def test_projects_of_the_sites_file_win(waves: Kept) -> None:
    waves.projects.take_over("physics", waves.site.project["physics"], "root", waves.log.extend)
    assert [(one.event, one.user) for one in waves.log] == [
        ("project-created", None), ("person-added", "ada"), ("person-added", "eve"), ("person-added", "jan"),
    ]  # fmt: skip
    kept = waves.projects.document().projects["physics"]
    of_file = waves.site.project["physics"]
    assert (kept.title, kept.account, kept.members.owner) == ("Physics", "phys", ("ada",))
    assert set(kept.members.member) == set(of_file.members.member)
    of_file = kept.model_copy(update={"title": "As the file says"})
    settings = waves.site.model_copy(update={"project": {"physics": of_file}})
    both = waves.projects.over(settings).project
    assert list(both) == ["physics", "waves"]
    assert both["physics"] is of_file
    with refused("project-in-file", "Project physics stands in the site's file, and is changed there."):
        waves(Pause(project="physics", why="x"))
    without = waves.site.model_copy(update={"project": {}})
    assert waves.projects.change(without, Pause(project="physics", why="x"), ROOT, waves.log.extend)


def test_what_was_published_last_is_not_taken_for_what_is_kept(waves: Kept, tmp_path: Path) -> None:
    path = tmp_path / "projects.json"
    stale = {name: as_json(one) for name, one in waves.projects.document().projects.items()}
    path.write_text(json.dumps({"format": 1, "serial": 1, "projects": stale}))
    path.chmod(0o600)
    live = LiveProjects(waves.site.project, path, frozenset({os.geteuid()}))
    assert "bo" in live["waves"].members.owner
    waves(RemovePerson(**W, user="bo"))
    over = waves.projects.over(waves.site.model_copy(update={"project": live})).project
    assert over["waves"].members.owner == ("ada",)
    assert over.keys() == {*waves.site.project, "waves"}


@pytest.mark.parametrize(
    ("name", "fields", "code", "words"),
    [
        ("course", {}, "project-without-owner", "Project course of the site's file has no owner."),
        (
            "physics", {"title": "x" * 201}, "project-unfit",
            "Project physics of the site's file cannot be kept: its title is not one line of at most 200 letters.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_not_taken_over(
    waves: Kept, name: str, fields: dict[str, Any], code: str, words: str
) -> None:
    with refused(code, words):
        project = waves.site.project[name].model_copy(update=fields)
        waves.projects.take_over(name, project, "root", waves.log.extend)
    assert list(waves.projects.document().projects) == ["waves"]


def test_another_process_is_seen_and_what_did_not_change_is_not_read_again(waves: Kept, site: Settings) -> None:
    other = Kept(waves.projects._engine, site)
    waves(Create(project="tides", title="Tides", owners=("ada",)))
    before = other.projects.document()
    waves(AddPerson(project="tides", user="eve", role="visitor"))
    after = other.projects.document()
    assert after.projects["waves"] is before.projects["waves"]
    assert after.projects["tides"].members.visitor == ("eve",)
    assert after.serial == waves.store.serial() > before.serial


def test_what_is_published_is_what_is_kept(waves: Kept) -> None:
    waves(SetDates(**W, start=date(2026, 1, 1), end=date(2027, 1, 1)))
    waves(AddPerson(**W, user="eve", role="visitor"))
    with waves.projects.alone() as found:
        told = {name: as_json(project) for name, project in found.projects.items()}
    content = json.loads(json.dumps({"format": found.format, "serial": found.serial, "projects": told}))
    assert document(content, ProjectsDocument()) == found


def test_a_restored_catalogue_never_has_a_serial_again(waves: Kept) -> None:
    waves.store.restored(Restored(serial=70, at=1.0, grants=(), held=()))
    fresh = Kept(waves.projects._engine, waves.site)
    assert fresh.projects.document().serial == 71
    assert list(fresh.projects.document().projects) == ["waves"]


def test_a_thousand_projects_and_five_thousand_people(kept: Kept) -> None:
    def many(index: int) -> tuple[str, ...]:
        return tuple(f"person{index * 5 + one}" for one in range(5))

    for index in range(1000):
        kept(Create(project=f"p{index}", title=f"Project {index}", owners=many(index)))
    assert kept(AddPerson(project="p500", user="eve", role="member"))
    found = Kept(kept.projects._engine, kept.site).projects.document().projects
    assert len(found) == 1000
    assert {user for project in found.values() for user in project.members.owner} == {
        f"person{number}" for number in range(5000)
    }
    assert found["p500"].members.member == ("eve",)


def test_names_are_as_the_hub_has_them_after_the_login() -> None:
    change = Create(project="waves", title="W", owners=("Ada", "ada", "Bo"))
    lower, kept_case = with_hub_names(change, keep_case=False), with_hub_names(change, keep_case=True)
    assert isinstance(lower, Create)
    assert lower.owners == ("ada", "bo")
    assert kept_case == change
    assert with_hub_names(AddPerson(**W, user="Eve", role="member"), keep_case=False).user == "eve"  # type: ignore[union-attr]
    assert with_hub_names(RemovePerson(**W, user="Eve"), keep_case=False).user == "eve"  # type: ignore[union-attr]
