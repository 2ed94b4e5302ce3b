"""Who has left a project loses the sessions that run in it, with a notice; nobody else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.budgets.schemas import TimeLeft
from fabric_hub.budgets.time_left import longer, with_stop
from fabric_hub.config.settings import Project, Settings
from fabric_hub.errors import FabricError
from fabric_hub.hub.pages.cards import ended
from fabric_hub.service.tasks.leaving import NOTICE_S, Leaving, has_left, orders
from fabric_hub.service.tasks.operator_stops import OperatorStops
from fabric_hub.sessions.stops import LEFT, Stop, StopBook
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import CancelRequest
from tests.support.accounts_and_hub import Hub
from tests.support.builders import NOW, a_session, fields_of_a_session
from tests.support.kept_projects import KeptProjects


def waves(*members: str) -> Project:
    return Project.model_validate({"account": "fh-waves", "members": {"owner": ["olga"], "member": list(members)}})


@pytest.fixture
def kept(catalogue_site: Settings, tmp_path: Path) -> KeptProjects:
    return KeptProjects(catalogue_site, tmp_path)


class Gateway:
    """Keeps what it is asked to cancel."""

    def __init__(self) -> None:
        self.cancelled: list[CancelRequest] = []

    async def cancel(self, request: CancelRequest) -> None:
        self.cancelled.append(request)


def running(**fields: object) -> Session:
    return a_session(project="waves", user="jan", began_at=NOW - 60, **fields)


def test_nobody_has_left_a_project_that_is_not_known_or_is_gone(kept: KeptProjects) -> None:
    assert not has_left(kept.settings, running())
    kept.publish(waves=waves("jan"))
    assert not has_left(kept.settings, running())
    kept.publish(waves=waves())
    assert has_left(kept.settings, running())
    kept.publish(waves=waves().model_copy(update={"members": waves().members.model_copy(update={"visitor": ("jan",)})}))
    assert has_left(kept.settings, running()), "a visitor has no sessions"
    kept.publish()
    assert not has_left(kept.settings, running()), "projects end, they do not vanish"


def test_what_runs_has_a_notice_what_waits_has_none_and_what_an_operator_ends_sooner_stays_theirs(
    kept: KeptProjects,
) -> None:
    kept.publish(waves=waves())
    session = running()
    assert orders(kept.settings, [session], {}, NOW).ending == ((session, NOTICE_S),)
    waits = a_session(project="waves", user="jan")
    assert orders(kept.settings, [waits], {}, NOW).ending == ((waits, 0.0),)
    stop = Stop(session=session.id, operator="olga", reason="New fan.", ordered_at=NOW, due_at=NOW + 10)
    assert orders(kept.settings, [session], {session.id: stop}, NOW).ending == ()
    later = stop.model_copy(update={"due_at": NOW + 900})
    assert orders(kept.settings, [session], {session.id: later}, NOW).ending == ((session, NOTICE_S),)


async def test_a_session_of_who_left_ends_after_the_notice_with_the_reason_and_goes_on_for_who_is_back(
    kept: KeptProjects, store: SessionStore
) -> None:
    hub, book = Hub(store), StopBook(store.engine)
    leaves, stays = (
        store.create(**fields_of_a_session(user="jan", server_name=name, project=project))
        for name, project in (("leaves", "waves"), ("stays", "physics"))
    )
    store.update(leaves.id, began_at=NOW)
    gateway = Gateway()
    leaving, carried = Leaving(kept.settings, book, store), OperatorStops(book, store, hub, gateway)
    kept.publish(waves=waves("jan"))
    leaving.look(NOW)
    assert book.all() == []
    kept.publish(waves=waves())
    leaving.look(NOW)
    leaving.look(NOW + 2)
    (stop,) = book.all()
    assert (stop.session, stop.operator, stop.due_at) == (leaves.id, LEFT, NOW + NOTICE_S)
    kept.publish(waves=waves("jan"))
    leaving.look(NOW + 4)
    assert book.of([leaves.id]) == {}
    kept.publish(waves=waves())
    leaving.look(NOW + 6)
    carried.carry_out(NOW + 6 + NOTICE_S - 1)
    assert hub.stopped == []
    carried.carry_out(NOW + 6 + NOTICE_S)
    await carried.close()
    over = store.get(leaves.id)
    assert over is not None
    assert over.end_reason == "left"
    assert str(over.end_text) == (
        "You are no longer in project waves, so this session ended. Your files stay in your home directory."
    )
    assert str(ended(over).state).endswith(" · you are no longer in project waves")
    assert not ended(over).failed
    assert hub.stopped == [("jan", "leaves")]
    assert [(one.session, one.user) for one in gateway.cancelled] == [(leaves.id, "jan")], (
        "whatever the hub makes of it"
    )
    known = store.get(stays.id)
    assert known is not None
    assert known.live


def test_the_session_is_told_and_gets_no_more_time() -> None:
    stop = Stop(session="abcdefgh2345", operator=LEFT, reason="waves", ordered_at=NOW, due_at=NOW + NOTICE_S)
    told = with_stop(TimeLeft(), stop)
    assert (told.ends_at, told.why) == (NOW + NOTICE_S, "left")
    assert str(told.text).startswith("You are no longer in project waves: this session ends at ")
    assert told.text.code == "ends-by-leaving"
    with pytest.raises(FabricError, match="You are no longer in project waves: this session gets no more time"):
        longer(told, 5)
