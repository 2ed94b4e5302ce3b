"""An operator's order to end a session: kept, replaced, withdrawn, and gone with the session that it is for."""

from __future__ import annotations

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts.sessions import STOPPED
from fabric_hub.sessions.stops import KEPT_S, LONGEST_REASON, NOTICES, StopBook, notice_of, reason_of, soonest
from fabric_hub.sessions.store import Session, SessionStore
from tests.support.builders import NOW, fields_of_a_session

WHY = "Node gpu2 needs a new fan."


@pytest.fixture
def book(store: SessionStore) -> StopBook:
    return StopBook(store.engine)


@pytest.fixture
def session(store: SessionStore) -> Session:
    return store.create(**fields_of_a_session())


def code_of(error: pytest.ExceptionInfo[FabricError]) -> str:
    assert isinstance(error.value.said, Text)
    return error.value.said.code


def test_an_order_stands_until_it_is_due_and_another_process_finds_it_then(
    book: StopBook, store: SessionStore, session: Session
) -> None:
    stop = book.order(session.id, "olga", f"  {WHY}\n", 900.0, NOW)
    assert (stop.reason, stop.due_at, stop.operator) == (WHY, NOW + 900, "olga")
    after_a_restart = StopBook(SessionStore(store.url).engine)
    assert after_a_restart.of([session.id, "other"]) == {session.id: stop}
    assert after_a_restart.due(NOW + 899.9) == []
    assert after_a_restart.due(NOW + 90_000) == [stop]


def test_an_order_takes_the_place_of_the_one_before_which_stays_on_record(book: StopBook, session: Session) -> None:
    first = book.order(session.id, "olga", "first", 0.0, NOW)
    second = book.order(session.id, "piet", "second", 60.0, NOW + 1)
    assert book.of([session.id]) == {session.id: second}
    assert book.due(NOW + 30) == []
    assert book.all() == [second, first.model_copy(update={"withdrawn_at": NOW + 1, "withdrawn_by": "piet"})]


def test_an_order_is_withdrawn_before_it_is_due_and_only_once(book: StopBook, session: Session) -> None:
    stop = book.order(session.id, "olga", WHY, 300.0, NOW)
    assert book.withdraw(session.id, "piet", NOW + 10) == stop
    assert (book.of([session.id]), book.due(NOW + 900), book.changes) == ({}, [], 2)
    with pytest.raises(FabricError) as refused:
        book.withdraw(session.id, "piet", NOW + 11)
    assert code_of(refused) == "stop-none"


def test_an_order_does_not_outlive_its_session_nor_pass_to_the_next_of_its_name(
    book: StopBook, store: SessionStore, session: Session
) -> None:
    book.order(session.id, "olga", WHY, 300.0, NOW)
    store.end(session.id, reason="stopped", text=STOPPED())
    again = store.create(**fields_of_a_session())
    assert (book.due(NOW + 900), book.of([session.id, again.id])) == ([], {})
    for name in (session.id, "nothing"):
        with pytest.raises(FabricError) as refused:
            book.order(name, "olga", WHY, 0.0, NOW)
        assert code_of(refused) == "stop-no-session"
    with pytest.raises(FabricError):
        book.withdraw(session.id, "olga", NOW)


def test_orders_are_forgotten_after_a_year(book: StopBook, session: Session) -> None:
    book.order(session.id, "olga", "old", 0.0, NOW)
    new = book.order(session.id, "olga", "new", 0.0, NOW + KEPT_S + 1)
    assert book.all() == [new]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "stop-no-reason"),
        (" \n\t", "stop-no-reason"),
        ("x" * (LONGEST_REASON + 1), "stop-reason-too-long"),
        ("a\x1b[31m", "stop-reason-not-plain"),
        ("a\u202eb", "stop-reason-not-plain"),
        ("a\ue000b", "stop-reason-not-plain"),
    ],
)
def test_a_reason_is_one_line_of_plain_text(book: StopBook, session: Session, typed: str, code: str) -> None:
    with pytest.raises(FabricError) as refused:
        book.order(session.id, "olga", typed, 0.0, NOW)
    assert code_of(refused) == code
    assert book.all() == []


def test_a_reason_may_be_as_long_as_it_says_and_have_anything_that_can_be_shown() -> None:
    for typed in ("x" * LONGEST_REASON, "Één <b>kapotte</b> ventilator {why} %s", "y"):
        assert reason_of(typed) == typed


def test_only_the_notices_that_the_page_offers_are_taken() -> None:
    assert [notice_of(str(minutes)) for minutes in NOTICES] == [0.0, 300.0, 900.0, 3600.0]
    for typed in ("", "1", "-5", "5.0", "999999", "nan"):
        with pytest.raises(FabricError) as refused:
            notice_of(typed)
        assert code_of(refused) == "stop-no-such-notice"


def test_a_session_ends_by_what_comes_first(book: StopBook, session: Session) -> None:
    stop = book.order(session.id, "olga", WHY, 600.0, NOW)
    assert soonest(NOW + 60, stop) == NOW + 60
    assert soonest(NOW + 6000, stop) == NOW + 600
    assert soonest(None, stop) == NOW + 600
    assert soonest(NOW + 60, None) == NOW + 60
