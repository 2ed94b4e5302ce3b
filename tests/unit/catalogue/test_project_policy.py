"""Who may change what of a project: every change, by everybody, from the hub and at the command line."""

from __future__ import annotations

import shlex
from datetime import date
from typing import Any

import pytest

from fabric_hub import cli
from fabric_hub.catalogue.project_policy import Asker, command, refusal
from fabric_hub.config.assurance import Asks
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Members, Project
from fabric_hub.messages.text import Text
from fabric_hub.projects.changes import (
    AddPerson,
    Change,
    Create,
    Describe,
    Invite,
    Pause,
    RemovePerson,
    Resume,
    SetBudget,
    SetDates,
    TurnAway,
    Withdraw,
)

IN_IT = ("visitor", "member", "trainer", "steward", "owner")
EVERYBODY = ("stranger", *IN_IT, "operator")
OWNERS, OPERATOR, NOBODY = {"owner", "operator"}, {"operator"}, set[str]()

START, END = date(2026, 1, 1), date(2027, 1, 1)
OPEN = Project(
    account="fh-waves",
    members=Members(**{role: (role,) for role in IN_IT}, ),
    budget_gpu_hours=100,
    start=START,
    end=END,
)  # fmt: skip
NON_PUBLIC = OPEN.model_copy(update={"data": "non-public"})
CLIENT = OPEN.model_copy(update={"kind": "client"})
PROJECTS = {"open": OPEN, "non-public": NON_PUBLIC, "client": CLIENT}
DEFAULT, ALL = CatalogueSettings(), CatalogueSettings(from_hub=("people", "budgets", "projects", "grants"))
NONE = CatalogueSettings(from_hub=())
SITES = {"default": DEFAULT, "all": ALL, "none": NONE}

NOT_FROM_HUB = "The hub may not change this of project waves"
OF_CAP = "(catalogue.from_hub_gpu_hours)"
W: dict[str, Any] = {"project": "waves"}
# The change; who may make it by default of an open project; with everything in from_hub; of one that is closed to the
# hub. With nothing in from_hub it is as of a closed one.
CHANGES: dict[str, tuple[Change, set[str], set[str], set[str]]] = {
    "add": (AddPerson(**W, user="eve", role="member"), OWNERS, OWNERS, NOBODY),
    "add an owner": (AddPerson(**W, user="eve", role="owner"), OWNERS, OWNERS, NOBODY),
    "remove": (RemovePerson(**W, user="someone"), OWNERS, OWNERS, OWNERS),
    "rename": (Describe(**W, title="Tides"), OWNERS, OWNERS, OWNERS),
    "close data": (Describe(**W, data="non-public"), OWNERS, OWNERS, OWNERS),
    "lower budget": (SetBudget(**W, gpu_hours=99), OWNERS, OWNERS, OWNERS),
    "raise budget": (SetBudget(**W, gpu_hours=1000), OPERATOR, OPERATOR, NOBODY),
    "raise above cap": (SetBudget(**W, gpu_hours=1001), NOBODY, NOBODY, NOBODY),
    "no limit": (SetBudget(**W, gpu_hours=None), NOBODY, NOBODY, NOBODY),
    "end earlier": (SetDates(**W, start=START, end=date(2026, 6, 1)), OWNERS, OWNERS, OWNERS),
    "start later": (SetDates(**W, start=date(2026, 2, 1), end=END), OWNERS, OWNERS, OWNERS),
    "end later": (SetDates(**W, start=START, end=date(2028, 1, 1)), NOBODY, OPERATOR, NOBODY),
    "end never": (SetDates(**W, start=START, end=None), NOBODY, OPERATOR, NOBODY),
    "start earlier": (SetDates(**W, start=date(2025, 1, 1), end=END), NOBODY, OPERATOR, NOBODY),
    "start at once": (SetDates(**W, start=None, end=END), NOBODY, OPERATOR, NOBODY),
    "end earlier, start earlier": (SetDates(**W, start=None, end=date(2026, 6, 1)), NOBODY, OPERATOR, NOBODY),
    "pause": (Pause(**W, why="too hot"), OWNERS, OWNERS, OWNERS),
    "resume": (Resume(**W), OWNERS, OWNERS, OWNERS),
    "invite": (Invite(**W, digest="0" * 64, until=END), OWNERS, OWNERS, NOBODY),
    "withdraw": (Withdraw(**W, invitation="0123456789ab"), OWNERS, OWNERS, OWNERS),
    "turn away": (TurnAway(**W, user="eve"), OWNERS, OWNERS, OWNERS),
}


def asker(who: str, *, from_hub: bool = True) -> Asker:
    return Asker(who, operator=who == "operator", from_hub=from_hub)


def code(told: Text | None) -> str | None:
    return told.code if told else None


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("kind", PROJECTS)
@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("who", EVERYBODY)
def test_at_the_hub(who: str, name: str, kind: str, site: str) -> None:
    change, by_default, with_all, closed = CHANGES[name]
    allowed = closed if kind != "open" or site == "none" else {"default": by_default, "all": with_all}[site]
    told = refusal(change, PROJECTS[kind], asker(who), SITES[site])
    assert (told is None) == (who in allowed), told
    if who == "stranger":
        assert str(told) == "There is no project waves."
    elif who not in OWNERS:
        assert code(told) == "project-not-owner"


@pytest.mark.parametrize("kind", PROJECTS)
@pytest.mark.parametrize("name", CHANGES)
def test_at_the_command_line_everything_is_allowed(name: str, kind: str) -> None:
    assert refusal(CHANGES[name][0], PROJECTS[kind], asker("root", from_hub=False), NONE) is None


@pytest.mark.parametrize("kind", PROJECTS)
@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_in_a_project_may_leave_it(who: str, kind: str) -> None:
    told = refusal(RemovePerson(**W, user=who), PROJECTS[kind], asker(who), NONE)
    assert code(told) == ("project-unknown" if who == "stranger" else None)


@pytest.mark.parametrize(
    ("paused_by", "allowed"),
    [("owner owner", OWNERS), ("owner another", OWNERS), ("operator sam", OPERATOR), ("root", NOBODY), (None, NOBODY)],
)
@pytest.mark.parametrize("change", [Resume(**W), Pause(**W, why="mine now")], ids=["resume", "pause again"])
@pytest.mark.parametrize("who", EVERYBODY)
def test_who_lifts_a_pause_is_no_less_than_who_made_it(
    who: str, change: Change, paused_by: str | None, allowed: set[str]
) -> None:
    paused = OPEN.model_copy(update={"paused": "an inquiry"})
    told = refusal(change, paused, asker(who), ALL, paused_by)
    assert (told is None) == (who in allowed), told
    if who == "owner" and told:
        assert str(told) == "An operator has paused project waves: an inquiry."
    if who == "operator" and told:
        assert str(told) == "The hub may not change this of project waves: it was paused at the command line."


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize(
    ("fields", "site", "allowed"),
    [
        ({"budget_gpu_hours": 1000}, "default", NOBODY),
        ({"budget_gpu_hours": 1000}, "all", OPERATOR),
        ({"budget_gpu_hours": 1001}, "all", NOBODY),
        ({}, "all", NOBODY),
        ({"budget_gpu_hours": 1, "kind": "client"}, "all", NOBODY),
        ({"budget_gpu_hours": 1, "data": "non-public"}, "all", NOBODY),
        ({"budget_gpu_hours": 1}, "none", NOBODY),
        ({"budget_gpu_hours": 1, "account": "FH-new"}, "all", OPERATOR),
        ({"budget_gpu_hours": 1, "account": "physics"}, "all", NOBODY),
        ({"budget_gpu_hours": 1, "account": "fh-other"}, "all", NOBODY),
    ],
)
def test_projects_are_made_at_the_hub_by_operators_where_the_site_says_so(
    who: str, fields: dict[str, Any], site: str, allowed: set[str]
) -> None:
    change = Create(project="new", title="New", owners=("ada",), **fields)
    told = refusal(change, None, asker(who), SITES[site])
    assert (told is None) == (who in allowed), told
    assert refusal(change, None, asker("root", from_hub=False), NONE) is None
    if who != "operator":
        assert str(told) == "Only operators make projects."


def test_a_hub_that_names_another_account_is_told_which_it_is_and_how_it_is_done() -> None:
    change = Create(project="new", title="New", owners=("ada",), budget_gpu_hours=1, account="physics")
    told = refusal(change, None, asker("operator"), ALL)
    assert told is not None
    words = "The hub may not change this of project new: its Slurm account would be physics, not fh-new."
    assert str(told) == words
    assert str(told.hint).endswith(command(change))


@pytest.mark.parametrize(
    ("change", "project", "who", "words", "hint"),
    [
        (
            CHANGES["add"][0], NON_PUBLIC, "owner",
            "The hub may not change this of project waves: it works with non-public data.",
            "fabric-hub projects add waves eve --role member",
        ),
        (
            CHANGES["add"][0], CLIENT, "owner",
            "The hub may not change this of project waves: it is a client's.",
            "fabric-hub projects add waves eve --role member",
        ),
        (
            CHANGES["end later"][0], OPEN, "operator",
            "The hub may not change this of project waves: catalogue.from_hub does not have projects.",
            "fabric-hub projects dates waves --start 2026-01-01 --end 2028-01-01",
        ),
        (
            CHANGES["raise above cap"][0], OPEN, "operator",
            f"The hub may not change this of project waves: 1001 GPU-hours are more than 1000 {OF_CAP}.",
            "fabric-hub projects budget waves 1001",
        ),
        (
            CHANGES["no limit"][0], OPEN, "operator",
            f"{NOT_FROM_HUB}: without a budget it may use more than 1000 GPU-hours {OF_CAP}.",
            "fabric-hub projects budget waves none",
        ),
        (
            CHANGES["raise budget"][0], OPEN, "owner",
            "Only operators raise the budget of project waves.", "Its owners may lower it.",
        ),
        (
            CHANGES["end later"][0], OPEN, "owner",
            "Only operators give project waves more time.", "Its owners may end it earlier.",
        ),
        (
            Describe(**W, data="public"), NON_PUBLIC, "owner",
            "Only operators say of project waves that its data are public.", "Its owners may say that they are not.",
        ),
        (
            Describe(**W, data="public"), NON_PUBLIC, "operator",
            "The hub may not change this of project waves: it works with non-public data.",
            "fabric-hub projects describe waves --data public",
        ),
        (
            Describe(**W, asks=Asks(acr=("password",))), OPEN.model_copy(update={"asks": Asks(acr=("mfa",))}), "owner",
            f"{NOT_FROM_HUB}: it asks something of a login, and that may not become less.",
            "fabric-hub projects describe waves --acr password",
        ),
        (
            CHANGES["add"][0], OPEN, "member",
            "member is not an owner of project waves.", "Ask one of its owners: owner.",
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_why_and_who_can_do_it(
    change: Change, project: Project, who: str, words: str, hint: str
) -> None:
    told = refusal(change, project, asker(who), DEFAULT)
    assert told is not None
    assert str(told) == words
    assert str(told.hint).endswith(hint)


@pytest.mark.parametrize(
    "change",
    [
        *(change for change, *_ in CHANGES.values()),
        Create(
            project="new", title="It's; new", owners=("ada", "bo"), kind="course", data="non-public",
            organisation="Us & them", sector="food", account="other", budget_gpu_hours=2.5, profiles=("cpu",),
            images=("torch",), start=START, end=END,
        ),
        RemovePerson(**W, user="eve", role="trainer"),
    ],
)  # fmt: skip
def test_the_command_that_a_refusal_names_makes_just_that_change(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Change] = []

    class StopError(Exception):
        pass

    def changed(_at: object, _settings: object, _arguments: object, given: Change, _said: str) -> int:
        made.append(given)
        raise StopError

    def invited(_at: object, given: Change) -> bool:
        made.append(given.model_copy(update={"digest": "0" * 64}) if isinstance(given, Invite) else given)
        raise StopError

    from fabric_hub.cli import project_commands, project_invitations

    monkeypatch.setattr(project_commands, "_changed", changed)
    monkeypatch.setattr(project_invitations, "_make", invited)
    monkeypatch.setattr(project_invitations, "opened", lambda _: _Nothing())
    monkeypatch.setattr(project_commands, "opened", lambda _: _Nothing())
    monkeypatch.setattr(project_commands, "_known", lambda *_: OPEN)
    arguments = cli.parser().parse_args(shlex.split(command(change))[1:])
    with pytest.raises(StopError):
        project_commands.WORK[arguments.part](None, None, arguments)  # type: ignore[arg-type]
    assert made == [change]


class _Nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_on_record_a_person_of_the_hub_has_the_role_that_let_them() -> None:
    assert asker("owner").by(OPEN) == "owner owner"
    assert Asker("owner", operator=True).by(OPEN) == "owner owner"
    assert asker("operator").by(OPEN) == "operator operator"
    assert asker("visitor").by(OPEN) == "visitor visitor"
    assert asker("root", from_hub=False).by(OPEN) == "root"
