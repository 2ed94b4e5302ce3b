"""The service carries out operators' orders when they are due, and tells sessions of them before."""

from __future__ import annotations

import pytest

from fabric_hub.budgets.schemas import TimeLeft
from fabric_hub.budgets.time_left import longer, with_stop
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.texts.budgets import ENDS_BY_LIMIT
from fabric_hub.service.routes.sessions import describe
from fabric_hub.service.tasks.operator_stops import OperatorStops
from fabric_hub.sessions.stops import Stop, StopBook
from fabric_hub.sessions.store import SessionStore
from tests.support.accounts_and_hub import Hub
from tests.support.builders import NOW, a_job, a_session, a_snapshot, fields_of_a_session

STOP = Stop(session="abcdefgh2345", operator="olga", reason="New fan.", ordered_at=NOW, due_at=NOW + 900)
LEFT = TimeLeft(
    started_at=NOW - 60,
    ends_at=NOW + 3600,
    why="limit",
    text=ENDS_BY_LIMIT(at=NOW + 3600),
    can_extend=True,
    extend_most_minutes=60,
)


async def test_what_is_due_is_ended_with_its_reason_also_by_a_service_that_was_down_then(store: SessionStore) -> None:
    hub, book = Hub(store), StopBook(store.engine)
    due, later, over = (store.create(**fields_of_a_session(server_name=name)) for name in ("due", "later", "over"))
    for session, notice in ((due, 300.0), (later, 3600.0), (over, 300.0)):
        book.order(session.id, "olga", "New fan.", notice, NOW)
    book.withdraw(over.id, "olga", NOW + 1)
    stops = OperatorStops(book, store, hub)
    stops.carry_out(NOW + 299)
    assert all(session.live for session in store.known([due.id, later.id, over.id]).values())
    stops.carry_out(NOW + 1800)
    stops.carry_out(NOW + 1802)
    await stops.close()
    ended = store.get(due.id)
    assert ended is not None
    assert (ended.end_reason, str(ended.end_text)) == ("operator", "An operator ended this session: New fan.")
    assert hub.stopped == [("jan", "due")]
    assert all(session.live for session in store.known([later.id, over.id]).values())


def test_a_session_is_told_of_the_end_that_comes_first_and_gets_no_more_time(site: Settings) -> None:
    told = with_stop(LEFT, STOP)
    assert (told.ends_at, told.why) == (NOW + 900, "operator")
    assert str(told.text).startswith("An operator ends this session at ")
    assert str(told.text).endswith(": New fan.")
    with pytest.raises(FabricError, match="An operator ends this session: it gets no more time"):
        longer(told, 5)
    assert with_stop(LEFT, None) == LEFT
    sooner = LEFT.model_copy(update={"ends_at": NOW + 600})
    assert with_stop(sooner, STOP) == sooner
    assert with_stop(TimeLeft(), STOP).ends_at == NOW + 900
    snapshot = a_snapshot(a_job(started_at=NOW, ends_at=NOW + 3600))
    info = describe(site, a_session(), snapshot, NOW, STOP)
    assert (info.ends_at, info.stop_at) == (NOW + 900, NOW + 900)
    assert describe(site, a_session(), snapshot, NOW).stop_at is None


def test_it_is_said_in_dutch_with_the_operators_own_words() -> None:
    with reading(Reader("nl")):
        said = with_stop(LEFT, STOP).text.say()
    assert said.startswith("Een beheerder beëindigt deze sessie om ")
    assert said.endswith(": New fan.")
