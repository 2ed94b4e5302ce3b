"""``fabric-hub sessions stop``: an operator at a terminal ends a person's session, or lets it go on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fabric_hub.cli import main, record
from fabric_hub.cli.stops import seconds_of
from fabric_hub.config.settings import load
from fabric_hub.errors import FabricError
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.stops import StopBook
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import fields_of_a_session, site_text

Run = Callable[..., int]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(site_text(tmp_path))
    return file


@pytest.fixture
def store(site: Path) -> Iterator[SessionStore]:
    opened = SessionStore(database_url(load(site)))
    yield opened
    opened.close()


@pytest.fixture
def run(site: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(record, "become_owner", lambda _: None)  # for good: not in this process
    return lambda *arguments: main(["sessions", *arguments, "--site", str(site)])


def test_a_stop_is_ordered_listed_and_withdrawn(
    run: Run, store: SessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("stops") == 0
    assert capsys.readouterr().out == "No session was to be ended by an operator.\n"
    session, book = store.create(**fields_of_a_session(server_name="deep")), StopBook(store.engine)
    assert run("stop", "jan/deep", "--reason", "New fan.", "--in", "15m") == 0
    [stop] = book.of([session.id]).values()
    assert (stop.reason, stop.due_at - stop.ordered_at) == ("New fan.", 900)
    assert stop.operator.endswith(" (command line)")
    assert capsys.readouterr().out.startswith("Session deep of jan ends at ")
    assert run("stop", "jan/deep", "--withdraw") == 0
    assert capsys.readouterr().out == "Session deep of jan goes on.\n"
    assert book.due(time.time() + 3600) == []
    assert run("stops") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert f"{stop.operator}: session {session.id} ends at " in first
    assert first.endswith(": New fan.")
    assert second.strip().startswith("Withdrawn at ")
    assert run("stops", "--json") == 0
    assert [one["reason"] for one in json.loads(capsys.readouterr().out)] == ["New fan."]


def test_a_session_without_a_name_is_called_default_and_ends_now(run: Run, store: SessionStore) -> None:
    session, book = store.create(**fields_of_a_session()), StopBook(store.engine)
    for told in ("jan", "jan/", "jan/default"):
        assert run("stop", told, "--reason", told) == 0
        [due] = book.due(time.time())
        assert (due.session, due.reason) == (session.id, told)


def test_what_cannot_be_ordered_is_refused(run: Run, store: SessionStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.create(**fields_of_a_session())
    for arguments, why in (
        (("jan/other", "--reason", "x"), "No session jan/other is running or waiting."),
        (("jan", "--withdraw"), "No operator ends session "),
        (("jan", "--reason", " "), "A stop needs a reason"),
        (("jan", "--reason", "x" * 301), "The reason is longer than 300 characters."),
        (("jan", "--reason", "x", "--in", "25h"), "A notice of 25h is none. Write minutes, as 15m, up to 24 hours."),
    ):
        assert run("stop", *arguments) != 0
        assert why in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("stop", "jan")
    assert StopBook(store.engine).all() == []


def test_a_notice_is_now_or_minutes_or_hours() -> None:
    assert [seconds_of(told) for told in ("now", "0m", "5m", "24h")] == [0, 0, 300, 86400]
    for told in ("", "15", "-5m", "1.5h", "99999h", "5 m", "²m", "5m\n"):
        with pytest.raises(FabricError):
            seconds_of(told)
