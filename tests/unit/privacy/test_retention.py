"""What the register says of how long something is kept holds: what is over goes, or goes on without its person."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from fabric_hub.gateway.ledger import Ledger
from fabric_hub.messages.texts import stops as texts
from fabric_hub.privacy.retention import DAY_S, forget_old
from fabric_hub.privacy.rows import PAST
from fabric_hub.service.tasks.retention import RetentionTask
from fabric_hub.sessions.store import SessionStore
from fabric_hub.sessions.tables import (
    announcements,
    announcements_dismissed,
    operator_visits,
    quota_warnings,
    session_stops,
    successors,
    usage_days,
)
from tests.support.builders import a_site, fields_of_a_session

NOW = time.time()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    opened = SessionStore(f"sqlite:///{tmp_path}/sessions.sqlite")
    yield opened
    opened.close()


def ended(store: SessionStore, user: str, days: float) -> str:
    """A session that ended so many days ago."""
    session = store.create(**fields_of_a_session(user=user, server_name="deep", datasets=["wind"], token="t" * 32))
    store.end(session.id, reason="failed", text=texts.NO_LIVE_SESSION(session="jan/deep"), log=["jan@node"])
    store.update(session.id, ended_at=NOW - days * DAY_S, reopen=["jan.ipynb"], job_id=7)
    return session.id


def test_a_session_that_was_over_long_ago_goes_on_without_its_person(store: SessionStore) -> None:
    old, new = ended(store, "jan", 101), ended(store, "jan", 99)
    live = store.create(**fields_of_a_session(user="eve"))
    assert forget_old(store.engine, NOW, 100) == 1
    kept = store.known([old, new, live.id])
    assert (kept[old].user, kept[old].server_name, kept[old].datasets, kept[old].job_id) == (PAST, "", (), None)
    assert (kept[old].end_log, kept[old].reopen, kept[old].token_digest) == ((), None, None)
    assert (kept[old].project, kept[old].profile, kept[old].end_reason) == ("physics", "cpu", "failed")
    told = kept[old].end_text
    assert told is not None
    assert told.code == "stop-no-session"
    assert (kept[new].user, kept[new].reopen) == ("jan", ("jan.ipynb",))
    assert kept[live.id] == live
    assert forget_old(store.engine, NOW, 100) == 0, "once"


def test_daily_usage_is_summed_up_and_no_sum_changes(store: SessionStore) -> None:
    today = datetime.fromtimestamp(NOW).astimezone().date()

    def row(user: str, days: int, hours: float, profile: str = "cpu") -> dict[str, object]:
        amounts = {"gpu_hours": hours, "cpu_hours": 2 * hours, "jobs": 1}
        day = today - timedelta(days=days)
        return {"day": day, "project": "physics", "account": "phys", "user": user, "profile": profile, **amounts}

    with store.engine.begin() as connection:
        rows = [row("jan", 200, 1.0), row("eve", 200, 2.5), row("eve", 200, 4.0, "gpu"), row("jan", 3, 8.0)]
        connection.execute(sa.insert(usage_days), rows)
    assert forget_old(store.engine, NOW, 100) > 0
    with store.engine.connect() as connection:
        columns = usage_days.c
        told = connection.execute(sa.select(columns.user, columns.profile, columns.gpu_hours, columns.jobs)).all()
    assert sorted(map(tuple, told)) == [(PAST, "cpu", 3.5, 2), (PAST, "gpu", 4.0, 1), ("jan", "cpu", 8.0, 1)]
    with store.engine.begin() as connection:  # a day that is summed up once more
        connection.execute(sa.insert(usage_days), [row("bob", 200, 1.5)])
    assert forget_old(store.engine, NOW, 100) > 0
    with store.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.sum(columns.gpu_hours))).scalar() == 17.0


def test_what_has_a_time_of_its_own_goes_when_it_is_over(store: SessionStore) -> None:
    def both(days: float) -> list[float]:
        return [NOW - (days + 1) * DAY_S, NOW - (days - 0.5) * DAY_S]

    with store.engine.begin() as connection:
        for number, at in enumerate(both(400)):
            stop = {"session": str(number), "operator": "o", "reason": "r", "ordered_at": at, "due_at": at}
            connection.execute(sa.insert(session_stops).values(**stop))
            warning = {"subject": f"storage:{number}:", "name": "soft", "level": "info", "in_force": False, "since": at}
            more = {"text": texts.NO_LIVE_SESSION(session="x"), "seen_at": at, "tries": 0, "retry_at": 0.0}
            connection.execute(sa.insert(quota_warnings).values(**warning, **more))
        for number, at in enumerate(both(30)):
            said = {"level": "info", "words": {"en": "x"}, "begins_at": 0.0, "operator": "o", "written_at": 0.0}
            connection.execute(sa.insert(announcements).values(id=str(number), ends_at=at, **said))
            connection.execute(sa.insert(announcements_dismissed).values(announcement=str(number), user="jan"))
        for number, at in enumerate(both(100)):
            connection.execute(sa.insert(operator_visits).values(session=str(number), operator="o", at=at))
        for number, at in enumerate(both(1)):
            one = {"predecessor": str(number), "user": "jan", "server_name": "x", "reopen": [], "created_at": at}
            connection.execute(sa.insert(successors).values(**one))
    forget_old(store.engine, NOW, 100)
    keys = {
        session_stops: "session", quota_warnings: "subject", announcements: "id",
        announcements_dismissed: "announcement", operator_visits: "session", successors: "predecessor",
    }  # fmt: skip
    with store.engine.connect() as connection:
        for table, key in keys.items():
            assert "1" in "".join(connection.execute(sa.select(table.c[key])).scalars()), table.name
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 1, table.name


def test_the_service_does_it_by_the_sites_own_setting(store: SessionStore, tmp_path: Path) -> None:
    old, new = ended(store, "jan", 61), ended(store, "jan", 59)
    site = a_site(tmp_path, "[privacy]\nkeep_days = 60\n")
    assert RetentionTask(site, store.engine).forget() == 1
    assert [one.user for one in (store.known([old])[old], store.known([new])[new])] == [PAST, "jan"]


def test_the_gateways_ledger_forgets_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path / "submissions.sqlite", "main")
    ledger.submitted("aaaaaaaaaaaa", "jan", None, None)
    monkeypatch.setattr(ledger, "_cleaned_at", time.monotonic() - 2 * DAY_S)
    monkeypatch.setattr("time.time", lambda: NOW + 401 * DAY_S)
    ledger.submitted("bbbbbbbbbbbb", "eve", None, None)
    assert set(ledger.witnesses(["aaaaaaaaaaaa", "bbbbbbbbbbbb"])) == {"bbbbbbbbbbbb"}
    ledger.close()
