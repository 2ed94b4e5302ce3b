"""Of two sessions that wait for one place exactly one goes on, whatever happens in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import verbatim
from fabric_hub.sessions import pairs
from fabric_hub.sessions.pairs import Outcome, Row, counted, no_alternative, on_begin
from fabric_hub.sessions.store import Session, SessionStore

FIRST = Row("a", "work", paired_with="b")
SECOND = Row("b", "work-cpu", paired_with="a")
CHOICE: dict[str, Any] = {
    "kind": "slurm", "project": "physics", "account": "phys", "profile": "cpu", "image": "base", "hours": 1.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("mine", "other", "outcome"),
    [
        (FIRST, SECOND, Outcome(True, "b")),
        (SECOND, FIRST, Outcome(True, "a")),
        (FIRST._replace(began_at=1.0), SECOND._replace(ended_at=1.0), Outcome(True)),  # it asks again: a lost answer
        (SECOND._replace(ended_at=1.0), FIRST._replace(began_at=1.0), Outcome(False)),  # in the same second, and later
        (FIRST, SECOND._replace(paired_with=None), Outcome(True)),
        (FIRST, SECOND._replace(paired_with="c"), Outcome(True)),
        (FIRST._replace(paired_with=None), None, Outcome(True)),
        (None, None, Outcome(False)),
    ],
)
def test_whose_script_speaks_first_goes_on_and_the_other_ends(
    mine: Row | None, other: Row | None, outcome: Outcome
) -> None:
    assert on_begin(mine, other) == outcome


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (FIRST._replace(paired_with=None), None),
        (FIRST, "session-has-alternative"),
        (SECOND, "session-has-alternative"),
        (FIRST._replace(began_at=1.0), "session-has-begun"),
        (FIRST._replace(ended_at=1.0), "no-waiting-session"),
        (None, "no-waiting-session"),
    ],
)
def test_a_session_has_one_alternative_at_most_and_none_once_it_has_begun(
    first: Row | None, reason: str | None
) -> None:
    why = no_alternative(first)
    assert (why.reason if why else None) == reason


def test_limits_count_a_pair_once() -> None:
    other = Row("c", "other")
    assert counted([FIRST, SECOND, other]) == ["work", "other"]
    assert counted([FIRST, SECOND, other], {"a"}) == ["other"]
    assert counted([FIRST, SECOND, other], {"b"}) == ["other"]
    assert counted([FIRST._replace(began_at=1.0), other]) == ["work", "other"]


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(f"sqlite:///{tmp_path}/sessions.sqlite")


def _pair(store: SessionStore, most: int | None = None) -> tuple[Session, Session]:
    first = store.create(user="jan", server_name="work", token="one", most=most, **CHOICE)
    second = store.create(user="jan", server_name="work-cpu", token="two", most=most, alternative_to=first.id, **CHOICE)
    return first, second


def test_the_record_links_both_and_ends_the_other_with_the_reason(store: SessionStore) -> None:
    first, second = _pair(store, most=1)
    now = store.get(first.id)
    assert now
    assert (now.pair, second.pair) == (second.id, first.id)
    assert store.counted_names("jan") == ["work"]
    with pytest.raises(FabricError, match="nobody may have more than 1"):
        store.create(user="jan", server_name="third", most=1, **CHOICE)
    for one in (first, second):
        with pytest.raises(FabricError) as refused:
            store.create(user="jan", server_name="third", alternative_to=one.id, **CHOICE)
        assert refused.value.reason == "session-has-alternative"
    assert store.live("jan", "third") is None

    assert store.begin(second.id)
    over, winner = store.get(first.id), store.get(second.id)
    assert over
    assert winner
    assert (str(over.end_text), over.end_reason, over.token) == (
        "Cancelled: work-cpu started first.",
        "other-started",
        None,
    )
    assert winner.live
    assert winner.pair is None
    assert not store.begin(first.id)
    assert not store.announce(first.id, 4000, {})
    assert store.begin(second.id), "asked again, as after a lost answer"
    store.end(second.id, reason="stopped", text=verbatim("Stopped."))
    assert store.get(first.id) == over, "the winner's stop has no effect on anything else"


def test_an_older_launcher_begins_with_its_announcement(store: SessionStore) -> None:
    first, second = _pair(store)
    assert store.announce(first.id, 4000, {})
    assert not store.announce(second.id, 4001, {})
    assert [store.get(one.id).live for one in (first, second)] == [True, False]  # type: ignore[union-attr]


@pytest.mark.parametrize("cancelled", [0, 1])
def test_who_is_cancelled_by_hand_leaves_the_other_one_alone(store: SessionStore, cancelled: int) -> None:
    pair = _pair(store)
    store.end(pair[cancelled].id, reason="stopped", text=verbatim("Stopped."))
    left = store.get(pair[1 - cancelled].id)
    assert left
    assert left.live
    assert left.paired_with is None
    store.create(user="jan", server_name="third", alternative_to=left.id, **CHOICE)
    assert len(store.counted_names("jan")) == 1, "and it may have another alternative"


STEPS = st.lists(
    st.tuples(st.sampled_from(["begin", "announce", "lost", "fails", "cancel", "restart"]), st.integers(0, 1)),
    max_size=10,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_never_do_two_of_a_pair_go_on(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]) -> None:
    path = tmp_path_factory.mktemp("pairs") / "sessions.sqlite"
    store = SessionStore(f"sqlite:///{path}")
    pair = _pair(store)
    told: set[int] = set()
    by_hand: set[int] = set()
    for what, which in steps:
        one = pair[which]
        if what == "restart":
            store.close()
            store = SessionStore(f"sqlite:///{path}")
        elif what == "cancel":
            by_hand.add(which)
            store.end(one.id, reason="stopped", text=verbatim("Stopped."))
        elif what == "fails":  # the disk fails in the middle: nothing of it counts
            with store.engine.connect() as connection:
                pairs.begin(connection, one.id)
                connection.rollback()
        else:
            goes_on = store.announce(one.id, 4000 + which, {}) if what == "announce" else store.begin(one.id)
            if goes_on and what != "lost":
                told.add(which)
        live_ones = [which for which in (0, 1) if (row := store.get(pair[which].id)) and row.live]
        assert len(told) <= 1
        assert all(which in live_ones or which in by_hand for which in told)
        began = [which for which in (0, 1) if (row := store.get(pair[which].id)) and row.began_at and row.live]
        assert len(began) <= 1
        if began:
            assert live_ones == began, "whoever has begun is alone"
        if not by_hand:
            assert live_ones, "one of them is always left"
    store.close()
