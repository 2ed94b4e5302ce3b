"""A record knows what was written in it, a copy does not know what came after, and another one nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import verbatim
from fabric_hub.sessions.held import Held, HeldSessions, Why
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.records import RecordMark, RecordStanding, Witness, has, may_end, standing_of
from tests.support.builders import NOW, SESSION, fields_of_a_session


def opened(path: Path) -> SessionStore:
    return SessionStore(f"sqlite:///{path}")


def copied(source: Path, target: Path) -> Path:
    with sqlite3.connect(source) as there, sqlite3.connect(target) as here:
        there.backup(here)
    return target


def test_every_write_is_counted_and_no_read_is(tmp_path: Path) -> None:
    store = opened(tmp_path / "sessions.sqlite")
    marks = [store.mark()]
    session = store.create(**fields_of_a_session())
    marks.append(store.mark())
    store.update(session.id, job_id=7)
    marks.append(store.mark())
    store.announce(session.id, 4711, {})
    marks.append(store.mark())
    store.end(session.id, reason="stopped", text=verbatim("It was stopped."))
    marks.append(store.mark())
    store.live_all(), store.newest(), store.live_names("jan"), store.returned()
    assert [mark.generation for mark in marks] == sorted({mark.generation for mark in marks})
    assert store.mark() == marks[-1]


def test_a_copy_is_older_than_what_was_written_after_it_however_long_it_goes_on(tmp_path: Path) -> None:
    store = opened(tmp_path / "sessions.sqlite")
    store.create(**fields_of_a_session(server_name="before"))
    known = store.mark()
    copy = copied(tmp_path / "sessions.sqlite", tmp_path / "copy.sqlite")
    store.create(**fields_of_a_session(server_name="after"))
    seen = store.mark()
    restored = opened(copy)
    assert standing_of(restored.lines(), seen) is RecordStanding.OLDER
    for number in range(5):
        restored.create(**fields_of_a_session(server_name=f"n{number}"))
    assert has(restored.lines(), known)
    assert not has(restored.lines(), seen)
    assert standing_of(restored.lines(), seen) is RecordStanding.OLDER
    assert not has(store.lines(), restored.mark()), "nor does the first know of what the copy did since"
    again = opened(tmp_path / "sessions.sqlite")
    again.create(**fields_of_a_session(server_name="later"))
    assert standing_of(again.lines(), seen) is RecordStanding.CURRENT, "one that goes on is the same"


def test_two_copies_of_one_moment_know_nothing_of_each_other(tmp_path: Path) -> None:
    store = opened(tmp_path / "sessions.sqlite")
    twin = opened(copied(tmp_path / "sessions.sqlite", tmp_path / "copy.sqlite"))
    store.create(**fields_of_a_session())
    twin.create(**fields_of_a_session())
    assert not has(store.lines(), twin.mark())
    assert not has(twin.lines(), store.mark())


def test_an_empty_record_is_another_one(tmp_path: Path) -> None:
    store, empty = opened(tmp_path / "sessions.sqlite"), opened(tmp_path / "empty.sqlite")
    assert standing_of(empty.lines(), store.mark()) is RecordStanding.OTHER
    assert standing_of(empty.lines(), None) is RecordStanding.CURRENT


def test_what_nobody_witnessed_may_end_only_if_it_began_while_all_was_kept() -> None:
    lines = (RecordMark(identity="a" * 32, generation=9),)
    assert may_end(lines, None, NOW, began_at=NOW - 1)
    assert not may_end(lines, None, NOW, began_at=NOW + 1)
    assert not may_end(lines, None, None, began_at=0.0)
    witness = Witness(session=SESSION, user="jan", mark=lines[0])
    assert may_end(lines, witness, None, began_at=NOW)
    assert not may_end(lines, witness.model_copy(update={"mark": None}), NOW, began_at=0.0)


def test_one_that_is_adopted_has_its_name_for_itself(store: SessionStore) -> None:
    store.create(**fields_of_a_session(server_name="a"))
    row = {"id": SESSION, "created_at": NOW, "datasets": ["x"], **fields_of_a_session(server_name="b")}
    assert store.adopt(row).datasets == ("x",)
    assert [session.id for session in store.adopted()] == [SESSION]
    with pytest.raises(FabricError, match="jan has another session of the name a on record"):
        store.adopt({**row, "id": "aaaaaaaaaaaa", "server_name": "a"})


def test_what_is_held_is_read_by_its_person(store: SessionStore) -> None:
    book = HeldSessions(store.engine)
    one = Held(session=SESSION, user="jan", unix_account="jan", job_id=7, why=Why.NO_WITNESS, since=NOW)
    other = one.model_copy(update={"session": "aaaaaaaaaaaa", "user": "eve"})
    book.replace([one, other])
    assert book.of("jan") == (one,)
    assert set(book.all()) == {one, other}
    book.replace([])
    assert book.all() == ()
