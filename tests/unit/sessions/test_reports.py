"""What sessions say of themselves is kept while they live; an ended one stays on its person's list until they wish."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fabric_hub.messages.text import verbatim
from fabric_hub.sessions.reports import FRESH_S, ReportBook, SessionReport
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.sessions.tables import session_reports
from tests.support.builders import NOW, fields_of_a_session


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    opened = SessionStore(f"sqlite:///{tmp_path}/sessions.sqlite")
    yield opened
    opened.close()


def ended(store: SessionStore, name: str = "", user: str = "jan") -> Session:
    made = store.create(**fields_of_a_session(server_name=name, user=user))
    store.end(made.id, reason="stopped", text=verbatim("It was stopped."))
    over = store.get(made.id)
    assert over is not None
    return over


def test_a_session_is_known_by_its_last_report_until_that_is_old(store: SessionStore) -> None:
    book, made = ReportBook(store.engine), store.create(**fields_of_a_session())
    assert book.of([made.id]) == {}
    first = SessionReport(at=NOW, kernels_busy=1, others_busy=True, unsaved=None, gpu_percent=(3.5, 87.0))
    last = SessionReport(at=NOW + 60, kernels_busy=None, others_busy=None, unsaved=2, gpu_percent=None)
    for report in (first, last):
        book.write(made.id, report)
        assert book.of([made.id, "nosuchone"]) == {made.id: report}
    assert last.fresh(NOW + 60 + FRESH_S)
    assert not last.fresh(NOW + 61 + FRESH_S)


def test_reports_of_sessions_that_ended_are_not_kept(store: SessionStore) -> None:
    book = ReportBook(store.engine)
    over, other = store.create(**fields_of_a_session()), store.create(**fields_of_a_session(server_name="b"))
    book.write(over.id, SessionReport(at=NOW))
    store.end(over.id, reason="stopped", text=verbatim(""))
    book.write(other.id, SessionReport(at=NOW))
    with store.engine.connect() as connection:
        assert connection.execute(sa.select(session_reports.c.session)).scalars().all() == [other.id]


def test_the_list_of_ended_sessions_is_bounded_and_each_persons_own(store: SessionStore) -> None:
    over = [ended(store, name) for name in ("", "a", "b")]
    ended(store, user="eve")
    store.create(**fields_of_a_session(server_name="live"))
    assert [one.id for one in store.recent("jan", 0.0, 10)] == [one.id for one in reversed(over)]
    assert [one.id for one in store.recent("jan", 0.0, 2)] == [over[2].id, over[1].id]
    assert over[0].ended_at is not None
    assert over[0].id not in [one.id for one in store.recent("jan", over[0].ended_at, 10)]


def test_only_its_person_takes_an_ended_session_off_the_list_and_the_record_keeps_it(store: SessionStore) -> None:
    over, live = ended(store, "a"), store.create(**fields_of_a_session())
    before = store.mark()
    assert store.remove("eve", over.id) is None
    assert store.remove("jan", live.id) is None
    assert store.remove("jan", "nosuchone") is None
    removed = store.remove("jan", over.id)
    assert removed is not None
    assert store.remove("jan", over.id) == removed, "asked again it stays as it was"
    assert store.recent("jan", 0.0, 10) == []
    assert store.last_ended("jan", "a") == removed
    assert store.mark() == before, "the gateway need not know"


def test_who_had_a_session_is_known_also_when_their_list_is_empty(store: SessionStore) -> None:
    assert not store.had_any("jan")
    store.remove("jan", ended(store).id)
    assert store.had_any("jan")
    assert not store.had_any("eve")
    assert store.live_of("jan") == {}
