"""Requests for projects, on SQLite and PostgreSQL: who may ask, what is kept of it, and what an answer makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fabric_hub.catalogue.audit.log import Entry
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.people.rows import Account
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.project_store import RefusedError
from fabric_hub.catalogue.requests.policy import command, refusal_to_answer
from fabric_hub.catalogue.requests.starters import StarterStore
from fabric_hub.catalogue.requests.store import RequestStore
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.config.templates import TemplateSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import message_of
from fabric_hub.projects.changes import AddPerson, Create, RemovePerson, SetDates
from fabric_hub.projects.identity import Identity, Login
from fabric_hub.projects.requests import (
    Approval,
    AskMore,
    AskProject,
    Request,
    changes_of,
    free_name,
    proposal,
    slug_of,
    template_for,
)
from tests.support.builders import a_site, catalogue_text
from tests.support.postgresql import server
from tests.support.postgresql import url as url_of

LOGIN = "[login]\nwithout_project = true\n"
TODAY = date.today()  # noqa: DTZ011 - as the store does
NEXT_YEAR = TODAY + timedelta(days=365)
ROOT = Asker("root", operator=True, from_hub=False)
SAM = Asker("sam", operator=True)
PROTEINS = AskProject(
    title="Protein folding", purpose="Fold proteins", organisation="Example", gpu_hours=100, until=NEXT_YEAR
)
MORE = """\
requests_per_person = 2
from_hub = ["people", "budgets", "projects"]
from_hub_gpu_hours = 500.0
starter = "small"
[catalogue.templates.small]
title = "Starter project"
budget_gpu_hours = 20.0
days = 30
"""


@pytest.fixture(scope="module")
def postgres(sandbox: Path) -> Iterator[str]:
    with server(sandbox) as home:
        yield url_of(home)


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    (tmp_path / "state").mkdir()
    return a_site(tmp_path, catalogue_text(tmp_path, "nobody") + MORE + LOGIN)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, site: Settings) -> Iterator[sa.Engine]:
    """An empty catalogue, on each of the two databases."""
    assert site.catalogue is not None
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres")
    opened = open_catalogue(site.catalogue.model_copy(update={"database": url}))
    yield opened
    if url:
        with opened.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
    opened.dispose()


class Kept:
    """A catalogue's requests, with what went into its audit log."""

    def __init__(self, engine: sa.Engine, site: Settings) -> None:
        self.site = site
        self.projects = CatalogueStore(engine).projects
        self.requests = RequestStore(engine, self.projects)
        self.people = PeopleStore(engine)
        self.starters = StarterStore(engine, self.projects, self.people)
        self.log: list[Entry] = []

    @property
    def now(self) -> Settings:
        return self.projects.over(self.site)

    def ask(self, ask: AskProject | AskMore, user: str = "ada") -> int:
        return self.requests.ask(ask, user, self.now, self.log.extend)

    def approve(self, number: int, approval: Approval, asker: Asker = SAM) -> str:
        return self.requests.approve(number, approval, self.site, asker, self.log.extend)

    def start(self, user: str) -> str | None:
        return self.starters.give(user, self.now, self.site, self.log.extend)

    def said(self) -> list[tuple[Any, ...]]:
        found = [(one.event, one.user, one.by, one.project) for one in self.log]
        self.log.clear()
        return found


@pytest.fixture
def kept(engine: sa.Engine, site: Settings) -> Kept:
    return Kept(engine, site)


def refused(code: str) -> Any:
    return pytest.raises(FabricError, check=lambda error: message_of(error).code == code)


# -- asking


def test_a_request_is_kept_as_it_was_asked_and_on_record(kept: Kept) -> None:
    assert kept.ask(PROTEINS) == 1
    one = kept.requests.one(1)
    assert (one.kind, one.user, one.title, one.purpose) == ("project", "ada", "Protein folding", "Fold proteins")
    assert (one.gpu_hours, one.until, one.state, one.project) == (100, NEXT_YEAR, "open", None)
    facts = json.loads(kept.log[0].after or "")
    assert facts == {"number": 1, "gpu_hours": 100, "until": NEXT_YEAR.isoformat(), "data": "public"}
    assert kept.said() == [("project-requested", "ada", None, None)]
    assert kept.requests.all("bo") == ()
    assert kept.requests.all(only_open=True) == (one,)


def test_a_person_has_no_more_open_requests_than_the_site_lets_them(kept: Kept) -> None:
    for _ in range(2):
        kept.ask(PROTEINS)
    with refused("request-too-many"):
        kept.ask(PROTEINS)
    assert kept.ask(PROTEINS, "bo") == 3, "another person may"
    kept.requests.withdraw(1, "ada", kept.log.extend)
    assert kept.ask(PROTEINS) == 4, "one less is open"


def test_nobody_asks_for_a_day_that_is_over_nor_where_the_site_takes_requests_elsewhere(kept: Kept) -> None:
    with refused("request-day-over"):
        kept.ask(PROTEINS.model_copy(update={"until": TODAY - timedelta(days=1)}))
    assert kept.site.catalogue is not None
    none = kept.site.catalogue.model_copy(update={"requests_per_person": 0})
    kept.site = kept.site.model_copy(update={"catalogue": none})
    with refused("request-not-here"):
        kept.ask(PROTEINS)
    elsewhere = kept.site.site.model_copy(update={"request_url": "https://projects.example.org"})
    kept.site = kept.site.model_copy(update={"site": elsewhere})
    with refused("request-elsewhere"):
        kept.ask(PROTEINS)
    assert kept.log == []


def test_who_asked_withdraws_it_and_nobody_else(kept: Kept) -> None:
    kept.ask(PROTEINS)
    with refused("request-unknown"):
        kept.requests.withdraw(1, "bo", kept.log.extend)
    kept.requests.withdraw(1, "ada", kept.log.extend)
    with refused("request-answered"):
        kept.requests.withdraw(1, "ada", kept.log.extend)
    assert kept.requests.one(1).state == "withdrawn"
    with refused("request-answered"):
        kept.approve(1, Approval(name="folding", gpu_hours=10))
    assert "folding" not in kept.projects.document().projects


def test_only_an_owner_asks_for_more_of_a_project_once_and_only_for_more(kept: Kept) -> None:
    waves = Create(project="waves", title="Waves", owners=("ada",), budget_gpu_hours=10, end=TODAY)
    kept.projects.change(kept.site, waves, ROOT, kept.log.extend)
    kept.projects.change(kept.site, AddPerson(project="waves", user="eve", role="member"), ROOT, kept.log.extend)
    more = AskMore(project="waves", purpose="Longer runs", gpu_hours=50)
    with refused("project-unknown"):
        kept.ask(more, "stranger")
    with refused("request-not-owner"):
        kept.ask(more, "eve")
    with refused("request-nothing"):
        kept.ask(more.model_copy(update={"gpu_hours": 10.0}))
    kept.ask(more)
    with refused("request-more-open"):
        kept.ask(more)
    assert kept.requests.one(1).title == "Waves"


# -- answering


def test_an_approval_makes_the_project_with_that_person_as_owner_in_one_transaction(kept: Kept) -> None:
    kept.ask(PROTEINS)
    kept.said()
    assert kept.approve(1, Approval(name="folding", title="Folding", gpu_hours=80, end=NEXT_YEAR)) == "folding"
    made = kept.projects.document().projects["folding"]
    assert (made.title, made.account, made.members.owner) == ("Folding", "fh-folding", ("ada",))
    assert (made.budget_gpu_hours, made.end, made.organisation, made.data) == (80, NEXT_YEAR, "Example", "public")
    one = kept.requests.one(1)
    assert (one.state, one.project, one.answered_by) == ("granted", "folding", "operator sam")
    assert kept.said() == [
        ("request-granted", "ada", "operator sam", "folding"),
        ("project-created", "sam", "operator sam", "folding"),
        ("person-added", "ada", "operator sam", "folding"),
    ]
    with refused("request-answered"):
        kept.approve(1, Approval(name="again", gpu_hours=80))
    assert "again" not in kept.projects.document().projects


@pytest.mark.parametrize(
    ("ask", "approval"),
    [
        (PROTEINS.model_copy(update={"data": "non-public"}), Approval(name="folding", gpu_hours=80)),
        (PROTEINS, Approval(name="folding", gpu_hours=501)),
        (PROTEINS, Approval(name="folding")),
        (PROTEINS, Approval(name="folding", gpu_hours=80, account="somebodys")),
        (PROTEINS, Approval(name="folding", gpu_hours=80, kind="client")),
    ],
    ids=["non-public", "above-the-cap", "without-a-limit", "another-account", "a-client's"],
)
def test_the_hub_approves_nothing_beyond_what_it_may_and_the_command_line_does(
    kept: Kept, ask: AskProject, approval: Approval
) -> None:
    kept.ask(ask)
    kept.said()
    with pytest.raises(RefusedError, check=lambda error: message_of(error).code == "project-not-from-hub"):
        kept.approve(1, approval)
    assert kept.requests.one(1).state == "open"
    assert kept.said() == []
    kept.approve(1, approval, ROOT)
    assert kept.requests.one(1).state == "granted"


def test_a_name_that_is_taken_leaves_the_request_open(kept: Kept) -> None:
    for number in (1, 2):
        kept.ask(PROTEINS)
        if number == 1:
            kept.approve(1, Approval(name="folding", gpu_hours=80))
    kept.said()
    with refused("project-exists"):
        kept.approve(2, Approval(name="folding", gpu_hours=80))
    assert kept.requests.one(2).state == "open"
    assert kept.said() == []


def test_an_approval_of_more_changes_budget_and_end_together(kept: Kept) -> None:
    waves = Create(project="waves", title="Waves", owners=("ada",), budget_gpu_hours=10, end=TODAY)
    kept.projects.change(kept.site, waves, ROOT, kept.log.extend)
    kept.ask(AskMore(project="waves", purpose="Longer runs", gpu_hours=50, until=NEXT_YEAR))
    kept.said()
    with refused("request-nothing-given"):
        kept.approve(1, Approval())
    kept.approve(1, Approval(gpu_hours=40, end=NEXT_YEAR))
    project = kept.projects.document().projects["waves"]
    assert (project.budget_gpu_hours, project.end, project.members.owner) == (40, NEXT_YEAR, ("ada",))
    assert [event for event, *_ in kept.said()] == ["request-granted", "budget-set", "dates-set"]


def test_a_declined_request_says_why(kept: Kept) -> None:
    kept.ask(PROTEINS)
    kept.said()
    kept.requests.decline(1, "no GPUs left this year", SAM, kept.log.extend)
    one = kept.requests.one(1)
    assert (one.state, one.why, one.answered_by) == ("declined", "no GPUs left this year", "operator sam")
    assert kept.said() == [("request-declined", "ada", "operator sam", None)]


def test_the_command_that_approves_is_one_for_a_shell() -> None:
    request = Request(number=7, kind="project", user="ada", at=0, title="It's $(mine)", purpose="x")
    approval = Approval(name="mine", title="It's $(mine)", gpu_hours=1500, end=date(2027, 3, 31), account="fh-x")
    told = command(request, approval)
    assert told == ("fabric-hub projects requests approve 7 --name mine --account fh-x --budget 1500 --end 2027-03-31")
    assert "'It'\"'\"'s $(other)'" in command(request, approval.model_copy(update={"title": "It's $(other)"}))


# -- starter projects


def test_who_is_in_no_project_gets_a_starter_project_once(kept: Kept) -> None:
    name = kept.start("cleo")
    assert name is not None
    made = kept.projects.document().projects[name]
    assert (made.title, made.budget_gpu_hours, made.members.owner) == ("Starter project", 20, ("cleo",))
    assert made.end == TODAY + timedelta(days=30)
    assert {by for _, _, by, _ in kept.said()} == {"site's starter rule"}
    over = SetDates(project=name, start=None, end=TODAY - timedelta(days=1))
    kept.projects.change(kept.site, over, ROOT, kept.log.extend)
    kept.projects.change(kept.site, AddPerson(project=name, user="bill", role="owner"), ROOT, kept.log.extend)
    kept.projects.change(kept.site, RemovePerson(project=name, user="cleo"), ROOT, kept.log.extend)
    kept.said()
    assert kept.start("cleo") is None, "whatever became of it"
    assert kept.start("bill") is None, "they are in a project, an ended one"
    assert kept.said() == []


def login(subject: str) -> Login:
    return Login(identity=Identity(issuer="https://idp.example.org", subject=subject), provider="idp")


def test_an_erased_or_linked_identity_gets_no_second_starter_project(kept: Kept) -> None:
    def come(subject: str, name: str) -> int:
        account = Account(name=name, unix_account=name, uid=None, mapped_by="claim")
        return kept.people.first(login(subject), account, lambda _number: None)

    number = come("one", "cleo")
    assert kept.start("cleo") is not None
    kept.people.link(number, login("two"), lambda _number: None)
    assert kept.start("cleo") is None, "and from now on the second identity has had one, too"
    with kept.people.engine.begin() as connection:  # as after an erasure, or when an operator links it anew
        connection.execute(sa.text("DELETE FROM identities"))
    for subject, other in (("one", "anna"), ("two", "ann")):
        come(subject, other)
        assert kept.start(other) is None, subject
    come("three", "zoe")
    assert kept.start("zoe") is not None


def test_no_starter_project_where_the_site_has_none(kept: Kept) -> None:
    assert kept.site.catalogue is not None
    none = kept.site.catalogue.model_copy(update={"starter": None})
    kept.site = kept.site.model_copy(update={"catalogue": none})
    assert kept.start("cleo") is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (LOGIN, "", "needs login.without_project: who is in no project does not come in"),
        ("days = 30\n", "", "the template small needs budget_gpu_hours and days, and a kind other than client"),
        ("= 20.0", "= 501.0", "the template small gives 501.0 GPU-hours, more than from_hub_gpu_hours"),
        ('starter = "small"', 'starter = "none"', "'none' is not a [catalogue.templates.NAME] of this file"),
        ("days = 30\n", 'days = 30\nprofiles = ["none"]\n', "'none' is not a [profile.NAME] of this file"),
    ],
)
def test_a_starter_that_cannot_be_given_is_a_mistake_of_the_sites_file(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    text = catalogue_text(tmp_path, "nobody") + MORE + LOGIN
    assert before in text
    with pytest.raises(FabricError) as raised:
        a_site(tmp_path, text.replace(before, after))
    assert said in str(raised.value)


def test_only_operators_of_the_sites_file_answer_at_the_hub_and_everybody_at_the_command_line() -> None:
    told = refusal_to_answer(Asker("ada"))
    assert told is not None
    assert told.say() == "ada is not an operator."
    assert refusal_to_answer(SAM) is None
    assert refusal_to_answer(ROOT) is None


# -- names and templates


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Protein folding!", "protein-folding"),
        ("Ünïcode & Ærø", "unicode-r"),
        ("水", "project"),
        ("--", "project"),
        ("a" * 39 + " b", "a" * 39),
        ("request", "request"),
    ],
)
def test_a_title_becomes_a_valid_name(title: str, name: str) -> None:
    assert slug_of(title) == name


def test_a_name_that_is_taken_gets_a_number_and_stays_short_enough() -> None:
    long = "a" * 40
    assert free_name("Waves", {"waves", "waves-2"}) == "waves-3"
    assert free_name(long, {long}) == "a" * 38 + "-2"


def test_a_template_fills_in_what_it_says_and_the_request_the_rest() -> None:
    request = Request(number=1, kind="project", user="ada", at=0, title="Waves", purpose="x", gpu_hours=80)
    small = TemplateSettings(title="Small", budget_gpu_hours=100, days=10, profiles=("gpu",))
    large = TemplateSettings(title="Large", budget_gpu_hours=5000)
    templates = {"large": large, "small": small, "course": TemplateSettings(title="Course", budget_gpu_hours=10)}
    assert template_for(request, templates) == "small", "the smallest that is enough"
    assert template_for(request.model_copy(update={"gpu_hours": 9000.0}), templates) is None
    filled = proposal(request, small, {"waves"}, date(2027, 1, 1))
    assert (filled.name, filled.gpu_hours, filled.end) == ("waves-2", 100, date(2027, 1, 11))
    assert filled.profiles == ("gpu",)
    sooner = request.model_copy(update={"until": date(2027, 1, 5)})
    assert proposal(sooner, small, (), date(2027, 1, 1)).end == date(2027, 1, 5)
    assert proposal(sooner, None, (), date(2027, 1, 1)) == Approval(
        name="waves", title="Waves", gpu_hours=80, end=date(2027, 1, 5)
    )
    (made,) = changes_of(request, filled, None)
    assert isinstance(made, Create)
    assert made.owners == ("ada",)
