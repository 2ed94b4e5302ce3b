"""Who is in a project and when it is open, and that whoever owns one is not told to ask its owner."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.messages.text import Text, sentences, verbatim
from fabric_hub.messages.texts import projects as texts
from fabric_hub.messages.texts.launch import NO_IMAGE
from fabric_hub.projects.membership import (
    accounts,
    closed,
    is_member,
    is_user,
    people,
    people_today,
    projects_of,
    responsible,
    roles_of,
    said_to,
    warned_to,
)

ENDED = texts.PROJECT_ENDED_ON(project="x", day="2026-01-31", whom=texts.ITS_OWNER())


@pytest.mark.parametrize(
    ("told", "to_an_owner"),
    [
        (ENDED.hint, "Ask the operators to extend it."),
        (sentences(NO_IMAGE(), ENDED.hint), "This site offers no image. Ask the operators to extend it."),
        (NO_IMAGE(), "This site offers no image."),
        (verbatim("Ask its owner."), "Ask its owner."),
    ],
)
def test_an_owner_is_sent_to_the_operators_and_nobody_else_is(site: Settings, told: Text, to_an_owner: str) -> None:
    physics = site.project["physics"]
    assert str(said_to("ada", physics, told)) == to_an_owner
    assert said_to("jan", physics, told) == told
    assert said_to("ada", site.project["course"], told) == told
    assert said_to("ada", None, told) == told


@pytest.mark.parametrize(
    ("subject", "user", "whom"),
    [
        ("project:physics", "ada", "the operators"),
        ("project:physics", "jan", "its owner"),
        ("user:physics/ada", "ada", "the operators"),
        ("user:physics/jan", "jan", "its owner"),
        ("project:course", "ada", "its owner"),
        ("project:gone", "ada", "its owner"),
        ("storage:ada:/home/ada", "ada", "its owner"),
    ],
)
def test_a_warning_says_whom_its_reader_can_ask(site: Settings, subject: str, user: str, whom: str) -> None:
    told = warned_to(user, site, subject, sentences(ENDED, ENDED.hint))
    assert str(told) == f"Project x ended on 31 January 2026. Ask {whom} to extend it."


def test_everybody_is_in_a_project_once_with_its_owners_first(site: Settings) -> None:
    physics = site.project["physics"]
    twice = physics.model_copy(
        update={"members": physics.members.model_copy(update={"owner": ("ada", "jan"), "member": ("eve", "jan")})}
    )
    assert people(twice) == ("ada", "jan", "eve")
    assert responsible(site, "physics") == physics.members.owner
    assert responsible(site, "gone") == responsible(site, None) == ()


def test_nobody_is_in_a_project_before_its_first_and_after_its_last_day(site: Settings) -> None:
    first, last = date(2026, 3, 2), date(2026, 3, 6)
    term = site.project["physics"].model_copy(update={"start": first, "end": last})
    site = site.model_copy(update={"project": {**site.project, "term": term}})
    day = timedelta(days=1)
    assert people_today(site, "term", first) == people_today(site, "term", last) == people(term)
    assert people_today(site, "term", first - day) == people_today(site, "term", last + day) == ()
    assert people_today(site, "gone", first) == ()


def test_a_user_of_the_site_is_whoever_is_in_one_of_its_projects(site: Settings) -> None:
    assert [is_user(site, name) for name in ("ada", "eve", "nobody")] == [True, True, False]
    assert is_user(site.model_copy(update={"project": {}}), "nobody")
    assert list(projects_of(site, "eve")) == ["physics", "course"]
    assert accounts(site) == {project.account for project in site.project.values()}


def test_nothing_starts_in_a_paused_project_and_its_people_read_why(site: Settings) -> None:
    paused = site.project["physics"].model_copy(update={"paused": "the yearly report is due"})
    why = closed(paused, date(2026, 6, 1))
    assert (why.code, str(why)) == ("project-is-paused", "is paused: the yearly report is due") if why else False
    refusal = texts.PROJECT_PAUSED(project="physics", why=paused.paused, whom=texts.ITS_OWNER())
    assert str(sentences(refusal, refusal.hint)) == (
        "Project physics is paused: the yearly report is due. Ask its owner when it goes on."
    )


def test_a_visitor_is_in_a_project_and_may_not_work_in_it(site: Settings) -> None:
    members = site.project["physics"].members.model_copy(update={"visitor": ("vera",), "trainer": ("tom",)})
    project = site.project["physics"].model_copy(update={"members": members})
    assert (roles_of(project, "vera"), is_member(project, "vera")) == (("visitor",), False)
    assert (roles_of(project, "tom"), is_member(project, "tom")) == (("trainer",), True)
    assert "tom" in people(project)
    assert "vera" not in people(project)
    assert roles_of(project, "nobody") == ()
