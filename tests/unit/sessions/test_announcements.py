"""What operators announce: what is taken, when it stands, for whom, and who has put it away."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from fabric_hub.errors import FabricError
from fabric_hub.messages.html import linked
from fabric_hub.messages.text import Text
from fabric_hub.sessions.announcements import (
    DAY_S,
    KEPT_S,
    LONGEST,
    LONGEST_DAYS,
    MOST,
    AnnouncementBook,
    AnnouncementLevel,
    Draft,
    drafted,
    moment_of,
)
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import NOW

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
TYPED = {"level": "info", "words": {"en": "New images.", "nl": ""}, "begins": "", "ends": "2099-01-01T00:00"}


@pytest.fixture
def book(store: SessionStore) -> AnnouncementBook:
    return AnnouncementBook(store.engine)


def a_draft(level: str = "info", begins: float = NOW, ends: float = NOW + DAY_S, **words: str) -> Draft:
    return Draft(level=AnnouncementLevel(level), words=words or {"en": "New."}, begins_at=begins, ends_at=ends)


def refusal(**typed: Any) -> str:
    with pytest.raises(FabricError) as refused:
        drafted(**{**TYPED, "zone": AMSTERDAM, "now": NOW, **typed})
    assert isinstance(refused.value.said, Text)
    return refused.value.said.code


def test_what_was_typed_is_taken_as_plain_text_in_the_operators_zone() -> None:
    words = {"en": "  Power fails\non Monday. ", "nl": " "}
    begins, ends = (f"{year}-07-01T08:00" for year in (2026, 2027))
    now = moment_of("2026-06-30T08:00", AMSTERDAM)
    draft = drafted("critical", words, begins, ends, AMSTERDAM, now)
    assert (draft.level, draft.words) == (AnnouncementLevel.CRITICAL, {"en": "Power fails on Monday."})
    assert draft.begins_at == moment_of("2026-07-01T06:00", ZoneInfo("UTC")) == now + DAY_S
    assert drafted("info", words, "", ends, AMSTERDAM, now + 5 * DAY_S).begins_at == now + 5 * DAY_S


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({"level": "loud"}, "announcement-level"),
        ({"words": {"en": " \n", "nl": ""}}, "announcement-empty"),
        ({"words": {"nl": "x" * (LONGEST + 1)}}, "announcement-too-long"),
        ({"words": {"en": "a\u202eb"}}, "announcement-not-plain"),
        ({"ends": ""}, "announcement-moment"),
        ({"ends": "tomorrow"}, "announcement-moment"),
        ({"ends": "2026-12-01"}, "announcement-moment"),
        ({"ends": "2099-12-01T08:00+01:00"}, "announcement-moment"),
        ({"begins": "9999-12-31T23:59"}, "announcement-over"),
        ({"ends": "2001-01-01T00:00"}, "announcement-over"),
        ({"begins": "2001-01-01T00:00", "ends": "2000-01-01T00:00"}, "announcement-over"),
        ({"ends": "2099-01-01T00:00"}, "announcement-too-late"),
    ],
)
def test_what_is_no_announcement_is_refused(typed: dict[str, Any], code: str) -> None:
    assert refusal(**typed) == code


def test_it_stands_from_its_beginning_until_its_end_the_weightiest_first(book: AnnouncementBook) -> None:
    info = book.publish(a_draft(begins=NOW + 10), "olga", NOW)
    critical = book.publish(a_draft("critical", ends=NOW + 20), "olga", NOW)
    assert book.standing(NOW - 1) == ()
    assert book.standing(NOW + 9.9) == (critical,)
    assert book.standing(NOW + 10) == (critical, info)
    assert book.standing(NOW + 20) == (info,)
    book.end(info.id, NOW + 30)
    assert book.standing(NOW + 30) == ()
    assert len(book.all()) == 2
    book.delete(critical.id)
    assert [one.id for one in book.all()] == [info.id]


def test_a_person_puts_info_away_for_themselves_alone_and_nothing_that_weighs_more(book: AnnouncementBook) -> None:
    info, warning = (book.publish(a_draft(level), "olga", NOW) for level in ("info", "warning"))
    book.dismiss(info.id, "jan")
    book.dismiss(info.id, "jan")
    assert book.standing(NOW, "jan") == (warning,)
    assert book.standing(NOW, "eva") == book.standing(NOW) == (warning, info)
    for name in (warning.id, "nothing"):
        with pytest.raises(FabricError, match="There is no such announcement"):
            book.dismiss(name, "jan")
    book.forget("jan")
    assert book.standing(NOW, "jan") == (warning, info)


def test_another_process_sees_it_and_a_new_hub_has_it_still(book: AnnouncementBook, store: SessionStore) -> None:
    service = AnnouncementBook(store.engine, seen_s=0.0)
    assert service.standing(NOW) == ()
    made = book.publish(a_draft(en="New.", nl="Nieuw."), "olga", NOW)
    assert service.standing(NOW) == (made,) == AnnouncementBook(SessionStore(store.url).engine).standing(NOW)
    assert (made.said("nl"), made.said("fr")) == (("nl", "Nieuw."), ("en", "New."))


def test_there_are_not_too_many_and_what_was_over_long_ago_goes(book: AnnouncementBook) -> None:
    for _ in range(MOST):
        book.publish(a_draft(), "olga", NOW)
    with pytest.raises(FabricError, match=f"There are {MOST} announcements already"):
        book.publish(a_draft(), "olga", NOW)
    assert len(book.all()) == MOST
    later = NOW + DAY_S + KEPT_S + 1
    made = book.publish(a_draft(begins=later, ends=later + 1), "olga", later)
    assert book.all() == (made,)
    for act in (book.delete, lambda name: book.end(name, later + 2)):
        with pytest.raises(FabricError):
            act("nothing")


def test_only_addresses_of_https_are_links_and_all_else_is_escaped() -> None:
    said = linked('<b>Read</b> https://example.org/a?b=1&c="x" (https://x.nl/y). javascript:alert(1) http://z.nl')
    assert said == Markup(
        "&lt;b&gt;Read&lt;/b&gt; "
        '<a href="https://example.org/a?b=1&amp;c=" rel="noopener noreferrer">https://example.org/a?b=1&amp;c=</a>'
        "&#34;x&#34; "
        '(<a href="https://x.nl/y" rel="noopener noreferrer">https://x.nl/y</a>). javascript:alert(1) http://z.nl'
    )


def test_a_year_is_the_longest() -> None:
    assert refusal(ends="2099-01-01T00:00", now=moment_of("2097-12-30T00:00", AMSTERDAM)) == "announcement-too-late"
    assert LONGEST_DAYS == 366
