from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fabric_hub.budgets.idle import stop_message
from fabric_hub.catalogue.database import CATALOGUE
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.reader import Reader
from fabric_hub.messages.text import verbatim
from fabric_hub.sessions.database import SESSIONS, Transaction, database_url
from fabric_hub.sessions.store import SessionStore, new_session_id
from fabric_hub.sessions.succession import PREPARED_S
from fabric_hub.sessions.tables import successors
from tests.support.builders import fields_of_a_session
from tests.support.database_processes import race

ROOT = Path(__file__).parents[3]
TMPFS = 'mount -t tmpfs -o size=400k,mode=0700 none "$1" && exec "$2" -m tests.support.database_processes "$3" "$1"'
PRIVATE_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]


def outcome(*command: str) -> dict[str, Any]:
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


@pytest.fixture
def small_disk(tmp_path: Path) -> list[str]:
    """The beginning of a command whose process alone sees a disk of 400 KiB in tmp_path."""
    probe = [*PRIVATE_MOUNTS, "mount", "-t", "tmpfs", "none", str(tmp_path)]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs user namespaces or root: a small disk is mounted")
    return [*PRIVATE_MOUNTS, "sh", "-c", TMPFS, "sh", str(tmp_path), sys.executable]


def test_a_session_is_found_by_id_and_by_server(store: SessionStore) -> None:
    made = store.create(**fields_of_a_session(server_name="a", datasets=("x",), token="secret"))
    assert made.live
    assert made.datasets == ("x",)
    assert store.get(made.id) == store.live("jan", "a") == made
    assert store.live("jan", "") is None
    assert store.live("eve", "a") is None
    assert store.known([made.id, "aaaaaaaaaaaa"]) == {made.id: made}
    assert store.known([]) == {}
    assert store.get("aaaaaaaaaaaa") is None


def test_a_second_live_session_of_a_server_is_refused_until_the_first_is_over(store: SessionStore) -> None:
    first = store.create(**fields_of_a_session())
    with pytest.raises(FabricError) as caught:
        store.create(**fields_of_a_session())
    assert (caught.value.reason, caught.value.status) == ("busy", 409)
    assert caught.value.message == "This session is already being started."
    store.end(first.id, reason="stopped", text=verbatim("You stopped it."))
    assert store.create(**fields_of_a_session()).id != first.id


def test_two_hubs_that_start_one_server_at_once_get_one_session(database: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as shared, ProcessPoolExecutor(4, mp_context=spawn) as pool:
        together = shared.Barrier(4)
        ends = [job.result(120) for job in [pool.submit(race, str(database), together) for _ in range(4)]]  # type: ignore[arg-type]
    assert sorted(ends) == ["busy", "busy", "busy", "created"]


def test_threads_that_start_one_server_at_once_get_one_session(store: SessionStore) -> None:
    together = threading.Barrier(8)

    def start(_number: int) -> str:
        together.wait(30)
        try:
            return store.create(**fields_of_a_session()).id
        except FabricError as error:
            return error.reason

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(start, range(8)))
    assert ends.count("busy") == 7, ends
    assert [session.id for session in store.live_all()] == [end for end in ends if end != "busy"]


def test_of_many_starts_at_one_moment_no_more_than_allowed_get_a_session(store: SessionStore) -> None:
    together = threading.Barrier(8)

    def start(number: int) -> str:
        together.wait(30)
        try:
            return store.create(most=3, **fields_of_a_session(server_name=f"s{number}")).id
        except FabricError as error:
            return error.reason

    with ThreadPoolExecutor(8) as hands:
        ended = list(hands.map(start, range(8)))
    assert ended.count("too-many-sessions") == 5
    assert len(store.live_names("jan")) == 3
    assert store.create(most=3, **fields_of_a_session(user="eve")).live, "of each user by themselves"
    store.end(next(one for one in ended if one != "too-many-sessions"), reason="stopped", text=verbatim(""))
    assert store.create(most=3, **fields_of_a_session(server_name="later")).live


def test_hub_and_service_may_make_the_database_at_the_same_moment(tmp_path: Path) -> None:
    for number in range(40):
        url = f"sqlite:///{tmp_path / f'{number}.sqlite'}"
        together = threading.Barrier(6)

        def make(_: int, url: str = url, together: threading.Barrier = together) -> None:
            together.wait(30)
            SessionStore(url).close()

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(make, range(6)))


def test_a_database_opened_twice_in_a_process_still_sees_what_others_write(store: SessionStore, database: Path) -> None:
    """SQLite's locks are POSIX's: closing any descriptor of the file drops them, and the log could be taken away."""
    store.create(**fields_of_a_session(server_name="before"))
    SessionStore(store.url).close()
    other = [sys.executable, "-m", "tests.support.database_processes", "add", str(database)]
    for _ in range(2):  # the last connection that closes removes the log
        made = outcome(*other)["id"]
        assert made in store.known([made])
    later = SessionStore(store.url)
    assert later.engine is store.engine, "one engine per process"
    later.close()
    assert len(store.live_all()) == 3, "closing one of them takes nothing from the other"


def test_the_first_announced_port_counts(store: SessionStore) -> None:
    made = store.create(**fields_of_a_session())
    assert store.announce(made.id, 4000, {"bind": 0.5})
    first = store.get(made.id)
    assert first is not None
    assert (first.port, first.phases) == (4000, {"bind": 0.5})
    assert store.announce(made.id, 4000, {"bind": 0.5}), "a lost answer: the same port again"
    again = store.get(made.id)
    assert again is not None
    assert again.announced_at == first.announced_at
    assert not store.announce(made.id, 4001, {})
    unchanged = store.get(made.id)
    assert unchanged is not None
    assert unchanged.port == 4000


def test_a_session_that_is_over_or_unknown_announces_nothing(store: SessionStore) -> None:
    made = store.create(**fields_of_a_session())
    store.end(made.id, reason="stopped", text=verbatim(""))
    assert not store.announce(made.id, 4000, {})
    assert not store.announce("aaaaaaaaaaaa", 4000, {})


def test_the_first_end_counts_and_takes_the_token_away(store: SessionStore) -> None:
    made = store.create(**fields_of_a_session(token="secret"))
    store.end(made.id, reason="timeout", text=verbatim("Its time was up."), log=["one", "two"])
    store.end(made.id, reason="stopped", text=verbatim("Too late."))
    over = store.get(made.id)
    assert over is not None
    assert not over.live
    assert (over.end_reason, str(over.end_text), over.end_log) == ("timeout", "Its time was up.", ("one", "two"))
    assert over.token is None
    assert store.live("jan", "") is None
    assert store.live_all() == []


def test_the_session_that_ended_last_is_told(store: SessionStore) -> None:
    assert store.last_ended("jan", "") is None
    for reason in ("first", "second"):
        store.end(store.create(**fields_of_a_session()).id, reason=reason, text=verbatim(""))
    last = store.last_ended("jan", "")
    assert last is not None
    assert last.end_reason == "second"


def test_a_text_of_any_kind_comes_back_as_it_was(store: SessionStore) -> None:
    text = "'; DROP TABLE sessions; --\n\u202e\0"
    made = store.create(**fields_of_a_session(server_name="a"))
    store.update(made.id, end_text=verbatim(text))
    assert store.live("'; DROP TABLE sessions; --", "a") is None
    kept = store.get(made.id)
    assert kept is not None
    assert str(kept.end_text) == text


def test_why_a_session_is_over_is_kept_as_a_fact_for_every_reader(store: SessionStore) -> None:
    made = store.create(**fields_of_a_session())
    store.end(made.id, reason="idle", text=stop_message(1800, 2, 6.0, "physics"))
    kept = store.get(made.id)
    assert kept is not None
    assert kept.end_text == stop_message(1800, 2, 6.0, "physics")
    assert kept.end_text.say(Reader("nl")) == stop_message(1800, 2, 6.0, "physics").say(Reader("nl"))
    assert kept.end_text.say(Reader("nl")) != str(kept.end_text)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("You stopped it.", "You stopped it."),
        ("", ""),
        ("{it} ended", "{it} ended"),
        ('{"code": 5}', '{"code": 5}'),
        ('{"code": "of-a-later-release", "params": {"x": 1}, "text": "It ended so."}', "It ended so."),
    ],
)
def test_what_another_release_wrote_of_an_end_is_said_as_it_was(store: SessionStore, written: str, read: str) -> None:
    made = store.create(**fields_of_a_session())
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE sessions SET end_text = :text"), {"text": written})
    kept = store.get(made.id)
    assert kept is not None
    assert kept.end_text is not None
    assert [kept.end_text.say(Reader(language)) for language in ("en", "nl")] == [read, read]


def test_a_database_that_fails_says_which_it_is_and_that_nothing_was_changed(store: SessionStore) -> None:
    for kept, which, advice in (
        (SESSIONS, "The sessions database cannot be used: disk I/O error.", "Nothing was started or changed."),
        (CATALOGUE, "The catalogue's database cannot be used: disk I/O error.", "Nothing was changed."),
    ):
        with pytest.raises(FabricError, match="disk I/O error") as failed, Transaction(store.engine, kept):
            raise sa.exc.OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))
        assert failed.value.message == which
        assert failed.value.hint.startswith(f"{advice} Tell the operator: the disk may be full")
        assert (failed.value.reason, failed.value.status) == ("database", 503)


def test_only_the_owner_can_read_the_database(database: Path) -> None:
    before = os.umask(0)
    try:
        store = SessionStore(f"sqlite:///{database}")
        store.create(**fields_of_a_session(token="secret"))
        files = {path.name: path.stat().st_mode & 0o777 for path in database.parent.iterdir()}
    finally:
        os.umask(before)
    assert files[database.name] == 0o600
    assert set(files.values()) == {0o600}, "the write-ahead log holds the same secrets"
    store.close()


def test_a_database_that_others_could_read_is_closed_to_them(database: Path) -> None:
    database.touch(0o644)
    database.chmod(0o644)
    SessionStore(f"sqlite:///{database}").close()
    assert database.stat().st_mode & 0o777 == 0o600


def test_the_database_is_in_the_hubs_state_directory(site: Settings) -> None:
    assert database_url(site) == f"sqlite:///{site.hub.state_dir}/sessions.sqlite"


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"garbage" * 1000)
    for path in (tmp_path / "garbage", tmp_path / "missing" / "db", tmp_path):
        with pytest.raises(FabricError) as caught:
            SessionStore(f"sqlite:///{path}")
        assert caught.value.reason == "database"
        assert str(path) in caught.value.message


def test_a_database_that_is_spoilt_while_in_use_is_told_in_words(store: SessionStore, database: Path) -> None:
    made = store.create(**fields_of_a_session())
    store.close()
    database.with_name(f"{database.name}-wal").unlink(missing_ok=True)
    database.write_bytes(b"garbage" * 1000)
    actions: list[Callable[[], object]] = [lambda: store.get(made.id), lambda: store.update(made.id, port=1)]
    for action in actions:
        with pytest.raises(FabricError) as caught:
            action()
        assert (caught.value.reason, caught.value.status) == ("database", 503)


def assert_nothing_half_written(told: dict[str, Any]) -> None:
    assert told["refused"]["reason"] == "database"
    assert told["refused"]["status"] == 503
    assert "disk may be full" in told["refused"]["text"]
    assert {name: refused and refused["reason"] for name, refused in told["others"].items()} == {
        "update": "database",
        "end": "database",
        "announce": "database",
    }
    assert told["found"] == told["kept"], "exactly what was said to be stored is stored"
    assert told["readable"] == len(told["kept"])
    assert told["first_is_whole"]
    assert told["integrity"] == "ok"
    assert told["after"] == "after", "with room again it works again"


def test_a_full_disk_refuses_in_words_and_leaves_no_half_written_row(small_disk: list[str]) -> None:
    assert_nothing_half_written(outcome(*small_disk, "full"))


def test_a_file_that_may_not_grow_refuses_in_words_too(tmp_path: Path) -> None:
    assert_nothing_half_written(
        outcome(sys.executable, "-m", "tests.support.database_processes", "limit", str(tmp_path))
    )


def test_a_first_start_on_a_full_disk_says_so_and_the_next_one_works(small_disk: list[str]) -> None:
    told = outcome(*small_disk, "open")
    assert told["refused"]["reason"] == "database"
    assert told["afterwards"] is None


def test_session_ids_are_what_a_job_name_takes() -> None:
    ids = {new_session_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(one) == 12 and set(one) <= set("abcdefghijklmnopqrstuvwxyz234567") for one in ids)


def test_the_next_start_of_a_prepared_server_continues_the_session(store: SessionStore) -> None:
    before = store.create(**fields_of_a_session())
    store.prepare_successor(before, "session-2", ["a.ipynb", "b/c.ipynb"])
    assert store.successor(before.id) is None
    after = store.create(**fields_of_a_session(server_name="session-2"))
    assert (after.follows, after.reopen) == (before.id, ("a.ipynb", "b/c.ipynb"))
    assert store.successor(before.id) == after
    store.end(after.id, reason="stopped", text=verbatim(""))
    again = store.create(**fields_of_a_session(server_name="session-2"))
    assert (again.follows, again.reopen) == (None, None)


def test_nobody_elses_start_continues_a_session(store: SessionStore) -> None:
    before = store.create(**fields_of_a_session())
    store.prepare_successor(before, "session-2", [])
    assert store.create(**fields_of_a_session(user="eve", server_name="session-2")).follows is None


def test_a_successor_that_was_taken_back_is_forgotten(store: SessionStore) -> None:
    before = store.create(**fields_of_a_session())
    store.prepare_successor(before, "session-2", [])
    store.forget_successor(before.id)
    assert store.create(**fields_of_a_session(server_name="session-2")).follows is None


def test_of_two_starts_that_would_continue_a_session_one_is_refused(store: SessionStore) -> None:
    before = store.create(**fields_of_a_session())
    store.prepare_successor(before, "session-2", [])
    with pytest.raises(FabricError, match="already being started") as refused:
        store.prepare_successor(before, "session-3", [])
    assert (refused.value.reason, refused.value.status) == ("busy", 409)
    after = store.create(**fields_of_a_session(server_name="session-2"))
    assert after.follows == before.id
    with pytest.raises(FabricError, match="already being started"):
        store.prepare_successor(before, "session-3", [])
    assert store.create(**fields_of_a_session(server_name="session-3")).follows is None
    store.end(after.id, reason="stopped", text=verbatim(""))
    store.prepare_successor(before, "session-2", [])


def test_what_a_hub_that_ended_had_prepared_is_in_nobodys_way(store: SessionStore) -> None:
    before = store.create(**fields_of_a_session())
    store.prepare_successor(before, "session-2", ["a.ipynb"])
    with store.engine.begin() as connection:
        connection.execute(sa.update(successors).values(created_at=successors.c.created_at - PREPARED_S - 1))
    store.prepare_successor(before, "session-3", [])
    assert store.create(**fields_of_a_session(server_name="session-2")).follows is None
    assert store.create(**fields_of_a_session(server_name="session-3")).follows == before.id


def test_what_idle_sessions_returned_is_added_up_by_project(store: SessionStore) -> None:
    for number, hours in enumerate((1.5, 2.0)):
        session = store.create(**fields_of_a_session(server_name=f"s{number}"))
        store.end(session.id, reason="idle", text=verbatim(""), returned=hours)
    store.end(store.create(**fields_of_a_session()).id, reason="stopped", text=verbatim(""))
    assert store.returned() == {"physics": (2, 3.5)}
