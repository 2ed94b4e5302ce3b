"""Who is told what: ends of projects, budgets, operators' orders and answered requests, each as one notice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from fabric_hub.budgets.ends import end_passed
from fabric_hub.budgets.schemas import Warned
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import AccessRequest, Catalogue, Declined, Grant
from fabric_hub.datasets.policy import CatalogueView
from fabric_hub.messages.text import verbatim
from fabric_hub.notices.book import NoticeBook
from fabric_hub.notices.model import Kept, Kind, pause_after, retry_after
from fabric_hub.service.tasks.noticing import Noticing
from fabric_hub.sessions.database import open_database
from fabric_hub.sessions.stops import StopBook
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import NOW, a_site, fields_of_a_session

TODAY = date(2026, 9, 21)


class Told:
    """What one looks at on a site, and what people were told of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = SessionStore(f"sqlite:///{directory}/sessions.sqlite")
        self.book = NoticeBook(open_database(self.store.url))
        self.warned: tuple[Warned, ...] = ()
        self.catalogue: Catalogue | None = None
        self.settings = self.site()

    def site(self, end: str = "", people: str = '"jan", "eve"') -> Settings:
        """The site whose project twin ends then, or not at all."""
        members = f'members.owner = ["ada"]\nmembers.member = [{people}]\n'
        more = f'[project.twin]\ntitle = "Twin"\naccount = "twin"\n{members}'
        self.settings = a_site(self.directory, more + (f"end = {end}\n" if end else ""))
        return self.settings

    def ends(self, end: str, today: date = TODAY) -> None:
        """It ends then, and the review has seen it."""
        settings = self.site(end)
        passed = end_passed("twin", settings.project["twin"], today)
        assert passed is not None
        known = Warned(id=passed.id, level=passed.level, subject=passed.subject, text=passed.text, since=NOW)
        self.warned = (known,)

    async def look(self, now: float = NOW) -> int:
        async def known() -> CatalogueView:
            return CatalogueView(catalogue=self.catalogue)

        return await Noticing(self.settings, self.store, self.book, lambda: self.warned, known).look(now)

    def of(self, person: str) -> Sequence[Kept]:
        return sorted(self.book.of(person), key=lambda kept: kept.created_at)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


async def test_everybody_of_a_project_is_told_once_that_it_ends(told: Told) -> None:
    told.ends("2026-12-01")
    assert await told.look() == 3
    assert await told.look(NOW + 20) == 0
    [of_jan] = told.of("jan")
    assert (of_jan.kind, of_jan.text.code) == (Kind.PROJECT_END, "project-ends-soon")
    assert of_jan.entry is not None
    assert (of_jan.entry.moment, of_jan.entry.sequence, of_jan.entry.gone) == ("2026-12-01", 0, False)
    assert str(told.of("ada")[0].text) != str(of_jan.text)  # an owner asks the operators
    assert told.of("bob") == []


async def test_an_end_that_moves_or_goes_moves_in_every_calendar_that_has_it(told: Told) -> None:
    told.ends("2026-12-01")
    await told.look()
    told.warned = ()
    told.site("2027-12-01")
    assert await told.look(NOW + 20) == 3
    told.site("2026-12-01")  # back again
    assert await told.look(NOW + 40) == 3
    told.site("2026-12-01", people='"jan"')  # eve has left
    assert await told.look(NOW + 60) == 1
    told.site("", people='"jan"')
    assert await told.look(NOW + 80) == 2
    assert await told.look(NOW + 100) == 0
    codes = [kept.text.code for kept in told.of("jan")]
    assert codes == ["project-ends-soon", "notice-end-moved", "notice-end-moved", "notice-end-gone"]
    entries = [kept.entry for kept in told.of("jan") if kept.entry]
    assert [one.sequence for one in entries] == [0, 1, 2, 3]
    assert [one.moment for one in entries] == ["2026-12-01", "2027-12-01", "2026-12-01", "2026-12-01"]
    assert len({one.uid for one in entries}) == 1
    assert entries[-1].gone
    last = told.of("eve")[-1]
    assert (last.text.code, last.entry and last.entry.gone) == ("notice-end-not-yours", True)
    assert "Twin" not in str(last.text)


async def test_a_budget_is_told_its_owners_and_storage_whose_it_is(told: Told) -> None:
    text = verbatim("x")
    told.warned = (
        Warned(id="project:twin#14", level="warning", subject="project:twin", text=text, since=NOW),
        Warned(id="user:twin/jan#7", level="warning", subject="user:twin/jan", text=text, since=NOW),
        Warned(id="storage:eve:/home#80", level="warning", subject="storage:eve:/home:user:", text=text, since=NOW),
    )
    assert await told.look() == 3
    assert [kept.kind for kept in told.of("ada")] == [Kind.BUDGET]
    assert [kept.kind for kept in told.of("jan")] == [Kind.BUDGET]
    assert [kept.kind for kept in told.of("eve")] == [Kind.STORAGE]


async def test_a_stop_moves_with_a_new_order_and_is_taken_away_when_it_is_withdrawn(told: Told) -> None:
    session = told.store.create(**fields_of_a_session())
    stops = StopBook(told.store.engine)
    stops.order(session.id, "root", "Repair", 3600.0, NOW)
    assert await told.look(NOW + 5) == 1
    stops.order(session.id, "root", "Repair", 900.0, NOW + 10)
    assert await told.look(NOW + 15) == 1
    stops.withdraw(session.id, "root", NOW + 20)
    assert await told.look(NOW + 25) == 1
    assert await told.look(NOW + 30) == 0
    found = told.of(session.user)
    assert [kept.text.code for kept in found] == ["notice-stop", "notice-stop", "notice-stop-withdrawn"]
    assert [(one.entry.sequence, one.entry.gone) for one in found if one.entry] == [(0, False), (1, False), (2, True)]
    stops.order(session.id, "root", "Now", 0.0, NOW + 40)
    assert await told.look(NOW + 45) == 1
    assert (told.of(session.user)[-1].text.code, told.of(session.user)[-1].entry) == ("notice-stopped", None)


async def test_who_asked_for_a_dataset_is_told_the_answer(told: Told) -> None:
    asked = [AccessRequest(user=user, project="twin", dataset="mri", at=NOW) for user in ("jan", "eve")]
    told.catalogue = Catalogue(serial=1, requests=tuple(asked))
    assert await told.look() == 2
    declined = Declined(user="eve", project="twin", dataset="mri", why="Not yet", at=NOW + 50)
    told.catalogue = Catalogue(serial=2, declined=(declined,), requests=(asked[0],))
    assert await told.look(NOW + 60) == 1
    grant = Grant(dataset="mri", project="twin", until=date(2027, 1, 1), at=NOW + 70)
    told.catalogue = Catalogue(serial=3, grants=(grant,), declined=(declined,))
    await told.look(NOW + 80)
    assert [kept.text.code for kept in told.of("jan")] == ["notice-dataset-asked", "notice-dataset-granted-until"]
    assert [kept.text.code for kept in told.of("eve")] == ["notice-dataset-asked", "notice-dataset-declined-why"]
    told.catalogue = Catalogue(serial=4)
    assert await told.look(NOW + 90) == 0


def test_the_time_between_two_tries_doubles_up_to_an_hour_and_a_pause_up_to_minutes() -> None:
    assert [retry_after(tries) for tries in (1, 2, 3, 30)] == [30.0, 60.0, 120.0, 3600.0]
    assert [pause_after(failures) for failures in (1, 2, 4, 30)] == [30.0, 60.0, 240.0, 300.0]
